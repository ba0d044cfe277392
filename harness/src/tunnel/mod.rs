//! What a tunnel is expected to do, as verbs: sends, receives, echoes, ends, resets.
//!
//! Inside a tunnel an error is never the harness's: a reset or an early end there is what the proxy made of it, and so
//! a violation of whatever the case expected instead.

mod end;
mod flow;
mod halves;
mod secure;

pub use end::{End, Ending, Side};
pub use halves::{Reader, STANDSTILL, Writer};
pub use secure::{Farewell, Session};
