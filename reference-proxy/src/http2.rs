//! What both sides of this proxy need for HTTP/2: what a connection goes over, how what arrives is read, and a stream as one end of
//! a tunnel.
//!
//! Frames, windows and the states of streams are the crate's below. [`Screen`] reads field blocks before it does, so that what is
//! malformed in them is judged here, and `StreamPort` is what the relay knows of a stream.

pub(crate) mod letter;
mod outbox;
mod piece;
mod port;
mod screen;
mod turns;
mod wire;

pub(crate) use letter::SECTION_LONGEST;
pub(crate) use piece::Piece;
pub(crate) use port::{Carrier, StreamPort};
pub use screen::{Oversight, Screen};
pub(crate) use wire::{Link, Shared, Wire};

/// Octets of one stream that wait for their turn on the connection.
pub(crate) const UNSENT_MOST: usize = 512 << 10;
