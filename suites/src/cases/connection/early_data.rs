//! # Early data
//!
//! A client may send the first bytes of its tunnel right after its request. They are in the proxy's hands before it
//! knows whether there will be a tunnel, often in the same buffer as the request, and belong to the server all the same.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::refusal_kinds::RefusalKind,
    documents::{RFC_9110, RFC_9112, RFC_9931},
};

/// Every case about bytes that are sent before the 2xx.
pub(crate) fn suite() -> Suite {
    suite! {
        "early": "Early data", include_str!("early_data.rs");
        early_data_is_delivered_once_and_in_order,
        early_data_that_looks_like_a_request_is_data,
        early_data_may_be_blank_at_its_ends,
        one_early_byte_harms_nobody,
    }
}

/// How much of it there is: within one buffer, just over the usual sizes of one, and more than a proxy reads at once.
const SIZES: &[(&str, u64)] = &[
    ("one_byte", 1),
    ("a_few_bytes", A_FEW),
    ("over_4_kib", 4097),
    ("over_8_kib", 8193),
    ("64_kib", 64 * 1024),
];

/// As much as the first words of a TLS client.
const A_FEW: u64 = 517;

const ONE_ARRIVES: &str = "early/early_data_is_delivered_once_and_in_order[one_byte]";
const FEW_ARRIVE: &str = "early/early_data_is_delivered_once_and_in_order[a_few_bytes]";

/// What is left in the buffer of the parser is lost, and the TLS handshake that it began hangs: now and then, as it
/// depends on how the bytes arrive.
///
/// Also accepted: to refuse such a request although the plain one is granted; that is noted.
fn early_data_is_delivered_once_and_in_order() -> Family {
    each(SIZES, |&(_, length)| {
        must("What follows a granted request reaches the server, once and in order")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9931.section("4.1"))
            .covers(["H1-CONN-007", "H1-FRM-001"])
            .covers_over(Protocol::H2c, ["H2-DATA-004"])
            .covers_over(Protocol::H2, ["H2-DATA-004"])
            .seen_in(
                "Squid bug 3371",
                "https://bugs.squid-cache.org/show_bug.cgi?id=3371",
            )
            .seen_in(
                "gluetun #3481",
                "https://github.com/qdm12/gluetun/issues/3481",
            )
            .relying_on(smaller(length))
            .run(async move |lab| delivers(lab, stream(lab.seed(), length)).await)
    })
}

/// Where a few bytes are lost, so are more.
fn smaller(length: u64) -> Option<&'static str> {
    match length {
        1 => None,
        A_FEW => Some(ONE_ARRIVES),
        _ => Some(FEW_ARRIVE),
    }
}

/// A proxy that goes on parsing after a granted CONNECT serves requests that somebody else has put into a tunnel.
///
/// Also accepted: to refuse such a request although the plain one is granted; that is noted.
fn early_data_that_looks_like_a_request_is_data() -> Family {
    each(REQUESTS, |&(_, method)| {
        must("A request after a granted CONNECT reaches its server as data, and no other server")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.3"))
            .relying_on([FEW_ARRIVE])
            .covers(["H1-CONN-007", "H1-CONN-011"])
            .seen_in("bun #25862", "https://github.com/oven-sh/bun/issues/25862")
            .run(async move |lab| {
                let elsewhere = lab.server(hold()).await?;
                let request = lab.request(&elsewhere);
                let request = match method {
                    "CONNECT" => request,
                    _ => {
                        let target = format!("http://{}/", elsewhere.authority());
                        request
                            .method(method)
                            .target(target)
                            .host(elsewhere.authority())
                    }
                };
                delivers(lab, request.bytes()).await?;
                elsewhere.stays_unvisited().await
            })
    })
}

/// What stands before and after the early data, and is a part of it.
const BLANKS: &[(&str, &str)] = &[
    ("line_end", "\r\n"),
    ("line_feed", "\n"),
    ("empty_lines", "\r\n\r\n"),
    ("spaces", " \t "),
    ("nul", "\0"),
];

/// In front of a request, an empty line is skipped. After one that is granted, it belongs to somebody.
///
/// Also accepted: to refuse such a request although the plain one is granted; that is noted.
fn early_data_may_be_blank_at_its_ends() -> Family {
    each(BLANKS, |&(_, blank)| {
        must("Blank bytes around what follows a granted request reach the server, too")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.3"))
            .relying_on([FEW_ARRIVE])
            .covers(["H1-CONN-007", "H1-FRM-001"])
            .run(async move |lab| {
                let early = format!("{blank}{}{blank}", lab.nonce());
                delivers(lab, early.into_bytes()).await
            })
    })
}

/// Methods of requests that stand after a granted CONNECT.
const REQUESTS: &[(&str, &str)] = &[("connect", "CONNECT"), ("get", "GET")];

/// A server of this case receives exactly `early`, sent right after the request.
async fn delivers(lab: &Lab, early: impl Into<Payload>) -> Outcome {
    let early = early.into();
    let (then, answer) = (lab.nonce(), lab.nonce());
    let script = receive(&early).then(receive(&then)).then(send(&answer));
    let server = lab.server(script).await?;
    let request = lab.request(&server).followed_by(early.bytes());
    let exchange = lab.client().asks(request).await?;
    match &exchange.answer {
        Answer::Reply(reply) if reply.is_success() => {}
        Answer::Garbage { .. } => return exchange.reply().map(|_| ()),
        Answer::Silence => return Err(Finding::inconclusive("silence")),
        refused => {
            lab.note(format!("with early data: {}", refused.describe()));
            return Ok(());
        }
    }

    let mut tunnel = exchange.granted()?;
    tunnel.sends(then).await?;
    let answered = tunnel.receives(answer).await;
    // What the server missed says more than that it did not answer.
    server.played_by_one().await.and(answered)
}

/// Where the request with the byte after it leads.
const DESTINATIONS: &[(&str, RefusalKind)] = &[
    ("granted", RefusalKind::Granted),
    ("denied", RefusalKind::Denied),
    ("closed_port", RefusalKind::ClosedPort),
];

/// One byte after a CONNECT has brought whole proxies down, with the tunnels of everybody else.
///
/// Also accepted: any answer, and none. What is asked is that the next client is served, by the same process.
fn one_early_byte_harms_nobody() -> Family {
    each(DESTINATIONS, |&(_, occasion)| {
        practice("Requests with one byte after them keep no other client from its tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("17.5"))
            .covers(["H1-CONN-008"])
            .needs(occasion.needs())
            .seen_in(
                "proxy-agents #489",
                "https://github.com/TooTallNate/proxy-agents/issues/489",
            )
            .run(async move |lab| {
                let request = occasion.request(lab).await?.followed_by("x");
                for _ in 0..ONE_BYTE_TRIES {
                    // One that is not answered is as good as all: waiting for each would outlast the case.
                    if lab.client().asks(&request).await?.answer == Answer::Silence {
                        break;
                    }
                }
                let server = lab.server(echo()).await?;
                lab.carries(&lab.request(&server), &server).await
            })
    })
}

/// Often enough for what goes wrong only when bytes arrive in a certain way.
const ONE_BYTE_TRIES: usize = 20;
