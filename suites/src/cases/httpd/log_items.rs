//! # Items of a log's format
//!
//! What each item of LogFormat stands for in the line of a tunnel. An administrator who moves a configuration takes the
//! programs along that read its logs. Asked only of proxies that read httpd's formats.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, httpd},
        log_items::{expect_items, line_in_format},
        log_lines::named,
    },
    documents::MOD_LOG_CONFIG,
};

/// Every case about single items.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_log_items": "Items of a log's format", include_str!("log_items.rs");
        say_of_a_tunnel,
        count_the_page_of_a_refusal,
        say_of_a_request_that_is_none,
    }
}

/// What the harness knows of a tunnel whose line it reads.
struct Tunnel {
    nonce: String,
    target: String,
    client: SocketAddr,
    proxy: SocketAddr,
    /// Bytes from and to the client, heads included.
    bytes: usize,
    /// Before the request was sent, when its answer was there, when the tunnel had ended, and when the line was read.
    times: [SystemTime; 4],
    /// How long it was open at least, and at most.
    took: [Duration; 2],
}

/// What an item has to be.
enum Value {
    Is(String),
    /// A number between these, both included.
    Number(u128, u128),
    /// A number of so many digits.
    Digits(usize),
    /// A time in this format, in whole seconds, that lies between these.
    Time(&'static str, SystemTime, SystemTime),
}
use Value::{Digits, Is, Number, Time};

/// An item as a configuration has it, and what it has to be.
type Item = (&'static str, fn(&Tunnel) -> Value);

fn is(text: &str) -> Value {
    Is(text.to_owned())
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time that lies where the request began.
fn begun(tunnel: &Tunnel, unit: fn(Duration) -> u128) -> Value {
    let [before, answered, ..] = tunnel.times.map(since_epoch);
    Number(unit(before), unit(answered))
}

/// What is asked in one tunnel, in one line of the log.
const ITEMS: &[(&str, &[Item])] = &[
    (
        "addresses",
        &[
            ("%h", |tunnel| Is(tunnel.client.ip().to_string())),
            ("%a", |tunnel| Is(tunnel.client.ip().to_string())),
            ("%A", |tunnel| Is(tunnel.proxy.ip().to_string())),
        ],
    ),
    (
        "ports",
        &[
            // The configuration names the server without a port.
            ("%p", |_| is("80")),
            ("%{canonical}p", |_| is("80")),
            ("%{local}p", |tunnel| Is(tunnel.proxy.port().to_string())),
            ("%{remote}p", |tunnel| Is(tunnel.client.port().to_string())),
        ],
    ),
    (
        "who",
        &[
            ("%l", |_| is("-")),
            ("%u", |_| is("-")),
            ("%v", |_| is("localhost")),
        ],
    ),
    (
        "request",
        &[
            ("%H", |_| is("HTTP/1.1")),
            ("%f", |tunnel| Is(format!("proxy:{}", tunnel.target))),
            ("%R", |_| is("proxy-server")),
            ("%q", |_| is("")),
            ("%<s", |_| is("200")),
            ("%S", |tunnel| Is(tunnel.bytes.to_string())),
        ],
    ),
    (
        "fields",
        &[
            ("%{x-WORDS}i", |_| is(r#"a\"b\\c\td\xe9\x80, second"#)),
            ("%{X-None}i", |_| is("-")),
            ("%{none}n", |_| is("-")),
            ("%{X-None}o", |_| is("-")),
            ("%{none}C", |_| is("-")),
        ],
    ),
    (
        "conditions",
        &[
            ("%200{User-Agent}i", |tunnel| Is(tunnel.nonce.clone())),
            ("%!200{User-Agent}i", |_| is("-")),
            ("%400,501{User-Agent}i", |_| is("-")),
            ("%!400,501{User-Agent}i", |tunnel| Is(tunnel.nonce.clone())),
            ("%400,200>s", |_| is("200")),
        ],
    ),
    (
        "text",
        &[
            ("100%%s", |_| is("100%s")),
            (r"a\tb\rc\d", |_| is("a\tb\rc\\d")),
            (r#"\\\\e\"f\\\"g"#, |_| is(r#"\e"f\"g"#)),
        ],
    ),
    (
        "duration",
        &[
            ("%T", |tunnel| took(tunnel, |time| time.as_secs().into())),
            ("%{s}T", |tunnel| took(tunnel, |time| time.as_secs().into())),
            ("%{ms}T", |tunnel| took(tunnel, |time| time.as_millis())),
            ("%{us}T", |tunnel| took(tunnel, |time| time.as_micros())),
            ("%D", |tunnel| took(tunnel, |time| time.as_micros())),
        ],
    ),
    (
        "time",
        &[
            ("%t", |tunnel| {
                Time("[%d/%b/%Y:%H:%M:%S %z]", tunnel.times[0], tunnel.times[1])
            }),
            ("%{begin}t", |tunnel| {
                Time("[%d/%b/%Y:%H:%M:%S %z]", tunnel.times[0], tunnel.times[1])
            }),
            ("%{end}t", |tunnel| {
                Time("[%d/%b/%Y:%H:%M:%S %z]", tunnel.times[2], tunnel.times[3])
            }),
            ("%{%Y-%m-%d %H.%M.%S %z}t", |tunnel| {
                Time("%Y-%m-%d %H.%M.%S %z", tunnel.times[0], tunnel.times[1])
            }),
            ("%{begin:%d %m %Y %H.%M.%S %z}t", |tunnel| {
                Time("%d %m %Y %H.%M.%S %z", tunnel.times[0], tunnel.times[1])
            }),
            ("%{sec}t", |tunnel| {
                begun(tunnel, |time| time.as_secs().into())
            }),
            ("%{msec}t", |tunnel| begun(tunnel, |time| time.as_millis())),
            ("%{usec}t", |tunnel| begun(tunnel, |time| time.as_micros())),
            ("%{msec_frac}t", |_| Digits(3)),
            ("%{usec_frac}t", |_| Digits(6)),
            ("%{begin:sec}t", |tunnel| {
                begun(tunnel, |time| time.as_secs().into())
            }),
            ("%{end:sec}t", |tunnel| {
                let [.., closed, read] = tunnel.times.map(since_epoch);
                Number(closed.as_secs().into(), read.as_secs().into())
            }),
        ],
    ),
];

fn took(tunnel: &Tunnel, unit: fn(Duration) -> u128) -> Value {
    let [least, most] = tunnel.took;
    Number(unit(least), unit(most))
}

/// A second line for each request, with all of the items.
fn all_items() -> Setup {
    let items: Vec<&str> = ITEMS
        .iter()
        .flat_map(|(_, items)| items.iter().map(|(item, _)| *item))
        .collect();
    second_line(&items.join("|"))
}

pub(super) fn second_line(format: &str) -> Setup {
    Setup::default().with_lines(HTTPD, format!(
        "LogFormat \"items|%{{User-Agent}}i|{format}\" items\nCustomLog \"{{access_log}}\" items"
    ))
}

/// More than a second, so that whole seconds can be told from none.
const OPEN: Duration = Duration::from_millis(1050);

async fn tunnel(lab: &Lab) -> Outcome<(Tunnel, Vec<String>)> {
    let server = lab.server(echo()).await?;
    let nonce = lab.nonce();
    let request = named(&lab.request(&server), &nonce)
        .field(b"X-Words: a\"b\\c\td\xe9\x80")
        .field("x-words: second");
    let mut connection = lab.client().dial().await?;
    // What the line is about begins with the request.
    pass(OPEN).await;
    let (before, clock) = (SystemTime::now(), Instant::now());
    let answer = connection.asks(&request).await;
    let answered = (SystemTime::now(), Instant::now());
    let exchange = Exchange { answer, connection };
    let head = exchange.success()?.head.len();
    let mut near = exchange.granted()?;
    let client = near.local()?;
    near.echoes(&nonce).await?;
    pass(OPEN).await;
    let (closed, least) = (SystemTime::now(), answered.1.elapsed());
    near.closes().await?;
    let items = items(lab, &nonce).await?;
    let known = Tunnel {
        target: server.authority(),
        client,
        proxy: lab.proxy(),
        bytes: request.bytes().len() + head + 2 * nonce.len(),
        times: [before, answered.0, closed, SystemTime::now()],
        took: [least, clock.elapsed()],
        nonce,
    };
    Ok((known, items))
}

/// The items of the line about the request with this name.
async fn items(lab: &Lab, nonce: &str) -> Outcome<Vec<String>> {
    let needle = format!("items|{nonce}|");
    let line = line_in_format(lab, &needle, nonce).await?;
    let items = line.split_once(&needle).map_or("", |(_, items)| items);
    Ok(items.split('|').map(str::to_owned).collect())
}

/// A program that reads a log takes an address for the client's and a number for seconds because the format says so.
///
/// Only this conforms for a proxy like httpd.
fn say_of_a_tunnel() -> Family {
    each(ITEMS, |&(group, _)| {
        httpd("Each item of LogFormat says of a tunnel what it stands for")
            .cites(MOD_LOG_CONFIG.section("formats"))
            .covers(["NOTE-018"])
            .under(all_items())
            .needs([Need::AccessLog])
            // Each tunnel lasts long enough for the items that count seconds.
            .slow()
            .run(async move |lab| {
                let (tunnel, line) = tunnel(lab).await?;
                let mut line = line.into_iter();
                for (name, items) in ITEMS {
                    for (item, value) in *items {
                        let seen = line.next().unwrap_or_default();
                        if *name == group {
                            expect(item, &seen, value(&tunnel))?;
                        }
                    }
                }
                Ok(())
            })
    })
}

fn expect(item: &str, seen: &str, value: Value) -> Outcome {
    let (holds, expected) = match value {
        Is(text) => (seen == text, text),
        Number(least, most) => (
            seen.parse()
                .is_ok_and(|number: u128| (least..=most).contains(&number)),
            format!("from {least} to {most}"),
        ),
        Digits(digits) => (
            seen.len() == digits && seen.bytes().all(|digit| digit.is_ascii_digit()),
            format!("{digits} digits"),
        ),
        Time(format, least, most) => {
            let [least, most] = [least, most].map(|time| since_epoch(time).as_secs());
            let time = jiff::fmt::strtime::parse(format, seen).and_then(|time| time.to_timestamp());
            let second = time
                .ok()
                .and_then(|time| u64::try_from(time.as_second()).ok());
            (
                second.is_some_and(|second| (least..=most).contains(&second)),
                format!("a time as {format}, from {least} to {most} s"),
            )
        }
    };
    if holds {
        return Ok(());
    }
    Err(Finding::violation(
        format!("{item} is {expected}"),
        format!("{item} is {seen}"),
    ))
}

/// Whoever adds up what the proxy sent counts the pages of refusals, too.
///
/// Only this conforms for a proxy like httpd.
fn count_the_page_of_a_refusal() -> Case {
    httpd("A refusal's line counts its page in %b and %B, and in %O and %I all that was sent and received")
        .cites(MOD_LOG_CONFIG.section("formats"))
        .covers(["NOTE-019"])
        .under(second_line("%b|%B|%O|%I|%>s"))
        .needs([Need::AccessLog, Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(hold()).await?;
            let nonce = lab.nonce();
            let request = named(&lab.request(&denied), &nonce).bytes();
            let mut connection = lab.client().dial().await?;
            connection.sends(&request).await;
            // Where the connection is kept, its client ends it.
            connection.finishes().await;
            let (heard, _) = connection.ends_within(lab.patience().end()).await;
            let head = heard.windows(4).position(|four| four == b"\r\n\r\n");
            let Some(page) = head.map(|end| heard.len() - end - 4).filter(|page| *page > 0) else {
                return Err(Finding::inconclusive("a refusal without a page"));
            };
            let (page, all) = (page.to_string(), heard.len().to_string());
            let received = request.len().to_string();
            let expected = [
                (0, "%b", &*page),
                (1, "%B", &page),
                (2, "%O", &all),
                (3, "%I", &received),
                (4, "%>s", "403"),
            ];
            expect_items(&items(lab, &nonce).await?, &expected)
        })
}

/// Lines that no proxy can serve, and the part of each that is logged as its target.
const LINES: &[(&str, &[u8], &str)] = &[
    ("quote", b"127.0.0.1:\"2", r#"127.0.0.1:\"2"#),
    ("backslash", b"127.0.0.1:2\\", r"127.0.0.1:2\\"),
    ("latin_1", b"127.0.0.1:\xe9", r"127.0.0.1:\xe9"),
];

/// Most lines of a log are about what did not work, and an attacker writes in them what he likes.
///
/// Only this conforms for a proxy like httpd.
fn say_of_a_request_that_is_none() -> Family {
    each(LINES, |&(_, target, logged)| {
        httpd("The line about a request with a malformed target repeats its parts, escaped as httpd does")
            .cites(MOD_LOG_CONFIG.section("formats"))
            .covers(["NOTE-016", "NOTE-009"])
            .under(second_line("%{remote}p|%>s|%R|%m|%U|%H|%r"))
            .needs([Need::AccessLog])
            .run(async move |lab| {
                let request = [b"CONNECT ", target, b" HTTP/1.0\r\n\r\n"].concat();
                let exchange = lab.client().asks(request).await?;
                exchange.refusal()?;
                // No field of it was read, so that the line is found by the port.
                let port = exchange.connection.into_tunnel().local()?.port();
                let named = format!("items|-|{port}|");
                // No other case has this set-up: what is refused with it, if without this line, is such a request.
                let line = line_in_format(lab, &named, "400").await?;
                let expected = format!(
                    "{named}400|-|CONNECT|{logged}|HTTP/1.0|CONNECT {logged} HTTP/1.0"
                );
                if line == expected {
                    return Ok(());
                }
                Err(Finding::violation(expected, line))
            })
    })
}
