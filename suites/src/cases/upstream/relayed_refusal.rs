//! # A refusal that is passed on
//!
//! A proxy may tell its client in its own words that an upstream proxy has refused. If it passes that refusal on instead,
//! it sends it, and answers for every line of it.

use connectspec_harness::{client::body::BodyEnd, prelude::*};

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about refusals of an upstream proxy that reach the client.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_relays": "A refusal that is passed on", include_str!("relayed_refusal.rs");
        via_has_an_entry_of_the_proxy,
        what_connection_names_is_removed,
        a_date_is_added,
        a_blank_before_a_colon_is_removed,
        a_fold_is_unfolded,
        a_length_that_is_none_is_not_passed_on,
        a_length_that_is_none_becomes_a_502,
        a_chunked_refusal_is_whole,
    }
}

/// Whoever looks for the proxy that has spoilt a response finds it in Via.
///
/// Also accepted: a page of the proxy's own, which is no forwarded response.
fn via_has_an_entry_of_the_proxy() -> Case {
    must("A refusal that is passed on has an entry of the proxy in Via")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.3"))
        .covers(["H1-FWD-021"])
        .under(upstream())
        .run(async |lab| {
            let relayed = Relayed::of(lab, "").await?;
            relayed
                .reply
                .expect("an entry of the proxy in Via", |reply| reply.has("Via"))
        })
}

/// What Connection names is between the upstream proxy and this one.
///
/// Also accepted: a page of the proxy's own.
fn what_connection_names_is_removed() -> Case {
    must("Fields that Connection names in an upstream proxy's refusal are not passed on")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.1"))
        .covers(["H1-FWD-026"])
        .under(upstream())
        .run(async |lab| {
            let relayed = Relayed::of(lab, "Connection: X-Hop\r\nX-Hop: 1\r\n").await?;
            relayed.reply.expect_no_field("X-Hop")
        })
}

/// A response without a date has no age, for whoever stores it or looks for it in a log.
///
/// Also accepted: a page of the proxy's own.
fn a_date_is_added() -> Case {
    must("A refusal without Date gets one where it is passed on")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("6.6.1"))
        .covers(["H1-FWD-028"])
        .under(upstream())
        .run(async |lab| {
            let relayed = Relayed::of(lab, "").await?;
            relayed.reply.expect("a Date", |reply| reply.has("Date"))
        })
}

/// Where the name of a field ends, two readers must not disagree: one of them takes `X-A ` for another field.
///
/// Also accepted: to leave the field out, and a page of the proxy's own.
fn a_blank_before_a_colon_is_removed() -> Case {
    must("Whitespace between a field's name and its colon is removed from a refusal that is passed on")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("5.1"))
        .covers(["H1-FWD-023"])
        .under(upstream())
        .run(async |lab| {
            let relayed = Relayed::of(lab, "X-Blank : 1\r\n").await?;
            relayed.has_no("X-Blank :")
        })
}

/// A fold is a line that some readers take for a field of its own, or for the end of the head.
///
/// Also accepted: a space in its place, to leave the field out, and a page of the proxy's own.
fn a_fold_is_unfolded() -> Case {
    must("A folded line in an upstream proxy's refusal does not reach the client as it is")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("5.2"))
        .covers(["H1-FWD-012"])
        .under(upstream())
        .run(async |lab| {
            let relayed = Relayed::of(lab, "X-Folded: one\r\n two\r\n").await?;
            relayed.has_no("\n two")
        })
}

/// Values of Content-Length that are no length.
const LENGTHS: &[(&str, &str)] = &[
    ("letters", "abc"),
    ("negative", "-1"),
    ("plus_sign", "+0"),
    ("two_values", "0, 4"),
];

/// Nobody knows where such a response ends. A client that guesses takes a part of it for the next response.
///
/// Also accepted: a 502, any other page of the proxy's own, a close without an answer.
fn a_length_that_is_none_is_not_passed_on() -> Family {
    each(LENGTHS, |&(_, length)| {
        must("A refusal of the upstream proxy with an invalid Content-Length is not passed on")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.3"))
            .covers(["H1-FWD-023"])
            .under(upstream())
            .run(async move |lab| {
                let answer = without_end(lab, length).await?;
                if let Answer::Reply(reply) = &answer {
                    reply.expect_no_field(MARK)?;
                }
                lab.note(answer.describe());
                Ok(())
            })
    })
}

/// As the upstream proxy's response is of no use, 502 is what has happened.
///
/// Also accepted: any other refusal or a close, if it has to be.
fn a_length_that_is_none_becomes_a_502() -> Case {
    should("An invalid Content-Length of an upstream proxy's refusal becomes a 502")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-FWD-023"])
        .under(upstream())
        .run(async |lab| {
            let answer = without_end(lab, "abc").await?;
            if answer.status() == Some(502) {
                return Ok(());
            }
            Err(Finding::violation("502", answer.describe()))
        })
}

/// A field by which the upstream proxy's own response is known.
const MARK: &str = "X-Upstream";

/// What the client hears of a refusal whose length is `length`.
async fn without_end(lab: &Lab, length: &str) -> Outcome<Answer> {
    let server = lab.server(hold()).await?;
    let upstream = lab.upstream(hand_over()).await?;
    let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
    let refusal =
        format!("HTTP/1.1 403 Forbidden\r\n{MARK}: 1\r\nContent-Length: {length}\r\n\r\n");
    // Whoever waits for the end of the connection, as there is no other, waits for nothing.
    chain.far.sends(refusal).await?;
    chain.far.finishes().await?;
    match chain.near.hears().await {
        Answer::Silence => Err(Finding::inconclusive(
            "silence: it may be waiting for the body",
        )),
        answer => Ok(answer),
    }
}

/// Clients of either version.
const CLIENTS: &[(&str, &str)] = &[("of_1_1", "HTTP/1.1"), ("of_1_0", "HTTP/1.0")];

/// The page says why: which credentials, which policy. Half of it, or one with sizes in between, says it to nobody.
///
/// Also accepted: a page of the proxy's own, in any framing.
fn a_chunked_refusal_is_whole() -> Family {
    each(CLIENTS, |&(_, version)| {
        must("A chunked refusal of the upstream proxy reaches the client whole, in a framing that it understands")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("7.1"))
            .cites(RFC_9112.section("6.1"))
            .cites(RFC_9112.section("6.3"))
            .covers(["H1-FWD-024"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.upstream(hand_over()).await?;
                let request = lab.request(&server).version(version);
                let mut chain = lab.chains(&upstream, &request).await?;
                if chain.asked.version() == "HTTP/1.0" {
                    return Err(Finding::absent("it asks its upstream proxy in HTTP/1.0"));
                }
                let (first, second) = (lab.nonce(), lab.nonce());
                let page = format!("{first}{second}");
                let size = first.len();
                let answer = chain
                    .answers(format!(
                        "HTTP/1.1 407 Proxy Authentication Required\r\n\
                         Proxy-Authenticate: Basic realm=\"upstream\"\r\n\
                         {MARK}: 1\r\nTransfer-Encoding: chunked\r\n\r\n\
                         {size:x}\r\n{first}\r\n{size:x};a=b\r\n{second}\r\n0\r\n\r\n"
                    ))
                    .await;
                let reply = match &answer {
                    Answer::Reply(reply) if !reply.is_success() => reply,
                    other => {
                        let why = format!("no refusal to judge: {}", other.describe());
                        return Err(Finding::inconclusive(why));
                    }
                };
                if version == "HTTP/1.0" {
                    reply.expect_no_field("Transfer-Encoding")?;
                }
                let body = chain.near.body(reply).await;
                let content = String::from_utf8_lossy(&body.content).into_owned();
                if !reply.has(MARK) && !content.contains(&first) {
                    return Err(Finding::absent("it answers with a page of its own"));
                }
                if body.end == BodyEnd::Complete && content == page {
                    return Ok(());
                }
                let end = match body.end {
                    BodyEnd::Complete => "",
                    _ => ", and no end as its framing says",
                };
                Err(Finding::violation(format!("{page:?}"), format!("{content:?}{end}")))
            })
    })
}

/// A refusal of the upstream proxy that the proxy has passed on.
struct Relayed {
    reply: Reply,
}

impl Relayed {
    /// The upstream proxy refuses with `fields`, and the client gets that refusal. A page of the proxy's own says nothing
    /// about what it would pass on.
    async fn of(lab: &Lab, fields: &str) -> Outcome<Self> {
        let server = lab.server(hold()).await?;
        let upstream = lab.upstream(hand_over()).await?;
        let mut chain = lab.chains(&upstream, &lab.request(&server)).await?;
        let nonce = lab.nonce();
        let refusal = format!(
            "HTTP/1.1 403 Forbidden\r\nX-Nonce: {nonce}\r\n{fields}Content-Length: {}\r\n\r\n{nonce}",
            nonce.len()
        );
        let answer = chain.answers(refusal).await;
        let reply = match answer {
            Answer::Reply(reply) if !reply.is_success() => reply,
            other => {
                let why = format!("no refusal to judge: {}", other.describe());
                return Err(Finding::inconclusive(why));
            }
        };
        let is_passed_on = match contains(&reply.head, &nonce) {
            true => true,
            false => contains(&chain.near.body(&reply).await.content, &nonce),
        };
        if is_passed_on {
            Ok(Self { reply })
        } else {
            Err(Finding::absent("it answers with a page of its own"))
        }
    }

    /// The head of what was passed on does not have `text` in it.
    fn has_no(&self, text: &str) -> Outcome {
        if contains(&self.reply.head, text) {
            let expected = format!("no {text:?} in the head");
            let observed = self.reply.head.escape_ascii().to_string();
            return Err(Finding::violation(expected, observed));
        }
        Ok(())
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
