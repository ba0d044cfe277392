//! # The connection after a refusal
//!
//! A client that sends the first bytes of its tunnel without waiting for the 2xx, on behalf of somebody else, hands that
//! somebody a connection to the proxy once the tunnel is refused. So nothing that stands after a refused CONNECT may be
//! taken for a request: every server here is a sentinel.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        refusal_kinds::{MORE_REFUSALS, REFUSALS, RefusalKind},
        requests::smuggled_request,
    },
    documents::{RFC_9112, RFC_9931},
};

/// Every case about what follows a refused request.
pub(crate) fn suite() -> Suite {
    suite! {
        "connection": "The connection after a refusal", include_str!("after_a_refusal.rs");
        a_request_behind_a_refusal_is_not_served,
        a_request_soon_after_a_refusal_is_not_served,
        a_refusal_closes_the_connection,
        a_second_connect_opens_no_tunnel,
        a_client_that_wants_to_close_is_believed,
        a_proxy_that_wants_to_close_does,
        early_bytes_do_not_reach_a_later_tunnel,
    }
}

/// Whoever chooses the first bytes of a tunnel could make requests in the name of the client that opens it: with its
/// address, and with the credentials of its connection.
///
/// Also accepted: to close without an answer, or with a reset that erases it. What RFC 9112 alone allowed, to serve the
/// next request on the connection, is forbidden since RFC 9931; only clients that are known to wait are exempt, and this
/// one does not say who it is.
fn a_request_behind_a_refusal_is_not_served() -> Family {
    each(MORE_REFUSALS, |&(_, occasion)| {
        must("What follows a refused CONNECT in the same segment is not served")
            .over(HTTP_1_1)
            .cites(RFC_9931.section("8"))
            .covers(["H1-CONN-001"])
            .seen_in(
                "nghttp2 #2323",
                "https://github.com/nghttp2/nghttp2/issues/2323",
            )
            .seen_in(
                "http-extensions #3048",
                "https://github.com/httpwg/http-extensions/issues/3048",
            )
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let smuggled = smuggled_request(lab).await?;
                let request = occasion.request(lab).await?.followed_by(smuggled);
                is_not_exempt(lab, occasion).await?;
                lab.serves_nothing_behind(&occasion.client(lab), &request)
                    .await?;
                Ok(())
            })
    })
}

/// The same bytes a moment later find the proxy reading its next request, if it does: what it has buffered is not what
/// decides.
///
/// Also accepted: as for bytes in the same segment. The client sends these without having seen the answer.
fn a_request_soon_after_a_refusal_is_not_served() -> Family {
    each(MORE_REFUSALS, |&(_, occasion)| {
        must("What follows a refused CONNECT a moment later is not served")
            .over(HTTP_1_1)
            .cites(RFC_9931.section("8"))
            .covers(["H1-CONN-001"])
            .seen_in(
                "nghttp2 #2323",
                "https://github.com/nghttp2/nghttp2/issues/2323",
            )
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let smuggled = smuggled_request(lab).await?;
                let request = occasion.request(lab).await?;
                let client = occasion.client(lab);
                is_not_exempt(lab, occasion).await?;
                lab.serves_nothing_later(&client, &request, smuggled)
                    .await?;
                Ok(())
            })
    })
}

/// A connection that is neither used nor closed is one that a client may wait on, and one that the proxy runs out of.
///
/// Also accepted: to close with a reset, or after lingering for some seconds.
fn a_refusal_closes_the_connection() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        should("A refusal of CONNECT is the end of its connection")
            .over(HTTP_1_1)
            .cites(RFC_9931.section("8"))
            .covers(["H1-CONN-001"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let request = occasion.request(lab).await?;
                is_not_exempt(lab, occasion).await?;
                let client = occasion.client(lab);
                let refused = lab.serves_nothing_behind(&client, &request).await?;
                if refused.ending.is_some() {
                    return Ok(());
                }
                Err(Finding::violation(
                    "the end of the connection",
                    format!("{}, and no end", refused.answer.describe()),
                ))
            })
    })
}

/// A list of allowed ports is worth nothing to a client that asks for a forbidden one first.
///
/// Also accepted: as for any other request after a refusal.
fn a_second_connect_opens_no_tunnel() -> Case {
    must("A CONNECT after a refused CONNECT opens no tunnel")
        .over(HTTP_1_1)
        .cites(RFC_9931.section("8"))
        .covers(["H1-CONN-002"])
        .seen_in(
            "nghttp2 #2323",
            "https://github.com/nghttp2/nghttp2/issues/2323",
        )
        .needs([Need::PortList])
        .run(async |lab| {
            let allowed = lab.server(echo()).await?;
            let second = lab.request(&allowed).followed_by(lab.nonce()).bytes();
            let request = RefusalKind::Denied.request(lab).await?.followed_by(second);
            lab.serves_nothing_behind(&lab.client(), &request).await?;
            Ok(())
        })
}

/// This is how a client that forwards early bytes protects itself, also from proxies that are older than RFC 9931.
///
/// Also accepted: to close without an answer, or with a reset.
fn a_client_that_wants_to_close_is_believed() -> Case {
    must("Behind a refused CONNECT that says close, nothing is served")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.6"))
        .covers(["H1-CONN-005"])
        .needs([Need::PortList])
        .run(async |lab| {
            let smuggled = smuggled_request(lab).await?;
            let request = RefusalKind::Denied.request(lab).await?;
            let request = request.field("Connection: close").followed_by(smuggled);
            lab.serves_nothing_behind(&lab.client(), &request).await?;
            Ok(())
        })
}

/// What a proxy has announced, clients rely on: they do not wait for answers to what they have sent after.
///
/// Also accepted: never to announce it. A proxy none of whose refusals says close is not judged here.
fn a_proxy_that_wants_to_close_does() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("Behind a refusal that says close, nothing is served")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.6"))
            .covers(["H1-CONN-017"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let smuggled = smuggled_request(lab).await?;
                let (reply, _) = occasion.refusal(lab).await?;
                if !reply.lists("Connection", "close") {
                    let why = format!("{} does not say close", reply.status_line());
                    return Err(Finding::inconclusive(why));
                }
                let request = occasion.request(lab).await?.followed_by(smuggled);
                lab.serves_nothing_behind(&occasion.client(lab), &request)
                    .await?;
                Ok(())
            })
    })
}

/// Bytes that were meant for one server would reach another: a secret in the wrong hands, or a forged beginning of
/// somebody else's session.
///
/// Also accepted: to close after the refusal, to answer the bytes as a bad request, or to serve the second CONNECT, which
/// is for other cases to judge, as long as its tunnel begins with its own bytes.
fn early_bytes_do_not_reach_a_later_tunnel() -> Case {
    must("Bytes after a refused CONNECT do not reach the server of a later tunnel")
        .over(HTTP_1_1)
        .cites(crate::documents::RFC_9110.section("9.3.6"))
        .covers(["H1-CONN-008"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(hold()).await?;
            let server = lab.server(hand_over()).await?;
            let early = lab.nonce();
            let request = lab.request(&denied).followed_by(&early);
            let Exchange {
                answer,
                mut connection,
            } = lab.client().asks(request).await?;
            if let Answer::Reply(reply) = &answer {
                connection.body(reply).await;
            }

            let second = connection.asks(lab.request(&server)).await;
            denied.stays_unvisited().await?;
            if !second
                .status()
                .is_some_and(|status| (200..300).contains(&status))
            {
                lab.note(format!("then {}", second.describe()));
                return Ok(());
            }
            let (near, far) = (connection.into_tunnel(), server.accepts().await?);
            let (mut near, mut far) = lab.carried_by(near, far, &server).await?;
            near.sends_to(&mut far, lab.nonce()).await
        })
}

/// A proxy that authenticates connections, not requests, has to keep one that it has challenged.
async fn is_not_exempt(lab: &Lab, occasion: RefusalKind) -> Outcome {
    if occasion != RefusalKind::NoCredentials {
        return Ok(());
    }
    let (reply, _) = occasion.refusal(lab).await?;
    let by_connection = reply.values("Proxy-Authenticate").any(|challenge| {
        let scheme = challenge
            .split(|&byte| byte == b' ')
            .next()
            .unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"NTLM") || scheme.eq_ignore_ascii_case(b"Negotiate")
    });
    if by_connection {
        return Err(Finding::inconclusive("it authenticates connections"));
    }
    Ok(())
}
