//! What hostile clients, hostile servers and full disks do to the program: each attack here once succeeded.
//!
//! Apart from the other tests, since some of these need thousands of sockets and the whole machine.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed; helpers are no #[test] themselves"
)]

mod apart;
mod crowd;
mod endings;
mod identity;
mod inputs;
mod logs;
mod lookups;
mod memory;
mod reloads;
mod slow;
mod soak;
mod sockets;

#[expect(dead_code, reason = "each of the two programs uses its part of it")]
#[path = "../black_box/support.rs"]
mod support;
