//! See `properties/http2.rs`. The first octets of the input say where it is cut.

#![no_main]

#[path = "../../properties/http2.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let (cuts, octets) = octets.split_at(octets.len().min(3));
    property::holds(cuts, octets);
});
