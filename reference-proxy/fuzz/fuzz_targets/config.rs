//! See `properties/config.rs`.

#![no_main]

#[path = "../../properties/config.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|text: &str| {
    property::holds(text);
});
