//! # WebSockets over HTTP/2
//!
//! Extended CONNECT opens a WebSocket on a stream (RFC 8441). A gateway makes of it what its server understands; for everybody else
//! it is a request with a word too many, and never a tunnel to its authority.

pub(super) mod message;
pub(super) mod opening;

use connectspec_harness::prelude::*;
use tokio::time::timeout;

use self::{
    message::{Frame, PING, TEXT},
    opening::{Opening, refuses, with_protocol},
};
use super::words::{connection, is_heard};
use crate::documents::{RFC_8441, RFC_9110, RFC_9113, RFC_9220};

/// Every case about WebSockets.
pub(crate) fn suite() -> Suite {
    suite! {
        "websocket": "WebSockets over HTTP/2", include_str!("websocket.rs");
        a_websocket_opens_with_a_success,
        an_extended_connect_opens_no_raw_tunnel,
        what_an_extended_connect_lacks_is_missed,
        fields_of_a_connection_are_malformed,
        an_unknown_protocol_opens_nothing,
        the_opening_reaches_the_server,
        the_choice_of_the_server_comes_back,
        an_upgrade_within_a_tunnel_is_opaque,
        what_the_server_is_asked,
    }
}

/// What all others rely on.
pub(super) const OPENS: &str = "websocket/a_websocket_opens_with_a_success";

/// HTTP/2 knows no change of protocols: the answer is a success like any other, and what follows are messages.
///
/// Also accepted: any 2xx; a Sec-WebSocket-Accept in it, which nobody needs.
fn a_websocket_opens_with_a_success() -> Case {
    must("An extended CONNECT that the server accepts is answered with a 2xx, and not with 101")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .cites(RFC_9113.section("8.6"))
        .covers(["WS-006"])
        .under(websocket())
        .run(async |lab| {
            let mut opening = Opening::begins(lab, &[]).await?;
            opening.grants(&[]).await?;
            if opening.first_status(lab).await == Some(101) {
                return Err(Finding::violation("a 2xx", "101"));
            }
            let answer = opening.hears().await;
            match answer.status() {
                Some(200..300) => Ok(()),
                _ => Err(Finding::violation("a 2xx", answer.describe())),
            }
        })
}

/// A proxy that does not know the word reads a CONNECT like any other, and opens a tunnel for whoever meant something else.
///
/// Also accepted: any refusal; an HTTP request to the authority, as a gateway sends it.
fn an_extended_connect_opens_no_raw_tunnel() -> Case {
    must("An extended CONNECT opens no tunnel to its authority")
        .over(HTTP_2)
        .cites(RFC_8441.section("4"))
        .covers(["WS-004"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let http2 = connection(lab).await?;
            let fields = with_protocol(lab, &http2, &server.authority(), "/", &[]);
            let id = http2.opens(&fields, false);
            let answer = http2.hears(id).await;
            lab.note(answer.describe());
            if !matches!(answer.status(), Some(200..300)) {
                return is_heard(&answer);
            }
            let nonce = lab.nonce();
            // It may have ended the stream again: then nothing gets through, either.
            let _ = http2.end(id).sends(&nonce).await;
            let mut far = match timeout(lab.patience().settle(), server.accepts()).await {
                Ok(far) => far?,
                Err(_) => return Ok(()),
            };
            if !far.speaks_within(lab.patience().settle()).await {
                return Ok(());
            }
            let first = far.receives_any(nonce.len()).await?;
            if first == nonce.as_bytes() {
                return Err(Finding::violation(
                    "a refusal, or an HTTP request",
                    "the octets of the client, as in a tunnel",
                ));
            }
            Ok(())
        })
}

/// With :protocol, CONNECT names what it wants like any other request: a gateway that makes up the rest decides for its client.
///
/// Also accepted: RST_STREAM with any code, any response but a 2xx, the end of the connection.
fn what_an_extended_connect_lacks_is_missed() -> Family {
    each(LACKING, |&(_, name)| {
        must(format!("An extended CONNECT without {name} opens nothing"))
            .over(HTTP_2)
            .cites(RFC_8441.section("4"))
            .covers(["WS-003"])
            .under(websocket())
            .relying_on([OPENS])
            .run(async move |lab| refuses(lab, |right| right.without(name)).await)
    })
}

const LACKING: &[(&str, &str)] = &[("scheme", ":scheme"), ("path", ":path")];

/// What is about one connection has no place on one that many share: the words of an upgrade come from a client that has
/// translated half of it.
///
/// Also accepted: RST_STREAM with any code, any response but a 2xx, the end of the connection.
fn fields_of_a_connection_are_malformed() -> Family {
    each(OF_A_CONNECTION, |&(_, name, value)| {
        must(format!("An extended CONNECT with {name} opens nothing"))
            .over(HTTP_2)
            .cites(RFC_8441.section("5"))
            .cites(RFC_9113.section("8.2.2"))
            .covers(["WS-007"])
            .under(websocket())
            .relying_on([OPENS])
            .run(async move |lab| refuses(lab, |right| right.with(name, value)).await)
    })
}

const OF_A_CONNECTION: &[(&str, &str, &str)] = &[
    ("connection", "connection", "upgrade"),
    ("upgrade", "upgrade", "websocket"),
];

/// Whoever takes every word for "websocket" lets its client talk to a server that understands another.
///
/// Also accepted: any refusal; 501 is the one that RFC 9220 recommends where a setting has offered extended CONNECT.
fn an_unknown_protocol_opens_nothing() -> Case {
    should("An extended CONNECT with an unknown :protocol opens nothing")
        .over(HTTP_2)
        .cites(RFC_9220.section("3"))
        .covers(["WS-005"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let word = format!("made-up-{}", lab.nonce());
            refuses(lab, |right| {
                opening::behind_method(&right.without(":protocol"), ":protocol", &word)
            })
            .await
        })
}

/// A server that checks the origin, or chooses among protocols, has to see what the browser has said.
///
/// Also accepted: other fields beside them.
fn the_opening_reaches_the_server() -> Family {
    each(OPENING, |&(_, name, value)| {
        must(format!("The server sees the client's {name}"))
            .over(HTTP_2)
            .cites(RFC_8441.section("5"))
            .cites(RFC_9110.section("7.6"))
            .covers(["WS-008"])
            .under(websocket())
            .relying_on([OPENS])
            .run(async move |lab| {
                let opening = Opening::begins(lab, &[(name, value)]).await?;
                let seen = opening.asked.members(name);
                match seen.iter().any(|member| member == value) {
                    true => Ok(()),
                    false => Err(Finding::violation(
                        format!("{name}: {value}"),
                        format!("{seen:?}"),
                    )),
                }
            })
    })
}

const OPENING: &[(&str, &str, &str)] = &[
    ("origin", "origin", "https://app.example"),
    ("version", "sec-websocket-version", "13"),
    ("protocol", "sec-websocket-protocol", "chat.example"),
];

/// A client that has offered two protocols does not know which one is spoken, unless it is told.
///
/// Only this conforms.
fn the_choice_of_the_server_comes_back() -> Case {
    must("The protocol that the server chooses comes back to the client")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-008"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let offered = ("sec-websocket-protocol", "one.example, two.example");
            let mut opening = Opening::begins(lab, &[offered]).await?;
            opening
                .grants(&["Sec-WebSocket-Protocol: two.example"])
                .await?;
            match opening.hears().await {
                Answer::Reply(reply) if reply.is_success() => reply
                    .expect("Sec-WebSocket-Protocol: two.example", |reply| {
                        reply.lists("sec-websocket-protocol", "two.example")
                    }),
                answer => Err(Finding::inconclusive(answer.describe())),
            }
        })
}

/// What looks like an upgrade is the business of the two ends: the tunnel was there before.
///
/// Only this conforms.
fn an_upgrade_within_a_tunnel_is_opaque() -> Case {
    must("The octets of a WebSocket within a tunnel arrive as they were sent")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["WS-013"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.sends_to(&mut far, opening::upgrade()).await?;
            far.sends_to(&mut near, opening::switched()).await?;
            near.sends_to(&mut far, Frame::last(TEXT, "hello").masked())
                .await?;
            far.sends_to(&mut near, Frame::last(PING, "").bare()).await
        })
}

/// A server of HTTP/1.1 is asked by GET, with a key that the gateway makes up.
///
/// Also accepted: anything.
fn what_the_server_is_asked() -> Case {
    survey("What a server of HTTP/1.1 is asked for a WebSocket")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-014"])
        .under(websocket())
        .run(async |lab| {
            let mut opening = Opening::begins(lab, &[]).await?;
            lab.note(opening.asked.line());
            opening.grants(&[]).await?;
            lab.note(opening.hears().await.describe());
            Ok(())
        })
}
