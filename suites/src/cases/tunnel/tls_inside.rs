//! # TLS through the tunnel
//!
//! What most tunnels carry is TLS. It shows better than anything else that nobody stands between its two ends.

use connectspec_harness::prelude::*;

use crate::documents::RFC_9110;

/// Every case about TLS through the tunnel.
pub(crate) fn suite() -> Suite {
    suite! {
        "secrecy": "TLS through the tunnel", include_str!("tls_inside.rs");
        the_client_sees_the_servers_own_certificate,
        both_ends_hold_the_same_keys,
        a_client_hello_in_two_segments_passes,
        an_everyday_client_gets_its_page,
    }
}

/// A proxy that shows a certificate of its own reads everything that passes.
///
/// Only this conforms for a tunnel; a proxy that inspects TLS on purpose lists that as a deviation.
fn the_client_sees_the_servers_own_certificate() -> Case {
    must("The client sees the certificate of the server")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-004"])
        .run(async |lab| {
            let server = lab.tls_server(echo()).await?;
            let tunnel = lab.client().connect(&server).await?;
            let mut secure = lab.tls_over(tunnel, server.host()).await?;
            secure.echoes(lab.nonce()).await?;

            if secure.session()?.certificate == Some(lab.certificate()?) {
                return Ok(());
            }
            Err(Finding::violation(
                "the certificate of the server",
                "another certificate",
            ))
        })
}

/// Two sessions that are joined in the middle have two sets of keys, whatever certificate is shown.
///
/// Only this conforms for a tunnel.
fn both_ends_hold_the_same_keys() -> Case {
    must("Client and server are the two ends of one TLS session")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-004"])
        .covers_over(Protocol::Http1Tls, ["TLSP-002"])
        .run(async |lab| {
            let server = lab.tls_server(hand_over()).await?;
            let tunnel = lab.client().connect(&server).await?;
            let (near, far) = tokio::join!(lab.tls_over(tunnel, server.host()), server.accepts());
            let (mut near, mut far) = (near?, far?);
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;

            if near.session()?.keying_material == far.session()?.keying_material {
                return Ok(());
            }
            Err(Finding::violation(
                "the same keying material at both ends",
                "two different ones",
            ))
        })
}

/// With a post-quantum key share a ClientHello no longer fits into one segment; proxies that look at it for the server's
/// name wait for the rest in vain.
///
/// Also accepted: to hold the first segment back until the rest is there. Only this conforms: to the tunnel it is a
/// sequence of bytes.
fn a_client_hello_in_two_segments_passes() -> Case {
    must("A ClientHello that comes in two segments passes")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-004"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            // Early data of TLS follows right after it.
            let hello = [client_hello(lab), lab.nonce().into_bytes()].concat();
            let (first, rest) = hello.split_at(SEGMENT);
            near.sends(first).await?;
            // Long enough for the first segment to be read on its own.
            pass(lab.patience().quiet()).await;
            near.sends(rest).await?;
            far.receives(hello).await
        })
}

/// The payload of a segment on an ordinary network.
const SEGMENT: usize = 1460;

/// A ClientHello record as long as one with a post-quantum key share: its head is right, the rest looks random, as a
/// key share does.
fn client_hello(lab: &Lab) -> Vec<u8> {
    const LENGTH: u16 = 1750;
    let mut hello = vec![0; usize::from(LENGTH) + 5];
    Generator::new(lab.seed()).fill(&mut hello);
    let [high, low] = LENGTH.to_be_bytes();
    let [inner_high, inner_low] = (LENGTH - 4).to_be_bytes();
    hello[..11].copy_from_slice(&[22, 3, 1, high, low, 1, 0, inner_high, inner_low, 3, 3]);
    hello
}

/// What people use is more than what a specification says: an ordinary HTTP client with a proxy in its settings.
///
/// Also accepted: to refuse it for the reasons that hold for every other client; then nothing follows. And another 2xx than
/// 200, an interim response first, or a later minor version: this client understands none of these, and then nothing follows, too.
fn an_everyday_client_gets_its_page() -> Case {
    must("An everyday HTTPS client reaches a server through the proxy")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-004", "H1-TGT-001"])
        .run(async |lab| {
            let server = lab
                .tls_server(receive_head().then(send(PAGE)).then(close()))
                .await?;
            let client = lab.reqwest_client().await?;
            let gotten = client
                .gets(&format!("https://{}/", server.authority()))
                .await;
            if matches!(&gotten, Ok((200, body)) if body == b"hello") {
                return Ok(());
            }
            let granted = lab.client().asks(lab.request(&server)).await?;
            if let Answer::Reply(Reply { minor: 2.., .. }) = granted.answer {
                let why = "this everyday client reads no version past HTTP/1.1";
                return Err(Finding::absent(why));
            }
            let (status, body) = gotten?;
            let observed = format!("status {status} and {} bytes", body.len());
            Err(Finding::violation(
                "status 200 and the page of the server",
                observed,
            ))
        })
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
