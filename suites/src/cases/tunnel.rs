//! What a tunnel carries, and how it ends.

mod abrupt_ends;
mod close;
mod integrity;
mod opaque;
mod timeouts;
mod tls_inside;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        opaque::suite(),
        integrity::suite(),
        tls_inside::suite(),
        close::suite(),
        abrupt_ends::suite(),
        timeouts::suite(),
    ]
}
