//! `connectspec compare`: what changed between two reports.

use std::{io::IsTerminal as _, path::PathBuf};

use clap::{Parser, ValueEnum};
use connectspec_harness::report::compare;

use crate::cli::{Status, Trouble, reports};

/// What is gone is shown, and no fault.
const EXIT_STATUS: &str = "\
Exit status:
  0  nothing got worse
  1  something got worse, or a new case fails
  3  the command line, or a file that it names, is wrong";

/// Say what changed between two reports.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct Arguments {
    /// The JSON report of before
    #[arg(value_name = "A.json")]
    before: PathBuf,
    /// The JSON report of now
    #[arg(value_name = "B.json")]
    after: PathBuf,
    /// For people, or for a comment on a change [default: text on a terminal, markdown elsewhere]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
}

/// Prints the changes.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let before = reports::read(&arguments.before)?;
    let after = reports::read(&arguments.after)?;
    let comparison = compare(&before, &after);
    let format = arguments.format.unwrap_or_else(|| {
        if std::io::stdout().is_terminal() {
            Format::Text
        } else {
            Format::Markdown
        }
    });
    super::say(&match format {
        Format::Text => comparison.to_string(),
        Format::Markdown => comparison.markdown(),
    });
    Ok(match comparison.exit_status() {
        0 => Status::Conformant,
        _ => Status::Failed,
    })
}
