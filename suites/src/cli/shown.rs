//! What a command that judges shows, and where it writes it.

use std::{io::IsTerminal, path::PathBuf};

use clap::Args;
use connectspec_harness::{
    report::{
        CaptureFolder, Destination, Progress, Reporter, Terminal, Verbosity, format::terminal,
    },
    transcript::screen::Screen,
};

use crate::cli::{Trouble, reports};

/// How much is shown, and which reports are written.
#[derive(Debug, Args)]
pub(super) struct Shown {
    /// Write a report to a file, too: json=PATH, junit=, html= or markdown=; may be said more than once. The path - is standard output; what is for people goes to standard error then
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Destination>,
    /// Keep a folder for each finding: the transcript, a capture file for Wireshark, TLS keys, and programs in shell, Python and Rust that repeat it; repro.py is for `git bisect run`
    #[arg(long, value_name = "DIR")]
    capture: Option<PathBuf>,
    /// Write out every failure, however many there are; without it, of more than 40 the first of each cause
    #[arg(long)]
    full: bool,
    /// Show every result
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    /// Show a line for each failure, and the summary
    #[arg(long, short)]
    quiet: bool,
}

impl Shown {
    /// The terminal first, then the files. One that cannot be written is an error before anything runs.
    pub(super) fn reporters(&self) -> Result<Vec<Box<dyn Reporter>>, Trouble> {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let progress = if self.quiet {
            Progress::none()
        } else if std::io::stderr().is_terminal() {
            Progress::bar()
        } else {
            Progress::lines(Box::new(anstream::stderr()))
        };
        let width = std::io::stdout().is_terminal().then(columns).flatten();
        let full = self.full;
        let options = terminal::Options {
            verbosity,
            width,
            full,
        };
        let out = reports::beside(&self.report)?;
        reports::differ(&self.report)?;
        let mut reporters: Vec<Box<dyn Reporter>> =
            vec![Box::new(Terminal::new(Screen::new(out), progress, options))];
        for destination in &self.report {
            reporters.push(Box::new(
                destination
                    .prepare()
                    .map_err(|error| Trouble::usage(format!("could not {error}")))?,
            ));
        }
        if let Some(folder) = &self.capture {
            reporters
                .push(Box::new(CaptureFolder::prepare(folder).map_err(
                    |error| Trouble::usage(format!("could not {error}")),
                )?));
        }
        Ok(reporters)
    }
}

/// The width of the terminal, as it says itself.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}
