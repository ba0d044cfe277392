//! # The request-target
//!
//! A host, a colon and a port: the one form that CONNECT has. Whatever else stands there is refused, and what stands
//! there decides alone where the tunnel leads.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_3986, RFC_9110, RFC_9112};

/// Every case about the form of the target.
pub(crate) fn suite() -> Suite {
    suite! {
        "target": "The request-target", include_str!("target.rs");
        an_ordinary_request_opens_a_tunnel,
        a_name_is_resolved,
        a_name_is_read_without_case,
        an_ipv6_address_in_brackets_is_understood,
        the_target_beats_the_host_field,
        refuses_a_target_without_a_port,
        refuses_an_empty_host,
        refuses_another_form,
        an_absolute_form,
        a_long_request_line_is_read,
        an_overlong_request_line_is_answered,
    }
}

/// This is what a CONNECT proxy is for; every client behind it depends on it.
///
/// Only this conforms: a 2xx promises a tunnel. A proxy that refuses here has a policy or a fault that keeps it from
/// being judged at all.
fn an_ordinary_request_opens_a_tunnel() -> Case {
    must("A 2xx to CONNECT is a tunnel that carries bytes both ways")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-TGT-001"])
        .covers_over(Protocol::Http1Tls, ["TLSP-001"])
        .covers_over(Protocol::H2c, ["H2-TGT-001"])
        .covers_over(Protocol::H2, ["H2-TGT-001"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut tunnel = lab.client().connect(&server).await?;

            tunnel.echoes(lab.nonce()).await
        })
}

/// People name servers; a proxy that takes addresses only is of little use to them.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing. The name is `localhost`, which every
/// machine knows without a name server.
fn a_name_is_resolved() -> Case {
    should("A target that is named is resolved and reached")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("7.1"))
        .covers(["H1-TGT-002"])
        .needs([Need::Names, Need::Launched])
        .run(async |lab| {
            lab.knows_localhost().await?;
            let server = lab.dual_server(echo()).await?;

            lab.carries(&named(lab, "localhost", &server), &server)
                .await
        })
}

/// Names are compared without case everywhere else, so somebody will have typed one in capitals.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn a_name_is_read_without_case() -> Case {
    should("The case of a name does not matter")
        .over(EVERY)
        .cites(RFC_9110.section("4.2.3"))
        .covers(["H1-TGT-004"])
        .needs([Need::Names, Need::Launched])
        .run(async |lab| {
            lab.knows_localhost().await?;
            let server = lab.dual_server(echo()).await?;
            lab.carries(&named(lab, "localhost", &server), &server)
                .await
                .map_err(|finding| Finding::inconclusive(finding.to_string()))?;

            lab.carries(&named(lab, "LocalHOST", &server), &server)
                .await
        })
}

/// A proxy that stumbles over the brackets cuts off every server that has an IPv6 address only.
///
/// Also accepted: 403 where a policy keeps clients from this address, and 5xx or a close where there is no way to it;
/// from these nothing follows.
fn an_ipv6_address_in_brackets_is_understood() -> Case {
    must("An IPv6 address in brackets is a host")
        .over(EVERY)
        .cites(RFC_9112.section("3.2.3"))
        .cites(RFC_3986.section("3.2.2"))
        .covers(["H1-TGT-003"])
        .needs([Need::Ipv6])
        .run(async |lab| {
            let server = lab.dual_server(echo()).await?;
            let request = named(lab, "[::1]", &server);

            match lab.client().asks(&request).await?.answer {
                answer if answer.is_drop() || answer.status().is_some_and(|it| it >= 500) => {
                    Err(Finding::inconclusive(format!(
                        "{}: there may be no way to ::1",
                        answer.describe()
                    )))
                }
                _ => lab.carries(&request, &server).await,
            }
        })
}

/// A proxy that goes where the Host field says, while a filter in front of it reads the target, has no filter.
///
/// Also accepted: a refusal, since no right client sends two different names.
fn the_target_beats_the_host_field() -> Case {
    must("The tunnel leads where the request-target says, whatever the Host field says")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.3"))
        .covers(["H1-TGT-026"])
        .run(async |lab| {
            let (named, hosted) = (lab.server(echo()).await?, lab.server(echo()).await?);
            let request = lab.request(&named).host(hosted.authority());

            lab.tolerates(&request, &named).await?;
            Ok(())
        })
}

/// CONNECT has no default port: one that is made up, 80 or 443, is one that nobody asked for and no filter has seen.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_target_without_a_port() -> Family {
    each(WITHOUT_A_PORT, |&(_, row, target)| {
        must("A target without a port is rejected")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .covers_over(Protocol::H2c, ["H2-TGT-007"])
            .covers_over(Protocol::H2, ["H2-TGT-007"])
            .seen_in(
                "hyper #3859",
                "https://github.com/hyperium/hyper/issues/3859",
            )
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;

                lab.refuses_target(target(&server), &server).await
            })
    })
}

/// How a target is written.
type Spelling = fn(&Server) -> String;

const WITHOUT_A_PORT: &[(&str, &str, Spelling)] = &[
    ("no_port", "H1-TGT-005", |server| server.host().to_owned()),
    ("empty_port", "H1-TGT-006", |server| {
        format!("{}:", server.host())
    }),
];

/// The ports that are made up where none is given.
const WELL_KNOWN: [u16; 2] = [80, 443];

/// To many socket libraries an empty host means this machine: the proxy's own services, behind its back.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. The grammar of URIs has empty names, which
/// is why this is a recommendation only.
fn refuses_an_empty_host() -> Case {
    should("A target without a host is rejected")
        .over(EVERY)
        .cites(RFC_9110.section("4.2.1"))
        .cites(RFC_9112.section("3.3"))
        .covers(["H1-TGT-007"])
        .run(async |lab| {
            let server = lab.dual_server(echo()).await?;

            lab.refuses_target(format!(":{}", server.port()), &server)
                .await
        })
}

/// A proxy that falls back to the Host field here opens a tunnel to a server that the request-line does not show.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_another_form() -> Family {
    each(OTHER_FORMS, |&(_, row, section, target)| {
        should("CONNECT takes no other form of target than host and port")
            .over(EVERY)
            .cites(RFC_9112.section(section))
            .cites(RFC_9112.section("3.2.3"))
            .covers([row])
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;

                lab.refuses_target(target, &server).await
            })
    })
}

const OTHER_FORMS: &[(&str, &str, &str, &str)] = &[
    ("origin", "H1-TGT-009", "3.2.1", "/x"),
    ("asterisk", "H1-TGT-010", "3.2.4", "*"),
];

/// Some clients send a whole URI. Where it leads is a case of its own; this one says whether it is taken at all.
///
/// Also accepted: anything. One section has every server take a URI, another lets CONNECT have none.
fn an_absolute_form() -> Case {
    survey("Whether CONNECT takes a URI as its target")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2.2"))
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-TGT-008"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let target = format!("http://{}/", server.authority());
            let request = lab.request(&server).target(target);

            lab.leads_nowhere_else(&request.host(server.authority()), &server)
                .await?;
            Ok(())
        })
}

/// Long names and long credentials in URIs are real; a buffer of 4 kB is too small for them.
///
/// Also accepted: any final status but 414 and 431; such a host resolves nowhere, and such a port may be refused. From a close
/// nothing follows where a short line of that kind gets the same.
fn a_long_request_line_is_read() -> Family {
    each(LONG_TARGETS, |&(_, target)| {
        should("A request-line of 7990 bytes is read to its end")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3"))
            .covers(["H1-TGT-028"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let (client, request) = (lab.client(), lab.request(&server));
                let asked = async |length| {
                    let line = line_of(length, target, &server);
                    let exchange = client.asks(request.clone().line(line)).await?;
                    Ok(exchange.answer)
                };

                let answer = asked(7_990).await?;
                match answer.status() {
                    None if answer == Answer::Silence => Err(Finding::inconclusive(
                        "silence: it may still ask for the name",
                    )),
                    None if asked(SHORT_LINE).await?.status().is_none() => Err(
                        Finding::inconclusive("a short line of that kind gets no status either"),
                    ),
                    Some(414 | 431) | None => Err(Finding::violation(
                        "a final status that is not 414 or 431",
                        answer.describe(),
                    )),
                    Some(_) => {
                        lab.note(answer.describe());
                        Ok(())
                    }
                }
            })
    })
}

/// The length of a line that every proxy reads, and whose target is nobody's name all the same: it is longer than names may be.
const SHORT_LINE: usize = 300;

/// How a target is made long.
type Padding = fn(&Server, usize) -> String;

const LONG_TARGETS: &[(&str, Padding)] = &[
    ("leading_zeros", |server, padding| {
        format!("{}:{}{}", server.host(), "0".repeat(padding), server.port())
    }),
    ("long_name", |server, padding| {
        format!("{}{}", "a".repeat(padding), server.authority())
    }),
];

/// A client that hears nothing tries again, with the same line.
///
/// Also accepted: any final status, and a tunnel, since such a line is legal. From a reset nothing follows: it may have
/// destroyed the answer.
fn an_overlong_request_line_is_answered() -> Family {
    each(OVERLONG, |&(_, length)| {
        should("A request-line that is too long is answered with a status")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3"))
            .cites(RFC_9112.section("9.6"))
            .covers(["H1-TGT-028"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let line = line_of(length, LONG_TARGETS[0].1, &server);

                let answer = lab
                    .tolerates(&lab.request(&server).line(line), &server)
                    .await?;
                if answer.is_drop() {
                    return Err(Finding::inconclusive(answer.describe()));
                }
                Ok(())
            })
    })
}

const OVERLONG: &[(&str, usize)] = &[("9000_bytes", 9_000), ("70000_bytes", 70_000)];

/// A request-line of exactly so many bytes.
fn line_of(length: usize, target: Padding, server: &Server) -> String {
    let line = |padding| format!("CONNECT {} HTTP/1.1", target(server, padding));
    line(length.saturating_sub(line(0).len()))
}

/// A request for the port of `server` at another name for its host.
fn named(lab: &Lab, name: &str, server: &Server) -> Request {
    lab.request(server)
        .target(format!("{name}:{}", server.port()))
}
