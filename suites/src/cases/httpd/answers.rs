//! # Answers as httpd gives them
//!
//! Scripts and load balancers that were written beside httpd look at its status lines and at the reasons in its pages.
//! Asked only of proxies that are like httpd: most of it is no more than a habit, and some of it no specification likes.

use connectspec_harness::prelude::*;

mod afterwards;

use crate::{
    cases::httpd::answers::afterwards::{
        closes_the_connection_after_others, keeps_the_connection_after_some_refusals,
    },
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        statuses::expect_status,
    },
    documents::{HTTPD_CORE, MOD_AUTHZ_CORE, MOD_PROXY, MOD_PROXY_CONNECT, RFC_9112},
};

/// Every case about the words of httpd's answers.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_answers": "Answers as httpd gives them", concat!(include_str!("answers.rs"), include_str!("answers/afterwards.rs"));
        grants_in_two_lines,
        denies_with_a_page_that_says_so,
        names_the_host_that_does_not_resolve,
        answers_a_failed_connection_with_503,
        refuses_with_its_own_phrases,
        requires_no_user_whom_it_cannot_know,
        refuses_every_connect_while_it_is_no_proxy,
        keeps_the_connection_after_some_refusals,
        closes_the_connection_after_others,
        listens_on_behind_the_end,
    }
}

/// Versions of a request that are both answered in HTTP/1.0.
const VERSIONS: &[(&str, &str)] = &[("http_1_1", "HTTP/1.1"), ("http_1_0", "HTTP/1.0")];

/// Clients that compare octets exist.
///
/// Only this conforms for a proxy like httpd; RFC 9110 asks for the version of the proxy, so one that keeps to that
/// lists the row as a deviation.
fn grants_in_two_lines() -> Family {
    each(VERSIONS, |&(_, version)| {
        httpd("A tunnel is granted with an HTTP/1.0 status line and Proxy-agent, and nothing else")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-200"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.request(&server).version(version);
                let exchange = lab.client().asks(request).await?;
                let reply = exchange.success()?;
                let expected = "HTTP/1.0 200 Connection Established ⏎ Proxy-agent: (a name) ⏎ ⏎";
                let head = String::from_utf8_lossy(&reply.head);
                let agent = head
                    .strip_prefix("HTTP/1.0 200 Connection Established\r\nProxy-agent: ")
                    .and_then(|rest| rest.strip_suffix("\r\n\r\n"));
                match agent {
                    Some(agent) if !agent.is_empty() && !agent.contains("\r\n") => Ok(()),
                    _ => Err(Finding::violation(expected, head.replace("\r\n", " ⏎ "))),
                }
            })
    })
}

/// Users send this page to those who keep the list, and its words are what they search for.
///
/// Only this conforms for a proxy like httpd; what else the page says is free.
fn denies_with_a_page_that_says_so() -> Case {
    httpd("A denied port is answered with a 403 Proxy Error whose page says that it is blocked")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["REF-403"])
        .needs([Need::ConfigLines])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let request = lab.request(&denied);
            let page = page(lab, &request, "HTTP/1.1 403 Proxy Error").await?;
            has(
                &page,
                "Reason: <strong>Connect to remote machine blocked</strong>",
            )?;
            denied.stays_unvisited().await
        })
}

/// A typing error in a name looks like an outage where the page does not repeat it.
///
/// Only this conforms for a proxy like httpd; what else the page says is free.
fn names_the_host_that_does_not_resolve() -> Case {
    httpd("A name that does not resolve is answered with a 502 Proxy Error whose page names it")
        .cites(MOD_PROXY.section(""))
        .covers(["REF-502"])
        .needs([Need::ConfigLines])
        .needs([Need::Names])
        .run(async |lab| {
            let name = lab.impossible_name();
            let server = lab.server(echo()).await?;
            let request = lab.client().request(format!("{name}:{}", server.port()));
            let page = page(lab, &request, "HTTP/1.1 502 Proxy Error").await?;
            has(&page, &format!("DNS lookup failure for: {name}"))
        })
}

/// Monitoring that tells policy from outage by the status has to know which one stands for which.
///
/// Only this conforms for a proxy like httpd; RFC 9209 recommends 502 for a refused connection, so one that keeps to
/// that lists this as a deviation.
fn answers_a_failed_connection_with_503() -> Case {
    httpd("A refused connection is answered with 503, the end of the connection, and no reason")
        .cites(MOD_PROXY_CONNECT.section(""))
        .covers(["REF-503"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let target = format!("{}:{}", lab.host(), lab.refusing_port().await?);
            let request = lab.client().request(&target);
            let mut exchange = lab.client().asks(request).await?;
            let reply = exchange.refusal()?.clone();
            reply.expect("503 Service Unavailable with Connection: close", |reply| {
                reply.status_line() == "HTTP/1.1 503 Service Unavailable"
                    && reply.lists("Connection", "close")
            })?;
            let page = exchange.connection.body(&reply).await.content;
            let page = String::from_utf8_lossy(&page);
            if page.contains("Reason:") || page.contains(&target) {
                return Err(Finding::violation("a page without a reason", page));
            }
            Ok(())
        })
}

/// Refusals, and how their status lines go on after the version.
const PHRASES: &[(&str, Refused, &str)] = &[
    ("malformed", Refused::Malformed, "400 Bad Request"),
    (
        "other_method",
        Refused::Method("PUT"),
        "405 Method Not Allowed",
    ),
    (
        "no_credentials",
        Refused::NoCredentials,
        "407 Proxy Authentication Required",
    ),
    ("long_line", Refused::LongLine, "414 Request-URI Too Long"),
    (
        "expectation",
        Refused::Expectation,
        "417 Expectation Failed",
    ),
    (
        "unknown_method",
        Refused::Method("BREW"),
        "501 Not Implemented",
    ),
];

#[derive(Clone, Copy)]
enum Refused {
    Malformed,
    Method(&'static str),
    NoCredentials,
    LongLine,
    Expectation,
}

/// The phrase is what people see of a refused CONNECT in their programs' messages, and what they search for.
///
/// Only this conforms for a proxy like httpd. To others, the phrase is free.
fn refuses_with_its_own_phrases() -> Family {
    each(PHRASES, |&(_, kind, phrase)| {
        let setup = match kind {
            Refused::NoCredentials => credentials(),
            _ => Setup::default(),
        };
        httpd("The status line of a refusal has the phrase of httpd's table")
            .cites(HTTPD_CORE.section(""))
            .covers(["REF-STL"])
            .needs([Need::ConfigLines])
            .under(setup)
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.anonymous_client().request(server.authority());
                let request = match kind {
                    Refused::Malformed => request.without_host(),
                    Refused::Method(method) => {
                        request.method(method).target("/").host(server.authority())
                    }
                    Refused::LongLine => request.target("x".repeat(LONG_LINE) + ":1"),
                    Refused::Expectation => request.field("Expect: tea"),
                    Refused::NoCredentials => request,
                };
                let exchange = lab.anonymous_client().asks(request).await?;
                has_phrase(&exchange, phrase)
            })
    })
}

fn has_phrase(exchange: &Exchange, phrase: &str) -> Outcome {
    let expected = format!("HTTP/1.1 {phrase}");
    exchange
        .reply()?
        .expect(&expected, |reply| reply.status_line() == expected)
}

/// Where a user is required and none can be known, it is the configuration that is at fault, and no password
/// helps.
///
/// Only this conforms for a proxy like httpd.
fn requires_no_user_whom_it_cannot_know() -> Case {
    httpd("Require valid-user beside AuthType None is answered with 500 Internal Server Error")
        .cites(MOD_AUTHZ_CORE.section("require"))
        .covers(["REF-STL"])
        .needs([Need::ConfigCheck, Need::ConfigLines])
        .under(credentials())
        .run(async |lab| {
            let nobody = "<Proxy \"*\">\nAuthType None\n</Proxy>";
            let setup = credentials().with_lines(HTTPD, nobody);
            let lab = lab.reconfigured(&setup).await?;
            let server = lab.server(echo()).await?;
            let exchange = lab.client().asks(lab.request(&server)).await?;
            has_phrase(&exchange, "500 Internal Server Error")
        })
}

/// Whoever switches the proxy off expects it to be off, whatever the lists say.
///
/// Only this conforms for a proxy like httpd; which methods Allow names is free.
fn refuses_every_connect_while_it_is_no_proxy() -> Case {
    httpd("While ProxyRequests is off, an allowed CONNECT is answered with 405 and Allow")
        .cites(MOD_PROXY.section("proxyrequests"))
        .covers(["POL-019", "REF-405"])
        .needs([Need::ConfigCheck, Need::ConfigLines])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            let off = allow_connect("{a}").with_lines(HTTPD, "ProxyRequests Off");
            let lab = lab.reconfigured(&off).await?;
            let server = lab.server_at(lab.port('a')?, echo()).await?;
            lab.refuses(&lab.request(&server)).await?;
            let exchange = lab.client().asks(lab.request(&server)).await?;
            exchange
                .refusal()?
                .expect("status 405 with Allow", |reply| {
                    reply.status == 405 && reply.has("Allow")
                })
        })
}

/// More than the 8190 octets that httpd takes as a line.
const LONG_LINE: usize = 9000;

/// The page of an answer with this status line, of the type that httpd's pages have.
async fn page(lab: &Lab, request: &Request, status_line: &str) -> Outcome<String> {
    let mut exchange = lab.client().asks(request).await?;
    let reply = exchange.refusal()?.clone();
    reply.expect(status_line, |reply| reply.status_line() == status_line)?;
    let html = "text/html; charset=iso-8859-1";
    reply.expect(&format!("Content-Type: {html}"), |reply| {
        reply.values("Content-Type").eq([html.as_bytes()])
    })?;
    reply.expect("a Content-Length", |reply| reply.has("Content-Length"))?;
    let body = exchange.connection.body(&reply).await;
    Ok(String::from_utf8_lossy(&body.content).into_owned())
}

/// A close over bytes that nobody has read is a reset, and a reset may take the answer along before the client has read it.
/// So httpd ends its own direction, and reads on for a while.
///
/// Only this conforms for a proxy like httpd, which waits through two seconds of silence.
fn listens_on_behind_the_end() -> Case {
    httpd("Behind an answer that ends the connection, what the client still sends brings about no reset")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .cites(RFC_9112.section("9.6"))
        .covers(["REF-LNG-2"])
        .needs([Need::ConfigLines])
        .waits()
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let exchange = lab
                .client()
                .asks(lab.request(&server).without_host())
                .await?;
            expect_status(&exchange.answer, 400)?;
            let mut near = exchange.connection.into_tunnel();
            for number in 0..PIECES {
                pass(lab.patience().stall() / 4).await;
                near.sends(stream(number, MORE)).await?;
            }
            near.finishes().await?;
            near.receives_to_the_end(PAGE).await.map(drop)
        })
}

/// What a client sends after its refusal, and in how many pieces: past what a head may be, over a second.
const MORE: u64 = 64 * 1024;
const PIECES: u64 = 4;
/// More than the page of any refusal.
const PAGE: usize = 256 * 1024;

fn has(page: &str, words: &str) -> Outcome {
    if page.contains(words) {
        return Ok(());
    }
    Err(Finding::violation(format!("a page with `{words}`"), page))
}
