//! A stream that ends without an answer.

use connectspec_harness::{
    http2::{ErrorCode, Fields, Frame, Leave},
    prelude::*,
    tunnel::Http2,
};

use crate::{
    cases::upstream::over_http2::words::is_no_tunnel,
    documents::{RFC_9110, RFC_9113},
};

/// How a request ends that was not answered: what the upstream proxy does on the connection and to the stream.
type Ends = fn(&Http2, u32);

/// Resets of the stream.
const RESETS: &[(&str, Ends)] = &[
    ("refused_stream", |http2, id| {
        http2.resets(id, ErrorCode::REFUSED_STREAM);
    }),
    ("cancel", |http2, id| http2.resets(id, ErrorCode::CANCEL)),
    ("connect_error", |http2, id| {
        http2.resets(id, ErrorCode::CONNECT_ERROR);
    }),
    ("internal_error", |http2, id| {
        http2.resets(id, ErrorCode::INTERNAL_ERROR);
    }),
    ("no_error", |http2, id| {
        http2.resets(id, ErrorCode::NO_ERROR);
    }),
];

/// A stream that is reset was not granted, whatever the reason.
///
/// Also accepted: to ask again where the upstream proxy has refused the stream unread; it refuses that, too.
pub(super) fn a_reset_grants_nothing() -> Family {
    each(RESETS, |&(_, ends)| {
        must("RST_STREAM in place of the upstream proxy's answer opens no tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-004", "H1-FWD-014"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| is_no_tunnel(lab, &unanswered(lab, ends).await?))
    })
}

/// Ends of the connection.
const LOSSES: &[(&str, Ends)] = &[
    ("closes", |http2, _| {
        http2.session().with(|state| state.leave(Leave::Close));
    }),
    ("resets", |http2, _| {
        http2.session().with(|state| state.leave(Leave::Reset));
    }),
    ("says_goodbye", |http2, _| {
        http2.sends(&Frame::goaway(ErrorCode::NO_ERROR));
        http2.session().with(|state| state.leave(Leave::Close));
    }),
];

/// A tunnel begins with a 2xx. Before that, there is none.
///
/// Also accepted: to ask again where the upstream proxy has said that it has not looked at the request; it goes then, too.
pub(super) fn a_lost_connection_grants_nothing() -> Family {
    each(LOSSES, |&(_, ends)| {
        must("An upstream proxy whose connection ends without an answer has not granted a tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9113.section("6.8"))
            .covers(["H2-FWD-004", "H1-FWD-014"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| is_no_tunnel(lab, &unanswered(lab, ends).await?))
    })
}

/// Some of both.
const UNANSWERED: &[(&str, Ends)] = &[RESETS[0], RESETS[2], LOSSES[0], LOSSES[2]];

/// A client that is only cut off tries the same again, and asks nobody why.
///
/// Also accepted: any other 5xx than 502.
pub(super) fn no_answer_becomes_a_5xx() -> Family {
    each(UNANSWERED, |&(_, ends)| {
        practice("A stream that ends without an answer is answered for with 502, or another 5xx")
            .over(EVERY)
            .cites(RFC_9110.section("15.6.3"))
            .covers(["H1-FWD-014"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let answer = unanswered(lab, ends).await?;
                match answer.status() {
                    Some(500..600) => {
                        lab.note(answer.describe());
                        Ok(())
                    }
                    _ => Err(Finding::violation("a 5xx", answer.describe())),
                }
            })
    })
}

/// What the client hears whose request `ends` unanswered, as does each that the proxy makes of it again.
async fn unanswered(lab: &Lab, ends: Ends) -> Outcome<Answer> {
    let server = lab.server(hold()).await?;
    let upstream = lab.http2_upstream().await?;
    let mut chain = lab.chains_streams(&upstream, &lab.request(&server)).await?;
    ends(&chain.far, chain.id);
    let again = async {
        while let Ok(again) = lab.asks_on_a_stream(&upstream).await {
            ends(&again, again.id());
        }
        std::future::pending().await
    };
    tokio::select! {
        biased;
        answer = chain.near.hears() => Ok(answer),
        never = again => never,
    }
}

/// Ends of a request that was received, and may have been acted on.
const RECEIVED: &[(&str, Ends)] = &[RESETS[1], RESETS[3], LOSSES[0]];

/// The upstream proxy may have opened that tunnel already, and what opening it does was done: a CONNECT is not idempotent.
///
/// Also accepted: to leave it to the client, which knows. What the upstream proxy says it has not looked at is another matter:
/// none of these says that.
pub(super) fn a_connect_that_was_received_is_not_repeated() -> Family {
    each(RECEIVED, |&(_, ends)| {
        must("A CONNECT that may have been acted on is not sent to the upstream proxy again")
            .over(EVERY)
            .cites(RFC_9110.section("9.2.2"))
            .cites(RFC_9113.section("8.7"))
            .covers(["H1-FWD-029"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.http2_upstream().await?;
                let mut chain = lab.chains_streams(&upstream, &lab.request(&server)).await?;
                ends(&chain.far, chain.id);
                let target = server.authority();
                tokio::select! {
                    biased;
                    again = asked_again(lab, &upstream, &target) => return Err(Finding::violation(
                        "one CONNECT at the upstream proxy",
                        format!("another for the same: {}", again?.describe()),
                    )),
                    answer = chain.near.hears() => lab.note(answer.describe()),
                }
                let settle = lab.patience().settle();
                match tokio::time::timeout(settle, asked_again(lab, &upstream, &target)).await {
                    Err(_) => Ok(()),
                    Ok(again) => Err(Finding::violation(
                        "one CONNECT at the upstream proxy",
                        format!("another for the same: {}", again?.describe()),
                    )),
                }
            })
    })
}

/// The next request for that target.
async fn asked_again(lab: &Lab, upstream: &Server, target: &str) -> Outcome<Fields> {
    loop {
        let Ok(again) = lab.asks_on_a_stream(upstream).await else {
            return std::future::pending().await;
        };
        let asked = again.asked(again.id());
        if asked
            .values(":authority")
            .any(|value| value == target.as_bytes())
        {
            return Ok(asked);
        }
    }
}

/// Whoever says REFUSED_STREAM has not looked at a request, so that asking again does no harm.
///
/// Also accepted: to leave it to the client.
pub(super) fn a_refused_stream_may_be_asked_again() -> Case {
    survey("A stream that the upstream proxy refuses unread")
        .over(IN_THE_CLEAR)
        .cites(RFC_9113.section("8.7"))
        .covers(["H1-FWD-029"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.http2_upstream().await?;
            let mut chain = lab.chains_streams(&upstream, &lab.request(&server)).await?;
            chain.far.resets(chain.id, ErrorCode::REFUSED_STREAM);
            let target = server.authority();
            tokio::select! {
                biased;
                again = asked_again(lab, &upstream, &target) => {
                    again?;
                    lab.note("is asked for again");
                }
                answer = chain.near.hears() => {
                    lab.note(format!("is answered with {}", answer.describe()));
                }
            }
            Ok(())
        })
}
