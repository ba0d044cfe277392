//! The log: the source port in it, and what becomes of it in difficulties.

mod source_port;
mod source_port_elsewhere;
mod upheaval;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        source_port::suite(),
        source_port_elsewhere::suite(),
        upheaval::suite(),
    ]
}
