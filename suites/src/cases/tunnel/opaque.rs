//! # A tunnel is opaque
//!
//! After the 2xx there is no HTTP any more: what looks like it is somebody's data, and the proxy has nothing to say.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112, RFC_9931};

/// Every case about HTTP, or anything else of the proxy's, inside a tunnel.
pub(crate) fn suite() -> Suite {
    suite! {
        "opaque": "A tunnel is opaque", include_str!("opaque.rs");
        a_request_in_a_tunnel_is_data,
        the_server_hears_nothing_but_the_client,
        close_on_a_granted_request_does_not_end_the_tunnel,
        a_connection_field_of_old_does_not_matter,
        a_connection_is_not_used_again,
        protocols_other_than_tls_pass,
        a_byte_of_urgent_data,
    }
}

/// Requests as clients write them; each is for a server that must not be reached.
type Written = fn(&str) -> String;

const REQUESTS: &[(&str, Written)] = &[
    ("get", |authority| {
        format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n")
    }),
    ("connect", |authority| {
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
    }),
    ("options", |authority| {
        format!("OPTIONS * HTTP/1.1\r\nHost: {authority}\r\nMax-Forwards: 0\r\n\r\n")
    }),
];

/// A proxy that goes on looking for requests sends somebody's data to a place that they name: requests are sent through
/// tunnels every day, to other proxies and to servers without TLS.
///
/// Only this conforms.
fn a_request_in_a_tunnel_is_data() -> Family {
    each(REQUESTS, |&(_, written)| {
        must("A request inside a tunnel reaches the server as it is, and no other server")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-CONN-011"])
            .run(async move |lab| {
                let elsewhere = lab.server(hold()).await?;
                let (mut near, mut far) = lab.tunnel().await?;

                near.sends_to(&mut far, written(&elsewhere.authority()))
                    .await?;
                far.sends_to(&mut near, lab.nonce()).await?;
                elsewhere.stays_unvisited().await
            })
    })
}

/// The head of the request, a blank line, a preface that names the client: what the server hears first, it takes for
/// the client's first word.
///
/// Only this conforms, unless the proxy is set up to announce its clients in a preface.
fn the_server_hears_nothing_but_the_client() -> Case {
    must("The first bytes that the server receives are the client's")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("3.7"))
        .covers(["INT-017"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;

            far.stays_silent(lab.patience().quiet()).await?;
            near.sends_to(&mut far, lab.nonce()).await
        })
}

/// Clients that forward early data are told to say close; if that ended the tunnel, they could not have one.
/// It takes a second, for which the tunnel is silent: a proxy that takes the word for its own closes a little later.
///
/// Also accepted: to refuse the request. Read to the letter, RFC 9112 has the proxy close after its response, so this is
/// a recommendation only.
fn close_on_a_granted_request_does_not_end_the_tunnel() -> Case {
    should("A CONNECT that says close gets a tunnel that stays")
        .over(HTTP_1_1)
        .cites(RFC_9931.section("8"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-CONN-006"])
        .waits()
        .run(async |lab| stays(lab, "Connection: close").await)
}

/// Values of a field that only ever had a meaning between old clients and old proxies.
const PROXY_CONNECTION: &[(&str, &str)] = &[
    ("keep_alive", "Proxy-Connection: keep-alive"),
    ("close", "Proxy-Connection: close"),
];

/// curl and many others still send this field with every CONNECT.
/// It takes a second, for which the tunnel is silent.
///
/// Also accepted: to refuse the request for a reason of its own, such as policy.
fn a_connection_field_of_old_does_not_matter() -> Family {
    each(PROXY_CONNECTION, |&(_, field)| {
        practice("Proxy-Connection neither prevents nor ends a tunnel")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("C.2.2"))
            .cites(RFC_9110.section("7.6.1"))
            .covers(["H1-CONN-015"])
            .waits()
            .run(async move |lab| stays(lab, field).await)
    })
}

/// After a tunnel, its connections carry what is left of somebody's session: an answer to a request on one of them would
/// come from the proxy in the server's name.
///
/// Also accepted: the end, a reset, or silence. Bytes that still reach the server are not judged here.
fn a_connection_is_not_used_again() -> Case {
    must("Once the server has closed, the client's connection answers no request")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-CONN-012"])
        .run(async |lab| {
            let other = lab.server(echo()).await?;
            let (mut near, mut far) = lab.tunnel().await?;
            let last_words = lab.nonce();
            far.sends_to(&mut near, &last_words).await?;
            far.leaves();

            // Whether it can be sent is for the proxy to say.
            let request = lab.request(&other).bytes();
            let sent = near.sends(request).await;
            let heard = near.receives_to_the_end(4096).await;
            other.stays_unvisited().await?;
            match heard {
                Ok((bytes, ending)) if bytes.is_empty() => {
                    lab.note(ending.describe());
                    Ok(())
                }
                Ok((bytes, _)) => Err(Finding::none_of(
                    ["the end", "a reset", "silence"],
                    format!("an answer: {}", bytes.escape_ascii()),
                )),
                Err(_) => {
                    lab.note(if sent.is_ok() {
                        "silence"
                    } else {
                        "it takes nothing"
                    });
                    Ok(())
                }
            }
        })
}

/// Whether tunnels are for TLS only, or for whatever people need: SSH is what they try first.
///
/// Also accepted: to end a tunnel in which no TLS begins, as a policy.
fn protocols_other_than_tls_pass() -> Case {
    may("A protocol that is not TLS passes")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-005"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            far.sends_to(&mut near, "SSH-2.0-OpenSSH_10.2\r\n").await?;
            near.sends_to(&mut far, "SSH-2.0-connectspec\r\n").await
        })
}

/// TCP can mark a byte as urgent, which telnet uses; programs that know nothing of it lose that byte.
///
/// Also accepted: to pass it on in its place, or to leave it out.
fn a_byte_of_urgent_data() -> Case {
    survey("A byte of urgent data")
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-013"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.sends_to(&mut far, "before").await?;
            near.sends_urgent(b'!')?;
            near.sends("after").await?;
            let heard = far.receives_any(5).await?;
            lab.note(match &heard[..] {
                b"after" => "is left out".to_owned(),
                b"!afte" => "arrives in its place".to_owned(),
                other => format!("becomes {}", other.escape_ascii()),
            });
            Ok(())
        })
}

/// A request with one more `field` gets a tunnel that outlives a pause.
async fn stays(lab: &Lab, field: &str) -> Outcome {
    let server = lab.server(echo()).await?;
    lab.carries(&lab.request(&server).field(field), &server)
        .await?;
    let exchange = lab.client().asks(lab.request(&server).field(field)).await?;
    let mut tunnel = exchange.granted()?;
    tunnel.echoes(lab.nonce()).await?;
    pass(lab.patience().stall()).await;
    tunnel.echoes(lab.nonce()).await
}
