//! Why a report could not be made, and the formats that there are.

use std::{fmt, io, path::PathBuf};

/// How a report is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For machines, and for `compare`, `merge` and `matrix`.
    Json,
    /// For continuous integration.
    Junit,
    /// For people, in a browser.
    Html,
    /// For the summary of a job, or a comment on a change.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Json, Self::Junit, Self::Html, Self::Markdown];

    /// The word for it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
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
