//! The source port in the log.

mod source_port;
mod source_port_elsewhere;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![source_port::suite(), source_port_elsewhere::suite()]
}
