//! # The source port in the log
//!
//! When somebody complains of an attack from the proxy's address, the port from which the proxy connected is what tells
//! whose tunnel it was. httpd sets the note `proxy-source-port` for that.

use std::collections::BTreeSet;

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::httpd,
        log_lines::{expect_port, named, tunnel_with_line},
    },
    documents::{MOD_LOG_CONFIG, MOD_PROXY_CONNECT},
};

/// Every case about the source port in the log.
pub(crate) fn suite() -> Suite {
    suite! {
        "source_port": "The source port in the log", include_str!("source_port.rs");
        is_the_port_that_the_server_saw,
        is_a_plain_decimal_number,
        is_absent_when_the_request_was_refused,
        is_absent_when_the_connection_failed,
        is_logged_when_the_tunnel_has_ended,
        is_not_logged_before_both_directions_have_ended,
        stands_beside_the_status_that_was_sent,
        is_right_for_each_of_many_tunnels,
    }
}

/// With the port of the wrong leg in the log, a complaint about the proxy's address leads to nobody.
///
/// Also accepted: a line that is written late. Without any line, nothing follows.
fn is_the_port_that_the_server_saw() -> Case {
    httpd("The log names the port from which the proxy connected to the server")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-001"])
        .seen_in(
            "httpd 30195",
            "https://bz.apache.org/bugzilla/show_bug.cgi?id=30195",
        )
        .needs([Need::SourcePort])
        .run(async |lab| {
            let nonce = lab.nonce();
            let seen = tunnel_named(lab, &nonce).await?;
            let logged = lab.log_line(&nonce).await?.source_port;
            expect_port(Some(seen), logged)
        })
}

/// Programs that read logs compare text: a port with zeros in front is another port to them.
///
/// Only this conforms for a proxy like httpd, which prints the number with `%hu`.
fn is_a_plain_decimal_number() -> Case {
    httpd("The source port is a decimal number without padding")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-002"])
        .needs([Need::SourcePort])
        .run(async |lab| {
            let nonce = lab.nonce();
            let seen = tunnel_named(lab, &nonce).await?.to_string();
            let line = lab.log_line(&nonce).await?.text;
            let mut numbers = line.split(|c: char| !c.is_ascii_digit());
            if numbers.any(|number| number == seen) {
                return Ok(());
            }
            Err(Finding::violation(
                format!("the number {seen} in the line"),
                line,
            ))
        })
}

/// A port in the line of a refused request belongs to somebody else's connection.
///
/// Only this conforms: there was no connection that could have had a port.
fn is_absent_when_the_request_was_refused() -> Case {
    httpd("The log names no source port where no connection was tried")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-003"])
        .needs([Need::SourcePort, Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(hold()).await?;
            let nonce = lab.nonce();
            lab.client()
                .asks(named(&lab.request(&denied), &nonce))
                .await?
                .refusal()?;
            expect_port(None, lab.log_line(&nonce).await?.source_port)
        })
}

/// The same for a connection that was tried and did not come about.
///
/// Only this conforms for a proxy like httpd, which sets the note once the connection exists.
fn is_absent_when_the_connection_failed() -> Case {
    httpd("The log names no source port where the connection failed")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-004"])
        .needs([Need::SourcePort])
        .run(async |lab| {
            let port = lab.refusing_port().await?;
            let nonce = lab.nonce();
            let request = lab.client().request(format!("{}:{port}", lab.host()));
            lab.client()
                .asks(named(&request, &nonce))
                .await?
                .refusal()?;
            expect_port(None, lab.log_line(&nonce).await?.source_port)
        })
}

/// A line at the beginning cannot say how the tunnel went; one that never comes says nothing at all.
///
/// Also accepted: a line that comes late after the end, as with a buffered log.
fn is_logged_when_the_tunnel_has_ended() -> Case {
    httpd("The line of a tunnel is written when both directions have ended")
        .over(EVERY)
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-006"])
        .needs([Need::SourcePort])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let mut tunnel = tunnel_with_line(lab, &server, &nonce).await?;
            tunnel.echoes(lab.nonce()).await?;

            pass(lab.patience().quiet()).await;
            if let Some(line) = lab.log_lines(&nonce)?.first() {
                let expected = "no line while the tunnel is open";
                return Err(Finding::violation(expected, line.text.clone()));
            }
            tunnel.closes().await?;
            let Err(missing) = lab.log_line(&nonce).await else {
                return Ok(());
            };
            // Where the line of a refusal comes, tunnels are left out.
            let later = lab.nonce();
            let request = lab.request(&server).target("/");
            lab.client().asks(named(&request, &later)).await?;
            if lab.log_line(&later).await.is_err() {
                return Err(missing);
            }
            let seen = "none, though that of a later request has come";
            Err(Finding::violation("a line of the tunnel", seen))
        })
}

/// What was sent and received is known when the second direction has ended, and not before.
///
/// Also accepted: to end both directions at once.
fn is_not_logged_before_both_directions_have_ended() -> Case {
    httpd("A tunnel that one side has ended is not logged while the other one goes on")
        .over(EVERY)
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-006"])
        .needs([Need::SourcePort])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let nonce = lab.nonce();
            let near = tunnel_with_line(lab, &server, &nonce).await?;
            let far = server.accepts().await?;
            let (mut near, mut far) = lab.carried_by(near, far, &server).await?;
            near.finishes().await?;
            far.ends_somehow().await?;
            let goes_on = far.sends(lab.nonce()).await.is_ok() && near.speaks().await;
            if !goes_on {
                lab.note("both directions end at once");
                return Ok(());
            }
            if let Some(line) = lab.log_lines(&nonce)?.first() {
                let expected = "no line while the tunnel is half open";
                return Err(Finding::violation(expected, line.text.clone()));
            }
            far.closes().await?;
            lab.log_line(&nonce).await.map(drop)
        })
}

/// A log that counts tunnels as errors, or refusals as successes, sends whoever reads it the wrong way.
///
/// Only this conforms for a proxy like httpd, which logs the status that it sent.
fn stands_beside_the_status_that_was_sent() -> Family {
    each(OCCASIONS, |&(_, row, denied)| {
        httpd("The log names the status that the client was sent")
            .over(EVERY)
            .cites(MOD_LOG_CONFIG.section("formats"))
            .covers([row])
            .seen_in(
                "Squid 5274",
                "https://bugs.squid-cache.org/show_bug.cgi?id=5274",
            )
            .needs([Need::SourcePort, Need::PortList])
            .run(async move |lab| {
                let server = if denied {
                    lab.denied_server(hold()).await?
                } else {
                    lab.server(echo()).await?
                };
                let nonce = lab.nonce();
                let request = named(&lab.request(&server), &nonce);
                let exchange = lab.client().asks(request).await?;
                let sent = exchange.answer.status();
                if sent.is_some_and(|status| status / 100 == 2) {
                    let mut tunnel = exchange.granted()?;
                    tunnel.echoes(lab.nonce()).await?;
                    tunnel.closes().await?;
                }
                let line = lab.log_line(&nonce).await?;
                match (sent, line.status) {
                    (Some(sent), Some(logged)) if sent != logged => Err(Finding::violation(
                        format!("status {sent} in the log"),
                        format!("status {logged}"),
                    )),
                    (Some(_), Some(_)) => Ok(()),
                    _ => Err(Finding::inconclusive("no status in the answer or the line")),
                }
            })
    })
}

/// What is asked for, the row, and whether it is denied.
const OCCASIONS: &[(&str, &str, bool)] =
    &[("granted", "NOTE-001", false), ("denied", "NOTE-003", true)];

/// Tunnels that are open at the same time.
const MANY: usize = 50;

/// A note that is kept in the wrong place is right for one tunnel, and mixed up among many.
///
/// Also accepted: lines in any order. It takes about a second: so many tunnels, and a line for each.
fn is_right_for_each_of_many_tunnels() -> Case {
    httpd("Each of fifty tunnels at the same time has its own source port in the log")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-013"])
        .needs([Need::SourcePort])
        .is_a_crowd()
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let mut open = Vec::new();
            for _ in 0..MANY {
                let nonce = lab.nonce();
                let exchange = lab
                    .client()
                    .asks(named(&lab.request(&server), &nonce))
                    .await?;
                let far = server.accepts().await?;
                let (near, far) = lab.carried_by(exchange.granted()?, far, &server).await?;
                open.push((nonce, far.peer()?.port(), near, far));
            }
            let mut expected = Vec::new();
            for (nonce, port, mut near, mut far) in open {
                near.finishes().await?;
                far.finishes().await?;
                near.ends_somehow().await?;
                far.ends_somehow().await?;
                expected.push((nonce, port));
            }
            let ports: BTreeSet<u16> = expected.iter().map(|(_, port)| *port).collect();
            assert_eq!(
                ports.len(),
                MANY,
                "connections that are open have ports of their own"
            );
            for (logged, (nonce, port)) in expected.into_iter().enumerate() {
                let line = match lab.log_line(&nonce).await {
                    // Where some lines come, none may be missing.
                    Err(_) if logged > 0 => {
                        let seen = format!("none for one of them, though {logged} have come");
                        return Err(Finding::violation("a line for each tunnel", seen));
                    }
                    line => line?,
                };
                expect_port(Some(port), line.source_port)?;
                let lines = lab.log_lines(&nonce)?.len();
                if lines > 1 {
                    let seen = format!("{lines} lines for one of them");
                    return Err(Finding::violation("one line for each tunnel", seen));
                }
            }
            Ok(())
        })
}

/// Opens and ends a tunnel; the source port that the server saw.
async fn tunnel_named(lab: &Lab, nonce: &str) -> Outcome<u16> {
    let server = lab.server(echo()).await?;
    let mut tunnel = tunnel_with_line(lab, &server, nonce).await?;
    tunnel.echoes(lab.nonce()).await?;
    tunnel.closes().await?;
    let seen = server
        .spoken_to_from()
        .ok_or_else(|| Finding::inconclusive("the tunnel led to no server of this case"))?;
    Ok(seen.port())
}
