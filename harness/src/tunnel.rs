//! What a tunnel is expected to do, as verbs: sends, receives, echoes, ends, resets.
//!
//! Inside a tunnel an error is never the harness's: a reset or an early end there is what the proxy made of it, and so
//! a violation of whatever the case expected instead.

mod both_ends;
mod end;
mod ending;
mod half;
mod http2;
mod stopped;
mod tls;

pub(crate) use both_ends::first_to_be_spoken_to;
pub use end::End;
pub use ending::{Ending, Side};
pub use half::{NO_END, Reader, Writer};
pub use http2::{Fate, Http2};
pub use stopped::Stopped;
pub use tls::{Session, TlsClosure};
