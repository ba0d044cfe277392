//! Several proxies side by side: requirements by proxies, as one HTML page and as one Markdown table.

mod page;
mod rows;

pub use page::html;
pub use rows::markdown;
