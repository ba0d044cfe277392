//! See `properties/report.rs`.

#![no_main]

#[path = "../../properties/report.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|text: &str| {
    property::holds(text);
});
