//! Whether the connection goes on after a refusal.

use connectspec_harness::prelude::*;

use crate::{
    cases::{httpd::answers::LONG_LINE, words::httpd::httpd},
    documents::HTTPD_CORE,
};

/// What is refused in a way that httpd keeps the connection after.
#[derive(Clone, Copy)]
enum Kept {
    Denied,
    UnknownName,
    NoCredentials,
}

const KEPT: &[(&str, Kept, u16)] = &[
    ("denied", Kept::Denied, 403),
    ("unknown_name", Kept::UnknownName, 502),
    ("no_credentials", Kept::NoCredentials, 407),
];

/// A client of the proxy authenticates on the connection on which it was asked to; httpd lets it.
///
/// Only this conforms for a proxy like httpd. RFC 9931 forbids it, so one that closes lists the row as a deviation.
pub(super) fn keeps_the_connection_after_some_refusals() -> Family {
    each(KEPT, |&(_, kind, status)| {
        let needs = match kind {
            Kept::Denied => Need::PortList,
            Kept::UnknownName => Need::Names,
            Kept::NoCredentials => Need::Credentials,
        };
        let setup = match kind {
            Kept::NoCredentials => credentials(),
            _ => Setup::default(),
        };
        httpd("After 403, 407 and 502 the next request on the connection is served")
            .cites(HTTPD_CORE.section("keepalive"))
            .covers(["REF-KA"])
            .needs([Need::ConfigLines])
            .needs([needs])
            .under(setup)
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = match kind {
                    Kept::Denied => lab.request(&*lab.denied_server(hold()).await?),
                    Kept::UnknownName => {
                        let target = format!("{}:{}", lab.impossible_name(), server.port());
                        lab.client().request(target)
                    }
                    Kept::NoCredentials => lab.anonymous_client().request(server.authority()),
                };
                let mut exchange = lab.anonymous_client().asks(request).await?;
                let reply = exchange.refusal()?.clone();
                reply.expect(&format!("status {status}"), |reply| reply.status == status)?;
                exchange.connection.body(&reply).await;
                let second = exchange.connection.asks(lab.request(&server)).await;
                match second.status() {
                    Some(200) => Ok(()),
                    _ => {
                        let seen = format!("{status}, then {}", second.describe());
                        Err(Finding::violation("a tunnel on the same connection", seen))
                    }
                }
            })
    })
}

/// Requests after which httpd closes, and the status that it gives them.
const CLOSED: &[(&str, Closed, u16)] = &[
    ("malformed", Closed::Malformed, 400),
    ("long_line", Closed::LongLine, 414),
    ("unknown_method", Closed::Method, 501),
    ("unknown_expectation", Closed::Expectation, 417),
    ("closed_port", Closed::Port, 503),
];

#[derive(Clone, Copy)]
enum Closed {
    Malformed,
    LongLine,
    Method,
    Expectation,
    Port,
}

/// After an error that leaves the end of the request in doubt, the rest of the connection must not be read as a request.
///
/// Only this conforms for a proxy like httpd; it may close before it was asked again.
pub(super) fn closes_the_connection_after_others() -> Family {
    each(CLOSED, |&(_, kind, status)| {
        httpd("After 400, 414, 417, 501 and 503 the connection ends")
            .cites(HTTPD_CORE.section("keepalive"))
            .covers(["REF-KA"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let right = lab.request(&server);
                let request = match kind {
                    Closed::Malformed => right.clone().without_host(),
                    Closed::LongLine => right.clone().target("x".repeat(LONG_LINE) + ":1"),
                    Closed::Method => right
                        .clone()
                        .method("BREW")
                        .target("/")
                        .host(server.authority()),
                    Closed::Expectation => right.clone().field("Expect: tea"),
                    Closed::Port => {
                        let port = lab.refusing_port().await?;
                        lab.client().request(format!("{}:{port}", lab.host()))
                    }
                };
                let request = request.followed_by(right.bytes());
                let refused = lab.serves_nothing_behind(&lab.client(), &request).await?;
                let seen = refused.answer.describe();
                if refused.answer.status() != Some(status) {
                    return Err(Finding::violation(format!("status {status}"), seen));
                }
                match refused.ending {
                    Some(_) => Ok(()),
                    None => Err(Finding::violation(
                        "the end of the connection",
                        format!("{seen}, and it keeps the connection"),
                    )),
                }
            })
    })
}
