//! CONNECT onward through another proxy.

mod failure;
mod grants;
mod over_http2;
mod refusal;
mod relayed_refusal;
mod request;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    let mut suites = vec![
        request::suite(),
        grants::suite(),
        refusal::suite(),
        relayed_refusal::suite(),
        failure::suite(),
    ];
    suites.extend(over_http2::suites());
    suites
}
