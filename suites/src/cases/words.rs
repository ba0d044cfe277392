//! What the cases of several rooms are written in.

pub(super) mod addresses;
pub(super) mod bad_credentials;
pub(super) mod challenge;
pub(super) mod httpd;
pub(super) mod log_items;
pub(super) mod log_lines;
pub(super) mod property;
pub(super) mod refusal_kinds;
pub(super) mod requests;
pub(super) mod statuses;
pub(super) mod transfers;
pub(super) mod tunnel_ends;
