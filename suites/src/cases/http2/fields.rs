//! # HTTP/2: fields of requests
//!
//! What was about one connection of HTTP/1.1 has no place in HTTP/2, and what names a host twice can name two.

use connectspec_harness::prelude::*;

use super::words::{connection, is_heard, is_refused, opened};
use crate::documents::{RFC_9110, RFC_9113};

/// Every case about fields of requests in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_fields": "HTTP/2: fields of requests", include_str!("fields.rs");
        te_may_say_trailers,
        te_says_nothing_else,
        host_is_never_the_target,
        another_host_is_malformed,
        the_same_host_may_be_written_differently,
        each_stream_has_credentials_of_its_own,
        a_length_ends_no_tunnel,
    }
}

/// Some clients say it with every request, and mean nothing by it.
///
/// Also accepted: a refusal that has another reason says nothing, nor does silence.
fn te_may_say_trailers() -> Case {
    must("A CONNECT with `te: trailers` is a request like any other")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.2.2"))
        .covers(["H2-TGT-016"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            for _ in 0..2 {
                let http2 = connection(lab).await?;
                let fields = http2.request(server.authority()).with("te", "trailers");
                let id = http2.opens(&fields, false);
                let answer = http2.hears(id).await;
                match answer.status() {
                    Some(200..300) => return http2.end(id).echoes(lab.nonce()).await,
                    Some(403 | 407) => return Err(Finding::inconclusive(answer.describe())),
                    None if answer == Answer::Silence => {
                        return Err(Finding::inconclusive("silence"));
                    }
                    _ => lab.note(answer.describe()),
                }
                // What fails for another reason fails without the field, too.
                let fresh = connection(lab).await?;
                opened(lab, &fresh, &server).await?;
            }
            Err(Finding::violation(
                "a tunnel",
                "none with the field, twice, and one without it",
            ))
        })
}

/// What the field says otherwise is about one connection of HTTP/1.1.
///
/// Also accepted: any refusal, and any end.
fn te_says_nothing_else() -> Case {
    should("A CONNECT with another TE is malformed")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.2.2"))
        .covers(["H2-TGT-016"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let fields = http2.request(server.authority()).with("te", "gzip");
            let id = http2.opens(&fields, false);
            is_refused(lab, &http2, id).await
        })
}

/// Whoever checks the one name and connects to the other has no policy.
///
/// Also accepted: a refusal, and a tunnel to the authority. Nobody may be connected to whom Host names.
fn host_is_never_the_target() -> Case {
    must("Where Host names another server than the authority, nobody is connected to that")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.3.1"))
        .covers(["H2-TGT-010"])
        .run(async |lab| {
            lab.knows_localhost().await?;
            let (server, other) = (lab.server(echo()).await?, lab.dual_server(echo()).await?);
            let http2 = connection(lab).await?;
            // Another name of this machine, so that it is another entity, too.
            let host = format!("localhost:{}", other.port());
            let fields = http2.request(server.authority()).with("host", host);
            let id = http2.opens(&fields, false);
            let answer = http2.hears(id).await;
            lab.note(answer.describe());
            other.stays_unvisited().await?;
            is_heard(&answer)
        })
}

/// A request that says two things is not right in either.
///
/// Also accepted: any refusal, and any end.
fn another_host_is_malformed() -> Case {
    should("A CONNECT whose Host names another host than its authority is malformed")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.3.1"))
        .covers(["H2-TGT-010"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let fields = http2
                .request(server.authority())
                .with("host", "other.example:443");
            let id = http2.opens(&fields, false);
            is_refused(lab, &http2, id).await
        })
}

/// Some clients write Host beside the authority, with a port or without one.
///
/// Also accepted: everything. A proxy may compare letter by letter.
fn the_same_host_may_be_written_differently() -> Family {
    each(SAME_HOSTS, |&(_, host)| {
        survey("A CONNECT whose Host is that of its authority opens a tunnel")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.3.1"))
            .covers(["H2-TGT-010"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let http2 = connection(lab).await?;
                let fields = http2.request(server.authority());
                let id = http2.opens(&fields.with("host", host(&server)), false);
                let answer = http2.hears(id).await;
                match answer.status() {
                    Some(200..300) => http2.end(id).echoes(lab.nonce()).await,
                    _ => Err(Finding::violation("a tunnel", answer.describe())),
                }
            })
    })
}

type Host = fn(&Server) -> String;

const SAME_HOSTS: &[(&str, Host)] = &[
    ("with_its_port", Server::authority),
    ("without_a_port", |server| server.host().to_owned()),
];

/// One connection may carry the tunnels of several users: what one of them is allowed is not what all are.
///
/// Also accepted: any answer but a 2xx to the request without credentials.
fn each_stream_has_credentials_of_its_own() -> Case {
    should("Credentials on one stream admit no other")
        .over(HTTP_2)
        .cites(RFC_9110.section("11.7"))
        .covers(["H2-AUTH-001"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let (_, mut first) = http2.connects(&server).await?;
            first.echoes(lab.nonce()).await?;
            let right = http2.request(server.authority());
            let id = http2.opens(&right.without("proxy-authorization"), false);
            let answer = http2.hears(id).await;
            match answer.status() {
                Some(200..300) => return Err(Finding::violation("407", answer.describe())),
                _ => is_heard(&answer)?,
            }
            lab.note(answer.describe());
            first.echoes(lab.nonce()).await
        })
}

/// A CONNECT has no content; what follows it is the tunnel's, however long somebody said that it was.
///
/// Also accepted: everything. A proxy may refuse such a request at once.
fn a_length_ends_no_tunnel() -> Case {
    survey("A tunnel that was asked for with Content-Length carries more than that")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.1.1"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H2-TGT-017"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let fields = http2.request(server.authority());
            let id = http2.opens(&fields.with("content-length", "5"), false);
            let answer = http2.hears(id).await;
            lab.note(answer.describe());
            match answer.status() {
                Some(200..300) => http2.end(id).echoes(lab.nonce()).await,
                _ => Ok(()),
            }
        })
}
