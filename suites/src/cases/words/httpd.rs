//! Apache httpd: its ways are asked of those that are like it, in the language that they share.

use connectspec_harness::prelude::*;

/// What `like = "httpd-2.4"` in a profile means.
pub(in crate::cases) const HTTPD: Product = Product {
    word: "httpd",
    like: "httpd-2.4",
    title: "Apache httpd 2.4",
    port_list: "AllowCONNECT",
};

/// Begins a case about what Apache httpd 2.4 does.
#[track_caller]
pub(in crate::cases) fn httpd(title: impl Into<String>) -> Case {
    product(HTTPD, title)
}

/// The subject's `AllowCONNECT` has these words; letters in braces stand for ports.
pub(in crate::cases) fn allow_connect(words: impl Into<String>) -> Setup {
    allowing_as_written(HTTPD, words)
}
