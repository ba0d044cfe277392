//! # Races
//!
//! What happens within the same millisecond happens in every order, sooner or later: bytes that follow the request while
//! the 2xx is on its way, a server that speaks and closes before the client has its answer, an end right after data.
//! Each is repeated with pauses that the run's seed chooses.

use std::time::Duration;

use connectspec_harness::prelude::*;

use crate::{
    cases::words::transfers::SMALL_BUFFER,
    documents::{RFC_9110, RFC_9931},
};

/// Every case that is repeated since it may go wrong now and then.
pub(crate) fn suite() -> Suite {
    suite! {
        "races": "Races", include_str!("races.rs");
        bytes_around_the_answer_arrive,
        a_server_that_speaks_and_closes_at_once_is_heard,
        an_end_behind_data_cuts_nothing_off_a_download,
        an_end_behind_data_cuts_nothing_off_an_upload,
        a_slow_reader_gets_what_stood_before_the_end,
    }
}

/// How often an ordinary run repeats a race, and how often a patient one does.
const TIMES: &[(&str, usize)] = &[("often", 50), ("very_often", 500)];

/// The pauses between two events that race.
fn pauses(lab: &Lab) -> impl FnMut() -> Duration + use<> {
    let mut generator = Generator::new(lab.seed());
    // None at all, shorter than a proxy needs to connect, and about as long or longer.
    move || match generator.word() % 3 {
        0 => Duration::ZERO,
        1 => Duration::from_micros(generator.word() % 500),
        _ => Duration::from_micros(generator.word() % 5_000),
    }
}

/// A long race is for patient runs.
fn patient(case: Case, times: usize) -> Case {
    if times > 50 { case.slow() } else { case }
}

/// A parser that hands the connection over to a relay has to hand over what it had read, too; and what came in between.
///
/// Also accepted: to refuse a request with bytes after it; that is noted.
fn bytes_around_the_answer_arrive() -> Family {
    each(TIMES, |&(_, times)| {
        let case = must("Bytes that follow a granted request arrive, whenever they come")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9931.section("4.1"))
            .relying_on([
                "early/early_data_is_delivered_once_and_in_order[a_few_bytes]",
                "establish/a_server_may_speak_first",
            ])
            .covers(["H1-CONN-007"])
            .seen_in(
                "Squid bug 3371",
                "https://bugs.squid-cache.org/show_bug.cgi?id=3371",
            )
            .seen_in(
                "boxlite #993",
                "https://github.com/boxlite-ai/boxlite/issues/993",
            )
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let mut pause = pauses(lab);
                for time in 1..=times {
                    let (first, second) = (lab.nonce(), lab.nonce());
                    let mut connection = lab.client().dial().await?;
                    connection.requests(lab.request(&server)).await;
                    pass(pause()).await;
                    connection.sends(&first).await;
                    let answer = connection.hears().await;
                    match &answer {
                        Answer::Reply(reply) if reply.is_success() => {}
                        other => {
                            let exchange = Exchange {
                                answer: other.clone(),
                                connection,
                            };
                            exchange.reply()?;
                            lab.note(format!("with early data: {}", other.describe()));
                            return Ok(());
                        }
                    }
                    let mut tunnel = connection.into_tunnel();
                    let raced = async {
                        tunnel.sends(&second).await?;
                        tunnel.receives(first + &second).await
                    };
                    raced
                        .await
                        .map_err(|finding| finding.at(&format!("time {time}")))?;
                }
                Ok(())
            });
        patient(case, times)
    })
}

/// A server that has said all it has to say before the proxy has told its client of the connection: many of the shortest
/// protocols are like that.
///
/// Also accepted: to refuse the request, since the server is already gone; that is noted.
fn a_server_that_speaks_and_closes_at_once_is_heard() -> Family {
    each(TIMES, |&(_, times)| {
        let case = must("What a server says before it closes at once arrives")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["CLS-001", "H1-RSP-016"])
            .seen_in(
                "jetty #9183",
                "https://github.com/jetty/jetty.project/issues/9183",
            )
            .run(async move |lab| {
                let said = stream(lab.seed(), 100);
                let server = lab.server(send(&said).then(close())).await?;
                for time in 1..=times {
                    let at = |finding: Finding| finding.at(&format!("time {time}"));
                    let exchange = lab.client().asks(lab.request(&server)).await?;
                    if !exchange.reply().map_err(at)?.is_success() {
                        lab.note(exchange.answer.describe());
                        return Ok(());
                    }
                    let mut tunnel = exchange.granted()?;
                    tunnel.receives(&said).await.map_err(at)?;
                    tunnel.ends_somehow().await.map_err(at)?;
                }
                Ok(())
            });
        patient(case, times)
    })
}

/// A proxy that acts on the end of a stream before it has written what came before cuts off the last part, and most
/// often where it is the only part.
///
/// Also accepted: to end with a reset, once every byte has been delivered.
fn an_end_behind_data_cuts_nothing_off_a_download() -> Family {
    each(TIMES, |&(_, times)| {
        let case = must("What a server sends right before its end arrives complete")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["CLS-001"])
            .seen_in(
                "claude-code #81136",
                "https://github.com/anthropics/claude-code/issues/81136",
            )
            .run(async move |lab| ends_behind_data(lab, times, |near, far| (far, near)).await);
        patient(case, times)
    })
}

/// The same for an upload: what the server misses, it takes for what the client did not send.
///
/// Also accepted: to end with a reset, once every byte has been delivered.
fn an_end_behind_data_cuts_nothing_off_an_upload() -> Family {
    each(TIMES, |&(_, times)| {
        let case = must("What a client sends right before its end arrives complete")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["CLS-002"])
            .run(async move |lab| ends_behind_data(lab, times, |near, far| (near, far)).await);
        patient(case, times)
    })
}

/// Lengths around those of usual buffers, and one byte.
const LENGTHS: [u64; 6] = [1, 1_460, 4_096, 16_384, 65_536, 65_537];

/// Which of the two ends sends, and which receives.
type Roles = fn(End, End) -> (End, End);

async fn ends_behind_data(lab: &Lab, times: usize, roles: Roles) -> Outcome {
    let server = lab.server(hand_over()).await?;
    let mut pause = pauses(lab);
    for time in 1..=times {
        let (near, far) = lab.tunnel_to(&server).await?;
        let (mut from, mut to) = roles(near, far);
        let payload = stream(lab.seed() + time as u64, LENGTHS[time % LENGTHS.len()]);
        let wait = pause();
        let (mut writer, mut reader) = (from.halves().1, to.halves().0);
        let send = async {
            writer.sends(&payload).await?;
            pass(wait).await;
            writer.finishes().await
        };
        let read = async {
            reader.receives(&payload).await?;
            reader.ends_somehow().await
        };
        let (sent, received) = tokio::join!(send, read);
        received
            .map(|_| ())
            .and(sent)
            .map_err(|finding| finding.at(&format!("time {time}")))?;
    }
    Ok(())
}

/// How much stands before the end, how often it is tried, and whether that takes long.
const VOLUMES: &[(&str, u64, usize, bool)] = &[
    ("a_megabyte", 1 << 20, 5, false),
    ("eight_megabytes", 8 << 20, 50, true),
];

/// The end of a page behind megabytes that a slow client has not read yet is where downloads break off.
///
/// Also accepted: to end with a reset, once every byte has been delivered.
fn a_slow_reader_gets_what_stood_before_the_end() -> Family {
    each(VOLUMES, |&(_, volume, times, slow)| {
        let case = must("What stood before the end arrives complete, however slowly it is read")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["CLS-001", "CLS-017"])
            .seen_in(
                "claude-code #81136",
                "https://github.com/anthropics/claude-code/issues/81136",
            )
            .run(async move |lab| {
                let server = lab.server(hand_over()).await?;
                let mut pause = pauses(lab);
                for time in 1..=times {
                    let (mut near, mut far) = lab.tunnel_to(&server).await?;
                    near.takes_little(SMALL_BUFFER)?;
                    let payload = stream(lab.seed() + time as u64, volume);
                    let wait = pause();
                    let (mut writer, mut reader) = (far.halves().1, near.halves().0);
                    let send = async {
                        writer.sends(&payload).await?;
                        writer.finishes().await
                    };
                    let read = async {
                        pass(wait).await;
                        reader.receives(&payload).await?;
                        reader.ends_somehow().await
                    };
                    let (sent, received) = tokio::join!(send, read);
                    received
                        .map(|_| ())
                        .and(sent)
                        .map_err(|finding| finding.at(&format!("time {time}")))?;
                }
                Ok(())
            });
        if slow { case.slow() } else { case }
    })
}
