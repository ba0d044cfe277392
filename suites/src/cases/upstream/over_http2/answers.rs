//! # What an upstream proxy of HTTP/2 answers
//!
//! A stream may be granted, refused, reset or lost. Only a 2xx that is well-formed opens a tunnel, in whatever frames it comes;
//! everything else is told to a client that may speak another version.

use connectspec_harness::{
    http2::{
        Fields, Frame, field,
        frame::{flag, kind},
    },
    prelude::*,
};

mod content;
mod unanswered;

use super::words::{VERSIONS, chain, is_a_success, is_no_tunnel, opens, status};
use crate::documents::{RFC_9110, RFC_9113};
use content::a_refusal_in_several_frames_is_whole;
use unanswered::{
    a_connect_that_was_received_is_not_repeated, a_lost_connection_grants_nothing,
    a_refused_stream_may_be_asked_again, a_reset_grants_nothing, no_answer_becomes_a_5xx,
};

/// Every case about the answer of an upstream proxy of HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_http2_answers": "What an upstream proxy of HTTP/2 answers", concat!(include_str!("answers.rs"), include_str!("answers/content.rs"), include_str!("answers/unanswered.rs"));
        the_client_waits_for_the_upstream_proxy,
        every_2xx_opens_the_tunnel,
        a_length_in_the_2xx_is_ignored,
        an_answer_may_come_in_any_frames,
        an_interim_response_does_not_end_the_wait,
        an_interim_response_is_passed_on,
        a_refusal_stays_one,
        a_refusal_in_several_frames_is_whole,
        a_malformed_2xx_grants_nothing,
        a_reset_grants_nothing,
        a_lost_connection_grants_nothing,
        no_answer_becomes_a_5xx,
        a_connect_that_was_received_is_not_repeated,
        a_refused_stream_may_be_asked_again,
    }
}

/// A client that is told too early sends its secrets towards a server that it is not connected to.
///
/// Only this conforms; interim responses are no 2xx, and may come at any time.
fn the_client_waits_for_the_upstream_proxy() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("The client gets its 2xx only after the final response on the upstream proxy's stream")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-FWD-008"])
            .under(upstream_over(version))
            .run(async |lab| {
                let mut chain = chain(lab).await?;
                let early = chain.near.hears_within(lab.patience().quiet()).await;
                match early {
                    Answer::Silence => {}
                    Answer::Reply(reply) if reply.is_success() => {
                        return Err(Finding::violation(
                            "nothing before the upstream proxy has answered",
                            reply.status_line(),
                        ));
                    }
                    other => return Err(Finding::inconclusive(other.describe())),
                }
                let answer = chain.grants().await;
                opens(lab, chain, &answer).await
            })
    })
}

/// Statuses that grant a tunnel.
const SUCCESSES: &[(&str, &str)] = &[
    ("200", "200"),
    ("201", "201"),
    ("204", "204"),
    ("206", "206"),
    ("unregistered", "299"),
];

/// What a 2xx means for a CONNECT does not depend on its last two digits.
///
/// Also accepted: another 2xx towards the client than the upstream proxy's.
fn every_2xx_opens_the_tunnel() -> Family {
    each(SUCCESSES, |&(_, code)| {
        must("Any 2xx on the upstream proxy's stream opens the tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-004", "H1-FWD-010"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let answer = chain.answers(&status(code), false).await;
                opens(lab, chain, &answer).await
            })
    })
}

/// Lengths of a content that there is not.
const LENGTHS: &[(&str, &str)] = &[("length", "5"), ("no_length", "0")];

/// A proxy that believes the length ends the tunnel after it, or takes what comes for malformed. One that passes it on lets its
/// client do so.
///
/// Only this conforms.
fn a_length_in_the_2xx_is_ignored() -> Family {
    each(LENGTHS, |&(_, length)| {
        must("Content-Length in a 2xx on the upstream proxy's stream is neither obeyed nor passed on")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-004", "H1-FWD-010"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let granted = status("200").with("content-length", length);
                let answer = chain.answers(&granted, false).await;
                is_a_success(&answer)?.expect_no_field("Content-Length")?;
                opens(lab, chain, &answer).await
            })
    })
}

/// Makes the frames of a 2xx for a stream.
type Frames = fn(u32) -> Vec<Frame>;

/// Frames in which a field section may come.
const SHAPES: &[(&str, Frames)] = &[
    ("continued", |id| {
        let block = granted();
        let (first, rest) = block.split_at(block.len() / 2);
        vec![
            Frame::new(kind::HEADERS, 0, id, first),
            Frame::new(kind::CONTINUATION, 0, id, []),
            Frame::new(kind::CONTINUATION, flag::END_HEADERS, id, rest),
        ]
    }),
    ("padded", |id| {
        let payload = [&[9][..], &granted(), &[0; 9]].concat();
        let flags = flag::END_HEADERS | flag::PADDED;
        vec![Frame::new(kind::HEADERS, flags, id, payload)]
    }),
    ("with_priority", |id| {
        let payload = [&[0, 0, 0, 0, 15][..], &granted()].concat();
        let flags = flag::END_HEADERS | flag::PRIORITY;
        vec![Frame::new(kind::HEADERS, flags, id, payload)]
    }),
    ("from_a_table", |id| {
        let mut hint = Vec::new();
        field::literal(&mut hint, b":status", b"103");
        field::remembered_literal(&mut hint, b"x-kept", b"for later");
        let mut block = Vec::new();
        // The 200 of the table that everybody knows, and what was to be remembered.
        field::indexed(&mut block, 8);
        field::indexed(&mut block, 62);
        vec![
            Frame::headers(id, hint, false),
            Frame::headers(id, block, false),
        ]
    }),
    ("behind_an_unknown_frame", |id| {
        vec![
            Frame::new(0xf0, 0xff, 0, *b"of no known type"),
            Frame::headers(id, granted(), false),
        ]
    }),
];

/// The field block of a 2xx.
fn granted() -> Vec<u8> {
    status("200").with("x-filler", "filled").block()
}

/// How an answer is cut and coded is up to the upstream proxy. A proxy that understands one way only takes a good answer for a bad
/// one.
///
/// Only this conforms.
fn an_answer_may_come_in_any_frames() -> Family {
    each(SHAPES, |&(_, frames)| {
        must("A 2xx opens the tunnel in whatever frames and codes its fields come")
            .over(IN_THE_CLEAR)
            .cites(RFC_9113.section("4.3"))
            .cites(RFC_9113.section("6.2"))
            .cites(RFC_9113.section("6.10"))
            .cites(RFC_9113.section("5.5"))
            .covers(["H2-FWD-003"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let frames = frames(chain.id);
                let answer = chain.says(&frames).await;
                opens(lab, chain, &answer).await
            })
    })
}

/// Interim responses, as their statuses.
const INTERIM: &[(&str, &[&str])] = &[
    ("100", &["100"]),
    ("103", &["103"]),
    ("unregistered", &["142"]),
    ("two_of_them", &["100", "103"]),
];

/// A proxy that takes an interim response for the final one opens the tunnel too early, and hands its client what is no tunnel.
///
/// Also accepted: to pass it on, or not to: that is another case.
fn an_interim_response_does_not_end_the_wait() -> Family {
    each(INTERIM, |&(_, codes)| {
        must("A 1xx before the 2xx on the upstream proxy's stream ends no wait, and is no part of the tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("15.2"))
            .cites(RFC_9113.section("8.1"))
            .covers(["H2-FWD-004", "H1-FWD-022"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                for code in codes {
                    chain.far.answers(chain.id, &status(code), false);
                }
                pass(lab.patience().pace()).await;
                let answer = chain.grants().await;
                opens(lab, chain, &answer).await
            })
    })
}

/// Hints and signs of life are for the client that waits.
///
/// Also accepted: a 100 that the proxy has asked for itself stays there; so 103 is what is sent here.
fn an_interim_response_is_passed_on() -> Case {
    should("A 1xx on the upstream proxy's stream reaches the client")
        .over(EVERY)
        .cites(RFC_9110.section("15.2"))
        .covers(["H1-FWD-022"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut chain = chain(lab).await?;
            let hints = status("103").with("link", "</a>; rel=preload");
            chain.far.answers(chain.id, &hints, false);
            let answer = chain.grants().await;
            let reply = match &answer {
                Answer::Reply(reply) if reply.is_success() => reply,
                other => return Err(Finding::inconclusive(other.describe())),
            };
            match reply.interim.iter().any(|interim| interim.status == 103) {
                true => Ok(()),
                false => Err(Finding::violation(
                    "103 before the final response",
                    reply.status_line(),
                )),
            }
        })
}

/// Statuses of refusals.
const REFUSALS: &[(&str, &str)] = &[
    ("302", "302"),
    ("400", "400"),
    ("403", "403"),
    ("407", "407"),
    ("502", "502"),
    ("unregistered", "499"),
];

/// A client that is told 2xx sends what is meant for its server to whoever has refused it.
///
/// Also accepted: any other status, and a close without an answer.
fn a_refusal_stays_one() -> Family {
    each(REFUSALS, |&(_, code)| {
        must("A refusal on the upstream proxy's stream does not become a 2xx")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-004", "H1-FWD-009"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let mut refusal = status(code);
                if code == "407" {
                    refusal.push("proxy-authenticate", "Basic realm=\"upstream\"");
                }
                let answer = chain.answers(&refusal, true).await;
                is_no_tunnel(lab, &answer)
            })
    })
}

/// Makes the field section of an answer that is malformed.
type Malformed = fn() -> Fields;

/// What looks like a 2xx, and may not be taken for one.
const MALFORMED: &[(&str, Malformed)] = &[
    ("no_status", || Fields::new().with("x-status", "200")),
    ("status_of_letters", || status("2OO")),
    ("two_statuses", || status("200").with(":status", "200")),
    ("late_status", || {
        Fields::new().with("x-a", "1").with(":status", "200")
    }),
    ("pseudo_field_of_a_request", || {
        status("200").with(":path", "/")
    }),
    ("capitals_in_a_name", || status("200").with("X-A", "1")),
    ("line_end_in_a_value", || {
        status("200").with("x-a", "1\r\nX-B: 2")
    }),
    ("field_of_a_connection", || {
        status("200").with("connection", "close")
    }),
    ("switching_protocols", || status("101")),
];

/// Two readers of a malformed answer read two things. A proxy that lets it pass as a tunnel leaves its client with one of them.
///
/// Also accepted: any refusal of the proxy's own, and a close without an answer.
fn a_malformed_2xx_grants_nothing() -> Family {
    each(MALFORMED, |&(_, fields)| {
        must("A malformed answer on the upstream proxy's stream opens no tunnel")
            .over(EVERY)
            .cites(RFC_9113.section("8.1.1"))
            .cites(RFC_9113.section("8.2"))
            .cites(RFC_9113.section("8.3.2"))
            .cites(RFC_9113.section("8.6"))
            .covers(["H2-FWD-004", "H1-FWD-012"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let answer = chain(lab).await?.answers(&fields(), false).await;
                is_no_tunnel(lab, &answer)
            })
    })
}
