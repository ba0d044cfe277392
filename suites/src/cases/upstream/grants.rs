//! # What an upstream proxy grants
//!
//! The tunnel of a client begins after the head of an upstream proxy's 2xx, wherever that head was cut, whatever it says
//! about a length, and whatever interim responses came before it.

use connectspec_harness::prelude::*;

mod interim;

use crate::{
    cases::upstream::grants::interim::{
        an_interim_response_does_not_end_the_wait, an_interim_response_is_passed_on,
        an_old_client_is_spared_interim_responses,
    },
    documents::{RFC_9110, RFC_9112, RFC_9931},
};

/// Every case about a tunnel through an upstream proxy.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_grants": "What an upstream proxy grants", concat!(include_str!("grants.rs"), include_str!("grants/interim.rs"));
        the_client_waits_for_the_upstream_proxy,
        every_2xx_opens_the_tunnel,
        a_length_in_the_2xx_is_ignored,
        what_comes_with_the_2xx_is_the_tunnels,
        the_2xx_may_be_cut_anywhere,
        the_2xx_may_fill_a_buffer,
        a_2xx_that_says_close_opens_the_tunnel,
        an_interim_response_does_not_end_the_wait,
        an_interim_response_is_passed_on,
        an_old_client_is_spared_interim_responses,
        early_data_waits_for_the_2xx,
    }
}

/// An ordinary 2xx.
const GRANTED: &str = "HTTP/1.1 200 Connection Established\r\n\r\n";

/// A client that is told too early sends its secrets towards a server that it is not connected to, and takes the refusal
/// that comes later for the server's words.
///
/// Only this conforms; interim responses are no 2xx, and may come at any time.
fn the_client_waits_for_the_upstream_proxy() -> Case {
    must("The client gets its 2xx only after the upstream proxy's final response")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-008"])
        .under(upstream())
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
                other => return Err(no_tunnel(&other)),
            }
            opens(lab, chain, GRANTED).await
        })
}

/// Status lines that grant a tunnel.
const SUCCESSES: &[(&str, &str)] = &[
    ("200", "200 OK"),
    ("without_a_phrase", "200 "),
    ("201", "201 Created"),
    ("202", "202 Accepted"),
    ("204", "204 No Content"),
    ("206", "206 Partial Content"),
    ("unregistered", "299 Fine"),
];

/// What a 2xx means for a CONNECT does not depend on its last two digits.
///
/// Also accepted: another 2xx towards the client than the upstream proxy's.
fn every_2xx_opens_the_tunnel() -> Family {
    each(SUCCESSES, |&(_, line)| {
        must("Any 2xx of the upstream proxy opens the tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9110.section("15"))
            .covers(["H1-FWD-010"])
            .covers_over(Protocol::H2c, ["H2-XV-003"])
            .covers_over(Protocol::H2, ["H2-XV-003"])
            .under(upstream())
            .run(async move |lab| {
                let chain = chain(lab).await?;
                opens(lab, chain, format!("HTTP/1.1 {line}\r\n\r\n")).await
            })
    })
}

/// Fields of a 2xx that would frame a body, if there were one.
const FRAMINGS: &[(&str, &str)] = &[
    ("length", "Content-Length: 5\r\n"),
    ("no_length", "Content-Length: 0\r\n"),
    ("chunked", "Transfer-Encoding: chunked\r\n"),
    (
        "both",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ),
];

/// A proxy that believes the length swallows the first bytes of the tunnel or ends it after them. One that passes it on
/// lets its client do so.
///
/// Only this conforms.
fn a_length_in_the_2xx_is_ignored() -> Family {
    each(FRAMINGS, |&(_, fields)| {
        must("Content-Length and Transfer-Encoding in the upstream proxy's 2xx are neither obeyed nor passed on")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.3"))
            .covers(["H1-FWD-010"])
            // What is lost in any segment says nothing about the length.
            .relying_where("silence", [A_FEW_COME_WITH_IT])
            .under(upstream())
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                if fields.contains("chunked") {
                    speaks_1_1(&chain)?;
                }
                let said = lab.nonce();
                let answer = chain.answers(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{said}")).await;
                let reply = success(&answer)?;
                reply.expect_no_field("Content-Length")?;
                reply.expect_no_field("Transfer-Encoding")?;
                let (mut near, mut far) = chain.into_tunnel();
                near.receives(said).await?;
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce()).await
            })
    })
}

/// What the cases take for granted whose 2xx has bytes behind it.
const A_FEW_COME_WITH_IT: &str =
    "upstream_grants/what_comes_with_the_2xx_is_the_tunnels[a_few_bytes]";

/// How much comes right after the head of the 2xx.
const SIZES: &[(&str, u64)] = &[
    ("one_byte", 1),
    ("a_few_bytes", 517),
    ("over_8_kib", 8193),
    ("64_kib", 64 * 1024),
];

/// Servers that speak first are answered for in the same breath as the 2xx. What is left in the buffer of the parser is
/// lost, and the client waits for it forever.
///
/// Only this conforms.
fn what_comes_with_the_2xx_is_the_tunnels() -> Family {
    each(SIZES, |&(_, length)| {
        must("Bytes in the same segment as the upstream proxy's 2xx reach the client, once and in order")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-FWD-011"])
            .seen_in("grpc-node #2744", "https://github.com/grpc/grpc-node/issues/2744")
            .seen_in("hyper-util #313", "https://github.com/hyperium/hyper-util/issues/313")
            .under(upstream())
            .run(async move |lab| {
                let mut chain = chain(lab).await?;
                let said = stream(lab.seed(), length);
                let answer = chain.answers([GRANTED.as_bytes(), &said.bytes()].concat()).await;
                success(&answer)?;
                let (mut near, mut far) = chain.into_tunnel();
                near.receives(said).await?;
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce()).await
            })
    })
}

/// A parser that looks for the empty line in what has just arrived, and not in all of it, waits forever when the line
/// was cut. Which segments a head comes in, nobody can promise.
///
/// Only this conforms.
fn the_2xx_may_be_cut_anywhere() -> Case {
    must("The upstream proxy's 2xx opens the tunnel wherever its head is cut into segments")
        .over(EVERY)
        .cites(RFC_9112.section("2.2"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-011"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let request = lab.request(&server);
            let mut chains = Vec::new();
            for cut in 1..GRANTED.len() {
                let mut chain = lab.chains(&upstream, &request).await?;
                chain.far.sends(&GRANTED.as_bytes()[..cut]).await?;
                chains.push((cut, chain));
            }
            // All of the first pieces have arrived, and were read as such.
            pass(lab.patience().pace()).await;
            for (cut, mut chain) in chains {
                let answer = chain.answers(&GRANTED.as_bytes()[cut..]).await;
                let place = format!("cut after {cut} bytes");
                success(&answer).map_err(|found| found.at(&place))?;
                let (mut near, mut far) = chain.into_tunnel();
                let both = near
                    .exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await;
                both.map_err(|found| found.at(&place))?;
            }
            Ok(())
        })
}

/// Sizes that buffers usually have.
const BUFFERS: [usize; 5] = [512, 1024, 2048, 4096, 8192];

/// An upstream proxy may have much to say about itself. What does not fit into the buffer for its head becomes the first
/// bytes of somebody's tunnel, or the proxy waits for what has come already.
///
/// Also accepted: to refuse a head for its length, and every longer one. Silence at one length counts only where a longer
/// head opened a tunnel.
fn the_2xx_may_fill_a_buffer() -> Case {
    must("The tunnel begins after the head of the upstream proxy's 2xx, however long that is")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("2.2"))
        .covers(["H1-FWD-011"])
        .relying_on([A_FEW_COME_WITH_IT])
        .under(upstream())
        .run(async |lab| {
            let mut unanswered = None;
            for length in BUFFERS.iter().flat_map(|size| [size - 1, *size, size + 1]) {
                let at = |finding: Finding| finding.at(&format!("a head of {length} bytes"));
                let (mut chain, said) = (chain(lab).await?, lab.nonce());
                let filler = "x".repeat(length - FILLED.len());
                let head = FILLED.replace("FILLER", &format!("FILLER{filler}"));
                match &chain.answers(head + &said).await {
                    Answer::Reply(reply) if reply.is_success() => {}
                    Answer::Silence => {
                        unanswered.get_or_insert(length);
                        continue;
                    }
                    garbage @ Answer::Garbage { .. } => {
                        let found = Finding::violation("a 2xx, and a tunnel", garbage.describe());
                        return Err(at(found));
                    }
                    refused => {
                        lab.note(format!("{length} bytes: {}", refused.describe()));
                        break;
                    }
                }
                if let Some(silent) = unanswered {
                    let seen = format!("silence at a head of {silent} bytes, a 2xx at {length}");
                    return Err(Finding::violation("an answer to each", seen));
                }
                let (mut near, mut far) = chain.into_tunnel();
                near.receives(said).await.map_err(at)?;
                let both = near.exchanges_with(&mut far, lab.nonce(), lab.nonce());
                both.await.map_err(at)?;
            }
            match unanswered {
                Some(length) => Err(Finding::inconclusive(format!(
                    "silence from {length} bytes on"
                ))),
                None => Ok(()),
            }
        })
}

/// A 2xx with a field to fill.
const FILLED: &str = "HTTP/1.1 200 Connection Established\r\nX-Filler: FILLER\r\n\r\n";

/// Fields by which proxies of old say that they will not take another request.
const CLOSES: &[(&str, &str)] = &[
    ("connection", "Connection: close"),
    ("proxy_connection", "Proxy-Connection: close"),
];

/// After a tunnel there is no next request on its connection, and some upstream proxies say so.
///
/// Only this conforms.
fn a_2xx_that_says_close_opens_the_tunnel() -> Family {
    each(CLOSES, |&(_, field)| {
        should("A 2xx of the upstream proxy that says close opens the tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-FWD-010"])
            .under(upstream())
            .run(async move |lab| {
                let chain = chain(lab).await?;
                opens(lab, chain, format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n")).await
            })
    })
}

/// What the client sends before it knows of a tunnel may look like a request. To an upstream proxy that has not granted
/// anything yet, it is one.
///
/// Also accepted: to send it at once after a CONNECT that says that the connection closes. In HTTP/1.0 it closes anyway:
/// then nothing follows.
fn early_data_waits_for_the_2xx() -> Case {
    must("What follows a CONNECT goes to the upstream proxy only after its 2xx, unless the connection is to close")
        .over(EVERY)
        .cites(RFC_9931.section("8"))
        .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
        .covers(["H1-FWD-027"])
        .seen_in("CVE-2025-64763, Envoy", "https://nvd.nist.gov/vuln/detail/CVE-2025-64763")
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let early = lab.nonce();
            let request = lab.request(&server).followed_by(&early);
            let mut chain = lab.chains(&upstream, &request).await?;
            speaks_1_1(&chain)?;
            let closes = chain.asked.members("Connection");
            if closes.iter().any(|option| option.eq_ignore_ascii_case("close")) {
                lab.note("the CONNECT says that the connection closes");
                return Ok(());
            }
            chain.far.stays_silent(lab.patience().quiet()).await?;
            let answer = chain.answers(GRANTED).await;
            success(&answer)?;
            chain.far.receives(early).await
        })
}

/// An ordinary request on its way, at an upstream proxy that leaves its answer to the case.
async fn chain(lab: &Lab) -> Outcome<Chain> {
    let server = lab.server(hold()).await?;
    let upstream = lab.upstream(hand_over()).await?;
    lab.chains(&upstream, &lab.request(&server)).await
}

/// What a request of HTTP/1.0 may not be answered with, the upstream proxy does not answer it with.
fn speaks_1_1(chain: &Chain) -> Outcome {
    match chain.asked.version() {
        "HTTP/1.0" => Err(Finding::absent("it asks its upstream proxy in HTTP/1.0")),
        _ => Ok(()),
    }
}

/// The upstream proxy says `bytes`, and that opens a tunnel in which bytes go both ways.
async fn opens(lab: &Lab, mut chain: Chain, bytes: impl AsRef<[u8]>) -> Outcome {
    let answer = chain.answers(bytes).await;
    success(&answer)?;
    let (mut near, mut far) = chain.into_tunnel();
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await
}

/// The 2xx that the client is owed once the upstream proxy has granted a tunnel.
fn success(answer: &Answer) -> Outcome<&Reply> {
    match answer {
        Answer::Reply(reply) if reply.is_success() => Ok(reply),
        other => Err(Finding::violation("a 2xx, and a tunnel", other.describe())),
    }
}

fn no_tunnel(answer: &Answer) -> Finding {
    Finding::inconclusive(format!("no tunnel: {}", answer.describe()))
}
