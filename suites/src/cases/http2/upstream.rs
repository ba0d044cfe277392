//! # HTTP/2: to an upstream proxy
//!
//! What came in HTTP/2 goes on in HTTP/1.1, where a line end begins another field, and an empty line another request.

use connectspec_harness::{client::Fate, http2::ErrorCode, prelude::*};

use super::words::{connection, fate, is_heard};
use crate::documents::{RFC_9110, RFC_9112, RFC_9113};

/// Every case about what becomes of a CONNECT in HTTP/2 on its way to an upstream proxy.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_upstream": "HTTP/2: to an upstream proxy", include_str!("upstream.rs");
        via_names_the_version_of_the_request,
        an_authority_smuggles_nothing,
        what_has_gone_on_is_not_called_unprocessed,
    }
}

/// Whoever looks for what a proxy on the way has translated finds it in Via.
///
/// Also accepted: `2`, `2.0`, each with `HTTP/` in front. Without Via nothing follows: that is for another case.
fn via_names_the_version_of_the_request() -> Case {
    must("The entry in Via names the version in which the proxy got the request")
        .over(HTTP_2)
        .cites(RFC_9110.section("7.6.3"))
        .covers(["H2-XV-001"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let asked = lab.chains(&upstream, &lab.request(&server)).await?.asked;
            let via = asked.members("Via");
            let Some(own) = via.last() else {
                return Err(Finding::inconclusive("no Via"));
            };
            let version = own.split_whitespace().next().unwrap_or_default();
            match version.trim_start_matches("HTTP/") {
                "2" | "2.0" => Ok(()),
                _ => Err(Finding::none_of(
                    ["Via: 2.0", "Via: 2"],
                    format!("Via: {}", via.join(", ")),
                )),
            }
        })
}

/// Makes an authority out of that of the target and that of another server.
type Smuggle = fn(&str, &str) -> String;

/// What stands in an authority that is written into a line of HTTP/1.1 as it is.
const SMUGGLED: &[(&str, Smuggle)] = &[
    ("a_field", |target, _| {
        format!("{target} HTTP/1.1\r\nX-Smuggled: yes\r\nX-Rest: y")
    }),
    ("a_field_behind_a_line_feed", |target, _| {
        format!("{target} HTTP/1.1\nX-Smuggled: yes\nX-Rest: y")
    }),
    ("a_request", |target, other| {
        format!("{target} HTTP/1.1\r\nHost: {target}\r\n\r\nCONNECT {other} HTTP/1.1\r\nX-Rest: y")
    }),
    ("a_second_target", |target, other| {
        format!("{target} {other}")
    }),
    ("a_path", |target, _| format!("{target}/x")),
];

/// An authority with a line end in it is a field, or a request, that nobody has allowed, on a connection that others may share.
///
/// Also accepted: any refusal, any reset, the end of the connection; and a request to the upstream proxy for the target alone.
fn an_authority_smuggles_nothing() -> Family {
    each(SMUGGLED, |&(_, smuggle)| {
        must("Nothing in an authority becomes a line of its own, or another target, for the upstream proxy")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.2.1"))
            .cites(RFC_9113.section("10.3"))
            .cites(RFC_9112.section("3.2.3"))
            .covers(["H2-XV-002"])
            .under(upstream())
            .run(async move |lab| {
                let (server, other) = (lab.server(echo()).await?, lab.server(echo()).await?);
                let granted = send("HTTP/1.1 200 OK\r\n\r\n").then(receive_to_the_end());
                let upstream = lab.upstream(receive_head().then(granted)).await?;
                let http2 = connection(lab).await?;
                let target = server.authority();
                let authority = smuggle(&target, &other.authority());
                let id = http2.opens(&http2.request(authority), false);
                let answer = http2.hears(id).await;
                lab.note(answer.describe());
                pass(lab.patience().settle()).await;
                for visit in upstream.visits() {
                    let heard = upstream.heard(&visit);
                    let heard = String::from_utf8_lossy(&heard);
                    // Others may ask again for what they had asked for before.
                    if heard.contains(&target) {
                        is_one_request(&heard, &target)?;
                    }
                }
                is_heard(&answer)
            })
    })
}

/// What an upstream proxy has heard is one CONNECT to that target, and nothing else.
fn is_one_request(heard: &str, target: &str) -> Outcome {
    let line = heard.lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let is_plain = matches!(&words[..], ["CONNECT", asked, version]
        if *asked == target && version.starts_with("HTTP/1."));
    let is_alone = heard.matches("CONNECT ").count() == 1 && !heard.contains("X-Smuggled");
    match is_plain && is_alone {
        true => Ok(()),
        false => Err(Finding::violation(
            format!("CONNECT {target}, or nothing"),
            format!("{:?}", heard.chars().take(SHOWN).collect::<String>()),
        )),
    }
}

/// Characters of what was heard that are shown.
const SHOWN: usize = 300;

/// How an upstream proxy ends that has been asked, and has not answered.
const UNANSWERED: &[(&str, bool)] = &[("closes", false), ("resets", true)];

/// REFUSED_STREAM says that nobody has looked at a request, and that it can be repeated without harm: clients do that by themselves.
/// An upstream proxy that was asked may have opened the tunnel already.
///
/// Also accepted: any response, any other code, the end of the connection.
fn what_has_gone_on_is_not_called_unprocessed() -> Family {
    each(UNANSWERED, |&(_, resets)| {
        must("A CONNECT that has reached the upstream proxy is not reset with REFUSED_STREAM")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.7"))
            .covers(["H2-XV-004"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let ends = if resets { reset() } else { close() };
                let upstream = lab.upstream(receive_head().then(ends)).await?;
                let http2 = connection(lab).await?;
                let target = server.authority();
                let id = http2.opens(&http2.request(&target), false);
                let answer = http2.hears(id).await;
                upstream.fence().await?;
                let visits = upstream.visits();
                let mut heard = visits.iter().map(|visit| upstream.heard(visit));
                if !heard.any(|heard| String::from_utf8_lossy(&heard).contains(&target)) {
                    return Err(Finding::inconclusive("the upstream proxy was not asked"));
                }
                match fate(lab, &http2, id).await {
                    fate @ Fate::Reset {
                        code: ErrorCode::REFUSED_STREAM,
                        after_the_end: false,
                    } => Err(Finding::none_of(
                        ["a response", "RST_STREAM with another code"],
                        fate.describe(),
                    )),
                    fate => {
                        lab.note(format!("{}; {}", answer.describe(), fate.describe()));
                        Ok(())
                    }
                }
            })
    })
}
