//! # The Host field
//!
//! It has to be there, once, and to be a host. It says nothing about where a tunnel leads: that is what the target is
//! for, and a proxy and a filter that look at different ones of the two see different servers.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_3986, RFC_9110, RFC_9112};

/// Every case about the Host field.
pub(crate) fn suite() -> Suite {
    suite! {
        "host": "The Host field", include_str!("host_field.rs");
        refuses_a_request_without_host,
        a_request_without_host_is_a_bad_request,
        refuses_two_hosts,
        two_hosts_are_a_bad_request,
        an_old_client_may_not_name_two_hosts_either,
        two_hosts_of_an_old_client_are_a_bad_request,
        refuses_a_malformed_host,
        a_malformed_host_is_a_bad_request,
        refuses_what_only_looks_like_a_host,
        what_only_looks_like_a_host_is_a_bad_request,
        another_host_leads_nowhere_else,
        the_host_may_lack_the_port,
        whitespace_around_the_host_is_no_part_of_it,
        an_empty_host,
    }
}

/// A client that leaves it out is no client of HTTP/1.1; whatever routes or filters by Host sees an empty name.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_request_without_host() -> Case {
    must("An HTTP/1.1 CONNECT without a Host field is refused")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2"))
        .covers(["H1-HOST-001"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.refuses(&lab.request(&server).without_host()).await?;
            Ok(())
        })
}

/// 400 tells whoever wrote the client where to look.
///
/// Also accepted: a status with a more special reason, such as 431 or 501. A check that came first, or a close without
/// an answer, says nothing.
fn a_request_without_host_is_a_bad_request() -> Case {
    should("An HTTP/1.1 CONNECT without a Host field gets 400")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2"))
        .covers(["H1-HOST-001"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.refuses_with(400, &lab.request(&server).without_host())
                .await
        })
}

/// Two Host fields of a request for a server, with another server that they may name.
type Hosts = fn(&Server, &Server) -> [String; 2];

/// Pairs of Host fields.
const TWO_HOSTS: &[(&str, &str, Hosts)] = &[
    ("target_first", "H1-HOST-002", |server, other| {
        [server.authority(), other.authority()]
    }),
    ("target_last", "H1-HOST-002", |server, other| {
        [other.authority(), server.authority()]
    }),
    ("the_same_twice", "H1-HOST-003", |server, _| {
        [server.authority(), server.authority()]
    }),
];

/// Of two readers, one takes the first and one takes the last: the request goes to one host and is judged for another.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_two_hosts() -> Family {
    each(TWO_HOSTS, |&(_, row, hosts)| {
        must("A CONNECT with two Host fields is refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .covers([row])
            .run(async move |lab| {
                lab.refuses(&with_two_hosts(lab, hosts).await?).await?;
                Ok(())
            })
    })
}

/// As without any Host field, 400 is the status that the specification names.
///
/// Also accepted: a status with a more special reason, such as 431 or 501. A check that came first, or a close without
/// an answer, says nothing.
fn two_hosts_are_a_bad_request() -> Family {
    each(TWO_HOSTS, |&(_, row, hosts)| {
        should("A CONNECT with two Host fields gets 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .covers([row])
            .run(async move |lab| {
                lab.refuses_with(400, &with_two_hosts(lab, hosts).await?)
                    .await
            })
    })
}

/// HTTP/1.0 needs no Host field; two of them are as ambiguous as in HTTP/1.1.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn an_old_client_may_not_name_two_hosts_either() -> Family {
    each(TWO_HOSTS, |&(_, _, hosts)| {
        must("An HTTP/1.0 CONNECT with two Host fields is refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-HOST-008"])
            .run(async move |lab| {
                let request = with_two_hosts(lab, hosts).await?.version("HTTP/1.0");

                lab.refuses(&request).await?;
                Ok(())
            })
    })
}

/// The specification names 400 for any request with two of them.
///
/// Also accepted: a status with a more special reason, such as 505. A check that came first, or a close without an
/// answer, says nothing.
fn two_hosts_of_an_old_client_are_a_bad_request() -> Family {
    each(TWO_HOSTS, |&(_, _, hosts)| {
        should("An HTTP/1.0 CONNECT with two Host fields gets 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-HOST-008"])
            .run(async move |lab| {
                let request = with_two_hosts(lab, hosts).await?.version("HTTP/1.0");

                lab.refuses_with(400, &request).await
            })
    })
}

async fn with_two_hosts(lab: &Lab, hosts: Hosts) -> Outcome<Request> {
    let (server, other) = (lab.server(echo()).await?, lab.server(echo()).await?);
    let [first, second] = hosts(&server, &other);
    let second = format!("Host: {second}");
    Ok(lab.request(&server).host(first).field(second))
}

/// How a Host field is written, for a server that the target names rightly.
type Spelling = fn(&Server) -> String;

/// Values outside the grammar of a host and an optional port. An empty port, a comma and a percent sign are within it.
const MALFORMED: &[(&str, Spelling)] = &[
    ("space", |server| format!("{} a", server.authority())),
    ("path", |server| format!("{}/", server.authority())),
    ("user", |server| format!("a@{}", server.authority())),
    ("name_as_port", |server| format!("{}:b", server.host())),
    ("letter_behind_the_port", |server| {
        format!("{}x", server.authority())
    }),
    ("two_ports", |server| format!("{}:1", server.authority())),
    ("half_a_bracket", |_| "[::1".to_owned()),
    ("quote", |server| format!("{}\"b", server.host())),
];

/// A value that is no host is either an accident, or a trap for the next one who reads it.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. That the proxy has no use for the field does
/// not make it a valid one.
fn refuses_a_malformed_host() -> Family {
    each(MALFORMED, |&(_, spelling)| {
        must("A CONNECT whose Host field is no host is refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9110.section("7.2"))
            .covers(["H1-HOST-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses(&lab.request(&server).host(spelling(&server)))
                    .await?;
                Ok(())
            })
    })
}

/// As without any Host field, 400 is the status that the specification names.
///
/// Also accepted: a status with a more special reason, such as 431 or 501. A check that came first, or a close without
/// an answer, says nothing.
fn a_malformed_host_is_a_bad_request() -> Family {
    each(MALFORMED, |&(_, spelling)| {
        should("A CONNECT whose Host field is no host gets 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9110.section("7.2"))
            .covers(["H1-HOST-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                lab.refuses_with(400, &lab.request(&server).host(spelling(&server)))
                    .await
            })
    })
}

/// Values that begin as a host may, and then break one of the grammar's rules: each holds all the ways to break it.
const NEARLY_HOSTS: &[(&str, &[&str])] = &[
    // A percent sign stands before two hexadecimal digits.
    ("percent_encoding", &["a%", "a%4", "a%g1", "a%1g"]),
    // Brackets hold an IPv6 address, and what follows them is a port.
    ("brackets", &["[]", "[a]", "[127.0.0.1]", "[::1]a"]),
    // Or they hold a version in hexadecimal digits, a point and what a name may hold.
    (
        "future_address",
        &["[v1]", "[v.a]", "[vg.a]", "[v1.]", "[v1.a/b]"],
    ),
];

/// One reader decodes as much as it can, the next one takes the sign for itself: two hosts.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. That the proxy has no use for the field does
/// not make it a valid one.
fn refuses_what_only_looks_like_a_host() -> Family {
    each(NEARLY_HOSTS, |&(_, values)| {
        must("A CONNECT whose Host field is nearly a host is refused")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9110.section("7.2"))
            .cites(RFC_3986.section("3.2.2"))
            .covers(["H1-HOST-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                for value in values {
                    lab.refuses(&lab.request(&server).host(value))
                        .await
                        .map_err(|finding| finding.at(&format!("with `Host: {value}`")))?;
                }
                Ok(())
            })
    })
}

/// As without any Host field, 400 is the status that the specification names.
///
/// Also accepted: a status with a more special reason, such as 431 or 501. A check that came first, or a close without
/// an answer, says nothing.
fn what_only_looks_like_a_host_is_a_bad_request() -> Family {
    each(NEARLY_HOSTS, |&(_, values)| {
        should("A CONNECT whose Host field is nearly a host gets 400")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9110.section("7.2"))
            .covers(["H1-HOST-004"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;

                for value in values {
                    lab.refuses_with(400, &lab.request(&server).host(value))
                        .await
                        .map_err(|finding| finding.at(&format!("with `Host: {value}`")))?;
                }
                Ok(())
            })
    })
}

/// A tunnel to the Host field's server, in the log under the target's name, is a way past everything that reads logs.
///
/// Also accepted: to refuse a request whose two names differ, or a tunnel to the target.
fn another_host_leads_nowhere_else() -> Family {
    each(OTHER_HOSTS, |&(_, host)| {
        must("A tunnel leads to the target, whatever Host says")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.3"))
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-HOST-005"])
            .relying_on(["target/the_target_beats_the_host_field"])
            .run(async move |lab| {
                let server = lab.server_among(|_| vec![80, 443]).await?;
                let other = lab.server(echo()).await?;
                let request = lab.request(&server).host(host(&server, &other));

                lab.tolerates(&request, &server).await?;
                Ok(())
            })
    })
}

/// A Host field of a request for a server, with another server that it may name.
type OtherHost = fn(&Server, &Server) -> String;

const OTHER_HOSTS: &[(&str, OtherHost)] = &[
    ("other_server", |_, other| other.authority()),
    // One of the observers that listen beside the server.
    ("other_port", |server, _| format!("{}:443", server.host())),
    ("other_host", |server, other| {
        format!("{}:{}", other.host(), server.port())
    }),
];

/// The specification's own examples of CONNECT name no port in Host, though they ask for it to be identical with the
/// target: clients do either.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn the_host_may_lack_the_port() -> Case {
    should("A Host field that names the target's host without its port is accepted")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-HOST-007"])
        .seen_in(
            "haproxy #1761",
            "https://github.com/haproxy/haproxy/issues/1761",
        )
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.carries(&lab.request(&server).host(server.host()), &server)
                .await
        })
}

/// To compare the field with the target before it is trimmed makes enemies of clients that align their fields.
///
/// Also accepted: a refusal by policy or for want of credentials says nothing.
fn whitespace_around_the_host_is_no_part_of_it() -> Case {
    must("Whitespace around the value of Host is no part of it")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("5.1"))
        .cites(RFC_9110.section("5.5"))
        .covers(["H1-HOST-009"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let host = format!("Host:\t {} \t", server.authority());

            lab.carries(&lab.request(&server).without_host().field(host), &server)
                .await
        })
}

/// An empty value is for targets without an authority, and a CONNECT has one; but it hides nothing.
///
/// Also accepted: anything.
fn an_empty_host() -> Case {
    survey("What a CONNECT with an empty Host field gets")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2"))
        .covers(["H1-HOST-006"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;

            lab.leads_nowhere_else(&lab.request(&server).host(""), &server)
                .await?;
            Ok(())
        })
}
