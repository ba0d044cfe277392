//! A log format and a request line: one line comes out, and none that anybody else wrote.

#![no_main]

use connectspec_reference_proxy::log::Record;
use connectspec_reference_proxy::log::error::ErrorFormat;
use connectspec_reference_proxy::log::format::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (text, line) = input;
    let Ok(format) = Format::parse(text) else {
        return;
    };
    // Control characters are the format's own: nothing that a client sends adds one.
    assert_eq!(
        controls(&format, line),
        controls(&format, b"GET / HTTP/1.1")
    );
    let _ = ErrorFormat::parse(text);
});

fn controls(format: &Format, line: &[u8]) -> usize {
    let address = ([127, 0, 0, 1], 1).into();
    let mut record = Record::new(address, address);
    record.ask_malformed(line);
    let written = format.line(&record);
    written
        .chars()
        .filter(|character| character.is_control())
        .count()
}
