//! # Logs as httpd writes them
//!
//! What the items of LogFormat and ErrorLogFormat say of a tunnel. Bills, alarms and reports are made from these lines.
//! Asked only of proxies that read httpd's formats.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, httpd},
        log_items::{expect_items, items, line_in_format, logged_tunnel, with_items},
        log_lines::{expect_port, named},
    },
    documents::{HTTPD_CORE, MOD_LOG_CONFIG, MOD_PROXY, MOD_PROXY_CONNECT},
};

/// Every case about the items of logs.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_logs": "Logs as httpd writes them", include_str!("logs.rs");
        a_tunnels_bytes_are_no_content,
        megabytes_are_counted_to_the_byte,
        a_tunnel_is_the_last_of_its_connection,
        the_request_is_repeated_as_it_came,
        a_broken_request_is_repeated_as_well,
        a_source_address_changes_nothing_about_the_note,
        the_error_log_names_reason_and_target,
        a_refusal_is_an_error_in_the_log,
        the_error_log_says_when,
        the_error_log_has_no_note_before_the_connection,
        the_error_log_has_the_note_after_it,
    }
}

/// Traffic is billed by %I and %O, and whoever adds up %b finds that tunnels cost nothing.
///
/// Only this conforms for a proxy like httpd.
fn a_tunnels_bytes_are_no_content() -> Case {
    httpd("A tunnel's line counts its bytes in %I and %O, with the heads, and none in %b and %B")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-007"])
        .under(with_items())
        .needs([Need::AccessLog])
        .run(async |lab| {
            let logged = logged_tunnel(lab).await?;
            let (sent, received) = (logged.sent.to_string(), logged.received.to_string());
            expect_items(
                &logged.items,
                &[
                    (0, "%>s", "200"),
                    (1, "%b", "-"),
                    (2, "%B", "0"),
                    (3, "%O", &received),
                    (4, "%I", &sent),
                ],
            )
        })
}

/// What passes a proxy in bulk may go another way through it than a word does, and is billed all the same.
///
/// Only this conforms for a proxy like httpd.
fn megabytes_are_counted_to_the_byte() -> Case {
    httpd("A tunnel's line counts megabytes to the byte in %I and %O")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-007"])
        .under(with_items())
        .needs([Need::AccessLog])
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&server), &nonce);
            let exchange = lab.client().asks(&request).await?;
            let head = exchange.success()?.head.len();
            let (mut near, mut far) = (exchange.granted()?, server.accepts().await?);
            let (there, back) = (
                stream(lab.seed(), MEGABYTES),
                stream(!lab.seed(), MEGABYTES),
            );
            near.sends_to(&mut far, there).await?;
            far.sends_to(&mut near, back).await?;
            near.finishes().await?;
            far.ends_somehow().await?;
            far.finishes().await?;
            near.ends_somehow().await?;
            let received = (request.bytes().len() as u64 + MEGABYTES).to_string();
            let sent = (head as u64 + MEGABYTES).to_string();
            let items = items(lab, &nonce).await?;
            expect_items(&items, &[(3, "%O", &sent), (4, "%I", &received)])
        })
}

/// More than fits any buffer, and no round number of buffers.
const MEGABYTES: u64 = (4 << 20) + 1;

/// A connection that was a tunnel serves no other request.
///
/// Only this conforms for a proxy like httpd.
fn a_tunnel_is_the_last_of_its_connection() -> Case {
    httpd("A tunnel's line says that its connection was closed, and served nothing before")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-008"])
        .under(with_items())
        .needs([Need::AccessLog])
        .run(async |lab| {
            let items = logged_tunnel(lab).await?.items;
            expect_items(&items, &[(5, "%X", "-"), (6, "%k", "0")])
        })
}

/// Whoever was asked for what: the first thing that anybody looks for in a log.
///
/// Only this conforms for a proxy like httpd.
fn the_request_is_repeated_as_it_came() -> Case {
    httpd("The log repeats request line, target and method as they were received")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-009"])
        .under(with_items())
        .needs([Need::AccessLog, Need::PortList])
        .run(async |lab| {
            let logged = logged_tunnel(lab).await?;
            let line = format!("CONNECT {} HTTP/1.1", logged.target);
            let asked = [
                (7, "%m", "CONNECT"),
                (8, "%U", &*logged.target),
                (10, "%r", &*line),
            ];
            expect_items(&logged.items, &asked)?;

            let denied = lab.denied_server(hold()).await?.authority();
            let nonce = lab.nonce();
            let request = named(&lab.client().request(&denied), &nonce);
            lab.client().asks(request).await?.refusal()?;
            let line = format!("CONNECT {denied} HTTP/1.1");
            let asked = [
                (0, "%>s", "403"),
                (7, "%m", "CONNECT"),
                (8, "%U", &*denied),
                (9, "the note", "-"),
                (10, "%r", &*line),
            ];
            expect_items(&items(lab, &nonce).await?, &asked)
        })
}

/// Whoever looks for the client that sends garbage looks for what it has sent.
///
/// Only this conforms for a proxy like httpd.
fn a_broken_request_is_repeated_as_well() -> Case {
    httpd("The log repeats the request line of a request whose fields are broken")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-009"])
        .under(Setup::default().with_lines(
            HTTPD,
            "LogFormat \"broken|%>s|%r|\" broken\nCustomLog \"{access_log}\" broken",
        ))
        .needs([Need::AccessLog])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let line = format!("CONNECT {nonce}.invalid:{} HTTP/1.1", server.port());
            let request = lab.request(&server).line(&line).field("X: a\x01b");
            lab.client().asks(request).await?.refusal()?;

            // No other case has this set-up: what is refused with it, if without this line, is this request.
            let expected = format!("broken|400|{line}|");
            let needle = format!("broken|400|CONNECT {nonce}");
            let logged = line_in_format(lab, &needle, "400").await?;
            match logged.contains(&expected) {
                true => Ok(()),
                false => Err(Finding::violation(expected, logged)),
            }
        })
}

/// A machine with several addresses shows one of them to the world. The port is chosen anew for that one.
///
/// Only this conforms for a proxy like httpd.
fn a_source_address_changes_nothing_about_the_note() -> Case {
    httpd("With ProxySourceAddress, the note is still the port that the server sees")
        .cites(MOD_PROXY.section("proxysourceaddress"))
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-017"])
        .needs([Need::SourcePort])
        .under(Setup::default().with_lines(HTTPD, "ProxySourceAddress 127.0.0.9"))
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&server), &nonce);
            let exchange = lab.client().asks(request).await?;
            let mut tunnel = exchange.granted()?;
            tunnel.echoes(lab.nonce()).await?;
            tunnel.closes().await?;
            let peer = server.spoken_to_from();
            let peer = peer
                .ok_or_else(|| Finding::inconclusive("the tunnel led to no server of this case"))?;
            if peer.ip().to_string() != "127.0.0.9" {
                let expected = "a connection from 127.0.0.9";
                return Err(Finding::violation(
                    expected,
                    format!("one from {}", peer.ip()),
                ));
            }
            expect_port(Some(peer.port()), lab.log_line(&nonce).await?.source_port)
        })
}

/// What makes a request fail, and what the page and the log say of it.
#[derive(Clone, Copy)]
enum Reason {
    Denied,
    UnknownName,
    NoForwards,
}

const REASONS: &[(&str, Reason, &str)] = &[
    (
        "denied",
        Reason::Denied,
        "Connect to remote machine blocked",
    ),
    (
        "unknown_name",
        Reason::UnknownName,
        "DNS lookup failure for: {host}",
    ),
    (
        "no_forwards",
        Reason::NoForwards,
        "Max-Forwards has reached zero - proxy loop?",
    ),
];

/// The one line that tells an administrator why a user calls.
///
/// Also accepted: any number, level or field around it.
fn the_error_log_names_reason_and_target() -> Family {
    each(REASONS, |&(_, kind, words)| {
        httpd("The error log names the reason and the target of a refusal")
            .cites(HTTPD_CORE.section("errorlog"))
            .covers(["REF-LOG-1"])
            .needs([Need::PortList, Need::Names])
            .under(Setup::default().with_lines(HTTPD, "LogLevel info\nErrorLog \"{error_log}\""))
            .run(async move |lab| refused_and_logged(lab, kind, words).await)
    })
}

async fn refused_and_logged(lab: &Lab, kind: Reason, words: &str) -> Outcome {
    let server = lab.server(hold()).await?;
    let target = match kind {
        Reason::Denied => lab.denied_server(hold()).await?.authority(),
        Reason::UnknownName => format!("{}:{}", lab.impossible_name(), server.port()),
        Reason::NoForwards => server.authority(),
    };
    let request = lab.client().request(&target);
    let request = match kind {
        Reason::NoForwards => request.field("Max-Forwards: 0"),
        Reason::Denied | Reason::UnknownName => request,
    };
    lab.client().asks(request).await?.refusal()?;
    let host = target.rsplit_once(':').map_or(&*target, |(host, _)| host);
    let words = words.replace("{host}", host);
    let words = format!("{words} returned by {target}");
    lab.error_line(&words).await.map(drop)
}

/// Most servers log errors only, and a user who calls was refused by one of those.
///
/// Only this conforms for a proxy like httpd, up to any words beside the reason.
fn a_refusal_is_an_error_in_the_log() -> Family {
    each(&REASONS[..2], |&(_, kind, words)| {
        httpd("With LogLevel error, the error log still says why a target was refused")
            .cites(HTTPD_CORE.section("loglevel"))
            .covers(["REF-LOG-2"])
            .needs([Need::PortList, Need::Names])
            .under(Setup::default().with_lines(HTTPD, "LogLevel error\nErrorLog \"{error_log}\""))
            .run(async move |lab| refused_and_logged(lab, kind, words).await)
    })
}

/// An entry with the note in brackets, and a word after them.
const ENTRIES: &str = "LogLevel info\nErrorLog \"{error_log}\"\n\
                       ErrorLogFormat \"entry [source=%{proxy-source-port}n] of [%l] %M\"";

/// Two logs of two machines are laid side by side by their times.
///
/// Only this conforms for a proxy like httpd.
fn the_error_log_says_when() -> Case {
    httpd("An entry of the error log has the time of the machine, as ctime writes it")
        .cites(HTTPD_CORE.section("errorlogformat"))
        .covers(["REF-LOG-1"])
        .needs([Need::PortList])
        .under(Setup::default().with_lines(
            HTTPD,
            "LogLevel info\nErrorLog \"{error_log}\"\nErrorLogFormat \"at [%t] %M\"",
        ))
        .run(async |lab| {
            let zone = jiff::tz::TimeZone::system();
            let began = jiff::Timestamp::now().to_zoned_datetime(zone).datetime();
            let denied = lab.denied_server(hold()).await?.authority();
            let request = lab.client().request(&denied);
            lab.client().asks(request).await?.refusal()?;
            let line = lab.error_line(&format!("returned by {denied}")).await?;
            let time = line
                .strip_prefix("at [")
                .and_then(|rest| rest.split_once(']'))
                .map_or("", |(time, _)| time);
            let read = jiff::fmt::strtime::parse("%a %b %d %H:%M:%S %Y", time)
                .and_then(|time| time.to_datetime());
            // Whole seconds, and a clock that may be set meanwhile.
            let near = read.is_ok_and(|read| {
                let apart = read.duration_since(began).as_secs();
                (-HALF_AN_HOUR..=HALF_AN_HOUR).contains(&apart)
            });
            if near {
                return Ok(());
            }
            Err(Finding::violation(format!("about {began}"), line))
        })
}

/// In seconds: far from what another day, another zone, or no time at all would be.
const HALF_AN_HOUR: i64 = 1800;

/// A port in an entry about a request that was refused would be somebody else's.
///
/// Only this conforms for a proxy like httpd: an item without a value takes its brackets along.
fn the_error_log_has_no_note_before_the_connection() -> Case {
    httpd("An entry of the error log from before the connection omits the note and its brackets")
        .cites(HTTPD_CORE.section("errorlogformat"))
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-012"])
        .needs([Need::PortList])
        .under(Setup::default().with_lines(HTTPD, ENTRIES))
        .run(async |lab| {
            let denied = lab.denied_server(hold()).await?.authority();
            let request = lab.client().request(&denied);
            lab.client().asks(request).await?.refusal()?;
            let line = lab.error_line(&format!("returned by {denied}")).await?;
            if line.contains("[source=") || !line.starts_with("entry of [") {
                return Err(Finding::violation("an entry without the note", line));
            }
            Ok(())
        })
}

/// How long the tunnel is left alone, in seconds.
const TIMEOUT: u32 = 2;

/// An entry about a tunnel that has died finds its user by the port that the server has in its own log.
///
/// Only this conforms for a proxy like httpd; it may use other words about the end, at the level info or above.
fn the_error_log_has_the_note_after_it() -> Case {
    httpd("The entry of the error log about a tunnel that timed out carries the note")
        .cites(HTTPD_CORE.section("errorlogformat"))
        .cites(MOD_PROXY_CONNECT.section("notes"))
        .covers(["NOTE-012"])
        .under(idle_timeout(TIMEOUT).with_lines(HTTPD, ENTRIES))
        .slow()
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            let note = format!("[source={}]", far.peer()?.port());
            far.ends_somehow().await?;
            drop(far);
            near.ends_somehow().await?;
            lab.error_line(&note).await.map(drop)
        })
}
