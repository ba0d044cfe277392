//! The command line: judge a proxy, read what there is, and compare what was found.
//!
//! What people read goes to stdout, what tells them how far it is goes to stderr. The exit status can be trusted:
//! see `Status`.

mod address;
mod audit;
mod baseline;
mod built_in;
mod compare;
mod coverage;
mod credentials;
mod explain;
mod lab;
mod list;
mod matrix;
mod merge;
mod profile;
mod reports;
mod run;
mod running;
mod scaffold;
mod serve;
mod shell;
mod shown;
mod signals;
mod subject;
mod which;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};
use connectspec_harness::transcript::screen::{Screen, plain};

/// Conformance suite for HTTP CONNECT proxies.
#[derive(Debug, Parser)]
#[command(name = "connectspec", version, max_term_width = 100, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a proxy. Without a subject, the reference proxy that comes with this program
    Run(Box<run::Arguments>),
    /// Prove that a proxy leads to what it is meant to, and to nothing else
    Audit(Box<audit::Arguments>),
    /// List the cases
    List(list::Arguments),
    /// Explain a case: the requirement, why it matters, what is sent and what is accepted
    Explain(explain::Arguments),
    /// Show which requirements have cases, and why others have none
    Coverage(coverage::Arguments),
    /// Say what changed between two reports
    Compare(compare::Arguments),
    /// Put the shares of one run together again
    Merge(merge::Arguments),
    /// Show several proxies side by side
    Matrix(matrix::Arguments),
    /// Write a profile for a proxy, check one, or look at those that are built in
    #[command(subcommand)]
    Profile(profile::Command),
    /// Print what completes these commands in a shell
    Completions(shell::Arguments),
    /// Print a manual page, or write all of them to a folder
    Man(shell::Man),
    /// Run the reference proxy
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Proxy {
        /// Its own arguments; see `connectspec proxy --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// What stands below the help of what judges, and on its page of the manual.
const EXIT_STATUS: &str = "\
Exit status:
  0  nothing failed; what is listed as a known deviation fails as listed
  1  a case failed, or the list of deviations is out of date
  2  nothing could be judged, or not all of it: the proxy did not start or is none, it died and nobody knows of what, a case was
     blocked or broken, no case ran
  3  the command line, or a file that it names, is wrong";

/// What an exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Every case that ran was held, or blames nobody.
    Conformant = 0,
    /// A case failed, a deviation has healed, or the list of deviations is out of date.
    Failed = 1,
    /// The subject could not be started, it died and nobody knows of what, a case was blocked or broken, or nothing ran.
    NotJudged = 2,
    /// The command line is wrong.
    Usage = 3,
    /// A signal has ended a command whose status says nothing of proxies.
    Interrupted = 130,
}

/// Why a command could not do its work.
pub(crate) struct Trouble {
    status: Status,
    message: String,
}

impl Trouble {
    fn usage(message: impl std::fmt::Display) -> Self {
        Self {
            status: Status::Usage,
            message: message.to_string(),
        }
    }

    fn not_judged(message: impl std::fmt::Display) -> Self {
        Self {
            status: Status::NotJudged,
            message: message.to_string(),
        }
    }
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    arguments.next();
    // The reference proxy reads its own arguments: whatever looks like ours is not.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == "proxy")
    {
        return connectspec_reference_proxy::main_with(
            proxy_program().into_iter().chain(arguments.skip(1)),
        );
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let status = if error.use_stderr() {
                Status::Usage
            } else {
                Status::Conformant
            };
            let _ = error.print();
            return status.into();
        }
    };
    let done = match cli.command {
        None => run::main(&run::Arguments::parse_from(["run"])),
        Some(Command::Run(arguments)) => run::main(&arguments),
        Some(Command::Audit(arguments)) => audit::main(&arguments),
        Some(Command::List(arguments)) => list::main(&arguments),
        Some(Command::Explain(arguments)) => explain::main(&arguments),
        Some(Command::Coverage(arguments)) => coverage::main(&arguments),
        Some(Command::Compare(arguments)) => compare::main(&arguments),
        Some(Command::Merge(arguments)) => merge::main(&arguments),
        Some(Command::Matrix(arguments)) => matrix::main(&arguments),
        Some(Command::Profile(command)) => profile::main(&command),
        Some(Command::Completions(arguments)) => Ok(shell::completions(&arguments)),
        Some(Command::Man(arguments)) => shell::man(&arguments),
        Some(Command::Proxy { arguments }) => {
            return connectspec_reference_proxy::main_with(
                proxy_program().into_iter().chain(arguments),
            );
        }
    };
    match done {
        Ok(status) => status.into(),
        Err(trouble) => {
            // As clap shows its own, so that an error looks the same wherever it was found.
            let red = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{red}error:{red:#} {}", plain(&trouble.message));
            trouble.status.into()
        }
    }
}

/// What the reference proxy is called here, as its own help shows it.
fn proxy_program() -> Option<OsString> {
    Some("connectspec proxy".into())
}

/// Writes to stdout; a reader that has gone, such as `head`, is no error.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = Screen::new(anstream::stdout().lock()).write_all(text.as_bytes());
}

/// Writes a line to stderr.
fn tell(text: &str) {
    anstream::eprintln!("{}", plain(text));
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}
