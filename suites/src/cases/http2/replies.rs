//! # HTTP/2: replies
//!
//! What opens a tunnel on a stream, and what a refusal leaves behind.

use connectspec_harness::{
    client::Fate,
    http2::{ErrorCode, State},
    prelude::*,
};

use super::words::{connection, fate, is_a_refusal, tunnel};
use crate::documents::{RFC_9110, RFC_9113};

/// Every case about replies in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_replies": "HTTP/2: replies", include_str!("replies.rs");
        a_success_has_no_framing_of_its_own,
        a_success_leaves_the_stream_open,
        a_success_is_no_switch_of_protocols,
        a_refusal_ends_its_stream,
        a_refusal_is_not_cancelled,
        a_refusal_leaves_other_tunnels_alone,
        failures_do_not_end_the_connection,
    }
}

/// A length would end the tunnel in the eyes of whoever believes it.
///
/// Only this conforms.
fn a_success_has_no_framing_of_its_own() -> Family {
    each(FRAMING, |&(_, name)| {
        must("A 2xx to CONNECT has no Content-Length and no Transfer-Encoding")
            .over(HTTP_2)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9113.section("8.2.2"))
            .covers(["H2-RSP-001"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let exchange = lab.client().asks(lab.request(&server)).await?;
                exchange.success()?.expect_no_field(name)
            })
    })
}

const FRAMING: &[(&str, &str)] = &[
    ("content_length", "Content-Length"),
    ("transfer_encoding", "Transfer-Encoding"),
];

/// A success that ends its stream has promised a tunnel and closed it.
///
/// Also accepted: whatever comes once the server has ended.
fn a_success_leaves_the_stream_open() -> Case {
    must("What a server says late arrives on a stream that was granted")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-RSP-002"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let http2 = connection(lab).await?;
            let (id, mut near) = http2.connects(&server).await?;
            let ended = http2
                .session()
                .with(|state| state.streams.get(&id).is_some_and(|stream| stream.ended));
            if ended {
                return Err(Finding::violation("2xx without END_STREAM", "END_STREAM"));
            }
            // Of two connections the one that is used.
            let (before, late) = (lab.nonce(), lab.nonce());
            near.sends(&before).await?;
            let mut far = server.accepts_who_speaks().await?;
            far.receives(before).await?;
            pass(lab.patience().stall()).await;
            far.sends(&late).await?;
            near.receives(late).await
        })
}

/// HTTP/2 knows no change of protocols: a client takes it for an interim response, or for an error.
///
/// Only this conforms.
fn a_success_is_no_switch_of_protocols() -> Case {
    must("A CONNECT over HTTP/2 is not answered with 101")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.6"))
        .covers(["H2-RSP-003"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let http2 = connection(lab).await?;
            let id = http2.opens(&http2.request(server.authority()), false);
            let limit = lab.patience().reply();
            let first = http2.until_within(limit, |state| {
                let stream = state.streams.get(&id)?;
                let (fields, _) = stream.sections.first()?;
                Some(fields.status())
            });
            match first.await {
                Some(Some(101)) => Err(Finding::violation("a final response", "101")),
                Some(_) => Ok(()),
                None => Err(Finding::inconclusive("no response")),
            }
        })
}

/// A stream that is left open is one of a hundred that a client may have.
///
/// Also accepted: END_STREAM, or RST_STREAM with any code, before or behind the response.
fn a_refusal_ends_its_stream() -> Case {
    should("A refusal ends its stream")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.1"))
        .covers(["H2-RSP-004"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let http2 = connection(lab).await?;
            let id = http2.opens(&http2.request(denied.authority()), false);
            is_a_refusal(&http2.hears(id).await)?;
            let fate = fate(lab, &http2, id).await;
            lab.note(fate.describe());
            match fate {
                Fate::Open => Err(Finding::violation(
                    "the end of the stream, or its reset",
                    fate.describe(),
                )),
                _ => Ok(()),
            }
        })
}

/// A client may throw a response away that a reset follows; only with NO_ERROR it has to keep it.
///
/// Also accepted: everything. Only RST_STREAM(NO_ERROR) is sure to take nothing away.
fn a_refusal_is_not_cancelled() -> Case {
    survey("A refusal is not followed by RST_STREAM with an error")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.1"))
        .covers(["H2-RSP-004"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let http2 = connection(lab).await?;
            let id = http2.opens(&http2.request(denied.authority()), false);
            let answer = http2.hears(id).await;
            if answer.status().is_none() {
                lab.note(answer.describe());
                return Ok(());
            }
            match fate(lab, &http2, id).await {
                fate @ Fate::Reset { code, .. } if code != ErrorCode::NO_ERROR => {
                    Err(Finding::violation("the response alone", fate.describe()))
                }
                fate => {
                    lab.note(fate.describe());
                    Ok(())
                }
            }
        })
}

/// All tunnels of a browser are on one connection, and some of its requests are always refused.
///
/// Also accepted: an end of the connection that was announced with an error says nothing here.
fn a_refusal_leaves_other_tunnels_alone() -> Case {
    must("A refusal leaves the tunnels beside it alone")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.4.2"))
        .covers(["H2-RSP-004"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let http2 = connection(lab).await?;
            let mut beside = tunnel(lab, &http2).await?;
            let id = http2.opens(&http2.request(denied.authority()), false);
            let answer = http2.hears(id).await;
            is_a_refusal(&answer)?;
            lab.note(answer.describe());
            let carried = beside.carries(lab).await;
            let failed =
                |state: &State| state.goaway.is_some_and(|code| code != ErrorCode::NO_ERROR);
            match http2.session().with(|state| failed(state)) {
                true => Err(Finding::inconclusive(
                    "the connection was ended with an error",
                )),
                false => carried,
            }
        })
}

/// Requests to where nobody listens.
const FAILURES: usize = 20;

/// A page that names servers that are gone must not take the connection of all others with it.
///
/// Also accepted: a connection that is ended for excessive load (ENHANCE_YOUR_CALM) says nothing.
fn failures_do_not_end_the_connection() -> Case {
    practice("Connections that fail do not end the connection of the client")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.4.1"))
        .covers(["H2-RSP-005"])
        .run(async |lab| {
            let closed = format!("{}:{}", lab.host(), lab.refusing_port().await?);
            let http2 = connection(lab).await?;
            for _ in 0..FAILURES {
                let id = http2.opens(&http2.request(&closed), false);
                http2.hears(id).await;
            }
            let goaway = http2.session().with(|state| state.goaway);
            if goaway == Some(ErrorCode::ENHANCE_YOUR_CALM) {
                return Err(Finding::inconclusive("GOAWAY(ENHANCE_YOUR_CALM)"));
            }
            let mut fresh = tunnel(lab, &http2).await.map_err(|finding| {
                Finding::violation("a tunnel on the same connection", finding.to_string())
            })?;
            fresh.carries(lab).await
        })
}
