//! The connection to the proxy, before a tunnel and without one.

mod after_a_refusal;
mod early_data;
mod over_tls;
mod persistence;
mod races;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        after_a_refusal::suite(),
        persistence::suite(),
        early_data::suite(),
        races::suite(),
        over_tls::suite(),
    ]
}
