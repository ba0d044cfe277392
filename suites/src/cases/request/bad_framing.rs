//! # Framing that cannot be trusted
//!
//! Fields that announce content without saying where it ends, or in two ways: whoever guesses guesses differently from
//! a neighbour, and what lies between the two ends is a request to one of them. So the request is refused, and its
//! connection ends.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::requests::smuggled_request,
    documents::{RFC_9110, RFC_9112},
};

/// Every case about framing that is invalid.
pub(crate) fn suite() -> Suite {
    suite! {
        "bad_framing": "Framing that cannot be trusted", include_str!("bad_framing.rs");
        an_invalid_length_ends_the_connection,
        an_invalid_length_gets_400,
        an_unframed_body_ends_the_connection,
        an_unframed_body_gets_400,
        an_unknown_coding_is_refused,
        two_framings_end_the_connection,
        a_coding_from_an_old_client_ends_the_connection,
    }
}

/// Where nobody knows how long the content is, everything after the head is content or request, as the reader likes.
///
/// Also accepted: any status that is not 2xx and then the end of the connection, or a close without an answer.
fn an_invalid_length_ends_the_connection() -> Family {
    each(INVALID_LENGTHS, |&(_, row, fields)| {
        must("A request with an invalid length is not served, nor is what follows it")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9110.section("8.6"))
            .covers([row])
            .run(async move |lab| ends_the_connection(lab, fields).await)
    })
}

/// The status tells the client that repeating the request is of no use.
///
/// Also accepted: 413, 414, 431, 501 and 505, which are more special; 403 and 407 say nothing, as another check may
/// come first.
fn an_invalid_length_gets_400() -> Family {
    each(INVALID_LENGTHS, |&(_, row, fields)| {
        should("A request with an invalid length is answered with 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.3"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = fields.iter().fold(lab.request(&server), Request::field);

                lab.refuses_with(400, &request).await
            })
    })
}

const INVALID_LENGTHS: &[(&str, &str, &[&str])] = &[
    ("letters", "H1-FRM-009", &["Content-Length: abc"]),
    ("negative", "H1-FRM-009", &["Content-Length: -1"]),
    ("plus_sign", "H1-FRM-009", &["Content-Length: +5"]),
    ("empty", "H1-FRM-009", &["Content-Length:"]),
    ("hexadecimal", "H1-FRM-009", &["Content-Length: 0x5"]),
    ("exponent", "H1-FRM-009", &["Content-Length: 1e3"]),
    ("two_in_one_line", "H1-FRM-010", &["Content-Length: 5, 6"]),
    (
        "two_lines",
        "H1-FRM-010",
        &["Content-Length: 1", "Content-Length: 2"],
    ),
];

/// Without a last chunk there is no end to the content, and the next request could be anywhere.
///
/// Also accepted: any status that is not 2xx and then the end of the connection, or a close without an answer.
fn an_unframed_body_ends_the_connection() -> Family {
    each(UNFRAMED, |&(_, fields)| {
        must("A request whose last transfer coding is not chunked is not served, nor is what follows it")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9112.section("6.1"))
            .covers(["H1-FRM-005"])
            .run(async move |lab| ends_the_connection(lab, fields).await)
    })
}

/// The status tells the client that repeating the request is of no use.
///
/// Also accepted: 501, which names the unknown coding; 403 and 407 say nothing, as another check may come first.
fn an_unframed_body_gets_400() -> Family {
    each(UNFRAMED, |&(_, fields)| {
        should("A request whose last transfer coding is not chunked is answered with 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.3"))
            .covers(["H1-FRM-005"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = fields.iter().fold(lab.request(&server), Request::field);

                lab.refuses_with(400, &request).await
            })
    })
}

const UNFRAMED: &[(&str, &[&str])] = &[
    ("gzip", &["Transfer-Encoding: gzip"]),
    ("chunked_first", &["Transfer-Encoding: chunked, foo"]),
];

/// A coding that is not understood hides what the content is.
///
/// Also accepted: 501, which names the reason, any other status that is not 2xx, or a close without an answer.
fn an_unknown_coding_is_refused() -> Case {
    should("A transfer coding that is not known is refused")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.1"))
        .covers(["H1-FRM-006"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab
                .request(&server)
                .field("Transfer-Encoding: foo, chunked")
                .followed_by("0\r\n\r\n");

            lab.refuses(&request).await?;
            Ok(())
        })
}

/// Two lengths for one message are how requests are smuggled past the neighbour that believes the other one.
///
/// Also accepted: any status that is not 2xx and then the end of the connection, or a close without an answer. Where
/// the request is granted, nothing follows here: what becomes of the content is a case of its own.
fn two_framings_end_the_connection() -> Case {
    must("After a request with both framings that is refused, nothing more is served")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.1"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-FRM-007"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab
                .request(&server)
                .field("Content-Length: 5")
                .field("Transfer-Encoding: chunked")
                .followed_by("0\r\n\r\n")
                .followed_by(smuggled_request(lab).await?);

            lab.serves_nothing_behind(&lab.client(), &request).await?;
            Ok(())
        })
}

/// HTTP/1.0 has no chunks: a neighbour of that age finds the next request where this one sees the first chunk.
///
/// Also accepted: any status that is not 2xx and then the end of the connection, or a close without an answer.
fn a_coding_from_an_old_client_ends_the_connection() -> Case {
    must("After a refused HTTP/1.0 request with a transfer coding, nothing more is served")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.1"))
        .covers(["H1-FRM-008"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let request = lab
                .request(&denied)
                .version("HTTP/1.0")
                .field("Connection: keep-alive")
                .field("Transfer-Encoding: chunked")
                .followed_by("0\r\n\r\n")
                .followed_by(smuggled_request(lab).await?);

            lab.serves_nothing_behind(&lab.client(), &request).await?;
            Ok(())
        })
}

/// A right target with such fields is refused, and nothing that follows it is served.
async fn ends_the_connection(lab: &Lab, fields: &[&str]) -> Outcome {
    let server = lab.server(echo()).await?;
    let request = fields.iter().fold(lab.request(&server), Request::field);

    lab.refuses(&request).await?;
    let request = request.followed_by(smuggled_request(lab).await?);
    lab.serves_nothing_behind(&lab.client(), &request).await?;
    Ok(())
}
