//! The conformance suite for HTTP CONNECT proxies.
//!
//! [`suites`] is the catalogue of cases; the command line `connectspec` runs them against any proxy.

pub mod cargo_test;
pub mod cases;
pub mod cli;
pub mod documents;
mod register;
pub mod subjects;

pub use cases::suites;
