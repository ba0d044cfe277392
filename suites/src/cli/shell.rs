//! `connectspec completions` and `connectspec man`: what a package puts beside the program.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;

use crate::cli::{Cli, Status, Trouble};

/// Print what completes these commands in a shell.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(super) fn completions(arguments: &Arguments) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "connectspec",
        &mut script,
    );
    super::say(&String::from_utf8_lossy(&script));
    Status::Conformant
}

/// Print a manual page, or write all of them to a folder.
#[derive(Debug, Parser)]
pub(super) struct Man {
    /// Of which command, such as `run` or `profile check`; none means the page of connectspec itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the page of each command into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// Prints or writes, in the form that `man` reads.
pub(super) fn man(arguments: &Man) -> Result<Status, Trouble> {
    let mut cli = Cli::command();
    cli.build();
    if let Some(dir) = &arguments.dir {
        let failed = |error| {
            let dir = dir.display();
            Trouble::usage(format!(
                "could not write the manual pages to {dir}: {error}"
            ))
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(Cli::command(), dir).map_err(failed)?;
        return Ok(Status::Conformant);
    }
    let mut command = &cli;
    for word in &arguments.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            let known: Vec<&str> = command
                .get_subcommands()
                .map(|sub| sub.get_name())
                .collect();
            let (name, known) = (command.get_name(), known.join(", "));
            Trouble::usage(format!(
                "`{name}` has no command `{word}`; there are: {known}"
            ))
        })?;
    }
    let mut page = Vec::new();
    // The name of a page has hyphens between the words of a command.
    let title = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    clap_mangen::Man::new(command.clone())
        .title(title)
        .render(&mut page)
        .map_err(|error| Trouble::not_judged(format!("could not write the page: {error}")))?;
    super::say(&String::from_utf8_lossy(&page));
    Ok(Status::Conformant)
}
