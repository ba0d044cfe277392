//! Why a subject could not be launched: each way to fail, with what a person needs to mend it.

use std::{borrow::Cow, io, net::SocketAddr, path::PathBuf, process::ExitStatus, time::Duration};

use crate::subject::profile::mistake::Mistake;

/// Why a subject could not be launched.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// There is no such program.
    #[error("could not find the program `{program}` {searched}{}", install_line(.install.as_deref()))]
    ProgramNotFound {
        /// As the profile names it.
        program: String,
        /// Where it was looked for, as a fragment.
        searched: String,
        /// The command that installs it, as the profile gives it.
        install: Option<String>,
    },
    /// The system refused to run the program.
    #[error("could not run {}: {cause}", .program.display())]
    NotRun {
        /// The program's file.
        program: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It ended before it listened.
    #[error("`{}` ended at once ({status}) instead of listening{}{}", short(.command), printed(.output), background(*.status))]
    ExitedAtOnce {
        /// The whole command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed and logged.
        output: String,
    },
    /// It runs, but nothing accepts connections at its address.
    #[error("`{}` does not listen on {address} after {within:?}{}", short(.command), printed(.output))]
    NeverListened {
        /// The whole command.
        command: String,
        /// Where it was told to listen.
        address: SocketAddr,
        /// How long it was given.
        within: Duration,
        /// What it printed and logged.
        output: String,
    },
    /// It listens, and its pid file names none of its processes.
    #[error("`{}` listens, but {} names none of its processes; see that it writes its process id there, or leave pid-file out where it stays in the foreground{}", short(.command), .file.display(), printed(.output))]
    NoPidFile {
        /// The whole command.
        command: String,
        /// The file that its profile names.
        file: PathBuf,
        /// What it printed and logged.
        output: String,
    },
    /// Somebody else listens there.
    #[error("{address} is taken by another program; free the port or choose another")]
    PortTaken {
        /// Where the subject was to listen.
        address: SocketAddr,
    },
    /// The subject cannot listen there: no such address on this machine, or no right to the port.
    #[error("nothing can listen on {address}: {cause}")]
    AddressUnusable {
        /// Where the subject was to listen.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The configuration could not be rendered.
    #[error(transparent)]
    Template(#[from] Mistake),
    /// The scratch folder or a file in it could not be made.
    #[error("could not prepare the scratch folder: {0}")]
    Scratch(io::Error),
    /// The profile does not say how to check a configuration.
    #[error("the profile {origin} has no `check` in [launch]")]
    NoCheck {
        /// The profile, as it was named.
        origin: String,
    },
    /// The check did not end.
    #[error("`{}` did not end within {within:?}{}", short(.command), printed(.output))]
    CheckHung {
        /// The whole command.
        command: String,
        /// How long it was given.
        within: Duration,
        /// What it printed.
        output: String,
    },
    /// There is no /proc, where the harness finds its own program and sees what a subject does.
    #[error(
        "could not launch a program where there is no /proc; mount it: mount -t proc proc /proc"
    )]
    NoProc,
    /// The run was ended meanwhile.
    #[error("the run was ended before it listened")]
    Stopped,
    /// The program that guards subjects does not work.
    #[error(
        "could not guard the subject: {0}; a program that launches subjects has to call guard_main_if_asked first"
    )]
    Guard(String),
}

/// How much of an output an error shows: a screen, so that the message above it stays in sight.
const LINES_SHOWN: usize = 30;

fn printed(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return "; it printed nothing".to_owned();
    }
    let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
    format!("; it printed:\n    {}", last.join("\n    "))
}

/// A longer command is shown by its ends: a list of all allowed ports would push what the proxy printed out of sight.
const COMMAND_SHOWN: usize = 400;

fn short(command: &str) -> Cow<'_, str> {
    let characters = command.chars().count();
    if characters <= COMMAND_SHOWN {
        return command.into();
    }
    let beginning: String = command.chars().take(COMMAND_SHOWN * 3 / 4).collect();
    let end: String = command
        .chars()
        .skip(characters - COMMAND_SHOWN / 4)
        .collect();
    format!("{beginning} … {end}").into()
}

/// Whoever starts well and is gone has most likely left a child behind that does the work.
fn background(status: ExitStatus) -> &'static str {
    if status.success() {
        "\n    if it goes into the background, look for the option that keeps it in the foreground; \
         where there is none, say under [launch] where it writes its process id, as in pid-file = \"{{ scratch }}/logs/proxy.pid\""
    } else {
        ""
    }
}

fn install_line(install: Option<&str>) -> String {
    install.map_or_else(String::new, |install| {
        format!("; install it with: {install}")
    })
}
