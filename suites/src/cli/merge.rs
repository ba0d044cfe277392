//! `connectspec merge`: the shares of one run, put together again.

use std::{io::Write as _, path::PathBuf};

use clap::Parser;
use connectspec_harness::report::{Destination, Format, merge};

use crate::cli::{Status, Trouble, reports};

/// Put the shares of one run together again.
#[derive(Debug, Parser)]
#[command(after_help = super::EXIT_STATUS)]
pub(super) struct Arguments {
    /// The JSON reports of all shares, in any order
    #[arg(value_name = "SHARE.json", required = true)]
    shares: Vec<PathBuf>,
    /// Write the whole to a file: json=PATH, junit=, html= or markdown=; may be said more than once. Without it, the
    /// summary as Markdown
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Destination>,
}

/// Writes the whole; its exit status is the one that the whole run would have had.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let mut shares = Vec::new();
    for path in &arguments.shares {
        shares.push((path.clone(), reports::read(path)?));
    }
    let whole = merge(shares).map_err(|error| Trouble::usage(format!("could not {error}")))?;
    if arguments.report.is_empty() {
        super::say(&Format::Markdown.of(&whole).map_err(reports::could_not)?);
    }
    let mut beside = reports::beside(&arguments.report)?;
    for destination in &arguments.report {
        let place = reports::place(destination)?;
        let text = destination.format.of(&whole).map_err(reports::could_not)?;
        place.write(text.as_bytes()).map_err(reports::could_not)?;
    }
    if !arguments.report.is_empty() {
        // A reader that has gone is no error.
        let _ = writeln!(beside, "{}: {}", whole.subject.name(), whole.totals);
    }
    Ok(reports::status(&whole))
}
