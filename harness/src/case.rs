//! A case: one requirement, and the experiment that tests it.

mod case;
mod family;
pub mod select;
mod suite;

pub use case::{Case, may, must, practice, product, should, survey};
pub use family::{Family, IntoCases, Row, each};
pub use suite::Suite;
