//! # Fields that mean nothing to a CONNECT
//!
//! Conditions, ranges, expectations and upgrades belong to other methods or to other messages. A proxy that applies them
//! all the same refuses tunnels that everybody else opens.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_2817, RFC_9110, RFC_9112};

/// Every case about fields of other methods.
pub(crate) fn suite() -> Suite {
    suite! {
        "needless": "Fields that mean nothing to a CONNECT", include_str!("inapplicable_fields.rs");
        a_condition_is_ignored,
        an_expectation_without_content_does_not_block,
        an_old_client_expects_nothing,
        an_unknown_expectation,
        an_upgrade_is_ignored,
        an_old_client_upgrades_nothing,
        max_forwards,
    }
}

/// A client that adds conditions to all of its requests gets 412 from a proxy that has nothing to compare them with.
///
/// Also accepted: a refusal for another reason says nothing.
fn a_condition_is_ignored() -> Family {
    each(CONDITIONS, |&(_, field, section)| {
        must("A condition or a range does not apply to CONNECT")
            .over(HTTP_1_1)
            .cites(RFC_9110.section(section))
            .covers(["H1-FLD-014"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let answer = answered(lab, &lab.request(&server).field(field)).await?;
                match answer.status() {
                    Some(200..=205 | 207..300) => Ok(()),
                    Some(206 | 304 | 412 | 416) => {
                        Err(Finding::violation("a tunnel", answer.describe()))
                    }
                    _ => Err(Finding::inconclusive(answer.describe())),
                }
            })
    })
}

const CONDITIONS: &[(&str, &str, &str)] = &[
    ("if_match", "If-Match: \"x\"", "13.2.1"),
    ("if_none_match", "If-None-Match: *", "13.2.1"),
    (
        "if_modified_since",
        "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
        "13.2.1",
    ),
    (
        "if_unmodified_since",
        "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
        "13.2.1",
    ),
    ("range", "Range: bytes=0-0", "14.2"),
];

/// Some libraries expect 100 in every request. A proxy that waits for the content of a CONNECT waits for ever.
///
/// Also accepted: 100 in front of the answer; any refusal, 417 for one, as it is the client that is at fault.
fn an_expectation_without_content_does_not_block() -> Case {
    should("Expect: 100-continue in a CONNECT does not block")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("10.1.1"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-FLD-015"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).field(EXPECT_100);
            match answered(lab, &request).await? {
                Answer::Silence => Err(Finding::none_of(
                    ["a tunnel", "a final status that is not 2xx"],
                    "silence",
                )),
                _ => Ok(()),
            }
        })
}

const EXPECT_100: &str = "Expect: 100-continue";

/// HTTP/1.0 knows no interim responses: its clients take 100 for the answer.
///
/// Also accepted: a refusal for another reason says nothing.
fn an_old_client_expects_nothing() -> Case {
    must("Expect: 100-continue in an HTTP/1.0 CONNECT is ignored")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("10.1.1"))
        .cites(RFC_9110.section("15.2"))
        .covers(["H1-FLD-016"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let plain = lab.request(&server).version("HTTP/1.0");
            let answer = answered(lab, &plain.clone().field(EXPECT_100)).await?;
            if let Answer::Reply(reply) = &answer
                && let Some(interim) = reply.interim.first()
            {
                return Err(Finding::violation(
                    "no interim response",
                    interim.status_line(),
                ));
            }
            match answer.status() {
                Some(200..300) => Ok(()),
                Some(417) => makes_the_difference(lab, &plain, &answer).await,
                _ => Err(Finding::inconclusive(answer.describe())),
            }
        })
}

/// What nobody understands may be refused as such, or ignored.
///
/// Also accepted: 417, a tunnel, or any other refusal, which is noted.
fn an_unknown_expectation() -> Case {
    may("An unknown expectation may be refused with 417")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("10.1.1"))
        .covers(["H1-FLD-017"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).field("Expect: x-unknown");

            lab.tolerates(&request, &server).await?;
            Ok(())
        })
}

/// After 101 the connection speaks another protocol, and the tunnel that was asked for is forgotten.
///
/// Also accepted: a refusal, or a tunnel. 101 would be right where the answer to the CONNECT came after it in the new
/// protocol; no proxy is known that does, and the case cannot follow it.
fn an_upgrade_is_ignored() -> Family {
    each(PROTOCOLS, |&(_, protocol)| {
        must("A CONNECT with an Upgrade field stays a CONNECT")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("7.8"))
            .cites(RFC_2817.section("5.2"))
            .covers(["H1-FLD-018"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = with_upgrade(lab.request(&server), protocol);

                let answer = answered(lab, &request).await?;
                no_switch(&answer)
            })
    })
}

const PROTOCOLS: &[(&str, &str)] = &[
    ("websocket", "websocket"),
    ("http_2", "h2c"),
    ("tls", "TLS/1.0"),
];

/// An old client cannot have meant it: in HTTP/1.0 there is no Upgrade.
///
/// Also accepted: a refusal for another reason, or a tunnel. 426 is wrong only where the same request without the field
/// is granted.
fn an_old_client_upgrades_nothing() -> Case {
    must("Upgrade in an HTTP/1.0 CONNECT is ignored")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.8"))
        .covers(["H1-FLD-021"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let plain = lab.request(&server).version("HTTP/1.0");
            let request = with_upgrade(plain.clone(), "websocket");

            let answer = answered(lab, &request).await?;
            no_switch(&answer)?;
            if answer.status() == Some(426) {
                return makes_the_difference(lab, &plain, &answer).await;
            }
            Ok(())
        })
}

fn with_upgrade(request: Request, protocol: &str) -> Request {
    request
        .field("Connection: Upgrade")
        .field(format!("Upgrade: {protocol}"))
}

/// It counts the proxies of TRACE and OPTIONS, and some count with it for every method.
///
/// Also accepted: a tunnel, or any refusal.
fn max_forwards() -> Case {
    may("Max-Forwards may be ignored")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.2"))
        .covers(["H1-FLD-019"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).field("Max-Forwards: 0");

            lab.tolerates(&request, &server).await?;
            Ok(())
        })
}

/// The answer to `request`; what a 2xx opens has to be a tunnel to its server, an echo.
async fn answered(lab: &Lab, request: &Request) -> Outcome<Answer> {
    let exchange = lab.client().asks(request).await?;
    let answer = exchange.answer.clone();
    lab.note(answer.describe());
    match &answer {
        Answer::Reply(reply) if reply.is_success() => {
            exchange
                .connection
                .into_tunnel()
                .echoes(lab.nonce())
                .await?;
        }
        Answer::Garbage { .. } => {
            exchange.reply()?;
        }
        _ => {}
    }
    Ok(answer)
}

/// A 101 switches to a protocol in which nobody has asked for anything.
fn no_switch(answer: &Answer) -> Outcome {
    match answer {
        Answer::Reply(reply) if reply.status == 101 => Err(Finding::none_of(
            ["a tunnel", "a final status that is not 2xx"],
            answer.describe(),
        )),
        Answer::Silence => Err(Finding::inconclusive("silence")),
        _ => Ok(()),
    }
}

/// The field is to blame for `answer` if the `plain` request is granted.
async fn makes_the_difference(lab: &Lab, plain: &Request, answer: &Answer) -> Outcome {
    let without = lab.client().asks(plain).await?.answer;
    if without.status().is_some_and(|status| status / 100 == 2) {
        return Err(Finding::violation(
            "a tunnel, as without the field",
            answer.describe(),
        ));
    }
    Err(Finding::inconclusive(format!(
        "{}, and without the field {}",
        answer.describe(),
        without.describe()
    )))
}
