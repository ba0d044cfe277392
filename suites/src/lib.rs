//! The conformance suite for HTTP CONNECT proxies.
//!
//! [`suites`] is the catalogue of cases; the command line `connectspec` runs them against any proxy.

pub mod cargo_test;
pub mod cases;
mod challenge;
pub mod cli;
mod property;
mod register;
pub mod spec;
pub mod subjects;

pub use cases::suites;
