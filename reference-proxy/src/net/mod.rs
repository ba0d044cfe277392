//! Sockets: listening, the client's connection, the way to the next hop, and how each of them ends.

pub mod client;
pub mod dial;
pub mod linger;
pub mod listen;
pub mod own;

pub use client::Client;
