//! What makes something of a run's events.

use crate::{
    report::{Report, ReportError},
    run,
};

/// Takes the events of a run, and makes something of them.
pub trait Reporter {
    /// Something happened.
    fn event(&mut self, event: &run::Event);

    /// Nothing more will happen, also when the run was interrupted: `report` is what was seen so far, folded once for all
    /// reporters.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn finish(&mut self, report: &Report) -> Result<(), ReportError>;
}
