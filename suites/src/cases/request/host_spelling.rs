//! # Odd spellings of the host
//!
//! Hosts that the grammar allows, or nearly, and that nobody writes without an intention: each reaches a server under a
//! name that a filter may not know.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_1035, RFC_3986, RFC_6874, RFC_9110, RFC_9112};

/// Every case about hosts that are written in an odd way.
pub(crate) fn suite() -> Suite {
    suite! {
        "host_spelling": "Odd spellings of the host", include_str!("host_spelling.rs");
        refuses_two_slashes_before_the_host,
        refuses_an_address_of_the_future,
        refuses_a_zone,
        bytes_outside_ascii_do_no_harm,
        an_odd_host_obeys_the_policy,
        odd_hosts_that_are_taken,
        an_impossible_name_is_refused,
    }
}

/// Two slashes begin an authority in a URI, and a path everywhere else.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_two_slashes_before_the_host() -> Case {
    should("Slashes before the host make a target invalid")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-TGT-027"])
        .run(async |lab| {
            let server = lab.server_among(|_| vec![80, 443]).await?;

            lab.refuses_target(format!("//{}", server.authority()), &server)
                .await
        })
}

/// A form of address that has been reserved for decades, and that nothing can be known about.
///
/// Also accepted: any status that is not 2xx, also after a look into the DNS, or a close without an answer. The grammar
/// allows it, so 400 is not owed.
fn refuses_an_address_of_the_future() -> Case {
    practice("An address in a format that nobody has defined leads nowhere")
        .over(HTTP_1_1)
        .cites(RFC_3986.section("3.2.2"))
        .covers(["H1-TGT-018"])
        .run(async |lab| {
            let server = lab.dual_server(echo()).await?;
            let target = format!("[v1.fe80::a]:{}", server.port());

            lab.refuses_target(target, &server).await
        })
}

/// A zone names an interface of the proxy's own machine: a client has no business with those.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_zone() -> Family {
    each(ZONES, |&(_, host)| {
        practice("An IPv6 address with a zone is not taken from a client")
            .over(HTTP_1_1)
            .cites(RFC_6874.section("2"))
            .cites(RFC_6874.section("4"))
            .covers(["H1-TGT-019"])
            .needs([Need::Ipv6])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;

                lab.refuses_target(format!("{host}:{}", server.port()), &server)
                    .await
            })
    })
}

const ZONES: &[(&str, &str)] = &[
    ("link_local", "[fe80::1%25lo]"),
    ("encoded", "[::1%25lo]"),
    ("plain", "[::1%lo]"),
];

/// Names in other scripts are typed into clients that pass them on as they are.
///
/// Also accepted: to refuse them, or to look them up as they are or in their ASCII form.
fn bytes_outside_ascii_do_no_harm() -> Family {
    each(NOT_ASCII, |&(_, label)| {
        should("A host with bytes outside ASCII leads nowhere, and the proxy goes on")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-TGT-022"])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let port = format!(".invalid:{}", server.port());
                let request = lab
                    .request(&server)
                    .target([label, port.as_bytes()].concat());

                lab.refuses(&request.host(server.authority())).await?;
                lab.control(&server).await
            })
    })
}

const NOT_ASCII: &[(&str, &[u8])] = &[("utf_8", "höst".as_bytes()), ("latin_1", b"h\xf6st")];

/// A rule is for a server, not for one of its spellings.
///
/// Also accepted: any status that is not 2xx, or a close without an answer: the port is not on the list.
fn an_odd_host_obeys_the_policy() -> Family {
    each(ODD_HOSTS, |&(_, row, host)| {
        practice("A denied port stays closed at every spelling of its host")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_3986.section("3.2.2"))
            .covers([row])
            .needs([Need::PortList])
            .run(async move |lab| {
                lab.shares_loopback()?;
                let denied = lab.denied_server(echo()).await?;

                lab.refuses_target(format!("{host}:{}", denied.port()), &denied)
                    .await
            })
    })
}

/// Names of this machine: each leads, if anywhere, to where the servers are.
const ODD_HOSTS: &[(&str, &str, &str)] = &[
    ("ipv4_mapped", "H1-TGT-020", "[::ffff:127.0.0.1]"),
    (
        "ipv4_mapped_in_hexadecimal",
        "H1-TGT-020",
        "[::ffff:7f00:1]",
    ),
    ("percent_encoded_name", "H1-TGT-021", "loc%61lhost"),
    ("percent_encoded_address", "H1-TGT-021", "127.0.0.%31"),
    ("trailing_dot", "H1-TGT-024", "localhost."),
    ("trailing_dot_behind_an_address", "H1-TGT-024", "127.0.0.1."),
];

/// What a filter in front of this proxy has to know about.
///
/// Also accepted: anything.
fn odd_hosts_that_are_taken() -> Case {
    survey("Which odd spellings of this machine are taken")
        .over(HTTP_1_1)
        .cites(RFC_3986.section("3.2.2"))
        .covers(["H1-TGT-020", "H1-TGT-021", "H1-TGT-024", "SEC-012"])
        .run(async |lab| {
            let server = lab.dual_server(echo()).await?;
            let mut taken = Vec::new();
            for (name, _, host) in ODD_HOSTS {
                let request = lab
                    .request(&server)
                    .target(format!("{host}:{}", server.port()));
                let exchange = lab.client().asks(request.host(server.authority())).await?;
                if exchange.success().is_ok() {
                    taken.push(*name);
                }
            }
            lab.note(if taken.is_empty() {
                "none".to_owned()
            } else {
                taken.join(", ")
            });
            Ok(())
        })
}

/// Names that no resolver can ask for are cut, or overflow, somewhere on the way to it.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn an_impossible_name_is_refused() -> Family {
    each(IMPOSSIBLE_NAMES, |&(_, name)| {
        practice("A name that cannot exist is refused, and the proxy goes on")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("2.3"))
            .cites(RFC_1035.section("2.3.4"))
            .covers(["H1-TGT-025"])
            .needs([Need::Names])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;
                let target = format!("{}:{}", name(), server.port());

                lab.refuses_target(target, &server).await?;
                lab.control(&server).await
            })
    })
}

/// How a name is made.
type Name = fn() -> String;

const IMPOSSIBLE_NAMES: &[(&str, Name)] = &[
    ("empty_label", || "a..invalid".to_owned()),
    ("leading_dot", || ".localhost".to_owned()),
    ("long_label", || format!("{}.invalid", "a".repeat(64))),
    ("long_name", || format!("{}invalid", "a.".repeat(150))),
];
