//! # Robustness
//!
//! Clients break off, reset, are silent, slow, many, or talk nonsense. None of that opens a tunnel that nobody asked for,
//! and none of it keeps another client from the one that it asks for.

mod lifetime;
mod stages;

use connectspec_harness::prelude::*;
use tokio::task::JoinSet;

use crate::{
    cases::operation::robustness::{
        lifetime::{dead_peers_are_asked_after, it_can_be_started_again_at_once},
        stages::{
            a_head_that_never_ends_is_given_up, a_reset_at_any_stage_harms_nobody,
            it_listens_nowhere_else,
        },
    },
    documents::{RFC_9110, RFC_9112},
};

/// Every case about clients that behave badly.
pub(crate) fn suite() -> Suite {
    suite! {
        "robustness": "Robustness", concat!(include_str!("robustness.rs"), include_str!("robustness/stages.rs"), include_str!("robustness/lifetime.rs"));
        a_head_that_breaks_off_opens_no_tunnel,
        a_head_without_its_last_byte_opens_no_tunnel,
        a_client_that_resets_in_its_head_harms_nobody,
        a_client_that_resets_behind_its_head_harms_nobody,
        a_client_that_resets_frees_its_server,
        a_server_that_says_nothing_gets_its_tunnel,
        random_errors_harm_nobody,
        a_reset_at_any_stage_harms_nobody,
        a_head_that_never_ends_is_given_up,
        it_listens_nowhere_else,
        it_can_be_started_again_at_once,
        dead_peers_are_asked_after,
    }
}

/// A request that was not sent to its end was not made: a client that died in the middle did not ask for this target.
///
/// Also accepted: a refusal, and a close without an answer. A connection to the server that carries nothing is noted.
/// The head that lacks only its last byte is judged on its own.
fn a_head_that_breaks_off_opens_no_tunnel() -> Case {
    must("A head that ends before its empty line opens no tunnel")
        .over(HTTP_1_1)
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
/// Also accepted: to take the bare CR for a line end, which is lax, but cuts off nothing of the target; so this is good
/// practice only.
fn a_head_without_its_last_byte_opens_no_tunnel() -> Case {
    practice("A head that lacks only its last line feed opens no tunnel")
        .over(HTTP_1_1)
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
/// Also accepted: anything, as long as the next client is served.
fn a_client_that_resets_in_its_head_harms_nobody() -> Case {
    practice("Clients that reset in the middle of their request keep no other from its tunnel")
        .over(HTTP_1_1)
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

/// As above, while the proxy is connecting, or has just sent its 2xx.
///
/// Also accepted: anything, as long as the next client is served.
fn a_client_that_resets_behind_its_head_harms_nobody() -> Case {
    practice("Clients that reset right after their request keep no other from its tunnel")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-007"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            for time in 0..RESETS {
                let mut connection = lab.client().dial().await?;
                connection.sends(lab.request(&server).bytes()).await;
                if time % 2 > 0 {
                    connection.hears().await;
                }
                connection.into_tunnel().resets()?;
            }
            serves_on(lab, &server).await
        })
}

/// Enough for both orders of the reset and the connection to the server.
const RESETS: usize = 40;

/// A connection to a server whose client has gone is held by nobody, and given back by nobody.
///
/// Also accepted: to end the server's side with a FIN.
fn a_client_that_resets_frees_its_server() -> Case {
    practice("Servers whose clients have reset see the end of their connections")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.5"))
        .covers(["ROB-007"])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let mut ends = Vec::new();
            for _ in 0..RESETS {
                let near = lab.client().connect(&server).await?;
                ends.push(server.accepts().await?);
                near.resets()?;
            }
            for end in &mut ends {
                end.ends_somehow().await?;
            }
            Ok(())
        })
}

/// The tunnel is there once the connection is: whether the server ever says anything is between it and the client.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn a_server_that_says_nothing_gets_its_tunnel() -> Case {
    must("A server that neither reads nor writes is answered with a 2xx")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["ROB-009"])
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let Exchange {
                answer,
                mut connection,
            } = lab.client().asks(lab.request(&server)).await?;
            if answer == Answer::Silence && !server.visits().is_empty() {
                // A proxy that is merely slow keeps this client waiting, too: another client shows it, and so does time.
                let prompt = lab.server(send(lab.nonce()).then(echo())).await?;
                lab.client().connect(&prompt).await?;
                if connection.hears().await != Answer::Silence {
                    return Err(Finding::inconclusive("an answer, but a late one"));
                }
                let seen = "none, though the server is connected and one that speaks gets its own";
                return Err(Finding::violation("a 2xx", seen));
            }
            let exchange = Exchange { answer, connection };
            let mut tunnel = exchange.granted()?;
            tunnel.sends(lab.nonce()).await?;
            tunnel.stays_silent(lab.patience().quiet()).await
        })
}

/// How many requests with errors are made, and whether that takes long.
const ERRORS: &[(&str, usize, bool)] = &[("some", 100, false), ("many", 2_000, true)];

/// Scanners, broken clients and bad memory send what no author of a parser has thought of.
///
/// Also accepted: any response, a close, a reset, silence, and a tunnel where the request was still right. The target is
/// never changed, so that no proxy connects to strangers.
fn random_errors_harm_nobody() -> Family {
    each(ERRORS, |&(_, times, slow)| {
        let case =
            practice("Requests with random errors get a response or an end, and harm nobody")
                .over(HTTP_1_1)
                .cites(RFC_9112.section("2.2"))
                .cites(RFC_9110.section("17.5"))
                .covers(["ROB-005"])
                .run(async move |lab| {
                    let server = lab.server(echo()).await?;
                    let right = lab.request(&server).field("User-Agent: mutant").bytes();
                    let mut generator = Generator::new(lab.seed());
                    for first in (0..times).step_by(AT_ONCE) {
                        let mut asked = JoinSet::new();
                        for _ in first..times.min(first + AT_ONCE) {
                            let mutant = mutated(&right, &server.authority(), &mut generator);
                            let (client, limit) = (lab.client(), lab.patience().stall());
                            asked.spawn(async move {
                                let mut connection = client.dial().await?;
                                connection.sends(&mutant).await;
                                connection.finishes().await;
                                Ok((connection.hears_within(limit).await, mutant))
                            });
                        }
                        while let Some(answered) = asked.join_next().await {
                            let answered =
                                answered.map_err(|error| Finding::harness(error.to_string()))?;
                            let (answer, mutant) = answered?;
                            if let Answer::Garbage { .. } = &answer {
                                let finding =
                                    Finding::violation("a response or an end", answer.describe());
                                return Err(finding.at(&mutant.escape_ascii().to_string()));
                            }
                        }
                        serves_on(lab, &server).await?;
                    }
                    Ok(())
                });
        if slow { case.slow() } else { case }
    })
}

/// How many of them are under way at the same time.
const AT_ONCE: usize = 50;

/// `right` with one to three bytes changed, added or left out, outside of every mention of `authority`.
fn mutated(right: &[u8], authority: &str, generator: &mut Generator) -> Vec<u8> {
    let mut bytes = right.to_vec();
    for _ in 0..=generator.word() % 3 {
        let spared: Vec<_> = bytes
            .windows(authority.len())
            .enumerate()
            .filter(|(_, window)| *window == authority.as_bytes())
            // The bytes around it belong to it, too: a digit there would make another port of it.
            .map(|(at, _)| at.saturating_sub(1)..=at + authority.len())
            .collect();
        let at = usize::try_from(generator.word()).unwrap_or(0) % bytes.len();
        if spared.iter().any(|range| range.contains(&at)) {
            continue;
        }
        let byte = generator.word().to_le_bytes()[3];
        match generator.word() % 3 {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
    }
    bytes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_still_names_the_same_server() {
        let (authority, mut generator) = ("127.0.0.1:12345", Generator::new(1));
        let right = Request::connect(authority).bytes();
        let mut changed = 0;
        for _ in 0..1_000 {
            let mutant = mutated(&right, authority, &mut generator);
            let named = format!(" {authority} ").into_bytes();
            let is_named = mutant.windows(named.len()).any(|window| window == named);
            assert!(is_named, "{}", mutant.escape_ascii());
            changed += usize::from(mutant != right);
        }
        assert!(changed > 500);
    }
}
