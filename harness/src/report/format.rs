//! One report in the format that its reader wants.

pub mod destination;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod progress;
pub mod terminal;
