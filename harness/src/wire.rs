//! Every byte, FIN and RST on both legs: when, and which way.
//!
//! Bytes pass in one place, the [`Tap`], and are written down in one place, the [`Transcript`]. Whatever shows them
//! (text, JSON, a capture file) is a view of that.

mod multiplexed;
mod odd_frames;
pub mod payload;
pub mod stream;
pub mod tap;
mod tls_key_log;
pub mod transcript;

pub(crate) use multiplexed::ALPN;
pub use payload::{Generator, Payload, stream};
pub use stream::Stream;
pub use tap::Tap;
pub use transcript::{Event, Leg, Transcript, Way, What};
