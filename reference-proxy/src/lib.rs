//! A CONNECT proxy that an administrator of Apache httpd can configure without reading its documentation.
//!
//! It takes the directives of httpd that concern a CONNECT proxy, with httpd's meaning; where httpd does not
//! keep to the RFCs, this proxy does: [`deviations`] lists every difference. It shares no code with the suite that judges it: it parses HTTP by hand,
//! and knows nothing of tests.
//!
//! [`serve`] accepts a connection and gives it to [`session`], which reads the head ([`request`]), decides
//! ([`config`], [`auth`]), connects ([`net`], [`upstream`]) and hands both sides to the [`relay`];
//! [`log`](mod@log) writes the line at the end.

pub mod auth;
pub mod cli;
pub mod config;
pub mod deviations;
pub mod hpack;
pub mod http2;
pub mod log;
pub mod net;
pub mod pid_file;
pub mod privileges;
pub mod proxy;
pub mod refusal;
pub mod regular;
pub mod relay;
pub mod request;
pub mod serve;
pub mod session;
pub mod sessions;
pub mod tls;
pub mod upstream;

pub use cli::main_with;
