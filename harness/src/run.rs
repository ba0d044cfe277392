//! A plan in, events out.

mod conclude;
pub mod event;
mod first_contact;
mod group;
pub mod plan;
mod run;
mod seats;
mod stop;
mod worker;

pub use event::Event;
pub use plan::{Options, Plan};
pub use run::run;
pub(crate) use seats::Seats;
pub use stop::Stop;
