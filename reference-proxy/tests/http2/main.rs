//! CONNECT over HTTP/2, from outside: what is valid with the client of the h2 crate, what is not with frames written by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers are no #[test] themselves"
)]

mod answers;
mod chains;
mod client;
mod ends;
mod frames;
mod life;
mod limits;
mod next;
mod onward;
mod onward_answers;
mod onward_raw;
mod onward_tls;
mod raw;
mod tunnels;
mod versions;

#[expect(dead_code, reason = "each of the programs uses its part of it")]
#[path = "../black_box/support.rs"]
mod support;
