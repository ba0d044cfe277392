//! Sockets: the client's connection, the way to the next hop, and how each of them ends.

pub mod dial;
pub mod linger;
