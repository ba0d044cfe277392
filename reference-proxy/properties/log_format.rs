//! A log format and a request line: one line comes out, and none that anybody else wrote.

use connectspec_reference_proxy::log::error::ErrorFormat;
use connectspec_reference_proxy::log::format::Format;
use connectspec_reference_proxy::log::{Ends, Record};
use std::sync::Arc;

/// Whether the input was accepted. Panics where the property does not hold.
pub(crate) fn holds(text: &str, line: &[u8]) -> bool {
    let _ = ErrorFormat::parse(text);
    let Ok(format) = Format::parse(text) else {
        return false;
    };
    // Control characters are the format's own: nothing that a client sends adds one.
    assert_eq!(
        controls(&format, line),
        controls(&format, b"GET / HTTP/1.1")
    );
    true
}

fn controls(format: &Format, line: &[u8]) -> usize {
    let address = ([127, 0, 0, 1], 1).into();
    let (peer, local) = (address, address);
    let mut record = Record::new(Arc::new(Ends { peer, local }));
    record.ask_malformed(line);
    let written = format.line(&record);
    written
        .chars()
        .filter(|character| character.is_control())
        .count()
}
