//! Requests that are malformed, each in one way.

use connectspec_harness::http2::Fields;

/// Makes a right request for that authority malformed.
pub(super) type Make = fn(Fields, &str) -> Fields;

/// What is malformed, its row in the register, and where it says so.
pub(super) const MALFORMED: &[(&str, &str, &str, Make)] = &[
    ("scheme", "H2-TGT-003", "8.5", |right, _| {
        behind_method(&right, &[(b":scheme", b"https")])
    }),
    ("path", "H2-TGT-004", "8.5", |right, _| {
        behind_method(&right, &[(b":path", b"/")])
    }),
    ("scheme_and_path", "H2-TGT-005", "8.5", |right, _| {
        behind_method(&right, &[(b":scheme", b"https"), (b":path", b"/")])
    }),
    ("no_authority", "H2-TGT-006", "8.5", |right, _| {
        right.without(":authority")
    }),
    ("host_alone", "H2-TGT-006", "8.5", |right, authority| {
        right.without(":authority").with("host", authority)
    }),
    (
        "authority_twice",
        "H2-TGT-011",
        "8.3",
        |right, authority| behind_method(&right, &[(b":authority", authority.as_bytes())]),
    ),
    ("method_twice", "H2-TGT-011", "8.3", |right, _| {
        behind_method(&right, &[(b":method", b"CONNECT")])
    }),
    (
        "pseudo_field_behind_others",
        "H2-TGT-012",
        "8.3",
        |right, authority| {
            right
                .without(":authority")
                .with("x", "y")
                .with(":authority", authority)
        },
    ),
    ("unknown_pseudo_field", "H2-TGT-013", "8.3", |right, _| {
        behind_method(&right, &[(b":foo", b"bar")])
    }),
    (
        "pseudo_field_of_a_response",
        "H2-TGT-013",
        "8.3",
        |right, _| behind_method(&right, &[(b":status", b"200")]),
    ),
    ("capital_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("Xy", "z")
    }),
    ("space_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x y", "z")
    }),
    ("control_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with(b"x\x01y", "z")
    }),
    ("line_feed_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with(b"x\ny", "z")
    }),
    ("delete_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with(b"x\x7fy", "z")
    }),
    ("high_octet_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with(b"x\xffy", "z")
    }),
    ("colon_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x:y", "z")
    }),
    ("zero_in_a_name", "H2-TGT-014", "8.2.1", |right, _| {
        right.with(b"x\0y", "z")
    }),
    (
        "carriage_return_in_a_name",
        "H2-TGT-014",
        "8.2.1",
        |right, _| right.with(b"x\ry", "z"),
    ),
    ("zero_in_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", b"y\0z")
    }),
    ("line_feed_in_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", b"y\nz")
    }),
    (
        "carriage_return_in_a_value",
        "H2-TGT-014",
        "8.2.1",
        |right, _| right.with("x", b"y\rz"),
    ),
    ("space_before_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", " y")
    }),
    ("space_behind_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", "y ")
    }),
    ("tab_behind_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", "y\t")
    }),
    ("tab_before_a_value", "H2-TGT-014", "8.2.1", |right, _| {
        right.with("x", "\ty")
    }),
    ("connection", "H2-TGT-015", "8.2.2", |right, _| {
        right.with("connection", "keep-alive")
    }),
    ("proxy_connection", "H2-TGT-015", "8.2.2", |right, _| {
        right.with("proxy-connection", "keep-alive")
    }),
    ("keep_alive", "H2-TGT-015", "8.2.2", |right, _| {
        right.with("keep-alive", "timeout=5")
    }),
    ("transfer_encoding", "H2-TGT-015", "8.2.2", |right, _| {
        right.with("transfer-encoding", "chunked")
    }),
    ("upgrade", "H2-TGT-015", "8.2.2", |right, _| {
        right.with("upgrade", "x")
    }),
];

/// A request with more fields right behind its method.
pub(in crate::cases::http2) fn behind_method(right: &Fields, more: &[(&[u8], &[u8])]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in right.iter() {
        fields.push(name, value);
        if name == b":method" {
            for (name, value) in more {
                fields.push(name, value);
            }
        }
    }
    fields
}
