//! CONNECT over HTTP/2: what only frames can say, and only windows hold back.

mod closing;
mod data;
mod fields;
mod flow;
mod frames;
mod limits;
mod messages;
mod replies;
mod requests;
mod settings;
mod upstream;
mod websocket;
mod windows;
mod words;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        requests::suite(),
        fields::suite(),
        settings::suite(),
        replies::suite(),
        limits::suite(),
        data::suite(),
        windows::suite(),
        closing::suite(),
        frames::suite(),
        upstream::suite(),
        websocket::suite(),
        messages::suite(),
    ]
}
