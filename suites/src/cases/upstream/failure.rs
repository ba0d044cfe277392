//! # An upstream proxy that fails
//!
//! It is down, it is silent, it closes, or it says what is no HTTP. The client has asked a proxy and is owed an answer of
//! that: in HTTP, in time, and without a way around.

use std::time::{Duration, Instant};

use connectspec_harness::prelude::*;

mod then;

use then::{
    Then::{self, Ends, Resets, Says},
    after, refused_or_closed, server_error,
};

use crate::documents::{RFC_9110, RFC_9112, RFC_9209};

/// Every case about an upstream proxy that gives no answer, or none that can be understood.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_fails": "An upstream proxy that fails", include_str!("failure.rs");
        what_is_no_response_is_not_passed_on,
        what_is_no_response_becomes_a_5xx,
        no_answer_is_no_success,
        no_answer_becomes_a_5xx,
        a_connect_that_was_received_is_not_repeated,
        one_that_is_down_is_not_gone_around,
        a_silent_one_is_answered_for_in_http,
        a_silent_one_is_given_up,
        a_head_without_end_is_given_up,
        a_proxy_that_is_its_own_upstream_stops,
        a_request_that_comes_back_is_recognised,
    }
}

/// What other programs say on the port that was meant for a proxy.
const JUNK: &[(&str, &[u8])] = &[
    ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("smtp", b"220 mail.example ESMTP\r\n"),
    ("tls_alert", b"\x15\x03\x01\x00\x02\x02\x28"),
    ("text", b"no such thing here\r\n\r\n"),
    ("empty_line_and_text", b"\r\n\r\nwelcome\r\n"),
    ("status_of_letters", b"HTTP/1.1 OK\r\n\r\n"),
    ("another_protocol", b"RTSP/1.0 200 OK\r\n\r\n"),
    ("html", b"<html>200 OK</html>\r\n\r\n"),
];

/// A client that is shown what is no response waits for the rest of it, or takes it for something that it is not: these
/// bytes are chosen by whoever answers on that port.
///
/// Also accepted: any refusal of the proxy's own, and a close without an answer.
fn what_is_no_response_is_not_passed_on() -> Family {
    each(JUNK, |&(_, junk)| {
        must("What the upstream proxy says that is no HTTP response does not reach the client, nor does a 2xx")
            .over(EVERY)
            .cites(RFC_9110.section("2.2"))
            .cites(RFC_9112.section("2.1"))
            .cites(RFC_9112.section("4"))
            .covers(["H1-FWD-012"])
            .under(upstream())
            .run(async move |lab| {
                let answer = after(lab, Says(junk)).await?;
                refused_or_closed(lab, &answer)
            })
    })
}

/// A client that is only cut off cannot tell the proxy in front of it from the one beyond.
///
/// Also accepted: any other 5xx than 502.
fn what_is_no_response_becomes_a_5xx() -> Case {
    practice("What the upstream proxy says that is no HTTP response becomes a 502, or another 5xx")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.3"))
        .covers(["H1-FWD-012"])
        .under(upstream())
        .run(async |lab| {
            let answer = after(lab, Says(JUNK[0].1)).await?;
            server_error(lab, &answer)
        })
}

/// How an upstream proxy leaves a request unanswered.
const UNANSWERED: &[(&str, Then)] = &[
    ("closes", Ends),
    ("resets", Resets),
    ("closes_in_the_status_line", Says(b"HTTP/1.1 20")),
    ("closes_in_the_head", Says(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n")),
];

/// The tunnel begins after the whole head of a 2xx. Before that, there is none.
///
/// Also accepted: any refusal, and a close without an answer. Half a head that is passed on as it came, with its end, is no
/// 2xx: then nothing follows.
fn no_answer_is_no_success() -> Family {
    each(UNANSWERED, |&(_, then)| {
        must("An upstream proxy that ends without a whole answer has not granted a tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("8"))
            .covers(["H1-FWD-008", "H1-FWD-012"])
            .under(upstream())
            .run(async move |lab| {
                let answer = after(lab, then).await?;
                match (then, &answer) {
                    (Says(half), Answer::Garbage { bytes, .. })
                        if half.ends_with(b"\r\n") && bytes == half =>
                    {
                        Err(Finding::inconclusive("half a head, as it came"))
                    }
                    _ => refused_or_closed(lab, &answer),
                }
            })
    })
}

/// A client that is only cut off tries the same again, and asks nobody why.
///
/// Also accepted: any other 5xx than 502.
fn no_answer_becomes_a_5xx() -> Family {
    each(UNANSWERED, |&(_, then)| {
        practice("An upstream proxy that ends without a whole answer is answered for with 502, or another 5xx")
            .over(EVERY)
            .cites(RFC_9110.section("15.6.3"))
            .cites(RFC_9209.section("2.3.8"))
            .covers(["H1-FWD-014"])
            .under(upstream())
            .run(async move |lab| {
                let answer = after(lab, then).await?;
                server_error(lab, &answer)
            })
    })
}

/// The upstream proxy may have opened that tunnel already, and what opening it does was done: a CONNECT is not
/// idempotent.
///
/// Also accepted: to leave it to the client, which knows. A connection on which nothing was asked is none.
fn a_connect_that_was_received_is_not_repeated() -> Family {
    each(RECEIVED, |&(_, then)| {
        must("A CONNECT that the upstream proxy has received is not sent again by the proxy on its own")
            .over(EVERY)
            .cites(RFC_9110.section("9.2.2"))
            .covers(["H1-FWD-029"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let ends = match then {
                    Resets => reset(),
                    Says(_) | Ends => close(),
                };
                let upstream = lab.upstream(receive_head().then(ends)).await?;
                let answer = lab.client().asks(lab.request(&server)).await?.answer;
                pass(lab.patience().settle()).await;
                upstream.fence().await?;
                let visits = upstream.visits();
                let asks = visits.iter().map(|visit| upstream.heard(visit));
                // Not what another case has left over.
                let own = format!(":{} ", server.port());
                let is_own = |heard: &Vec<u8>| {
                    let line = heard.split(|&byte| byte == b'\n').next().unwrap_or_default();
                    line.starts_with(b"CONNECT ") && String::from_utf8_lossy(line).contains(&own)
                };
                let asked = asks.filter(is_own).count();
                match asked {
                    0 => Err(Finding::inconclusive("the upstream proxy was not asked")),
                    1 => {
                        lab.note(answer.describe());
                        Ok(())
                    }
                    _ => Err(Finding::violation(
                        "one CONNECT at the upstream proxy",
                        format!("{asked}, all for one of the client"),
                    )),
                }
            })
    })
}

/// How a connection ends on which a request was read.
const RECEIVED: &[(&str, Then)] = &[("closes", Ends), ("resets", Resets)];

/// Whoever configures an upstream proxy often wants nothing to go anywhere else: a filter, an audit, another country. A
/// proxy that finds it down and goes straight to the server leaves that out without a word.
///
/// Also accepted: any refusal. A proxy that was told to go directly then lists that as a deviation.
fn one_that_is_down_is_not_gone_around() -> Case {
    practice("An upstream proxy that refuses connections leads to a 5xx, and to no connection to the server")
        .over(EVERY)
        .cites(RFC_9110.section("17.2"))
        .covers(["H1-FWD-015"])
        .seen_in("mitmproxy #5973", "https://github.com/mitmproxy/mitmproxy/issues/5973")
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let port = lab.upstream_refuses().await?;
            let answer = lab.client().asks(lab.request(&server)).await?.answer;
            server.stays_unvisited().await?;
            lab.still_refuses(port).await?;
            server_error(lab, &answer)
        })
}

/// What the subject is told to allow, in seconds.
const TIMEOUT: u32 = 2;

/// How much later than it says a proxy may be.
const LATE: Duration = Duration::from_secs(5);

/// The upstream proxy takes the request, and never answers.
fn silent() -> Setup {
    Setup {
        connect: Some(TIMEOUT),
        idle: Some(TIMEOUT),
        ..upstream()
    }
}

/// A page without a head is no response: the client sees the words of the page where a status line should be.
///
/// Also accepted: any refusal, and a close without an answer.
fn a_silent_one_is_answered_for_in_http() -> Case {
    must("What a client gets when the upstream proxy stays silent is an HTTP response")
        .over(EVERY)
        .cites(RFC_9110.section("2.2"))
        .cites(RFC_9112.section("2.1"))
        .covers(["H1-FWD-013"])
        .under(silent())
        .slow()
        .run(async |lab| {
            let (answer, _) = silence(lab).await?;
            match &answer {
                Answer::Silence => Err(Finding::inconclusive("nothing came")),
                answer => refused_or_closed(lab, answer),
            }
        })
}

/// A client that waits holds its connection, and the proxy's, for as long as nobody gives up.
///
/// Also accepted: another 5xx than 504.
fn a_silent_one_is_given_up() -> Case {
    practice("An upstream proxy that stays silent is given up in time, with 504 or another 5xx")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.5"))
        .covers(["H1-FWD-013"])
        .under(silent())
        .slow()
        .run(async |lab| {
            let (answer, after) = silence(lab).await?;
            lab.note(format!("after {:.1} s", after.as_secs_f64()));
            server_error(lab, &answer)
        })
}

/// What the client hears, and when.
async fn silence(lab: &Lab) -> Outcome<(Answer, Duration)> {
    let server = lab.server(hold()).await?;
    let upstream = lab.upstream(hand_over()).await?;
    let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
    let began = Instant::now();
    let limit = Duration::from_secs(TIMEOUT.into()) + LATE;
    let answer = chain.near.hears_within(limit).await;
    Ok((answer, began.elapsed()))
}

/// More than any response has for a head.
const ENDLESS: u64 = 8 * 1024 * 1024;

/// Whoever answers on that port decides how much memory a proxy takes that reads a head to its end.
///
/// Also accepted: any limit below 8 MiB, any refusal, and a close without an answer.
fn a_head_without_end_is_given_up() -> Case {
    practice("A head of the upstream proxy that does not end is given up")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.3"))
        .covers(["H1-FWD-012"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
            let line = format!("X-Long: {}\r\n", "x".repeat(8000)).into_bytes();
            chain.far.sends("HTTP/1.1 200 OK\r\n").await?;
            let mut sent = 0;
            let floods = async {
                while sent < ENDLESS && chain.far.sends(&line[..]).await.is_ok() {
                    sent += line.len() as u64;
                }
                sent
            };
            let (sent, answer) = tokio::join!(floods, chain.near.hears());
            match &answer {
                Answer::Silence if sent >= ENDLESS => Err(Finding::violation(
                    format!("an answer before {ENDLESS} bytes of a head"),
                    format!("nothing after {sent}"),
                )),
                answer => refused_or_closed(lab, answer),
            }
        })
}

/// One request fills a proxy that is its own upstream proxy until it has no more connections, and nobody gets one.
///
/// Also accepted: to find it by an address of its own, by Via, or by any limit; any final status, a close, and not to
/// start with such a configuration.
fn a_proxy_that_is_its_own_upstream_stops() -> Case {
    must("A proxy that is its own upstream proxy does not forward a request to itself without end")
        .cites(RFC_9110.section("7.6"))
        .covers(["H1-FWD-020"])
        .needs([Need::Upstream, Need::Launched])
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let alone = match lab.relaunched_if_it_will(&through_itself()).await? {
                Ok(alone) => alone,
                Err(refusal) => {
                    lab.note(refusal);
                    return Ok(());
                }
            };
            let before = alone.vitals()?.open_fds;
            let client = alone.client();
            let mut connection = client.dial().await?;
            connection
                .requests(client.request(server.authority()))
                .await;
            let began = Instant::now();
            while began.elapsed() < lab.patience().reply() {
                let answered = connection.speaks_within(lab.patience().settle()).await;
                if answered {
                    // Whoever answers first and asks then goes round after its answer.
                    pass(lab.patience().quiet()).await;
                }
                let more = alone.vitals()?.open_fds.saturating_sub(before);
                if more > ROUNDS {
                    return Err(Finding::violation(
                        format!("at most {ROUNDS} open files more for one request"),
                        format!("{more} more"),
                    ));
                }
                if answered {
                    lab.note(connection.hears().await.describe());
                    return Ok(());
                }
            }
            Err(Finding::inconclusive("silence, but no growth"))
        })
}

/// Two proxies that lead to each other are a loop, too. Via is there to find it.
///
/// Also accepted: any limit, any final status, and a close.
fn a_request_that_comes_back_is_recognised() -> Case {
    practice("A request that comes back through the upstream proxy is not sent on again and again")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.3"))
        .covers(["H1-FWD-020"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
            let mut held = Vec::new();
            // The upstream proxy hands each request back to where it came from, as it is.
            for _ in 0..ROUNDS {
                let again = Request::verbatim(&chain.asked.head);
                match lab.chains(&upstream, &again).await {
                    Ok(next) => held.push(std::mem::replace(&mut chain, next)),
                    Err(Finding::Inconclusive { reason }) => {
                        lab.note(reason);
                        return Ok(());
                    }
                    Err(finding) => return Err(finding),
                }
            }
            Err(Finding::violation(
                format!("an end before {ROUNDS} rounds"),
                format!("each of {ROUNDS} requests that came back was sent on again"),
            ))
        })
}

/// More hops than there are on any way between a client and its server.
const ROUNDS: usize = 64;
