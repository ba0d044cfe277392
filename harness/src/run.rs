//! A plan in, events out.

mod causes;
mod conclude;
mod deaths;
pub mod event;
mod first_contact;
mod group;
mod job_slots;
pub mod plan;
mod run;
mod said;
mod worker;

pub use event::Event;
pub(crate) use job_slots::JobSlots;
pub use plan::{Options, Plan};
pub use run::run;

pub use crate::stop::Stop;
