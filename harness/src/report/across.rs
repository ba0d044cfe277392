//! Several reports: side by side, one after the other, or as the shares of one run.

pub mod compare;
pub mod matrix;
pub mod merge;
