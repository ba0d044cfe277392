//! HTTP/2 as far as a client of a proxy needs it, and an upstream proxy that it asks: frames, field sections, and the ledger of what
//! each side may send.
//!
//! Its own, down to the octet: a case has to break rules, which libraries refuse to, and to see each frame. Only field blocks
//! that a proxy sends are decoded by a library.

mod describe;
pub mod driver;
mod error_code;
pub mod field;
pub mod frame;
pub mod handle;
mod inbox;
mod incoming;
mod ledger;
mod manners;
pub mod reader;
mod serving;
pub mod session;

pub use error_code::ErrorCode;
pub use field::Fields;
pub use frame::Frame;
pub use handle::{Handle, Owner};
pub use manners::Manners;
pub use reader::FrameReader;
pub use session::{BROKEN, Leave, Over, Recorder, Session, State, Stream};
