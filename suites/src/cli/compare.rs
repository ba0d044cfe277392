//! `connectspec compare`: what changed between two reports.

use std::path::PathBuf;

use clap::Parser;
use connectspec_harness::report::compare;

use crate::cli::{Status, Trouble, reports};

/// Say what changed between two reports.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    /// The JSON report of before
    #[arg(value_name = "A.json")]
    before: PathBuf,
    /// The JSON report of now
    #[arg(value_name = "B.json")]
    after: PathBuf,
}

/// Prints the changes as a Markdown table.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let before = reports::read(&arguments.before)?;
    let after = reports::read(&arguments.after)?;
    let comparison = compare(&before, &after);
    super::say(&comparison.markdown());
    Ok(match comparison.exit_status() {
        0 => Status::Conformant,
        _ => Status::Failed,
    })
}
