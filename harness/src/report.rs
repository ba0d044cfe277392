//! What a run found, for people and for machines: every report is a fold over [`run::Event`]s.
//!
//! *Reports are folds over events.* No reporter reaches into the runner: whatever one of them shows came in an event,
//! so that a report can also be made from hand-made events, from a partial run, or from a JSON report that was read
//! back. [`ReportFold`] makes the one [`Report`] that all formats are views of.

use std::{io, path::PathBuf};

use crate::run;

pub mod across;
pub mod evidence;
pub mod fold;
pub mod format;
mod known_deviations;
pub mod model;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod schema;
mod summary;

pub use across::{compare::compare, merge::merge};
pub use evidence::{capture_folder::CaptureFolder, failure::block};
pub use fold::ReportFold;
pub use format::{
    destination::{Destination, Format},
    progress::Progress,
    terminal::{Options, Terminal, Verbosity},
};
pub use model::{CaseResult, Report, Totals};

/// Takes the events of a run, and makes something of them.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &run::Event);

    /// Nothing more will happen, also when the run was interrupted: what was seen so far is reported.
    fn finish(&mut self) -> Result<(), ReportError>;
}

/// Why a report could not be made. The text completes "could not …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file cannot be written.
    #[error("write the {what} {}: {reason}; {remedy}", path.display())]
    Unwritable {
        /// What was to be written.
        what: String,
        /// Where.
        path: PathBuf,
        /// What stands in the way.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// A report cannot be read.
    #[error("read the report {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no report.
    #[error("understand the report {} at line {line}, column {column}: {reason}; {remedy}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
    /// Standard output or standard error is gone.
    #[error("write the result: {0}")]
    Output(#[from] io::Error),
    /// A report cannot be put into its format.
    #[error("make the {format} report: {reason}")]
    Format {
        /// Which format.
        format: Format,
        /// Why.
        reason: String,
    },
}
