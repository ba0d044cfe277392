//! See `properties/log_format.rs`.

#![no_main]

#[path = "../../properties/log_format.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|input: (&str, &[u8])| {
    property::holds(input.0, input.1);
});
