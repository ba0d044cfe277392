//! What Apache httpd 2.4 does: asked of subjects that say they are like it.

mod access_sections;
mod addresses;
mod allow_connect;
mod allow_connect_places;
mod answers;
mod limits;
mod log_formats;
mod log_items;
mod logs;
mod order_of_checks;
mod proxy_remote;
mod requests;
mod tunnels;
mod virtual_hosts;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        allow_connect::suite(),
        allow_connect_places::suite(),
        virtual_hosts::suite(),
        access_sections::suite(),
        requests::suite(),
        limits::suite(),
        order_of_checks::suite(),
        answers::suite(),
        addresses::suite(),
        tunnels::suite(),
        proxy_remote::suite(),
        logs::suite(),
        log_items::suite(),
        log_formats::suite(),
    ]
}
