//! `connectspec completions` and `connectspec man`: what a package puts beside the program.

use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;

use super::{Cli, Status, Trouble};

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

/// Prints the manual page, in the form that `man` reads.
pub(super) fn man() -> Result<Status, Trouble> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Trouble::not_judged(format!("could not write the page: {error}")))?;
    super::say(&String::from_utf8_lossy(&page));
    Ok(Status::Conformant)
}
