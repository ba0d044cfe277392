//! # Establishing a tunnel
//!
//! A 2xx says that the connection to the server is there, and that whatever follows its head comes from that server.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112, RFC_9931};

/// Every case about the answer that opens a tunnel.
pub(crate) fn suite() -> Suite {
    suite! {
        "establish": "Establishing a tunnel", include_str!("establish.rs");
        a_success_means_a_connection,
        a_success_has_no_content_length,
        a_success_has_no_transfer_encoding,
        the_tunnel_begins_behind_the_empty_line,
        a_silent_client_gets_its_tunnel,
        a_server_may_speak_first,
        what_a_server_says_at_once_is_complete,
    }
}

/// A client that is told of a tunnel that does not exist cannot tell a dead server from one that hung up, and does not
/// try the next address.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Said twice, since the first connection to a
/// port that refuses may be one that something else on the way has accepted.
fn a_success_means_a_connection() -> Case {
    must("A 2xx is sent only once there is a connection to the server")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9931.section("3"))
        .covers(["H1-RSP-001"])
        .covers_over(Protocol::H2c, ["H2-TGT-002"])
        .covers_over(Protocol::H2, ["H2-TGT-002"])
        .seen_in(
            "ATS #7677",
            "https://github.com/apache/trafficserver/issues/7677",
        )
        .seen_in(
            "3proxy #1145",
            "https://github.com/3proxy/3proxy/issues/1145",
        )
        .seen_in(
            "konnectivity #764",
            "https://github.com/kubernetes-sigs/apiserver-network-proxy/issues/764",
        )
        .run(async |lab| {
            let port = lab.refusing_port().await?;
            let target = format!("{}:{port}", lab.host());
            for _ in 0..2 {
                let answer = lab
                    .client()
                    .asks(lab.client().request(&target))
                    .await?
                    .answer;
                lab.still_refuses(port).await?;
                match answer {
                    Answer::Reply(ref reply) if reply.is_success() => {}
                    Answer::Reply(ref reply) if matches!(reply.status, 403 | 407) => {
                        return Err(another_reason(&answer));
                    }
                    Answer::Silence => return Err(Finding::inconclusive("silence")),
                    answer => {
                        lab.note(answer.describe());
                        return Ok(());
                    }
                }
            }
            Err(Finding::none_of(
                [
                    "a final status that is not 2xx",
                    "a close without an answer",
                ],
                format!("twice a 2xx for a port that refuses connections: {target}"),
            ))
        })
}

/// Versions of HTTP in which a client may ask.
const VERSIONS: &[(&str, &str)] = &[("http_1_1", "HTTP/1.1"), ("http_1_0", "HTTP/1.0")];

/// A client that believes a Content-Length takes the first bytes of the server, or all of them, for the body of the
/// proxy's answer.
///
/// Only this conforms: a length of 0 is a length as well. A proxy that refuses HTTP/1.0 is not judged on it.
fn a_success_has_no_content_length() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("A 2xx to CONNECT has no Content-Length")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("8.6"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-RSP-002"])
            .seen_in(
                "hyper #1783",
                "https://github.com/hyperium/hyper/issues/1783",
            )
            .seen_in(
                "martian #209",
                "https://github.com/google/martian/issues/209",
            )
            .run(async move |lab| {
                granted(lab, version)
                    .await?
                    .expect_no_field("Content-Length")
            })
    })
}

/// A client that believes it looks for chunks in what the server says; some clients and some proxies do.
///
/// Only this conforms. A proxy that refuses HTTP/1.0 is not judged on it.
fn a_success_has_no_transfer_encoding() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("A 2xx to CONNECT has no Transfer-Encoding")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("6.1"))
            .covers(["H1-RSP-003"])
            .seen_in(
                "envoy #11227",
                "https://github.com/envoyproxy/envoy/issues/11227",
            )
            .seen_in(
                "ATS #5185",
                "https://github.com/apache/trafficserver/issues/5185",
            )
            .run(async move |lab| {
                granted(lab, version)
                    .await?
                    .expect_no_field("Transfer-Encoding")
            })
    })
}

/// One byte too many, a line end or a page for people, and every TLS handshake through the tunnel fails.
///
/// Only this conforms: the server is silent here, so whatever comes was made by the proxy.
fn the_tunnel_begins_behind_the_empty_line() -> Case {
    must("Nothing stands between the head of a 2xx and what the server says")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-RSP-004"])
        .seen_in(
            "pingora #411",
            "https://github.com/cloudflare/pingora/issues/411",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;

            near.stays_silent(lab.patience().quiet()).await?;
            far.sends_to(&mut near, lab.nonce()).await
        })
}

/// A proxy that waits for the client's first bytes, to look for TLS in them, never opens a tunnel to a server that
/// speaks first: mail, SSH, many databases.
///
/// Also accepted: any refusal. A 2xx that comes late, but without a word of the client, is right, too; only one that
/// twice comes as soon as the client has spoken is not.
fn a_silent_client_gets_its_tunnel() -> Case {
    must("A 2xx does not wait for the client to send more than its request")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9931.section("8"))
        .covers(["H1-RSP-015"])
        .seen_in(
            "mitmproxy #910",
            "https://github.com/mitmproxy/mitmproxy/issues/910",
        )
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            for _ in 0..2 {
                let Exchange {
                    answer,
                    mut connection,
                } = lab.client().asks(lab.request(&server)).await?;
                if answer != Answer::Silence {
                    lab.note(answer.describe());
                    return Ok(());
                }
                connection.sends(lab.nonce()).await;
                if connection.hears().await == Answer::Silence {
                    return Err(Finding::inconclusive("silence, whatever the client sends"));
                }
            }
            Err(Finding::violation(
                "an answer to the request alone",
                "twice an answer only once the client had sent more",
            ))
        })
}

/// Mail, SSH and many databases greet the client; a greeting that overtakes the proxy's answer, or is lost with it, is
/// the end of the connection.
///
/// Only this conforms.
fn a_server_may_speak_first() -> Case {
    must("What the server says first arrives after the head of the 2xx")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-RSP-016"])
        .seen_in(
            "sbx-releases #411",
            "https://github.com/docker/sbx-releases/issues/411",
        )
        .run(async |lab| {
            let server = lab.server(send(GREETING).then(echo())).await?;
            let mut tunnel = lab.client().connect(&server).await?;

            tunnel.receives(GREETING).await?;
            tunnel.echoes(lab.nonce()).await
        })
}

/// What the server sends while the client is not yet reading fills the proxy's first buffer to its end, together with
/// the head of the 2xx: whatever is glued together wrongly there is lost.
///
/// Only this conforms.
fn what_a_server_says_at_once_is_complete() -> Case {
    must("What the server sends before the client reads is complete, and follows the head")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-018"])
        .seen_in(
            "envoy #12996",
            "https://github.com/envoyproxy/envoy/issues/12996",
        )
        .run(async |lab| {
            let at_once = stream(lab.seed(), 64 * 1024);
            let server = lab.server(send(at_once.clone()).then(echo())).await?;
            let mut connection = lab.client().dial().await?;
            connection.requests(lab.request(&server)).await;
            pass(lab.patience().quiet()).await;

            let answer = connection.hears().await;
            let exchange = Exchange { answer, connection };
            let mut tunnel = exchange.granted()?;
            tunnel.receives(at_once).await?;
            tunnel.echoes(lab.nonce()).await
        })
}

const GREETING: &[u8] = b"220 mail.example ESMTP\r\n";

/// The reply that grants a tunnel to a client of `version`.
async fn granted(lab: &Lab, version: &str) -> Outcome<Reply> {
    let server = lab.server(echo()).await?;
    let exchange = lab
        .client()
        .asks(lab.request(&server).version(version))
        .await?;
    let reply = exchange.reply()?;
    if !reply.is_success() {
        return Err(another_reason(&exchange.answer));
    }
    Ok(reply.clone())
}

fn another_reason(answer: &Answer) -> Finding {
    Finding::inconclusive(format!(
        "{}: another reason than the one that is tested",
        answer.describe()
    ))
}
