//! See `properties/http2.rs`.

#![no_main]

#[path = "../../properties/http2.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    property::holds(input.0, input.1);
});
