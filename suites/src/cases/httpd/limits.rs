//! # Limits as httpd has them
//!
//! How much head httpd takes: clients that send more get their refusal there, and have to get it from whatever replaces
//! it. Asked only of proxies that are like httpd.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::httpd,
        statuses::{has_status, leads_to},
    },
    documents::HTTPD_CORE,
};

/// Every case about the limits of httpd.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_limits": "Limits as httpd has them", include_str!("limits.rs");
        skips_ten_empty_lines,
        refuses_the_eleventh_empty_line,
        takes_a_hundred_fields,
        refuses_one_field_more,
        takes_lines_of_8190_bytes,
        refuses_longer_lines,
    }
}

/// Empty lines before the request-line that httpd skips.
const EMPTY_LINES: usize = 10;

/// Field lines that httpd takes, Host included, where LimitRequestFields does not say otherwise.
const FIELDS: usize = 100;

/// Bytes of a line that httpd takes, where LimitRequestLine and LimitRequestFieldSize do not say otherwise.
const LINE: usize = 8190;

/// A client that ends each of its requests with an empty line too many is not known to anybody as long as it is served.
///
/// Only this conforms for a proxy like httpd.
fn skips_ten_empty_lines() -> Case {
    httpd("Ten empty lines before the request-line are skipped")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .covers(["REF-LIM"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = preceded_by(EMPTY_LINES, lab.request(&server));
            leads_to(lab, &request, &server).await
        })
}

/// Without an end of its patience, one client keeps it busy.
///
/// Only this conforms for a proxy like httpd.
fn refuses_the_eleventh_empty_line() -> Case {
    httpd("Eleven empty lines before the request-line are answered with 400")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .covers(["REF-LIM"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = preceded_by(EMPTY_LINES + 1, lab.request(&server));
            has_status(lab, &request, 400).await?;
            server.stays_unvisited().await
        })
}

fn preceded_by(lines: usize, request: Request) -> Request {
    request.preceded_by("\r\n".repeat(lines))
}

/// Gateways add a field at each hop, and browsers one a year.
///
/// Only this conforms for a proxy like httpd.
fn takes_a_hundred_fields() -> Case {
    httpd("A request of a hundred fields is served")
        .cites(HTTPD_CORE.section("limitrequestfields"))
        .covers(["REF-LIM"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            leads_to(lab, &with_fields(FIELDS, lab.request(&server)), &server).await
        })
}

/// Whoever sends more is told, before it costs more memory.
///
/// Also accepted: 431, which RFC 6585 has for it; httpd says 400.
fn refuses_one_field_more() -> Case {
    httpd("A request of a hundred and one fields is answered with 400 or 431")
        .cites(HTTPD_CORE.section("limitrequestfields"))
        .covers(["REF-LIM"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = with_fields(FIELDS + 1, lab.request(&server));
            let answer = lab.client().asks(request).await?.answer;
            match answer.status() {
                Some(400 | 431) => server.stays_unvisited().await,
                _ => Err(Finding::violation("status 400 or 431", answer.describe())),
            }
        })
}

/// How a line of a request is made so many bytes long.
type Long = fn(&Server, Request, usize) -> Request;

const LONG: &[(&str, &str, Long)] = &[
    (
        "request_line",
        "limitrequestline",
        |server, request, length| {
            let line = |zeros: usize| {
                let (host, zeros, port) = (server.host(), "0".repeat(zeros), server.port());
                format!("CONNECT {host}:{zeros}{port} HTTP/1.1")
            };
            request.line(line(length - line(0).len()))
        },
    ),
    ("field", "limitrequestfieldsize", |_, request, length| {
        request.field(format!("X: {}", "y".repeat(length - 3)))
    }),
];

/// Whoever has fitted cookies and tickets to what httpd takes has fitted them to the byte.
///
/// Only this conforms for a proxy like httpd.
fn takes_lines_of_8190_bytes() -> Family {
    each(LONG, |&(_, section, long)| {
        httpd("A line of 8190 bytes is read")
            .cites(HTTPD_CORE.section(section))
            .covers(["REF-LIM"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                leads_to(lab, &long(&server, lab.request(&server), LINE), &server).await
            })
    })
}

/// A limit that is none is a way to fill the memory of the machine.
///
/// Also accepted: 414 and 431, which say which line it was; httpd says 400 for a field.
fn refuses_longer_lines() -> Family {
    each(LONG, |&(_, section, long)| {
        httpd("A line of 8200 bytes is refused as too long")
            .cites(HTTPD_CORE.section(section))
            .covers(["REF-LIM"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = long(&server, lab.request(&server), LINE + 10);
                let answer = lab.client().asks(request).await?.answer;
                match answer.status() {
                    Some(400 | 414 | 431) => server.stays_unvisited().await,
                    _ => Err(Finding::violation(
                        "status 400, 414 or 431",
                        answer.describe(),
                    )),
                }
            })
    })
}

/// `request`, which has a Host field alone, with more of them up to `count`.
fn with_fields(count: usize, request: Request) -> Request {
    (1..count).fold(request, |request, number| {
        request.field(format!("X-{number}: y"))
    })
}
