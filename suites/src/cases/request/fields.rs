//! # Fields
//!
//! A name, a colon, a value, a line end. Two readers that do not agree where a field begins do not agree which fields a
//! request has, and one of them is the proxy that checks the credentials.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about how a field is written.
pub(crate) fn suite() -> Suite {
    suite! {
        "fields": "Fields", include_str!("fields.rs");
        refuses_whitespace_before_the_colon,
        whitespace_before_the_colon_is_a_bad_request,
        a_line_that_begins_with_whitespace_is_no_field,
        a_folded_value_shifts_nothing,
        a_strange_byte_in_a_value_leads_nowhere_else,
        hidden_credentials_let_nobody_in,
        no_space_is_needed_before_a_value,
        a_value_may_hold_bytes_past_ascii,
        the_case_of_a_field_name_means_nothing,
        the_case_of_the_credentials_field_means_nothing,
        unknown_fields_are_ignored,
    }
}

/// Lines whose name is followed by whitespace.
const BEFORE_THE_COLON: &[(&str, &str, &str)] = &[
    ("space", "H1-FLD-001", "X : y"),
    ("tab", "H1-FLD-001", "X\t: y"),
    ("framing", "H1-FLD-002", "Transfer-Encoding : chunked"),
];

/// One reader sees the field, another sees one with an odd name: this is how requests have been smuggled.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_whitespace_before_the_colon() -> Family {
    each(BEFORE_THE_COLON, |&(_, row, field)| {
        must("Whitespace between a field's name and its colon makes a request invalid")
            .over(EVERY)
            .cites(RFC_9112.section("5.1"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses(&lab.request(&server).field(field)).await?;
                Ok(())
            })
    })
}

/// 400 is the status that the specification names.
///
/// Also accepted: a status with a more special reason, such as 431 or 501. A check that came first, or a close without
/// an answer, says nothing.
fn whitespace_before_the_colon_is_a_bad_request() -> Family {
    each(BEFORE_THE_COLON, |&(_, row, field)| {
        should("Whitespace between a field's name and its colon gets 400")
            .over(EVERY)
            .cites(RFC_9112.section("5.1"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses_with(400, &lab.request(&server).field(field))
                    .await
            })
    })
}

/// To one reader it goes on with the request-line, to another it is a field.
///
/// Also accepted: a refusal, or a tunnel if the line was dropped. Whether it was dropped is asked in a case with
/// credentials.
fn a_line_that_begins_with_whitespace_is_no_field() -> Family {
    each(LED_BY_WHITESPACE, |&(_, line)| {
        must("A line after the request-line that begins with whitespace is dropped or refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-FLD-003"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let line = format!("CONNECT {} HTTP/1.1\r\n{line}", server.authority());

                lab.tolerates(&lab.request(&server).line(line), &server)
                    .await?;
                Ok(())
            })
    })
}

const LED_BY_WHITESPACE: &[(&str, &str)] = &[("space", " X: y"), ("tab", "\tX: y")];

/// A value over two lines is obsolete, and parsers that have never met one take its second line for a field.
///
/// Also accepted: a refusal, or a tunnel with the fold taken for spaces. Whether its second line counts as a field is
/// asked in a case with credentials.
fn a_folded_value_shifts_nothing() -> Family {
    each(FOLDED, |&(_, field)| {
        must("A value over two lines is refused, or read as one")
            .over(EVERY)
            .cites(RFC_9112.section("5.2"))
            .covers(["H1-FLD-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.tolerates(&lab.request(&server).field(field), &server)
                    .await?;
                Ok(())
            })
    })
}

const FOLDED: &[(&str, &str)] = &[
    ("space", "X: a\r\n b"),
    ("tab", "X: a\r\n\tb"),
    ("empty_line_of_spaces", "X: a\r\n  "),
    ("looks_like_a_field", "X: a\r\n Y: b"),
];

/// A value that ends early for one reader, and goes on for another, hides what stands after that byte.
///
/// Also accepted: a refusal, or a tunnel that carries exactly what is sent. After a line feed, to go on waiting for a
/// carriage return.
fn a_strange_byte_in_a_value_leads_nowhere_else() -> Family {
    each(STRANGE_VALUES, |&(_, field)| {
        must("NUL, CR and LF in a value are refused, or read as a space or an end of line")
            .over(EVERY)
            .cites(RFC_9110.section("5.5"))
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-FLD-005"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.tolerates(&lab.request(&server).field(field), &server)
                    .await?;
                Ok(())
            })
    })
}

const STRANGE_VALUES: &[(&str, &str)] = &[
    ("nul", "X: a\0b"),
    ("carriage_return", "X: a\rb"),
    ("line_feed", "X: a\nY: b"),
];

/// How credentials are put where they are no field: a line for the request-line, or a line of the header section.
type Hidden = fn(Request, &str, &str) -> Request;

/// If a lenient reading finds credentials that a strict one does not see, the two readers do not agree who asks.
///
/// Also accepted: 407, any other refusal, or a close without an answer. Nothing but a tunnel is wrong: the credentials
/// are good, and none of them stands in a field.
fn hidden_credentials_let_nobody_in() -> Family {
    each(HIDDEN, |&(_, row, section, hidden)| {
        must("Credentials that stand in no field of their own do not count")
            .over(HTTP_1_1)
            .cites(RFC_9112.section(section))
            .covers([row])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let line = format!("CONNECT {} HTTP/1.1", server.authority());
                let client = lab.client_of_its_own();
                let request = client.request(server.authority());
                let good = format!("Proxy-Authorization: {}", lab.credentials()?.basic());
                let request = hidden(request, &line, &good);

                lab.refuses_from(&client, &request).await?;
                Ok(())
            })
    })
}

const HIDDEN: &[(&str, &str, &str, Hidden)] = &[
    (
        "whitespace_before_the_colon",
        "H1-FLD-002",
        "5.1",
        |request, _, field| request.field(field.replacen(':', " :", 1)),
    ),
    (
        "line_led_by_a_space",
        "H1-FLD-003",
        "2.2",
        |request, line, field| request.line(format!("{line}\r\n {field}")),
    ),
    (
        "line_led_by_a_tab",
        "H1-FLD-003",
        "2.2",
        |request, line, field| request.line(format!("{line}\r\n\t{field}")),
    ),
    ("fold", "H1-FLD-004", "5.2", |request, _, field| {
        request.field(format!("X: a\r\n {field}"))
    }),
    (
        "behind_a_bare_cr_in_the_request_line",
        "H1-RL-005",
        "2.2",
        |request, line, field| request.line(format!("{line}\r{field}")),
    ),
    (
        "behind_a_bare_cr_in_a_value",
        "H1-RL-005",
        "2.2",
        |request, _, field| request.field(format!("X: a\r{field}")),
    ),
    (
        "behind_a_nul_in_a_value",
        "H1-FLD-005",
        "5",
        |request, _, field| request.field(format!("X: a\0{field}")),
    ),
];

/// Programs that count bytes leave the space out, and so do those that have never seen a specification.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn no_space_is_needed_before_a_value() -> Family {
    each(WITHOUT_SPACE, |&(_, field)| {
        must("A value may follow the colon at once")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("5"))
            .cites(RFC_9112.section("5.1"))
            .covers(["H1-FLD-022"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let field = field(&server);

                lab.carries(&lab.request(&server).without_host().field(field), &server)
                    .await
            })
    })
}

/// How the Host field is written, and what stands after it.
type Field = fn(&Server) -> String;

const WITHOUT_SPACE: &[(&str, Field)] = &[
    ("host", |server| format!("Host:{}", server.authority())),
    ("long_value", |server| {
        format!("Host: {}\r\nX:{}", server.authority(), "x".repeat(100))
    }),
];

/// Names of people and of files are still sent in whatever encoding a system has.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn a_value_may_hold_bytes_past_ascii() -> Family {
    each(PAST_ASCII, |&(_, value)| {
        should("Bytes from 0x80 in a value are opaque")
            .over(EVERY)
            .cites(RFC_9110.section("5.5"))
            .covers(["H1-FLD-009"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let field = [b"X: ", value].concat();

                lab.carries(&lab.request(&server).field(field), &server)
                    .await
            })
    })
}

const PAST_ASCII: &[(&str, &[u8])] = &[
    ("last_byte", b"\xff"),
    ("latin_1", b"Z\xfcrich"),
    ("utf_8", "Zürich".as_bytes()),
    ("c1_control", b"a\x85b"),
];

/// Clients write fields as they like, and HTTP/2 in front of the proxy makes all of them small.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn the_case_of_a_field_name_means_nothing() -> Family {
    each(CASES, |&(_, name, _)| {
        must("Field names are compared without regard to case")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("5.1"))
            .covers(["H1-FLD-010"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let host = format!("{name}: {}", server.authority());

                lab.carries(&lab.request(&server).without_host().field(host), &server)
                    .await
            })
    })
}

/// The same for the field that decides who gets in.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn the_case_of_the_credentials_field_means_nothing() -> Family {
    each(CASES, |&(_, _, name)| {
        must("Proxy-Authorization is recognised in any case")
            .over(EVERY)
            .cites(RFC_9110.section("5.1"))
            .covers(["H1-FLD-010"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let good = format!("{name}: {}", lab.credentials()?.basic());
                let request = Request::connect(server.authority()).field(good);

                // Where this client comes from, nobody has been let in before.
                lab.lets_in_from(&lab.client_of_its_own(), &request, &server)
                    .await
            })
    })
}

/// Host and Proxy-Authorization.
const CASES: &[(&str, &str, &str)] = &[
    ("lower", "host", "proxy-authorization"),
    ("upper", "HOST", "PROXY-AUTHORIZATION"),
    ("mixed", "hOsT", "pRoXy-AuThOrIzAtIoN"),
];

/// New fields are how HTTP grows; a proxy that knows all fields knows those of yesterday.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn unknown_fields_are_ignored() -> Case {
    should("Twenty fields that nobody knows do not stop a tunnel")
        .over(EVERY)
        .cites(RFC_9110.section("5.1"))
        .covers(["H1-FLD-011"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = (0..20).fold(lab.request(&server), |request, number| {
                request.field(format!("X-Unknown-{number}: {}", lab.nonce()))
            });

            lab.carries(&request, &server).await
        })
}
