//! # The order of httpd's checks
//!
//! A request can be wrong in several ways, and the status tells one of them. Which one decides what a stranger learns, and
//! what an administrator finds in the log. Asked only of proxies that are like httpd.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        statuses::{expect_status, has_status},
    },
    documents::{MOD_PROXY, MOD_PROXY_CONNECT},
};

/// Every case about the order of checks.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_order": "The order of httpd's checks", include_str!("order_of_checks.rs");
        checks_come_in_their_order,
        a_denial_comes_before_the_connection,
        names_are_resolved_before_anything_is_denied,
        a_blocked_host_is_told_before_its_port,
    }
}

/// A request with two faults, and the status of the one that is found first.
#[derive(Clone, Copy)]
enum Faults {
    NoHostAndNoCredentials,
    NoCredentialsAndDenied,
    NoForwardsAndNoName,
    BadHostAndDenied,
}

const ORDER: &[(&str, Faults, u16)] = &[
    (
        "host_before_credentials",
        Faults::NoHostAndNoCredentials,
        400,
    ),
    (
        "credentials_before_the_port",
        Faults::NoCredentialsAndDenied,
        407,
    ),
    (
        "max_forwards_before_the_name",
        Faults::NoForwardsAndNoName,
        400,
    ),
    ("form_before_the_port", Faults::BadHostAndDenied, 400),
];

/// The order decides what a stranger learns: a proxy that looks at the port first tells its list to those without a
/// password.
///
/// Only this conforms for a proxy like httpd.
fn checks_come_in_their_order() -> Family {
    each(ORDER, |&(_, faults, status)| {
        httpd("Of two reasons to refuse, the first one in httpd's order is told")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-ORD-1"])
            .needs([Need::ConfigLines])
            .needs([Need::PortList, Need::Names])
            .under(credentials())
            .run(async move |lab| {
                let (stranger, client) = (lab.client_of_its_own(), lab.client());
                let denied = lab.denied_server(hold()).await?.authority();
                let server = lab.server(echo()).await?;
                let (client, request) = match faults {
                    Faults::NoHostAndNoCredentials => {
                        let request = stranger.request(server.authority());
                        (stranger, request.without_host())
                    }
                    Faults::NoCredentialsAndDenied => {
                        let request = stranger.request(denied);
                        (stranger, request)
                    }
                    Faults::NoForwardsAndNoName => {
                        let target = format!("{}:{}", lab.impossible_name(), server.port());
                        let request = client.request(target);
                        (client, request.field("Max-Forwards: 0"))
                    }
                    Faults::BadHostAndDenied => {
                        let request = client.request(format!("a..b:{}", server.port()));
                        (client, request)
                    }
                };
                let answer = lab.refuses_from(&client, &request).await?;
                expect_status(&answer, status)
            })
    })
}

/// Whether a denied port is open is none of the client's business.
///
/// Only this conforms for a proxy like httpd.
fn a_denial_comes_before_the_connection() -> Case {
    httpd("A port that is denied and closed is denied")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["REF-ORD-1", "RNG-MRG-7"])
        .needs([Need::ConfigLines])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            let closed = lab.port('b')?;
            lab.still_refuses(closed).await?;
            let request = lab.client().request(format!("{}:{closed}", lab.host()));
            has_status(lab, &request, 403).await
        })
}

/// What else is wrong with a name that does not exist.
const NAMELESS: &[(&str, &str)] = &[("denied", ""), ("blocked", "ProxyBlock *")];

/// So every question of a client reaches the name server, also about what it may not have.
///
/// Only this conforms for a proxy like httpd. That is a reason to do it otherwise, and to list the rows as deviations.
fn names_are_resolved_before_anything_is_denied() -> Family {
    each(NAMELESS, |&(_, line)| {
        httpd("A name that does not resolve is 502, whether its port is denied or its host is blocked")
            .cites(MOD_PROXY.section("proxyblock"))
            .covers(["REF-ORD-1", "RNG-MRG-7"])
            .needs([Need::Names, Need::ConfigLines])
            .under(allow_connect("{a}").with_lines(HTTPD, line))
            .run(async move |lab| {
                let letter = if line.is_empty() { 'b' } else { 'a' };
                let name = lab.impossible_name();
                let target = format!("{name}:{}", lab.port(letter)?);
                has_status(lab, &lab.client().request(target), 502).await
            })
    })
}

/// Both are 403 to the client; whoever keeps the lists finds in the error log which of them it was.
///
/// Only this conforms for a proxy like httpd; it may say it in other words around the word `blocked`.
fn a_blocked_host_is_told_before_its_port() -> Case {
    httpd("Of a host that is blocked, at a port that is denied, the error log tells the block")
        .cites(MOD_PROXY.section("proxyblock"))
        .covers(["RNG-MRG-7", "REF-ORD-1"])
        .needs([Need::ConfigLines])
        .under(allow_connect("{a}").with_lines(
            HTTPD,
            "LogLevel info\nErrorLog \"{error_log}\"\nProxyBlock 127.0.0.1",
        ))
        .run(async |lab| {
            let server = lab.server_at(lab.port('b')?, echo()).await?;
            has_status(lab, &lab.request(&server), 403).await?;
            server.stays_unvisited().await?;
            lab.error_line("connect to remote machine 127.0.0.1 blocked")
                .await
                .map(drop)
        })
}
