//! A proxy that runs for weeks: robustness, load, resources.

mod load;
mod resources;
mod robustness;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![robustness::suite(), load::suite(), resources::suite()]
}
