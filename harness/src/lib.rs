//! The mechanism of connectspec: both sides of a proxy, evidence, verdicts, reports.

pub mod proxy;
pub mod run;
pub mod spec;
pub mod verdict;
pub mod wire;
