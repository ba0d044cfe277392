//! A plan in, events out.

mod conclude;
pub mod event;
mod first_contact;
mod group;
pub mod plan;
mod run;
mod worker;

pub use event::Event;
pub use plan::{Options, Plan};
pub(crate) use run::{Seats, said};
pub use run::{Stop, run};
