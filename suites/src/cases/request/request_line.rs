//! # The request-line
//!
//! A method, a target, a version: the line that says that this is a CONNECT, and that it is HTTP at all.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_2817, RFC_9110, RFC_9112, RFC_9113, RFC_9931};

/// Every case about the method and the version.
pub(crate) fn suite() -> Suite {
    suite! {
        "request_line": "The request-line", include_str!("request_line.rs");
        another_case_is_another_method,
        another_method_opens_no_tunnel,
        an_overlong_method_is_answered,
        a_word_before_the_target_opens_no_tunnel,
        refuses_a_line_without_a_version,
        refuses_a_malformed_version,
        a_later_minor_version_is_understood,
        a_later_major_version,
        a_refused_major_version_is_named,
        an_http_1_0_client_needs_no_host,
        refuses_what_is_not_http,
        the_preface_of_http_2,
    }
}

/// Whatever checks methods by name in front of the proxy does not see CONNECT in `connect`.
///
/// Also accepted: any answer, and any request that is forwarded as HTTP; only no tunnel.
fn another_case_is_another_method() -> Family {
    each(OTHER_CASES, |&(_, method)| {
        must("The method is CONNECT in capitals")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.1"))
            .cites(RFC_9112.section("3.1"))
            .covers(["H1-RL-001"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.opens_no_tunnel(&lab.request(&server).method(method))
                    .await?;
                Ok(())
            })
    })
}

const OTHER_CASES: &[(&str, &str)] = &[("lower", "connect"), ("capitalised", "Connect")];

/// A checker that takes the second word for the target, and a proxy that takes the last one before the version, do not speak of
/// the same server.
///
/// Also accepted: any refusal, and a close without an answer.
fn a_word_before_the_target_opens_no_tunnel() -> Case {
    must("A request-line with a word before its target opens no tunnel")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3"))
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-RL-019"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let line = format!("CONNECT x {} HTTP/1.1", server.authority());
            lab.opens_no_tunnel(&lab.request(&server).line(line))
                .await?;
            Ok(())
        })
}

/// A proxy that looks at the target and not at the method turns every GET that is logged into a tunnel that is not.
///
/// Also accepted: any answer, and any request that is forwarded as HTTP; only no tunnel.
fn another_method_opens_no_tunnel() -> Family {
    each(OTHER_METHODS, |&(_, method)| {
        must("Only CONNECT opens a tunnel, whatever form the target has")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9110.section("7.1"))
            .covers(["H1-RL-016"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.opens_no_tunnel(&lab.request(&server).method(method))
                    .await?;
                Ok(())
            })
    })
}

const OTHER_METHODS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("post", "POST"),
    ("options", "OPTIONS"),
    ("unknown", "CONNECTED"),
];

/// A client that hears nothing waits, and so does the operator who asks it why.
///
/// Also accepted: any status that is not 2xx. From a reset nothing follows: it may have destroyed the answer.
fn an_overlong_method_is_answered() -> Case {
    should("A method that is longer than any known one is answered with a status")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3"))
        .covers(["H1-RL-015"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).method("A".repeat(10_000));

            let answer = lab.client().asks(request).await?.answer;
            match answer.status() {
                Some(200..300) => {}
                Some(_) => {
                    lab.note(answer.describe());
                    return Ok(());
                }
                None if answer.is_drop() => return Err(Finding::inconclusive(answer.describe())),
                None => {}
            }
            Err(Finding::violation(
                "a final status that is not 2xx",
                answer.describe(),
            ))
        })
}

/// Without a version there are no fields and no status: nothing that a client could tell a tunnel from.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_line_without_a_version() -> Case {
    should("A request-line without a version is refused")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3"))
        .cites(RFC_9112.section("2.2"))
        .covers(["H1-RL-008"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let line = format!("CONNECT {}", server.authority());

            lab.refuses(&lab.request(&server).line(line)).await?;
            Ok(())
        })
}

/// A version that one reader takes for 1.1 and another for something else lets them disagree about all that follows.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_malformed_version() -> Family {
    each(MALFORMED_VERSIONS, |&(_, version)| {
        should("A version is HTTP, a slash, a digit, a point and a digit")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.3"))
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-RL-009"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses(&lab.request(&server).version(version)).await?;
                Ok(())
            })
    })
}

const MALFORMED_VERSIONS: &[(&str, &str)] = &[
    ("two_digit_minor", "HTTP/1.10"),
    ("two_digit_major", "HTTP/11.1"),
    ("no_minor", "HTTP/1"),
    ("lower_case", "http/1.1"),
    ("space_inside", "HTTP/ 1.1"),
    ("other_name", "XTTP/1.1"),
    ("comma", "HTTP/1,1"),
];

/// A client of the next minor version has to work with the proxies of today.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn a_later_minor_version_is_understood() -> Case {
    should("HTTP/1.2 is read as HTTP/1.1")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("6.2"))
        .covers(["H1-RL-010"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.carries(&lab.request(&server).version("HTTP/1.2"), &server)
                .await
        })
}

/// Versions that are never written like this: does the proxy notice?
///
/// Also accepted: anything; that a refusal is in order does not make it a duty.
fn a_later_major_version() -> Family {
    each(LATER_MAJORS, |&(_, version)| {
        survey(format!("What a CONNECT in {version} gets"))
            .over(HTTP_1_1)
            .cites(RFC_9110.section("15.6.6"))
            .cites(RFC_9112.section("2.3"))
            .covers(["H1-RL-011"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.leads_nowhere_else(&lab.request(&server).version(version), &server)
                    .await?;
                Ok(())
            })
    })
}

const LATER_MAJORS: &[(&str, &str)] = &[("http_2_0", "HTTP/2.0"), ("http_3_0", "HTTP/3.0")];

/// 505 comes in a version that the client may try next; after 400 it has no reason to try anything.
///
/// Also accepted: to serve the request, which nothing forbids, and to close without an answer.
fn a_refused_major_version_is_named() -> Family {
    each(LATER_MAJORS, |&(_, version)| {
        practice("A later major version that is refused is refused with 505")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("15.6.6"))
            .cites(RFC_9110.section("6.2"))
            .covers(["H1-RL-011"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses_with(505, &lab.request(&server).version(version))
                    .await
            })
    })
}

/// Old clients are the ones that nobody can change any more, and many of them tunnel with HTTP/1.0.
///
/// Also accepted: to refuse them all.
fn an_http_1_0_client_needs_no_host() -> Case {
    may("An HTTP/1.0 CONNECT without a Host field may be served")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2"))
        .cites(RFC_2817.section("5.2"))
        .covers(["H1-RL-012"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).version("HTTP/1.0").without_host();

            lab.tolerates(&request, &server).await?;
            Ok(())
        })
}

/// A client that mistakes the proxy for its server, or whose first bytes come out of order, must not be read as a
/// request by a parser that skips what it does not know.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Nothing follows from an answer in the
/// language of the sample: then the port is not for HTTP only.
fn refuses_what_is_not_http() -> Family {
    each(NOT_HTTP, |&(_, sample)| {
        should("Bytes that are not HTTP lead to no server")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.2"))
            .cites(RFC_9931.section("6.1"))
            .covers(["H1-RL-013"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let behind = lab.request(&server).bytes();
                let sample = [sample, b"\r\n\r\n", &*behind].concat();
                let answer = lab.client().asks(&*sample).await?.answer;
                if let Answer::Garbage { .. } = answer {
                    return Err(Finding::inconclusive(answer.describe()));
                }

                lab.refuses(&Request::verbatim(sample)).await?;
                Ok(())
            })
    })
}

/// Each is followed by an empty line, so that a parser of lines can finish, and by a right request, which nobody may
/// come to read.
const NOT_HTTP: &[(&str, &[u8])] = &[
    (
        "tls",
        b"\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF\x00\x00\x02\x13\x01\x01\x00",
    ),
    ("ssh", b"SSH-2.0-OpenSSH_9.6"),
    ("zeros", &[0; 64]),
    ("socks_5", b"\x05\x01\x00"),
    ("proxy_protocol_1", b"PROXY TCP4 192.0.2.1 192.0.2.2 4000 443"),
    (
        "proxy_protocol_2",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x0f\xa0\x01\xbb",
    ),
];

/// Clients that know from elsewhere that a server speaks HTTP/2 begin with this line.
///
/// Also accepted: anything.
fn the_preface_of_http_2() -> Case {
    survey("What the preface of HTTP/2 gets")
        .over(HTTP_1_1)
        .cites(RFC_9113.section("3.4"))
        .covers(["H1-RL-014"])
        .run(async |lab| {
            let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
            let answer = lab.client().asks(preface.as_slice()).await?.answer;
            lab.note(match &answer {
                Answer::Garbage { bytes, .. } if bytes.get(3) == Some(&4) => "HTTP/2".to_owned(),
                other => other.describe(),
            });
            Ok(())
        })
}
