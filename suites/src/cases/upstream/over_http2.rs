//! The same over HTTP/2: a proxy that is a client of HTTP/2 towards the next one.

mod answers;
mod request;
mod tunnels;
mod words;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![request::suite(), answers::suite(), tunnels::suite()]
}
