//! What all questions of an audit have in common.

use crate::setup::{Allow, Setup};

/// In front of the slash in the ids of its results.
pub const SUITE: &str = "audit";

/// The set-up of an audit: nothing is said to the proxy, so that what its profile has written for it is what is judged.
#[must_use]
pub fn setup() -> Setup {
    Setup {
        allow: Allow::Unknown,
        ..Setup::default()
    }
}
