//! # Lines that are no fields
//!
//! A line without a name or without a colon says nothing. To drop it is a kindness to whoever hides something in it.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about lines of the header section that are not of the form of a field.
pub(crate) fn suite() -> Suite {
    suite! {
        "odd_lines": "Lines that are no fields", include_str!("malformed_fields.rs");
        refuses_an_invalid_name,
        refuses_a_line_without_a_colon,
        odd_lines_shift_nothing,
        control_characters_in_a_value,
    }
}

/// A name that one reader takes, another one drops and a third one cuts is a field for some of them.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. To drop the line is a recovery that the
/// specification leaves open, so it is never more than a warning.
fn refuses_an_invalid_name() -> Family {
    each(INVALID_NAMES, |&(_, line)| {
        should("A field whose name is no token makes a request invalid")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.2"))
            .cites(RFC_9110.section("5.1"))
            .covers(["H1-FLD-007"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses(&lab.request(&server).field(line)).await?;
                Ok(())
            })
    })
}

const INVALID_NAMES: &[(&str, &[u8])] = &[
    ("empty", b": y"),
    ("at_sign", b"X@Y: y"),
    ("parenthesis", b"X(Y): y"),
    ("space", b"X Y: y"),
    ("past_ascii", b"X\x80: y"),
    ("nul", b"X\0: y"),
];

/// It may be the second line of a value, the rest of a request-line, or the first bytes of what is smuggled.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. To drop the line is a recovery that the
/// specification leaves open, so it is never more than a warning.
fn refuses_a_line_without_a_colon() -> Case {
    should("A line without a colon makes a request invalid")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("5"))
        .cites(RFC_9112.section("2.2"))
        .covers(["H1-FLD-008"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.refuses(&lab.request(&server).field("no colon")).await?;
            Ok(())
        })
}

/// Whoever goes on after a line that is none must not lose its place.
///
/// Also accepted: a refusal, or a tunnel to the target that carries exactly what is sent.
fn odd_lines_shift_nothing() -> Family {
    each(ODD_LINES, |&(_, row, line)| {
        must("A line that is no field leads nowhere else, and shifts no byte of the tunnel")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("2.4"))
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.tolerates(&lab.request(&server).field(line), &server)
                    .await?;
                Ok(())
            })
    })
}

const ODD_LINES: &[(&str, &str, &str)] = &[
    ("empty_name", "H1-FLD-007", ": y"),
    ("name_with_a_space", "H1-FLD-007", "X Y: y"),
    ("no_colon", "H1-FLD-008", "no colon"),
    (
        "another_request_line",
        "H1-FLD-008",
        "CONNECT 127.0.0.1:1 HTTP/1.1",
    ),
];

/// They do no harm in HTTP, and much in a log or on a terminal.
///
/// Also accepted: anything.
fn control_characters_in_a_value() -> Case {
    survey("Which control characters in a value are taken")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("5.5"))
        .covers(["H1-FLD-006"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut taken = Vec::new();
            for control in [0x01, 0x08, 0x0b, 0x0c, 0x1b, 0x7f] {
                let field = [b"X: a", [control].as_slice(), b"b"].concat();
                let exchange = lab.client().asks(lab.request(&server).field(field)).await?;
                if exchange.success().is_ok() {
                    taken.push(format!("{control:#04x}"));
                }
            }
            lab.note(if taken.is_empty() {
                "none".to_owned()
            } else {
                taken.join(", ")
            });
            Ok(())
        })
}
