//! Sockets: listening, the client's connection, the way to the next hop, and how each of them ends.

pub mod client;
pub mod descriptors;
pub mod dial;
pub mod linger;
pub mod listen;
pub mod names;
pub mod own;

pub use client::Client;
pub use descriptors::Descriptors;
pub use names::{Names, Unresolved};
