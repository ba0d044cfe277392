//! The mechanism of connectspec: both sides of a proxy, evidence, verdicts, reports.
//!
//! The rooms stand in the order in which they know each other: each imports only from those above it.

pub mod case;
pub mod citation;
pub mod client;
pub mod http1;
pub mod lab;
pub mod patience;
pub mod prelude;
pub mod report;
pub mod run;
pub mod server;
pub mod setup;
pub mod subject;
pub mod transcript;
pub mod tunnel;
pub mod verdict;
pub mod wire;
