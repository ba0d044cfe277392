//! What a client asks: the request-line, the target, the fields, the content.

mod authority;
mod bad_framing;
mod content;
mod fields;
mod header_section;
mod host_field;
mod host_spelling;
mod inapplicable_fields;
mod line_ends;
mod made_up_port;
mod malformed_fields;
mod port;
mod port_range;
mod request_line;
mod segmentation;
mod smuggling;
mod target;

use connectspec_harness::case::Suite;

/// The suites of this room.
pub(super) fn suites() -> Vec<Suite> {
    vec![
        target::suite(),
        authority::suite(),
        host_spelling::suite(),
        port::suite(),
        port_range::suite(),
        made_up_port::suite(),
        request_line::suite(),
        line_ends::suite(),
        malformed_fields::suite(),
        segmentation::suite(),
        host_field::suite(),
        fields::suite(),
        header_section::suite(),
        inapplicable_fields::suite(),
        content::suite(),
        bad_framing::suite(),
        smuggling::suite(),
    ]
}
