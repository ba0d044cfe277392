//! What was found, and what it means.
//!
//! *Evidence first, verdict later.* A case returns what happened as an [`Outcome`]; [`judge()`] alone says what that
//! means for a requirement of a given level.

pub mod finding;
pub mod fingerprint;
pub mod judge;
mod panic;

pub use finding::{Conclusion, Finding, Outcome};
pub use judge::{Level, Verdict, judge};
pub(crate) use panic::said;
