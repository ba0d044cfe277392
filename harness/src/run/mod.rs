//! A plan in, events out.

pub mod event;

pub use event::Event;
