//! Everything that one case may touch.

mod clients;
mod control;
mod expect;
mod keepalive;
mod lab;
mod log;
mod names;
pub mod network;
mod observers;
mod odd_frames;
pub mod pki;
pub mod ports;
pub mod running_subject;
mod servers;
pub mod silent_port;
mod stopping;
mod upstream;
mod upstream_http2;
mod websocket;
mod world;

pub use expect::{NAMED_BY_HOST, Refused, TO_NOBODY};
pub use lab::Lab;
pub(crate) use lab::lock;
pub use ports::Port;
pub use running_subject::Running;
pub use upstream::Chain;
pub use upstream_http2::StreamChain;
pub use world::{RunEnvironment, World, WorldError};
