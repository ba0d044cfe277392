//! # Messages over HTTP/2
//!
//! What a WebSocket on a stream carries, and how it ends: a gateway passes on what the two ends say, and when they stop.

use connectspec_harness::{client::Fate, http2::ErrorCode, prelude::*};

use super::{
    websocket::{
        OPENS,
        message::{self, BINARY, CONTINUATION, Frame, PING, TEXT, next, next_message},
        opening::opens,
    },
    words::fate,
};
use crate::documents::{RFC_6455, RFC_8441, RFC_9113};

/// Every case about what a WebSocket carries.
pub(crate) fn suite() -> Suite {
    suite! {
        "websocket_messages": "Messages over HTTP/2", include_str!("messages.rs");
        messages_pass_unchanged,
        a_ping_reaches_the_other_end,
        the_end_of_the_server_ends_the_stream,
        the_end_of_the_client_reaches_the_server,
        an_abort_of_the_server_is_none_of_its_ends,
        an_abort_of_the_client_reaches_the_server,
        a_plain_connect_stays_one,
    }
}

/// A message that a gateway has taken apart has to be put together again: kind, order and payload are the application's.
///
/// Also accepted: other fragments, another mask.
fn messages_pass_unchanged() -> Family {
    each(MESSAGES, |&(_, make)| {
        must("A message arrives as it was sent, in both directions")
            .over(HTTP_2)
            .cites(RFC_8441.section("5"))
            .cites(RFC_6455.section("5.4"))
            .covers(["WS-011"])
            .under(websocket())
            .relying_on([OPENS])
            .run(async move |lab| {
                let mut both = opens(lab).await?;
                let frames = make();
                let whole = message::whole(&frames);
                for frame in &frames {
                    both.near.sends(frame.masked()).await?;
                }
                next_message(&mut both.far).await?.is(&whole)?;
                for frame in &frames {
                    both.far.sends(frame.bare()).await?;
                }
                next_message(&mut both.near).await?.is(&whole)
            })
    })
}

/// A message, as its frames.
type Make = fn() -> Vec<Frame>;

const MESSAGES: &[(&str, Make)] = &[
    ("text", || vec![Frame::last(TEXT, "hello")]),
    ("empty", || vec![Frame::last(TEXT, "")]),
    ("every_octet", || {
        vec![Frame::last(BINARY, (0..=255).collect::<Vec<u8>>())]
    }),
    ("in_three_fragments", || {
        vec![
            Frame::more(TEXT, "one "),
            Frame::more(CONTINUATION, "two "),
            Frame::last(CONTINUATION, "three"),
        ]
    }),
    ("longer_than_a_window", || {
        vec![Frame::last(BINARY, vec![b'x'; 100_000])]
    }),
];

/// A ping asks whether the application is there, and not whether the gateway is.
///
/// Only this conforms to good practice.
fn a_ping_reaches_the_other_end() -> Case {
    practice("A ping of the client reaches the server")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-011"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let mut both = opens(lab).await?;
            let ping = Frame::last(PING, "are you there?");
            both.near.sends(ping.masked()).await?;
            next(&mut both.far).await?.is(&ping)
        })
}

/// What a client waits for, when it has said that it goes.
///
/// Also accepted: RST_STREAM(NO_ERROR) behind it.
fn the_end_of_the_server_ends_the_stream() -> Case {
    must("The server's orderly end arrives as END_STREAM")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-009"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let mut both = opens(lab).await?;
            both.says_goodbye().await?;
            both.far.finishes().await?;
            both.near.ends().await
        })
}

/// A server that is not told keeps what it holds for its client.
///
/// Also accepted: a reset of the connection to the server, once everything has arrived.
fn the_end_of_the_client_reaches_the_server() -> Case {
    must("The client's END_STREAM ends the connection to the server")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-009"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let mut both = opens(lab).await?;
            both.says_goodbye().await?;
            both.near.finishes().await?;
            both.far.ends_somehow().await.map(drop)
        })
}

/// A client that takes a crash for a goodbye does not come back.
///
/// Also accepted: RST_STREAM with another code than CANCEL; the end of the connection.
fn an_abort_of_the_server_is_none_of_its_ends() -> Case {
    should("A reset of the server's connection resets the stream")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-009"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let both = opens(lab).await?;
            both.far.resets()?;
            let fate = fate(lab, &both.http2, both.id).await;
            lab.note(fate.describe());
            match fate {
                Fate::Reset {
                    after_the_end: false,
                    ..
                }
                | Fate::Connection { .. } => Ok(()),
                Fate::Reset { .. } | Fate::Ended | Fate::Open => {
                    Err(Finding::violation("RST_STREAM(CANCEL)", fate.describe()))
                }
            }
        })
}

/// The connection behind a stream that was given up is of no use to anybody.
///
/// Also accepted: FIN or RST.
fn an_abort_of_the_client_reaches_the_server() -> Case {
    must("RST_STREAM(CANCEL) ends the connection to the server")
        .over(HTTP_2)
        .cites(RFC_8441.section("5"))
        .covers(["WS-009"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let mut both = opens(lab).await?;
            both.http2.resets(both.id, ErrorCode::CANCEL);
            both.far.ends_somehow().await.map(drop)
        })
}

/// One word makes the difference, on the same connection.
///
/// Also accepted: 405 or 501, which say that it is a gateway only; they say nothing here.
fn a_plain_connect_stays_one() -> Case {
    must("A plain CONNECT opens a tunnel beside a WebSocket")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .cites(RFC_8441.section("4"))
        .covers(["WS-012"])
        .under(websocket())
        .relying_on([OPENS])
        .run(async |lab| {
            let both = opens(lab).await?;
            let server = lab.server(echo()).await?;
            let id = both
                .http2
                .opens(&both.http2.request(server.authority()), false);
            let answer = both.http2.hears(id).await;
            match answer.status() {
                Some(200..300) => {}
                Some(405 | 501) => return Err(Finding::inconclusive(answer.describe())),
                _ => return Err(Finding::violation("a tunnel", answer.describe())),
            }
            both.http2.end(id).echoes(lab.nonce()).await
        })
}
