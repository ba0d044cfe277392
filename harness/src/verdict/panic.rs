//! What a panic said.

use std::any::Any;

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a panic: {}", words.unwrap_or("without a message"))
}
