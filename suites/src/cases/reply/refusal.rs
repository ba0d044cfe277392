//! # Refusing a request
//!
//! A client has to learn that there is no tunnel, and should learn why: a denial is for its administrator, a server
//! that is down is for another day.

use std::collections::BTreeSet;

use connectspec_harness::{
    client::body::{Body, BodyEnd, Framing},
    prelude::*,
};

use crate::{
    cases::words::{
        addresses::private_address,
        refusal_kinds::{REFUSALS, RefusalKind, refused},
    },
    documents::{RFC_9110, RFC_9112, RFC_9209},
};

/// Every case about refusals.
pub(crate) fn suite() -> Suite {
    suite! {
        "refuse": "Refusing a request", include_str!("refusal.rs");
        a_closed_port_is_a_gateway_error,
        an_impossible_name_is_a_gateway_error,
        an_unregistered_name_is_a_gateway_error,
        a_denied_port_is_forbidden,
        a_denial_comes_at_once,
        a_page_names_no_internal_address,
        a_refusal_is_complete,
        an_old_client_gets_no_chunks,
        no_success_carries_an_error_page,
        a_server_that_hangs_up_at_once_adds_nothing,
    }
}

/// A server that is down and a request that is forbidden are different news, for a person as for a program that tries
/// again.
///
/// Also accepted: any 5xx; 502 is the one that RFC 9209 has for it. 403 and 407 say that another check came first.
fn a_closed_port_is_a_gateway_error() -> Case {
    practice("A server that refuses the connection is answered with a 5xx")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.3"))
        .cites(RFC_9209.section("2.3.7"))
        .covers(["H1-ERR-001"])
        .seen_in(
            "Squid bug 5294",
            "https://bugs.squid-cache.org/show_bug.cgi?id=5294",
        )
        .seen_in(
            "goproxy #51",
            "https://github.com/elazarl/goproxy/issues/51",
        )
        .run(async |lab| {
            let exchange = RefusalKind::ClosedPort.asks(lab).await?;
            match &exchange.answer {
                Answer::Closed | Answer::Reset => {
                    Err(Finding::violation("a 5xx", exchange.answer.describe()))
                }
                _ => gateway_error(lab, exchange.reply()?, false),
            }
        })
}

/// As with a server that is down: the name is wrong, or the resolver is; nobody has forbidden anything. This name has a
/// label that is too long for the domain name system, so that no question has to leave the machine.
///
/// Also accepted: any 5xx. Other 4xx than 403 and 407 blame the client for the name, as 400 does where names are checked
/// before they are looked up; that is noted and not held against the proxy.
fn an_impossible_name_is_a_gateway_error() -> Case {
    unresolvable().run(async |lab| {
        let exchange = RefusalKind::ImpossibleName.asks(lab).await?;
        gateway_error(lab, exchange.reply()?, true)
    })
}

/// A name that nobody has registered is the everyday case of a typing error. A question to the network may get lost, so
/// this one may take seconds.
///
/// Also accepted: any 5xx, 504 where the resolver did not answer in time. Other 4xx than 403 and 407 blame the client
/// for the name, which is noted and not held against the proxy.
fn an_unregistered_name_is_a_gateway_error() -> Case {
    unresolvable().slow().run(async |lab| {
        let server = lab.server(echo()).await?;
        let target = format!("{}:{}", lab.unregistered_name().await?, server.port());
        let exchange = lab.client().asks(lab.client().request(target)).await?;
        if exchange.answer == Answer::Silence {
            return Err(Finding::violation(
                "a 5xx",
                "silence, though the resolver answers",
            ));
        }
        gateway_error(lab, exchange.reply()?, true)
    })
}

#[track_caller]
fn unresolvable() -> Case {
    practice("A name that does not resolve is answered with a 5xx")
        .over(EVERY)
        .cites(RFC_9110.section("15.6.3"))
        .cites(RFC_9209.section("2.3.2"))
        .covers(["H1-ERR-002"])
        .seen_in(
            "smokescreen #194",
            "https://github.com/stripe/smokescreen/issues/194",
        )
        .needs([Need::Names])
}

/// 403 is what a client shows as "forbidden by your administrator"; anything else sends people looking for a fault in
/// the network.
///
/// Also accepted: any other 4xx or 5xx, and a close without an answer; they are noted. RFC 9209 itself has 502 for an
/// address that is prohibited. 407 is wrong where nobody could be let in by credentials.
fn a_denied_port_is_forbidden() -> Case {
    practice("A port that is not allowed is answered with 403")
        .over(EVERY)
        .cites(RFC_9110.section("15.5.4"))
        .cites(RFC_9209.section("2.3.5"))
        .covers(["H1-ERR-011"])
        .needs([Need::PortList])
        .run(async |lab| {
            let exchange = RefusalKind::Denied.asks(lab).await?;
            lab.note(exchange.answer.describe());
            match exchange.answer.status() {
                Some(407) => Err(Finding::violation(
                    "403, as no credentials are known to the proxy",
                    exchange.answer.describe(),
                )),
                Some(status) if (400..600).contains(&status) => Ok(()),
                None if exchange.answer.is_drop() => Ok(()),
                None => Err(Finding::inconclusive(exchange.answer.describe())),
                Some(_) => Err(Finding::violation("403", exchange.answer.describe())),
            }
        })
}

/// A program that is refused after a minute looks as if it hung, and nobody thinks of the proxy.
///
/// Also accepted: any refusal, and a close. Only a third delay in a row is put down to the proxy, and none while an ordinary
/// tunnel, which is asked for later, takes as long.
fn a_denial_comes_at_once() -> Case {
    practice("A port that is not allowed is refused within a second")
        .over(EVERY)
        .cites(RFC_9110.section("15.5.4"))
        .covers(["H1-ERR-011"])
        .needs([Need::PortList])
        .seen_in(
            "Squid #2394",
            "https://github.com/squid-cache/squid/pull/2394",
        )
        .run(async |lab| {
            let limit = lab.patience().soon();
            let server = lab.server(echo()).await?;
            for _ in 0..3 {
                let request = RefusalKind::Denied.request(lab).await?;
                let mut connection = lab.client().dial().await?;
                connection.requests(request).await;
                if connection.speaks_within(limit).await {
                    return Ok(());
                }
                lab.client().connect(&server).await?;
                if connection.speaks_within(lab.patience().settle()).await {
                    return Ok(());
                }
            }
            let observed = format!("three times none within {limit:?}");
            Err(Finding::violation("an answer", observed))
        })
}

/// A page of the proxy is read by whoever may ask it anything, and shown to whoever asks why something fails.
///
/// Also accepted: the address that was asked for, and the one that the client has reached the proxy at.
fn a_page_names_no_internal_address() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        practice("The page of a refusal names no private address but those that its client knows")
            .over(EVERY)
            .cites(RFC_9110.section("17.12"))
            .covers(["SEC-009"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let (reply, mut connection) = occasion.refusal(lab).await?;
                let page = connection.body(&reply).await.content;
                let page = String::from_utf8_lossy(&page);
                let own = connection.into_tunnel().local()?;
                let known = [lab.proxy().ip(), own.ip()];
                let page = known.iter().fold(page.into_owned(), |page, address| {
                    page.replace(&address.to_string(), "")
                });
                match private_address(&page, lab.host()) {
                    None => Ok(()),
                    Some(address) => Err(Finding::violation("no private address", address)),
                }
            })
    })
}

/// A client that waits for the rest of a page, or for the end of a body that nothing marks, waits until it gives up.
///
/// Also accepted: a length, chunks, or the end of the connection to mark the end; and no body at all. A reset says
/// nothing, since it may have destroyed what had been sent.
fn a_refusal_is_complete() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("A refusal has one framing, and ends as that says")
            .over(EVERY)
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9110.section("6.4.1"))
            .covers(["H1-ERR-005", "H1-ERR-006"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let (reply, mut connection) = occasion.refusal(lab).await?;
                if reply.has("Content-Length") && reply.has("Transfer-Encoding") {
                    return Err(Finding::violation(
                        "a length or chunks",
                        "both Content-Length and Transfer-Encoding",
                    ));
                }
                let body = connection.body(&reply).await;
                is_complete(lab, &reply, &body)
            })
    })
}

/// HTTP/1.0 knows no chunks: its clients show them to people, and wait for more at the end.
///
/// Also accepted: a Content-Length, or the end of the connection.
fn an_old_client_gets_no_chunks() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("A refusal to a client of HTTP/1.0 has no Transfer-Encoding")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("6.1"))
            .covers(["H1-ERR-016"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let request = occasion.request(lab).await?.version("HTTP/1.0");
                let exchange = occasion.client(lab).asks(request).await?;
                let (reply, _) = refused(exchange)?;
                reply.expect_no_field("Transfer-Encoding")
            })
    })
}

/// To a client, a 2xx is a tunnel: it starts TLS with the error page, and reports a broken server.
///
/// Also accepted: any status that is not 2xx, and a close without an answer. A 2xx with a tunnel after it that leads to
/// the server is for other cases to judge.
fn no_success_carries_an_error_page() -> Family {
    each(REFUSALS, |&(_, occasion)| {
        must("What cannot be tunnelled is not answered with a 2xx")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-ERR-014"])
            .under(occasion.setup())
            .needs(occasion.needs())
            .relying_on(["establish/a_success_means_a_connection"])
            .run(async move |lab| {
                let exchange = occasion.asks(lab).await?;
                let answer = exchange.answer.clone();
                if !answer
                    .status()
                    .is_some_and(|status| (200..300).contains(&status))
                {
                    lab.note(answer.describe());
                    return Ok(());
                }
                let mut tunnel = exchange.granted()?;
                match tunnel.echoes(lab.nonce()).await {
                    Ok(()) => Err(Finding::inconclusive("it is a tunnel to the server")),
                    Err(behind) => Err(Finding::violation(
                        "a status that is not 2xx",
                        format!("{}; after it, {behind}", answer.describe()),
                    )),
                }
            })
    })
}

/// What a server does to a connection that it has just accepted.
type HangUp = fn() -> Script;

/// Whether the proxy sees the end before it answers is a matter of chance: it is asked until it has seen both.
const HANG_UP_TRIES: usize = 24;

const HANG_UPS: &[(&str, HangUp)] = &[("fin", close), ("reset", reset)];

/// A load balancer without servers behind it hangs up like this. What a proxy says then in the name of the server, a
/// client takes for the server's own word.
///
/// Also accepted: a 2xx and the end, and any refusal.
fn a_server_that_hangs_up_at_once_adds_nothing() -> Family {
    each(HANG_UPS, |&(_, hangs_up)| {
        must("Where the server hangs up at once, the client gets the end and nothing else")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-ERR-012"])
            .run(async move |lab| {
                let server = lab.server(hangs_up()).await?;
                let mut seen = BTreeSet::new();
                for _ in 0..HANG_UP_TRIES {
                    let exchange = lab.client().asks(lab.request(&server)).await?;
                    let mut face = exchange.answer.describe();
                    match &exchange.answer {
                        Answer::Reply(reply) if reply.is_success() => {
                            let mut tunnel = exchange.granted()?;
                            let ending = tunnel.ends_somehow().await?;
                            face = format!("{face}, then {}", ending.describe());
                        }
                        Answer::Garbage { .. } => return exchange.reply().map(|_| ()),
                        Answer::Silence => return Err(Finding::inconclusive("silence")),
                        _ => {}
                    }
                    seen.insert(face);
                }
                for face in seen {
                    lab.note(face);
                }
                Ok(())
            })
    })
}

/// `reply` blames the network, or the client where that is `tolerated`.
fn gateway_error(lab: &Lab, reply: &Reply, tolerated: bool) -> Outcome {
    match reply.status {
        500..600 => {}
        403 | 407 => {
            let why = format!("{}: another check came first", reply.status_line());
            return Err(Finding::inconclusive(why));
        }
        200..300 => {
            let why = format!(
                "{}: whether that is right is for another case",
                reply.status_line()
            );
            return Err(Finding::inconclusive(why));
        }
        400..500 if tolerated => {}
        _ => return Err(Finding::violation("a 5xx", reply.status_line())),
    }
    lab.note(reply.status_line());
    Ok(())
}

/// `body` has ended where its framing says.
fn is_complete(lab: &Lab, reply: &Reply, body: &Body) -> Outcome {
    let came = format!("{} bytes of the body", body.content.len());
    let promised = match body.framing {
        Framing::Nothing => "no body".to_owned(),
        Framing::Length(length) => format!("{length} bytes, as Content-Length says"),
        Framing::Chunked => "chunks up to the last one".to_owned(),
        Framing::Close => "a body that ends with the connection".to_owned(),
    };
    let observed = match &body.end {
        BodyEnd::Complete => {
            lab.note(format!("{}, {came}", reply.status_line()));
            return Ok(());
        }
        BodyEnd::Closed(Ending::Abrupt) => {
            let why = format!("a reset after {came}: it may have destroyed the rest");
            return Err(Finding::inconclusive(why));
        }
        BodyEnd::Closed(Ending::Orderly) => format!("the end after {came}"),
        BodyEnd::Silence(limit) => format!("{came}, then silence for {limit:?}"),
        BodyEnd::Flood => format!("{came}, and no end"),
        BodyEnd::Malformed(why) => format!("{why}, after {came}"),
    };
    Err(Finding::violation(promised, observed))
}
