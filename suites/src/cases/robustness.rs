//! # Sweeps
//!
//! A head can be cut anywhere, by the network or by a client that goes away. One place in it where the proxy is wrong is
//! enough, so every place is tried.

use connectspec_harness::prelude::*;
use tokio::task::JoinSet;

use crate::spec::{RFC_9110, RFC_9112};

/// Every case that tries each place in a head.
pub(crate) fn suite() -> Suite {
    suite! {
        "sweeps": "Sweeps", include_str!("sweeps.rs");
        a_head_may_be_cut_anywhere,
        a_head_that_breaks_off_opens_no_tunnel,
        a_head_without_its_last_byte_opens_no_tunnel,
        a_client_that_resets_in_its_head_harms_nobody,
    }
}

/// Some parsers want a line in one read, some the empty line, some the whole head; each fails at a place of its own.
///
/// Right as well: a refusal by policy, for want of credentials or by a timer says nothing.
fn a_head_may_be_cut_anywhere() -> Case {
    must("A request that comes in two segments is read like any other, wherever it is cut")
        .cites(RFC_9112.section("2.2"))
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-RL-017"])
        .seen_in("bun #43161", "https://github.com/oven-sh/bun/pull/43161")
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            for at in 1..bytes.len() {
                let (front, back) = bytes.split_at(at);
                let carried = lab.carries_pieces(&[front, back], &server).await;
                carried.map_err(|finding| finding.at(&cut(front)))?;
            }
            Ok(())
        })
}

/// A request that was not sent to its end was not made: a client that died in the middle did not ask for this target.
///
/// Right as well: a refusal, and a close without an answer. A connection to the server that carries nothing is noted.
/// The head that lacks only its last byte is judged on its own.
fn a_head_that_breaks_off_opens_no_tunnel() -> Case {
    must("A head that ends before its empty line opens no tunnel")
        .cites(RFC_9112.section("2.1"))
        .cites(RFC_9112.section("8"))
        .covers(["ROB-006"])
        .run(async |lab| {
            let server = lab.server(receive_to_the_end()).await?;
            let bytes = lab.request(&server).bytes();
            let length = bytes.len() - 1;
            breaks_off(lab, &server, (1..length).map(|at| bytes[..at].to_vec())).await
        })
}

/// The last line feed is the one byte that a lax parser does without.
///
/// Right as well: to take the bare CR for a line end, which is lax, but cuts off nothing of the target; so this is good
/// practice only.
fn a_head_without_its_last_byte_opens_no_tunnel() -> Case {
    practice("A head that lacks only its last line feed opens no tunnel")
        .cites(RFC_9112.section("2.1"))
        .cites(RFC_9112.section("8"))
        .covers(["ROB-006"])
        .run(async |lab| {
            let server = lab.server(receive_to_the_end()).await?;
            let mut bytes = lab.request(&server).bytes();
            bytes.pop();
            breaks_off(lab, &server, std::iter::once(bytes)).await
        })
}

/// Each of these heads is followed by the end of the stream, and none is answered with a 2xx, or reaches the server.
async fn breaks_off(lab: &Lab, server: &Server, heads: impl Iterator<Item = Vec<u8>>) -> Outcome {
    let mut asked = JoinSet::new();
    for head in heads {
        let client = lab.client();
        asked.spawn(async move {
            let mut connection = client.dial().await?;
            connection.sends(&head).await;
            connection.finishes().await;
            Ok((connection.hears().await, head))
        });
    }
    let mut silent = 0;
    while let Some(answered) = asked.join_next().await {
        let (answer, head) = answered.map_err(|error| Finding::harness(error.to_string()))??;
        match answer.status() {
            Some(200..300) => {
                let expected = ["a refusal", "a close without an answer"];
                return Err(Finding::none_of(expected, answer.describe()).at(&cut(&head)));
            }
            _ => silent += usize::from(answer == Answer::Silence),
        }
    }
    for visit in server.visits() {
        let heard = server.heard(&visit);
        if !heard.is_empty() {
            let observed = format!("{} bytes at the server", heard.len());
            return Err(Finding::violation("nothing reaches the server", observed));
        }
        lab.note("it connects before it has read the request");
    }
    if silent > 0 {
        lab.note(format!("{silent} of them get no answer and no end"));
    }
    Ok(())
}

/// A scanner, or a client that loses its patience: a proxy sees hundreds of them.
///
/// Right as well: anything, as long as the next client is served.
fn a_client_that_resets_in_its_head_harms_nobody() -> Case {
    practice("Clients that reset in the middle of their request keep no other from its tunnel")
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-007"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let bytes = lab.request(&server).bytes();
            for at in 0..bytes.len() {
                let mut connection = lab.client().dial().await?;
                connection.sends(&bytes[..at]).await;
                connection.into_tunnel().resets()?;
            }
            serves_on(lab, &server).await
        })
}

async fn serves_on(lab: &Lab, server: &Server) -> Outcome {
    let mut tunnel = lab.client().connect(server).await.map_err(|finding| {
        Finding::violation("a tunnel for the next client", finding.to_string())
    })?;
    tunnel.echoes(lab.nonce()).await
}

/// Where a head was cut, for a reader.
fn cut(front: &[u8]) -> String {
    let last = &front[front.len().saturating_sub(SHOWN)..];
    format!("cut after {} bytes, …{}", front.len(), last.escape_ascii())
}

/// As much of a head as shows the place.
const SHOWN: usize = 12;
