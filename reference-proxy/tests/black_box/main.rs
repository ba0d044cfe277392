//! The program from outside: a child process, a client on one side of it and a server on the other.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers are no #[test] themselves"
)]

mod access;
mod chains;
mod clients;
mod configs;
mod logs;
mod refusals;
mod reloads;
mod sections;
mod secure;
#[expect(dead_code, reason = "each of the two programs uses its part of it")]
mod support;
mod tunnels;
