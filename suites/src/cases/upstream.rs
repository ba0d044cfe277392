//! CONNECT onward through another proxy.

mod failure;
mod grants;
mod refusal;
mod relayed_refusal;
mod request;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        request::suite(),
        grants::suite(),
        refusal::suite(),
        relayed_refusal::suite(),
        failure::suite(),
    ]
}
