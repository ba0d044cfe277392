//! What comes before the 2xx of an upstream proxy.

use connectspec_harness::prelude::*;

use crate::{
    cases::upstream::grants::{GRANTED, chain, no_tunnel, opens, speaks_1_1},
    documents::RFC_9110,
};

/// Interim responses, and how they come: in the segment of the 2xx, or alone.
const INTERIM: &[(&str, &str, bool)] = &[
    ("100", "100 Continue", false),
    ("102", "102 Processing", false),
    ("103", "103 Early Hints", false),
    ("unregistered", "142 Later", false),
    ("103_in_one_segment", "103 Early Hints", true),
    (
        "two_of_them",
        "100 Continue\r\n\r\nHTTP/1.1 103 Early Hints",
        false,
    ),
];

/// A proxy that takes an interim response for the final one opens the tunnel too early, and hands its client the head of
/// the real answer as the server's first words.
///
/// Also accepted: to pass it on, or not to: that is another case.
pub(super) fn an_interim_response_does_not_end_the_wait() -> Family {
    each(INTERIM, |&(_, line, at_once)| {
        must("A 1xx before the upstream proxy's 2xx ends no wait, and is no part of the tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("15.2"))
            .covers(["H1-FWD-022"])
            .under(upstream())
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                speaks_1_1(&chain)?;
                let interim = format!("HTTP/1.1 {line}\r\n\r\n");
                if at_once {
                    return opens(lab, chain, [&interim, GRANTED].concat()).await;
                }
                chain.far.sends(interim).await?;
                pass(lab.patience().pace()).await;
                opens(lab, chain, GRANTED).await
            })
    })
}

/// Hints and signs of life are for the client that waits.
///
/// Also accepted: a 100 that the proxy has asked for itself stays there; so 103 is what is sent here.
pub(super) fn an_interim_response_is_passed_on() -> Case {
    should("A 1xx of the upstream proxy reaches the client")
        .over(EVERY)
        .cites(RFC_9110.section("15.2"))
        .covers(["H1-FWD-022"])
        .under(upstream())
        .run(async |lab| {
            let mut chain = chain(lab).await?;
            speaks_1_1(&chain)?;
            let answer = chain.answers([EARLY_HINTS, GRANTED].concat()).await;
            let reply = match &answer {
                Answer::Reply(reply) if reply.is_success() => reply,
                other => return Err(no_tunnel(other)),
            };
            if reply.interim.iter().any(|interim| interim.status == 103) {
                return Ok(());
            }
            Err(Finding::violation(
                "103 before the final response",
                reply.status_line(),
            ))
        })
}

const EARLY_HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";

/// A client of HTTP/1.0 takes the first response for the final one.
///
/// Also accepted: to refuse HTTP/1.0 altogether.
pub(super) fn an_old_client_is_spared_interim_responses() -> Case {
    must("A 1xx of the upstream proxy does not reach a client of HTTP/1.0")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("15.2"))
        .covers(["H1-FWD-022"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let request = lab.request(&server).version("HTTP/1.0");
            let mut chain = lab.chains(&upstream, &request).await?;
            speaks_1_1(&chain)?;
            match chain.answers([EARLY_HINTS, GRANTED].concat()).await {
                Answer::Reply(reply) => match reply.interim.first() {
                    None => Ok(()),
                    Some(interim) => Err(Finding::violation(
                        "the final response first",
                        interim.status_line(),
                    )),
                },
                other => Err(no_tunnel(&other)),
            }
        })
}
