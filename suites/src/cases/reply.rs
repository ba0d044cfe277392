//! What the proxy says: that there is a tunnel, that there is none, and why.

mod disclosure;
mod establish;
mod every_reply;
mod proxy_status;
mod refusal;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        establish::suite(),
        every_reply::suite(),
        refusal::suite(),
        disclosure::suite(),
        proxy_status::suite(),
    ]
}
