//! What a run found, for people and for machines: every report is a fold over [`Event`](crate::run::Event)s.
//!
//! *Reports are folds over events.* No reporter reaches into the runner: whatever one of them shows came in an event,
//! so that a report can also be made from hand-made events, from a partial run, or from a JSON report that was read
//! back. [`ReportFold`] makes the one [`Report`] that all formats are views of.

pub mod across;
mod audit;
mod cause;
mod error;
pub mod evidence;
pub mod fold;
mod foreign;
pub mod format;
mod known_deviations;
pub mod model;
mod reporter;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod schema;
mod summary;

pub use across::{compare::compare, merge::merge};
pub use error::{Format, ReportError};
pub use evidence::{capture_folder::CaptureFolder, failure::block};
pub use fold::ReportFold;
pub use format::{
    destination::Destination,
    progress::Progress,
    terminal::{Options, Terminal, Verbosity},
};
pub use model::{CaseResult, Report, Totals};
pub use reporter::Reporter;
