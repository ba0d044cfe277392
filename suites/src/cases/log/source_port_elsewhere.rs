//! # The source port on other ways
//!
//! Over IPv6, through another proxy, and with clients who try to write into the log themselves.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::httpd,
        log_lines::{expect_port, named},
    },
    documents::{MOD_PROXY, MOD_PROXY_CONNECT, RFC_9110},
};

/// Every case about the source port on other ways.
pub(crate) fn suite() -> Suite {
    suite! {
        "source_port_elsewhere": "The source port on other ways", include_str!("source_port_elsewhere.rs");
        is_logged_for_ipv6,
        is_no_field_of_the_request,
        stands_in_a_line_that_nobody_forges,
        is_the_port_that_the_upstream_proxy_saw,
        stands_beside_200_whatever_the_upstream_says,
        stands_beside_500_when_the_upstream_resets,
        stands_beside_504_when_the_upstream_says_nothing,
        stands_beside_200_when_a_tunnel_timed_out,
    }
}

/// Half of the connections of today are of that family.
///
/// Only this conforms for a proxy like httpd.
fn is_logged_for_ipv6() -> Case {
    httpd("The log names the source port of a connection over IPv6")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-014"])
        .needs([Need::SourcePort, Need::Ipv6])
        .run(async |lab| {
            let server = lab.dual_server(echo()).await?;
            let nonce = lab.nonce();
            let target = format!("[::1]:{}", server.port());
            let request = named(&lab.client().request(target), &nonce);
            carries_and_closes(lab, &request).await?;
            let peer = server.spoken_to_from();
            match peer {
                Some(peer) if peer.is_ipv6() => {
                    expect_port(Some(peer.port()), lab.log_line(&nonce).await?.source_port)
                }
                _ => Err(Finding::absent("there was no connection over IPv6")),
            }
        })
}

/// A client that can set the port in the log can blame its neighbour.
///
/// Only this conforms: the field means nothing to anybody.
fn is_no_field_of_the_request() -> Case {
    practice("A field named like the note does not change what is logged")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-015"])
        .needs([Need::SourcePort])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&server), &nonce).field("proxy-source-port: 1");
            carries_and_closes(lab, &request).await?;
            let seen = server.spoken_to_from().map(|peer| peer.port());
            expect_port(seen, lab.log_line(&nonce).await?.source_port)
        })
}

/// What a client says of itself, after a name by which the line is found.
const AGENTS: &[(&str, &[u8])] = &[
    ("quotes", b"\" status=999 source=1 target=\"x"),
    ("backslash", b"\\\" status=999 source=1"),
    ("escape", b"\x1b[2J"),
    ("line_feed", b"\nstatus=999 source=1 target=x client=x"),
    ("carriage_return", b"\rstatus=999 source=1"),
    ("latin_1_control", b"\x9b2J"),
];

/// An administrator reads logs in a terminal, and a program reads them by line and by field.
///
/// Also accepted: to refuse the request, and to log nothing of it, or none of its fields.
fn stands_in_a_line_that_nobody_forges() -> Family {
    each(AGENTS, |&(_, agent)| {
        practice("Quotes, escapes and line ends of a request change no other field of the log")
            .over(EVERY)
            .cites(RFC_9110.section("17.4"))
            .cites(RFC_9110.section("17.8"))
            .covers(["NOTE-016"])
            .needs([Need::LoggedStatus])
            // The tunnel has to end, for its line to be written.
            .relying_on(["close/much_arrives_before_the_end_of_the_client"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let nonce = lab.nonce();
                // The nonce after it tells a forged line of this case from one of another.
                let name = nonce.as_bytes();
                let field = [b"User-Agent: ", name, agent, name].concat();
                let request = lab.request(&server).field(field);
                let exchange = lab.client().asks(request).await?;
                let sent = exchange.answer.status();
                lab.note(exchange.answer.describe());
                let granted = sent.is_some_and(|status| status / 100 == 2);
                if granted {
                    let mut tunnel = exchange.granted()?;
                    tunnel.echoes(lab.nonce()).await?;
                    tunnel.closes().await?;
                }
                // A later line: what comes before it is all that this request can have written.
                let fence = lab.nonce();
                let request = named(&lab.request(&server), &fence);
                carries_and_closes(lab, &request).await?;
                lab.log_line(&fence).await?;
                if granted {
                    lab.log_line(&nonce).await?;
                }
                let raw = |c: char| c.is_control() && c != '\t';
                for line in lab.log_lines(&nonce)? {
                    let forged = line.status == Some(999) || ends_its_quotes(&line.text, &nonce);
                    if forged || line.text.contains(raw) {
                        return Err(Finding::violation(
                            "a line with the proxy's own fields and without control characters",
                            line.text.escape_default().to_string(),
                        ));
                    }
                }
                let lines = lab.log_lines(&nonce)?;
                match lines.iter().find(|line| line.status != sent) {
                    Some(line) if granted => Err(Finding::violation(
                        "a line with the status that was sent",
                        line.text.escape_default().to_string(),
                    )),
                    _ => Ok(()),
                }
            })
    })
}

/// Whether what the client said, where it is logged in quotes, ends them before its end: then what follows looks like
/// another field.
fn ends_its_quotes(line: &str, nonce: &str) -> bool {
    let Some((before, after)) = line.split_once(nonce) else {
        return false;
    };
    let mut escaped = false;
    let end = after.find(|c: char| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    before.ends_with('"') && end.is_some_and(|end| after[end..].contains("999"))
}

/// The proxy on the way knows only this proxy's address, and the port that tells whose tunnel it was.
///
/// Only this conforms for a proxy like httpd.
fn is_the_port_that_the_upstream_proxy_saw() -> Case {
    httpd("Behind an upstream proxy, the log names the port of the connection to that proxy")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-005"])
        .needs([Need::SourcePort])
        .under(upstream())
        .run(async |lab| {
            let grants = receive_head().then(send(GRANTED)).then(echo());
            let proxy = lab.server_at(lab.port('u')?, grants).await?;
            let nonce = lab.nonce();
            let beyond = lab.server(hold()).await?;
            let request = named(&lab.request(&beyond), &nonce);
            carries_and_closes(lab, &request).await?;
            let seen = proxy.spoken_to_from().map(|peer| peer.port());
            expect_port(seen, lab.log_line(&nonce).await?.source_port)
        })
}

const GRANTED: &str = "HTTP/1.1 200 OK\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
     Content-Length: 0\r\n\r\n";

/// What an upstream proxy says before it ends.
const ANSWERS: &[(&str, &str)] = &[
    ("granted", GRANTED),
    ("refused", REFUSED),
    ("junk", "\0\0junk\r\n\r\n"),
    ("nothing", ""),
];

/// httpd knows nothing of what passes between the two, so every one of these is a tunnel to it.
///
/// Only this conforms for a proxy like httpd; one that reads the answer and logs what its client was told lists the
/// rows as deviations.
fn stands_beside_200_whatever_the_upstream_says() -> Family {
    each(ANSWERS, |&(_, answer)| {
        httpd("The logged status is 200 whatever an upstream proxy answered")
            .over(HTTP_1_1)
            .cites(MOD_PROXY.section("proxyremote"))
            .covers(["NOTE-010"])
            .needs([Need::LoggedStatus, Need::ConfigLines])
            .under(upstream())
            .run(async move |lab| {
                let script = receive_head().then(send(answer)).then(close());
                logs_of_upstream(lab, script, 200).await
            })
    })
}

/// A reset before any byte is the one thing that httpd does not take for a tunnel.
///
/// Only this conforms for a proxy like httpd; one that tells its client 502 and logs that lists it as a deviation.
fn stands_beside_500_when_the_upstream_resets() -> Case {
    httpd("The logged status is 500 when an upstream proxy resets before it has answered")
        .over(HTTP_1_1)
        .cites(MOD_PROXY.section("proxyremote"))
        .covers(["NOTE-010"])
        .needs([Need::LoggedStatus, Need::ConfigLines])
        .under(upstream())
        .run(async |lab| logs_of_upstream(lab, receive_head().then(reset()), 500).await)
}

/// How long the proxy waits, in seconds.
const TIMEOUT: u32 = 2;

/// The only 504 that a log of httpd has: nobody was told anything. Over HTTP/2 it tells the client, and logs 500.
///
/// Only this conforms for a proxy like httpd.
fn stands_beside_504_when_the_upstream_says_nothing() -> Case {
    httpd("The logged status is 504 when an upstream proxy says nothing until the timeout")
        .over(HTTP_1_1)
        .cites(MOD_PROXY.section("proxyremote"))
        .covers(["NOTE-010", "NOTE-011"])
        .needs([Need::LoggedStatus])
        .under(Setup {
            idle: Some(TIMEOUT),
            connect: Some(TIMEOUT),
            ..upstream()
        })
        .slow()
        .run(async |lab| logs_of_upstream(lab, receive_head().then(hold()), 504).await)
}

/// A tunnel that was fine for a day and then quiet is no failure in anybody's statistics.
///
/// Only this conforms for a proxy like httpd.
fn stands_beside_200_when_a_tunnel_timed_out() -> Case {
    httpd("The logged status of a direct tunnel that timed out is 200")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-011"])
        .needs([Need::LoggedStatus])
        .under(idle_timeout(TIMEOUT))
        .slow()
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&server), &nonce);
            let exchange = lab.client().asks(request).await?;
            let mut near = exchange.granted()?;
            let mut far = server.accepts().await?;
            far.ends_somehow().await?;
            drop(far);
            near.ends_somehow().await?;
            expect_status(lab, &nonce, 200).await
        })
}

async fn logs_of_upstream(lab: &Lab, script: Script, status: u16) -> Outcome {
    let _proxy = lab.server_at(lab.port('u')?, script).await?;
    let nonce = lab.nonce();
    let beyond = lab.server(hold()).await?;
    let request = named(&lab.request(&beyond), &nonce);
    let mut connection = lab.client().dial().await?;
    connection.requests(request).await;
    connection.ends_within(lab.patience().end()).await;
    drop(connection);
    expect_status(lab, &nonce, status).await
}

async fn expect_status(lab: &Lab, nonce: &str, status: u16) -> Outcome {
    let logged = lab.log_line(nonce).await?.status;
    if logged == Some(status) {
        return Ok(());
    }
    let seen = logged.map_or_else(|| "none".to_owned(), |seen| format!("status {seen}"));
    Err(Finding::violation(
        format!("status {status} in the log"),
        seen,
    ))
}

async fn carries_and_closes(lab: &Lab, request: &Request) -> Outcome {
    let exchange = lab.client().asks(request).await?;
    let mut tunnel = exchange.granted()?;
    tunnel.echoes(lab.nonce()).await?;
    tunnel.closes().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_end_early_are_seen() {
        for (line, ends) in [
            (r#"agent="N\" status=999 x""#, false),
            (r#"agent="N" status=999 x""#, true),
            (r#"agent="N\\" status=999 x""#, true),
            (r#"agent="N\\\" status=999 x""#, false),
            (r#"agent=N%22%20status=999"#, false),
            (r#"agent="N%22 status=999""#, false),
        ] {
            assert_eq!(ends_its_quotes(line, "N"), ends, "{line}");
        }
    }
}
