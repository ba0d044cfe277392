//! A case: one requirement, and the experiment that tests it.

mod case;
pub mod select;

pub use case::{
    Case, Family, IntoCases, Row, Suite, each, may, must, practice, product, should, survey,
};
