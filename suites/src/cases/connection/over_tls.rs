//! # A proxy behind TLS
//!
//! Clients that reach their proxy over TLS hide from the network between them which servers they ask for. What such a proxy
//! does is the same, one layer up, and the other suites ask it over TLS, too; here stands what only TLS has: an end of its own,
//! which says that nothing was cut off, a name, and a negotiation.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_7301, RFC_9110, RFC_9112, RFC_9113};

/// Every case about a proxy that is reached over TLS.
pub(crate) fn suite() -> Suite {
    suite! {
        "tls_listener": "A proxy behind TLS", include_str!("over_tls.rs");
        tls_is_ended_in_order_behind_a_server_that_ends,
        tls_is_ended_in_order_behind_a_refusal,
        what_a_client_sent_before_its_goodbye_arrives,
        a_client_that_said_goodbye_still_hears,
        a_session_that_is_cut_off_ends_at_the_server_with,
        another_name_for_the_proxy_is_answered,
        what_was_negotiated_is_what_is_spoken,
        no_offer_is_answered,
    }
}

/// A client that finds the end of TLS missing has to think that somebody has cut the page off.
///
/// Also accepted: the end without `close_notify` goes against the demand to attempt it; as an attempt is all that is
/// demanded, it is a warning. A reset says nothing.
fn tls_is_ended_in_order_behind_a_server_that_ends() -> Case {
    should("Where the server ends in order, the proxy ends TLS in order, too")
        .cites(RFC_9112.section("9.8"))
        .covers(["TLSP-003"])
        .under(tls_listener())
        .run(async |lab| {
            let said = lab.nonce();
            let server = lab.server(send(&said).then(close())).await?;
            let mut tunnel = lab.client().connect(&server).await?;
            tunnel.receives(said).await?;
            // It sends nothing and closes nothing before: its own bytes could turn the proxy's end into a reset.
            match tunnel.receives_close_notify().await? {
                TlsClosure::Said => Ok(()),
                TlsClosure::Missing => Err(Finding::violation(
                    TlsClosure::Said.describe(),
                    TlsClosure::Missing.describe(),
                )),
                TlsClosure::Reset => Err(Finding::inconclusive("a reset")),
            }
        })
}

/// A page of a refusal without a length ends where TLS does, and may be half of it where the end of TLS is missing.
///
/// Also accepted: to keep the connection, which says nothing; and a reset says nothing either. The end without
/// `close_notify` goes against the demand to attempt it, and is a warning.
fn tls_is_ended_in_order_behind_a_refusal() -> Case {
    should("A connection that the proxy ends after a refusal ends TLS in order, too")
        .cites(RFC_9112.section("9.8"))
        .covers(["TLSP-003"])
        .needs([Need::PortList])
        .under(tls_listener())
        .run(async |lab| {
            let denied = lab.denied_server(hold()).await?;
            let exchange = lab.client().asks(lab.request(&denied)).await?;
            if !matches!(&exchange.answer, Answer::Reply(reply) if !reply.is_success()) {
                return Err(Finding::inconclusive(exchange.answer.describe()));
            }
            let mut near = exchange.connection.into_tunnel();
            match near.reads_to_close_notify(PAGE).await? {
                Some(TlsClosure::Said) => Ok(()),
                Some(TlsClosure::Missing) => Err(Finding::violation(
                    TlsClosure::Said.describe(),
                    TlsClosure::Missing.describe(),
                )),
                Some(TlsClosure::Reset) => Err(Finding::inconclusive("a reset")),
                None => Err(Finding::inconclusive("the connection stays")),
            }
        })
}

/// More than the page of any refusal.
const PAGE: usize = 256 * 1024;

/// How a client ends.
const GOODBYES: &[(&str, bool)] = &[("alone", false), ("with_fin", true)];

/// In TLS, `close_notify` is the end of what a client sends, as a FIN is in TCP. What came before it was sent.
///
/// Also accepted: to end at the server with a FIN at once, or once the proxy has closed both sides. Only this conforms:
/// what a closing side sent is to be delivered, and the other side closed.
fn what_a_client_sent_before_its_goodbye_arrives() -> Family {
    each(GOODBYES, |&(_, with_fin)| {
        must("What a client sent before it ended TLS reaches the server, and then the end")
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9112.section("9.8"))
            .covers(["TLSP-004"])
            .under(tls_listener())
            .run(async move |lab| {
                let (mut near, mut far) = lab.tunnel().await?;
                let sent = stream(lab.seed(), LAST_BYTES);
                near.sends(&sent).await?;
                match with_fin {
                    true => near.finishes().await?,
                    false => near.sends_close_notify().await?,
                }
                far.receives(&sent).await?;
                far.ends_somehow().await?;
                Ok(())
            })
    })
}

/// More than a proxy reads at once.
const LAST_BYTES: u64 = 100_000;

/// In TLS 1.3 each direction has an end of its own; before, one end was both.
///
/// Also accepted: either.
fn a_client_that_said_goodbye_still_hears() -> Case {
    survey("A client that has ended TLS still hears the server")
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("9.8"))
        .covers(["TLSP-004"])
        .under(tls_listener())
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.sends_close_notify().await?;
            far.ends_somehow().await?;
            let answer = lab.nonce();
            // Where the proxy has closed this side, too, it takes nothing more.
            let _ = far.sends(&answer).await;
            let heard = near.receives(answer).await;
            lab.note(if heard.is_ok() { "yes" } else { "no" });
            Ok(())
        })
}

/// Whoever sits between client and proxy can end the connection, but cannot say so in TLS. A server that sees an ordinary end
/// takes half of a request for the whole.
///
/// Also accepted: an end and a reset; a draft recommends the latter.
fn a_session_that_is_cut_off_ends_at_the_server_with() -> Case {
    survey("A TLS session that is cut off ends at the server with")
        .cites(RFC_9112.section("9.8"))
        .covers(["TLSP-005"])
        .under(tls_listener())
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let sent = lab.nonce();
            near.sends(&sent).await?;
            far.receives(&sent).await?;
            near.breaks_off().await?;
            lab.note(far.ends_somehow().await?.describe());
            Ok(())
        })
}

/// The name in the TLS handshake is the proxy's, and the one in the request is the server's.
///
/// Also accepted: to refuse it; 421 is for servers.
fn another_name_for_the_proxy_is_answered() -> Case {
    survey("A client that calls the proxy by a name, and asks for an address, is answered with")
        .cites(RFC_9110.section("7.4"))
        .covers(["TLSP-006"])
        .under(tls_listener())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let client = lab.client().calling_it("localhost");
            let exchange = client.asks(lab.request(&server)).await?;
            let answer = exchange.answer.describe();
            if !matches!(exchange.answer.status(), Some(200..300)) {
                lab.note(answer);
                return Ok(());
            }
            let mut tunnel = exchange.granted()?;
            tunnel.echoes(lab.nonce()).await?;
            lab.note(format!("{answer}, and a tunnel"));
            Ok(())
        })
}

/// Protocols that a client offers.
const OFFERS: &[(&str, &[&str])] = &[
    ("h2_and_http_1_1", &["h2", "http/1.1"]),
    ("http_1_1", &["http/1.1"]),
];

/// A proxy that agrees to HTTP/2 and then does not speak it has broken every browser that offers it.
///
/// Also accepted: to agree to either of what is offered, or to none, which is HTTP/1.1; and to break the handshake off, where
/// nothing that is offered suits it. Only this conforms.
fn what_was_negotiated_is_what_is_spoken() -> Family {
    each(OFFERS, |&(_, offer)| {
        must("The proxy speaks the protocol that was negotiated in TLS")
            .cites(RFC_9113.section("3.2"))
            .cites(RFC_7301.section("3.2"))
            .covers(["TLSP-008"])
            .under(tls_listener())
            .run(async move |lab| speaks_as_agreed(lab, offer).await)
    })
}

/// Before there was a negotiation, the protocol was HTTP/1.1.
///
/// Also accepted: to break the handshake off.
fn no_offer_is_answered() -> Case {
    survey("A client that offers no protocol in TLS is answered in")
        .cites(RFC_9113.section("3.2"))
        .covers(["TLSP-008"])
        .under(tls_listener())
        .run(async |lab| match speaks_as_agreed(lab, &[]).await {
            Err(Finding::Inconclusive { reason }) => {
                lab.note(reason);
                Ok(())
            }
            other => other,
        })
}

/// What begins a connection in HTTP/2 (RFC 9113 §3.4), with the empty SETTINGS frame that has to follow it.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The length of a frame's head in HTTP/2.
const FRAME_HEAD: usize = 9;

/// A client that makes this offer is answered in what the handshake ends with.
async fn speaks_as_agreed(lab: &Lab, offer: &[&str]) -> Outcome {
    let client = lab.client().offering(offer);
    let connection = match client.dial().await {
        Ok(connection) => connection,
        Err(Finding::Setup { reason, .. }) => return Err(Finding::inconclusive(reason)),
        Err(finding) => return Err(finding),
    };
    let agreed = connection.protocol();
    match agreed.as_deref() {
        Some(b"h2") => {
            let mut end = connection.into_tunnel();
            end.sends(PREFACE).await?;
            let head = end.receives_any(FRAME_HEAD).await?;
            // The server's preface is a SETTINGS frame on stream 0, and no acknowledgement.
            if head[3] != 4 || head[4] & 1 != 0 || head[5..] != [0; 4] {
                let head = String::from_utf8_lossy(&head).into_owned();
                let expected = "a SETTINGS frame, as HTTP/2 begins";
                return Err(Finding::violation(expected, format!("{head:?}")));
            }
            lab.note("h2");
            Ok(())
        }
        None | Some(b"http/1.1") => {
            let mut connection = connection;
            let server = lab.server(echo()).await?;
            let answer = connection.asks(lab.request(&server)).await;
            let exchange = Exchange { answer, connection };
            exchange.reply()?;
            lab.note(match agreed {
                Some(_) => "http/1.1, as agreed",
                None => "http/1.1, with nothing agreed",
            });
            Ok(())
        }
        Some(other) => {
            let observed = String::from_utf8_lossy(other).into_owned();
            Err(Finding::violation("one of what was offered", observed))
        }
    }
}
