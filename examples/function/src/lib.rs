//! Two CONNECT proxies, each a function that serves on a listener: a toy as one writes it in an afternoon, and the same
//! one mended after the suite had shown what was wrong with it.

pub mod mended;
pub mod toy;
