//! A case: one requirement, and the experiment that tests it.

mod case;
mod family;
pub mod select;

pub use case::{Case, Suite, may, must, practice, product, should, survey};
pub use family::{Family, IntoCases, Row, each};
