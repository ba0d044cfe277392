//! # What an upstream proxy refuses
//!
//! An upstream proxy that says no has not opened a tunnel. Its refusal ends there: the client is told of it, in HTTP, and
//! nothing that either of them says afterwards is for the other.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112, RFC_9209, RFC_9931};

/// Every case about an upstream proxy that refuses.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_refuses": "What an upstream proxy refuses", include_str!("refusal.rs");
        a_refusal_stays_one,
        what_the_client_says_then_goes_nowhere,
        a_second_connect_is_not_the_upstream_proxys,
        credentials_that_the_upstream_proxy_wants,
        a_407_that_is_passed_on_has_its_challenge,
        bytes_behind_a_refusal_are_no_second_response,
        earlier_members_of_proxy_status_are_kept,
    }
}

/// Status lines of refusals.
const REFUSALS: &[(&str, &str)] = &[
    ("302", "302 Found"),
    ("400", "400 Bad Request"),
    ("403", "403 Forbidden"),
    ("407", "407 Proxy Authentication Required"),
    ("502", "502 Bad Gateway"),
    ("without_a_phrase", "503 "),
    ("unregistered", "499 Never"),
];

/// A client that is told 2xx sends what is meant for its server to whoever has refused it.
///
/// Also accepted: any other status, and a close without an answer.
fn a_refusal_stays_one() -> Family {
    each(REFUSALS, |&(_, line)| {
        must("A refusal of the upstream proxy does not become a 2xx")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-FWD-009"])
            .seen_in(
                "CVE-2015-5400, Squid",
                "https://nvd.nist.gov/vuln/detail/CVE-2015-5400",
            )
            .under(upstream())
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let challenge = match line.starts_with("407") {
                    true => CHALLENGE,
                    false => "",
                };
                let answer = chain
                    .answers(format!(
                        "HTTP/1.1 {line}\r\n{challenge}Content-Length: 0\r\n\r\n"
                    ))
                    .await;
                match answer {
                    Answer::Reply(ref reply) if reply.is_success() => {
                        Err(Finding::none_of(NO_SUCCESS, answer.describe()))
                    }
                    Answer::Garbage { .. } => Err(Finding::none_of(NO_SUCCESS, answer.describe())),
                    Answer::Silence => Err(Finding::inconclusive("silence")),
                    answer => {
                        lab.note(answer.describe());
                        Ok(())
                    }
                }
            })
    })
}

const NO_SUCCESS: [&str; 2] = [
    "a final status that is not 2xx",
    "a close without an answer",
];

const CHALLENGE: &str = "Proxy-Authenticate: Basic realm=\"upstream\"\r\n";

/// A refusal that keeps the connection, as a proxy that asks for credentials sends it.
const WANTS_CREDENTIALS: &str = "HTTP/1.1 407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Basic realm=\"upstream\"\r\nContent-Length: 0\r\n\r\n";

/// Refusals after which an upstream proxy waits for another request.
const KEPT_OPEN: &[(&str, &str)] = &[
    ("403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    ("407", WANTS_CREDENTIALS),
];

/// The client's bytes were for a tunnel. The upstream proxy, which has refused that, takes them for a request.
///
/// Also accepted: to close both connections, or to keep the client's for another request that it reads itself.
fn what_the_client_says_then_goes_nowhere() -> Family {
    each(KEPT_OPEN, |&(_, refusal)| {
        should("After a refusal of the upstream proxy, the client's bytes are not passed on to it")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9931.section("8"))
            .covers(["H1-FWD-019"])
            .seen_in(
                "CVE-2015-5400, Squid",
                "https://nvd.nist.gov/vuln/detail/CVE-2015-5400",
            )
            .under(upstream())
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let answer = chain.answers(refusal).await;
                refused(&answer)?;
                let nonce = lab.nonce();
                chain.near.sends(&nonce).await;
                if !chain.far.speaks_within(lab.patience().quiet()).await {
                    return Ok(());
                }
                let heard = chain.far.receives_any(nonce.len()).await?;
                Err(Finding::violation(
                    "nothing of the client at the upstream proxy",
                    heard.escape_ascii().to_string(),
                ))
            })
    })
}

/// Once it was refused, a client that goes on is to be cut off: whoever made it send the first request may have made it
/// send the second one, too, and the proxy's own checks are not asked about it.
///
/// Also accepted: an answer of the proxy's own that is no 2xx. Nothing else: a proxy that authenticates connections may be
/// asked again, but answers itself.
fn a_second_connect_is_not_the_upstream_proxys() -> Family {
    each(KEPT_OPEN, |&(_, refusal)| {
        must("After a refusal of the upstream proxy, the next CONNECT on that connection opens no tunnel")
            .over(HTTP_1_1)
            .cites(RFC_9931.section("8"))
            .covers(["H1-FWD-019", "H1-CONN-002"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.upstream(hand_over()).await?;
                let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
                let answer = chain.answers(refusal).await;
                refused(&answer)?;
                chain.near.requests(lab.request(&server)).await;
                // It may be asked on the same connection, or on another one.
                let again = tokio::select! {
                    asked = chain.far.speaks_within(lab.patience().quiet()) => match asked {
                        true => None,
                        false => return Ok(()),
                    },
                    again = upstream.accepts() => Some(again?),
                };
                if let Some(again) = again {
                    chain.far = again;
                }
                let answer = chain.answers("HTTP/1.1 200 OK\r\n\r\n").await;
                match &answer {
                    Answer::Reply(reply) if reply.is_success() => Err(Finding::violation(
                        "no tunnel after a refusal",
                        answer.describe(),
                    )),
                    answer => {
                        lab.note(answer.describe());
                        Ok(())
                    }
                }
            })
    })
}

/// Whether a 407 from further on is shown to a client, which may take it for this proxy's.
///
/// Also accepted: to pass it on, to answer with 502, to authenticate oneself.
fn credentials_that_the_upstream_proxy_wants() -> Case {
    survey("A 407 of an upstream proxy is answered with")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.1"))
        .covers(["H1-FWD-018"])
        .under(upstream())
        .run(async |lab| {
            let answer = chain(lab).await?.answers(WANTS_CREDENTIALS).await;
            let challenged = match &answer {
                Answer::Reply(reply) if reply.has("Proxy-Authenticate") => ", with the challenge",
                _ => "",
            };
            lab.note(format!("{}{challenged}", answer.describe()));
            Ok(())
        })
}

/// A client that is told to authenticate, and not how, cannot.
///
/// Also accepted: any other status, and a challenge of the proxy's own.
fn a_407_that_is_passed_on_has_its_challenge() -> Case {
    practice(
        "A 407 of the upstream proxy reaches the client with a challenge, or as something else",
    )
    .over(EVERY)
    .cites(RFC_9110.section("15.5.8"))
    .cites(RFC_9110.section("11.7.1"))
    .covers(["H1-FWD-018", "H1-AUTH-002"])
    .under(upstream())
    .run(async |lab| {
        let answer = chain(lab).await?.answers(WANTS_CREDENTIALS).await;
        match &answer {
            Answer::Reply(reply) if reply.status == 407 => reply
                .expect("Proxy-Authenticate in a 407", |reply| {
                    reply.has("Proxy-Authenticate")
                }),
            answer => {
                lab.note(answer.describe());
                Ok(())
            }
        }
    })
}

/// A second response that the client has not asked for is taken for the answer to its next request.
///
/// Also accepted: the end of the connection, or silence, after the one response.
fn bytes_behind_a_refusal_are_no_second_response() -> Case {
    must("What follows a refusal of the upstream proxy does not reach the client")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.3"))
        .cites(RFC_9112.section("9.2"))
        .covers(["H1-FWD-025"])
        .under(upstream())
        .run(async |lab| {
            let mut chain = chain(lab).await?;
            let nonce = lab.nonce();
            let answer = chain
                .answers(format!(
                    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n\
                     HTTP/1.1 200 OK\r\nX-Nonce: {nonce}\r\n\r\n{nonce}"
                ))
                .await;
            refused(&answer)?;
            let (behind, _) = chain.near.ends_within(lab.patience().quiet()).await;
            if !contains(&behind, &nonce) {
                return Ok(());
            }
            Err(Finding::violation(
                "one response and no more",
                format!("{}, then {}", answer.describe(), behind.escape_ascii()),
            ))
        })
}

/// Each proxy on the way says what it has seen; whoever looks for the one that failed needs all of it.
///
/// Also accepted: to send no Proxy-Status at all, or to put an error of one's own where the refusal was.
fn earlier_members_of_proxy_status_are_kept() -> Case {
    should("Members of Proxy-Status from further on are kept, and the proxy's own comes after them")
        .over(EVERY)
        .cites(RFC_9209.section("2"))
        .covers(["PST-007"])
        .under(upstream())
        .run(async |lab| {
            let mut chain = chain(lab).await?;
            let answer = chain
                .answers(format!(
                    "HTTP/1.1 502 Bad Gateway\r\nX-Upstream: 1\r\n\
                     Proxy-Status: {EARLIER}; error=dns_error\r\nContent-Length: 0\r\n\r\n"
                ))
                .await;
            let reply = refused(&answer)?;
            let members: Vec<_> = reply
                .values("Proxy-Status")
                .flat_map(|value| value.split(|&byte| byte == b','))
                .map(|member| String::from_utf8_lossy(member.trim_ascii()).into_owned())
                .collect();
            match members
                .iter()
                .position(|member| member.starts_with(EARLIER))
            {
                Some(0) => Ok(()),
                None if !reply.has("X-Upstream") => {
                    Err(Finding::inconclusive("it answers with a page of its own"))
                }
                _ => Err(Finding::violation(
                    format!("`{EARLIER}; error=dns_error` first"),
                    match &members[..] {
                        [] => "no Proxy-Status".to_owned(),
                        _ => format!("Proxy-Status: {}", members.join(", ")),
                    },
                )),
            }
        })
}

/// The name of the upstream proxy.
const EARLIER: &str = "further-on.example";

/// An ordinary request on its way, at an upstream proxy that leaves its answer to the case.
async fn chain(lab: &Lab) -> Outcome<Chain> {
    let server = lab.server(hold()).await?;
    let upstream = lab.upstream(hand_over()).await?;
    lab.chains(&upstream, &lab.request(&server)).await
}

/// The refusal that the client got, if it got one.
fn refused(answer: &Answer) -> Outcome<&Reply> {
    match answer {
        Answer::Reply(reply) if !reply.is_success() => Ok(reply),
        other => Err(Finding::inconclusive(format!(
            "no refusal to judge: {}",
            other.describe()
        ))),
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
