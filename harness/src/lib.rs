//! The mechanism of connectspec: both sides of a proxy, evidence, verdicts, reports.
//!
//! The rooms know each other in one direction: each imports only from those that stand before it here, and so do the files of
//! a room among themselves. `tests/rooms.rs` holds it.
//!
//! ```text
//! citation patience verdict   where a requirement stands, how long is waited, what a finding means
//! stop                        what ends a run before its time
//! http2                       frames and field sections, and one connection of them
//! wire transcript             what passes, octet by octet, and views of that
//! protocol case_id            over which version of HTTP a case is asked, and how it is called
//! setup subject               what the proxy is told, and the proxy: described, launched, watched
//! http1 tunnel                what is said before a tunnel, and what a tunnel does
//! server client               the far side and the near side
//! lab case                    everything that one case may touch, and the case
//! audit                       what a proxy is meant to lead to, and the cases that follow from that
//! run report                  a plan in, events out; reports are folds over those
//! ```

// Which of them is the proxy's fault, and which the harness's, is what a case is written with.
#![warn(clippy::missing_errors_doc)]

pub mod audit;
pub mod case;
pub mod case_id;
pub mod citation;
pub mod client;
pub mod http1;
pub mod http2;
pub mod lab;
pub mod patience;
pub mod prelude;
pub mod protocol;
pub mod report;
pub mod run;
pub mod server;
pub mod setup;
pub mod stop;
pub mod subject;
pub mod transcript;
pub mod tunnel;
pub mod verdict;
pub mod wire;
