//! # Abuse
//!
//! What an open proxy is used for: reaching the machine that it runs on, asking which ports are open there, and itself,
//! again and again.

use connectspec_harness::{prelude::*, setup::Setup};

use crate::{
    cases::words::refusal_kinds::{RefusalKind, refused},
    documents::{RFC_9110, RFC_9298},
};

/// Every case about abuse.
pub(crate) fn suite() -> Suite {
    suite! {
        "abuse": "Abuse", include_str!("abuse.rs");
        an_address_of_nobody_is_refused,
        an_address_of_everybody_is_refused,
        the_proxy_is_no_target_of_its_own,
        a_denial_does_not_tell_open_ports_from_closed_ones,
        what_it_says_of_itself,
        how_many_tunnels_a_client_gets,
    }
}

/// The unspecified address leads to the machine itself on Linux, past every rule that forbids 127.0.0.1.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn an_address_of_nobody_is_refused() -> Family {
    each(NOBODY, |&(_, host)| {
        practice("The unspecified address is refused")
            .over(EVERY)
            .cites(RFC_9110.section("17.2"))
            .cites(RFC_9298.section("7"))
            .covers(["SEC-003", "SEC-002"])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;

                lab.refuses_target(format!("{host}:{}", server.port()), &server)
                    .await
            })
    })
}

const NOBODY: &[(&str, &str)] = &[("ipv4", "0.0.0.0"), ("ipv6", "[::]")];

/// A connection to a group of machines does not exist, so that a success is a lie, told before anybody was asked.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. A 5xx does not prove a rule against such
/// addresses: the kernel has one.
fn an_address_of_everybody_is_refused() -> Family {
    each(EVERYBODY, |&(_, host)| {
        practice("Multicast and broadcast addresses are refused")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9298.section("7"))
            .covers(["SEC-006"])
            .run(async move |lab| {
                let port = lab.server(echo()).await?.port();
                let request = lab.client().request(format!("{host}:{port}"));
                lab.refuses(&request).await?;
                Ok(())
            })
    })
}

const EVERYBODY: &[(&str, &str)] = &[
    ("multicast", "224.0.0.1"),
    ("broadcast", "255.255.255.255"),
    ("ipv6_multicast", "[ff01::1]"),
];

/// Who nests tunnels through one proxy makes it hold two connections for each of his own, until it has none left.
///
/// Not over TLS: the rule is the same, and whether a proxy that shakes hands in its only thread waits for itself is a matter of chance.
///
/// Also accepted: any status that is not 2xx, or a close without an answer, also because the port is not on the list.
fn the_proxy_is_no_target_of_its_own() -> Family {
    each(ITSELF, |&(_, host)| {
        practice("The proxy opens no tunnel to itself")
            .over(IN_THE_CLEAR)
            .cites(RFC_9110.section("17.2"))
            .cites(RFC_9110.section("7.6"))
            .covers(["SEC-007"])
            .under(allowing_itself())
            .seen_in(
                "tinyproxy #199",
                "https://github.com/tinyproxy/tinyproxy/issues/199",
            )
            .seen_in(
                "mitmproxy #4531",
                "https://github.com/mitmproxy/mitmproxy/issues/4531",
            )
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let target = format!("{host}:{}", lab.proxy().port());
                let client = lab.client();
                let exchange = client.asks(client.request(target)).await?;
                let Ok(granted) = exchange.success() else {
                    return match exchange.answer {
                        Answer::Silence => Err(Finding::inconclusive("silence")),
                        _ => Ok(()),
                    };
                };
                let granted = granted.status_line();

                // A 2xx may be a lie: what counts is that the proxy is there once more, after it.
                let nothing = || Finding::inconclusive(format!("{granted}, and nothing after it"));
                let inner = client.dial_inside(exchange.connection).await;
                let mut inner = inner.map_err(|_| nothing())?;
                let again = inner.asks(&lab.request(&server)).await;
                Err(match again.status() {
                    Some(_) => Finding::violation(
                        "a final status that is not 2xx",
                        format!("{granted}, and after it {}", again.describe()),
                    ),
                    None => nothing(),
                })
            })
    })
}

const ITSELF: &[(&str, &str)] = &[("by_address", "127.0.0.1"), ("by_name", "localhost")];

/// A proxy that asks the server before its own rules is a port scanner for everybody whom the rules keep out.
///
/// Also accepted: any status, and none, as long as it is the same for both; also to repeat the target after the status.
fn a_denial_does_not_tell_open_ports_from_closed_ones() -> Case {
    practice("A denied port is answered in the same way whether it is open or closed")
        .over(EVERY)
        .cites(RFC_9110.section("17.2"))
        .covers(["POL-014", "SEC-010"])
        .needs([Need::PortList])
        .run(async |lab| {
            let open = lab.denied_server(echo()).await?;
            let closed = lab.closed_denied_port().await?;
            let mut answers = [Vec::new(), Vec::new()];
            for _ in 0..PAIRS {
                for (port, seen) in [open.port(), closed].into_iter().zip(&mut answers) {
                    let request = lab.client().request(format!("{}:{port}", lab.host()));
                    let answer = status_of(lab.client().asks(request).await?)?;
                    // Whoever repeats what he was asked for tells nothing new.
                    seen.push(answer.replace(&port.to_string(), "PORT"));
                }
            }
            lab.still_refuses(closed).await?;

            let [open, closed] = answers;
            if open.iter().any(|seen| closed.contains(seen)) {
                lab.note(open[0].clone());
                return Ok(());
            }
            Err(Finding::violation(
                "the same answer for both",
                format!(
                    "{} where it is open, {} where it is closed",
                    open[0], closed[0]
                ),
            ))
        })
}

/// How often each port is asked for: an answer that differs by chance must not look like one that tells.
const PAIRS: usize = 9;

/// What a denial was, without what changes from one to the next.
fn status_of(exchange: Exchange) -> Outcome<String> {
    if exchange.success().is_ok() {
        return Err(Finding::inconclusive("the denied port was not refused"));
    }
    match refused(exchange) {
        Ok((reply, _)) => Ok(reply.status_line()),
        Err(Finding::Inconclusive { .. }) => Ok("a close without an answer".to_owned()),
        Err(other) => Err(other),
    }
}

/// A name with a version spares whoever looks for a vulnerable proxy the search.
///
/// Also accepted: any product names, and none.
fn what_it_says_of_itself() -> Case {
    survey("It calls itself")
        .over(EVERY)
        .cites(RFC_9110.section("17.12"))
        .covers(["SEC-015"])
        .run(async |lab| {
            let mut names: Vec<String> = Vec::new();
            for occasion in [RefusalKind::Granted, RefusalKind::BadTarget] {
                let exchange = occasion.asks(lab).await?;
                for (name, value) in exchange.reply()?.fields.iter() {
                    let told = format!("{name}: {}", String::from_utf8_lossy(value));
                    let tells = INTRODUCTIONS
                        .iter()
                        .any(|one| one.eq_ignore_ascii_case(name));
                    if tells && !names.contains(&told) {
                        names.push(told);
                    }
                }
            }
            lab.note(if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join("; ")
            });
            Ok(())
        })
}

/// Fields in which a proxy introduces itself.
const INTRODUCTIONS: &[&str] = &["Server", "Via", "Proxy-Agent", "X-Powered-By"];

/// Without a limit for each client, one of them can take all tunnels that there are.
///
/// Also accepted: any number.
fn how_many_tunnels_a_client_gets() -> Case {
    survey("Of two thousand tunnels at the same time, one client gets")
        .over(EVERY)
        .cites(RFC_9110.section("17.5"))
        .covers(["SEC-014"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| {
            let lab_of_its_own = lab.relaunched(&Setup::default()).await?;
            let server = lab_of_its_own.server(hand_over()).await?;
            let mut held = Vec::new();
            while held.len() < MANY {
                let client = lab_of_its_own.client();
                let Ok(exchange) = client.asks(lab_of_its_own.request(&server)).await else {
                    break;
                };
                if exchange.success().is_err() {
                    let last = exchange.answer.describe();
                    lab.note(format!("{}; then {last}", held.len()));
                    return Ok(());
                }
                held.push(exchange.connection);
            }
            lab.note(held.len().to_string());
            Ok(())
        })
}

/// More than proxies allow one client that has a limit at all.
const MANY: usize = 2_000;
