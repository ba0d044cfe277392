//! Reports that are read back, and files that are written from them.

use std::path::Path;

use connectspec_harness::report::{Destination, Report, ReportError, format::destination::Place};

use crate::cli::{Status, Trouble};

/// The JSON report at `path`; one that cannot be read is a mistake on the command line.
pub(super) fn read(path: &Path) -> Result<Report, Trouble> {
    Report::read(path).map_err(unusable)
}

/// Makes sure that the file can be written, before any work is done for it.
pub(super) fn place(destination: &Destination) -> Result<Place, Trouble> {
    Place::at(&destination.path, &format!("{} report", destination.format)).map_err(unusable)
}

/// What the exit status of a report says.
pub(super) fn status(report: &Report) -> Status {
    match report.exit_status() {
        0 => Status::Conformant,
        1 => Status::Failed,
        _ => Status::NotJudged,
    }
}

/// Something that the command line named is not what it has to be.
pub(super) fn unusable(error: ReportError) -> Trouble {
    Trouble::usage(format!("could not {error}"))
}

/// A report could not be made, or not be written.
pub(super) fn could_not(error: ReportError) -> Trouble {
    Trouble::not_judged(format!("could not {error}"))
}
