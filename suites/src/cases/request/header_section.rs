//! # The header section as a whole
//!
//! Until its last line is there, nobody knows what a request asks for: the last field may be the one that forbids it.
//! And it has to end somewhere, or one client fills the memory of the proxy.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_6585, RFC_9110, RFC_9112};

/// Every case about the length and the completeness of a header section.
pub(crate) fn suite() -> Suite {
    suite! {
        "section": "The header section as a whole", include_str!("header_section.rs");
        an_oversized_section_is_answered,
        an_oversized_section_harms_nobody_else,
        a_field_behind_many_others_counts,
        half_a_section_leads_nowhere,
        nothing_is_applied_before_the_section_is_complete,
        credentials_are_judged_when_the_section_is_complete,
    }
}

/// How the header section is made too large.
type Oversize = fn(Request) -> Request;

/// Header sections that grow past what proxies usually take. All of them may be within the limits of one.
const OVERSIZED: &[(&str, Oversize)] = &[
    ("field_of_9_kb", |request| with_field_of(request, 9_000)),
    ("field_of_70_kb", |request| with_field_of(request, 70_000)),
    ("field_of_1_mb", |request| with_field_of(request, 1_000_000)),
    ("150_fields", |request| with_fields(request, 150)),
    ("10000_fields", |request| with_fields(request, 10_000)),
];

fn with_field_of(request: Request, length: usize) -> Request {
    request.field(format!("X: {}", "x".repeat(length)))
}

fn with_fields(request: Request, count: usize) -> Request {
    (0..count).fold(request, |request, number| {
        request.field(format!("X-{number}: y"))
    })
}

/// Cookies and tokens grow until one day a request is too large. Whoever looks for the reason should not have to look
/// for it in the network.
///
/// Also accepted: any 4xx; 431 is the one that was made for this. To take the section, if it is not too large for the
/// proxy. A reset or a close may have eaten the answer.
fn an_oversized_section_is_answered() -> Family {
    each(OVERSIZED, |&(_, oversize)| {
        should("A header section that is too large is answered with a 4xx")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("5.4"))
            .cites(RFC_6585.section("5"))
            .covers(["H1-FLD-012", "ROB-008"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = oversize(lab.request(&server));

                let answer = lab.leads_nowhere_else(&request, &server).await?;
                match answer.status() {
                    Some(200..300 | 400..500) => Ok(()),
                    None if answer.is_drop() => Ok(()),
                    _ => Err(Finding::none_of(["a 4xx", "a tunnel"], answer.describe())),
                }
            })
    })
}

/// One client's large request must not be everybody's outage.
///
/// Only this conforms: the ordinary request that follows is like those that worked before.
fn an_oversized_section_harms_nobody_else() -> Family {
    each(OVERSIZED, |&(_, oversize)| {
        must("After a header section that is too large, others are served")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("5.4"))
            .covers(["H1-FLD-012", "ROB-008"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                lab.control(&server).await?;

                let answer = lab.client().asks(oversize(lab.request(&server))).await?;
                let answer = answer.answer.describe();
                lab.goes_on(&server).await.map_err(|after| {
                    Finding::violation(
                        "an ordinary CONNECT works afterwards",
                        format!("{answer}; then {after}"),
                    )
                })
            })
    })
}

/// How many fields stand before the one that makes the request invalid.
const BEFORE: &[(&str, usize)] = &[
    ("20_fields", 20),
    ("40_fields", 40),
    ("70_fields", 70),
    ("130_fields", 130),
];

/// A table of fields that is full must not make the rest of them unread: a filter with a larger one has seen them, and
/// takes the request for another one.
///
/// Also accepted: any refusal, for the number of fields too, and a close without an answer.
fn a_field_behind_many_others_counts() -> Family {
    each(BEFORE, |&(_, count)| {
        must("A second Host field is seen after many other fields")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("5.4"))
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-HOST-002", "H1-FLD-012"])
            .run(async move |lab| {
                let (server, other) = (lab.server(echo()).await?, lab.server(echo()).await?);
                // Where it is refused next to the first one, too; a proxy that takes two of them is another case's.
                let twice =
                    |request: Request| request.field(format!("Host: {}", other.authority()));
                let near = lab.client().asks(twice(lab.request(&server))).await?.answer;
                if matches!(near.status(), Some(200..300)) {
                    return Err(Finding::inconclusive(
                        "a second Host field is taken anywhere",
                    ));
                }
                let answer = lab
                    .refuses(&twice(with_fields(lab.request(&server), count)))
                    .await?;
                lab.note(answer.describe());
                Ok(())
            })
    })
}

/// A client that was cut off has not asked for anything yet.
///
/// Also accepted: any refusal, a close without an answer, or to wait for the rest.
fn half_a_section_leads_nowhere() -> Family {
    each(HALVES, |&(_, head)| {
        must("A header section that ends in the middle leads to no server")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("5.3"))
            .cites(RFC_9112.section("8"))
            .covers(["H1-FLD-013"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let head = head.replace("TARGET", &server.authority());
                let mut connection = lab.client().dial().await?;

                connection.sends(head).await;
                connection.finishes().await;
                let answer = connection.hears().await;
                lab.note(answer.describe());
                server.stays_unvisited().await
            })
    })
}

/// None of them ends where a reader that takes a bare line feed sees an empty line.
const HALVES: &[(&str, &str)] = &[
    ("in_the_request_line", "CONNECT TARGET HTTP/1.1"),
    (
        "behind_the_request_line",
        "CONNECT TARGET HTTP/1.1\r\nHost: TARGET",
    ),
    (
        "behind_a_field",
        "CONNECT TARGET HTTP/1.1\r\nHost: TARGET\r\n",
    ),
    (
        "in_a_field",
        "CONNECT TARGET HTTP/1.1\r\nHost: TARGET\r\nProxy-Autho",
    ),
];

/// A proxy that connects as soon as it knows the target has contacted a server that the next line may forbid.
///
/// Also accepted: a refusal by policy, for want of credentials or by a timer says nothing.
fn nothing_is_applied_before_the_section_is_complete() -> Case {
    must("No server is contacted before the header section is complete")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("5.3"))
        .covers(["H1-FLD-020"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let bytes = lab.request(&server).bytes();
            let (front, last) = bytes.split_at(bytes.len() - b"\r\n".len());
            let mut connection = lab.client().dial().await?;

            connection.sends(front).await;
            pass(lab.patience().quiet()).await;
            server.is_unvisited().await?;

            let answer = connection.asks(last).await;
            match answer.status() {
                Some(200..300) => {}
                Some(403 | 407 | 408) => return Err(Finding::inconclusive(answer.describe())),
                _ => return Err(Finding::violation("a tunnel", answer.describe())),
            }
            let (near, far) = (connection.into_tunnel(), server.accepts().await?);
            let (mut near, mut far) = lab.carried_by(near, far, &server).await?;
            near.sends_to(&mut far, lab.nonce()).await
        })
}

/// To connect in advance, and to ask for credentials while that is under way, lets everybody knock at every server.
///
/// Also accepted: 407, any other refusal, or a close without an answer.
fn credentials_are_judged_when_the_section_is_complete() -> Case {
    must("Wrong credentials in the last line keep the server from being contacted")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("5.3"))
        .covers(["H1-FLD-020"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let client = lab.client_of_its_own();
            let bytes = client.request(server.authority()).bytes();
            let front = &bytes[..bytes.len() - b"\r\n".len()];
            let mut connection = client.dial().await?;

            connection.sends(front).await;
            pass(lab.patience().quiet()).await;
            server.is_unvisited().await?;

            let answer = connection
                .asks("Proxy-Authorization: Basic d3Jvbmc6d3Jvbmc=\r\n\r\n")
                .await;
            lab.note(answer.describe());
            if answer.status().is_some_and(|status| status / 100 == 2) {
                return Err(Finding::violation("a refusal", answer.describe()));
            }
            server.stays_unvisited().await
        })
}
