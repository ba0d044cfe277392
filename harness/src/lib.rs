//! The mechanism of connectspec: both sides of a proxy, evidence, verdicts, reports.

pub mod case;
pub mod client;
pub mod lab;
pub mod prelude;
pub mod proxy;
pub mod report;
pub mod run;
pub mod server;
pub mod spec;
pub mod tunnel;
pub mod verdict;
pub mod wire;
