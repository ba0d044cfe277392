//! # Around the host and the port
//!
//! What does not belong into an authority is refused and not trimmed away: two readers that repair the same target
//! differently see two servers, and one of them is the filter.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_3986, RFC_9110, RFC_9112};

/// Every case about what stands around the host and the port.
pub(crate) fn suite() -> Suite {
    suite! {
        "authority": "Around the host and the port", include_str!("authority.rs");
        refuses_a_second_port,
        refuses_a_second_authority,
        refuses_what_stands_behind_the_port,
        refuses_what_stands_before_the_host,
        refuses_an_ipv6_address_without_a_port,
        refuses_broken_brackets,
        refuses_what_stands_behind_the_brackets,
        refuses_brackets_around_anything_else,
        refuses_a_strange_byte_in_the_host,
        a_repaired_target_leads_nowhere_else,
    }
}

/// How a target is written: with a server, and another host that leads to this machine.
type Spelling = fn(&Server, &str) -> String;

/// Ports that a reader of an odd target may fall back to.
const WELL_KNOWN: [u16; 2] = [80, 443];

/// Whoever takes the first number and whoever takes the last one open different ports.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_a_second_port() -> Family {
    each(SECOND_PORTS, |&(_, row, separator)| {
        must("A target with two ports is rejected")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_3986.section("3.2.3"))
            .covers([row])
            .run(async move |lab| {
                let (server, second) = (lab.server(echo()).await?, lab.server(echo()).await?);
                let target = format!("{}{separator}{}", server.authority(), second.port());

                lab.refuses_target(target, &server).await
            })
    })
}

const SECOND_PORTS: &[(&str, &str, &str)] = &[
    ("behind_a_colon", "H1-TGT-014", ":"),
    ("behind_a_comma", "H1-TGT-013", ","),
];

/// A filter that allows the first of two servers has not looked at the second.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. A comma is legal in a name, so the name
/// server may be the one that refuses.
fn refuses_a_second_authority() -> Case {
    should("A list of two targets is rejected")
        .over(EVERY)
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-TGT-013"])
        .run(async |lab| {
            let (one, two) = (lab.server(echo()).await?, lab.server(echo()).await?);
            let target = format!("{},{}", one.authority(), two.authority());

            lab.refuses_target(target, &one).await
        })
}

/// A filter that reads to the end sees a path; a proxy that stops at the slash sees a port: the classic way past one.
///
/// Also accepted: any status that is not 2xx, a redirection to the corrected target too, or a close without an answer.
fn refuses_what_stands_behind_the_port() -> Family {
    each(BEHIND, |&(_, behind)| {
        should("What follows the port makes a target invalid")
            .over(EVERY)
            .cites(RFC_9112.section("3.2.3"))
            .cites(RFC_9112.section("3.2"))
            .covers(["H1-TGT-011"])
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;
                let target = format!("{}{behind}", server.authority());

                lab.refuses_target(target, &server).await
            })
    })
}

const BEHIND: &[(&str, &str)] = &[("slash", "/"), ("query", "?x"), ("fragment", "#f")];

/// `allowed.example@elsewhere` has misled people in links for decades, and filters with them.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_what_stands_before_the_host() -> Family {
    each(USERINFO, |&(_, target)| {
        should("A target with user information is rejected")
            .over(EVERY)
            .cites(RFC_9112.section("3.2.3"))
            .cites(RFC_9110.section("4.2.4"))
            .covers(["H1-TGT-012"])
            .covers_over(Protocol::H2c, ["H2-TGT-009"])
            .covers_over(Protocol::H2, ["H2-TGT-009"])
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;

                lab.refuses_target(target(&server, lab.host()), &server)
                    .await
            })
    })
}

/// The user has the name of another host, so that a proxy that takes it for the host is seen there.
const USERINFO: &[(&str, Spelling)] = &[
    ("user", |server, other| {
        format!("{other}@{}", server.authority())
    }),
    ("user_and_password", |server, other| {
        format!("{other}:{}@{}", server.port(), server.authority())
    }),
];

/// What looks like a port after the last colon may be the end of the address.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_an_ipv6_address_without_a_port() -> Family {
    each(IPV6_WITHOUT_A_PORT, |&(_, target)| {
        must("An IPv6 address without a colon and a port after its brackets is rejected")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-TGT-016"])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;

                lab.refuses_target(target(&server, lab.host()), &server)
                    .await
            })
    })
}

const IPV6_WITHOUT_A_PORT: &[(&str, Spelling)] = &[
    ("no_port", |_, _| "[::1]".to_owned()),
    ("no_colon", |server, _| format!("[::1]{}", server.port())),
];

/// Whether the last number is a port or a part of the address is for each reader to guess.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn refuses_broken_brackets() -> Family {
    each(BROKEN_BRACKETS, |&(_, row, target)| {
        should("An IPv6 address needs both of its brackets")
            .over(EVERY)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_3986.section("3.2.2"))
            .covers([row])
            .needs([Need::Ipv6])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;

                lab.refuses_target(target(&server, lab.host()), &server)
                    .await
            })
    })
}

const BROKEN_BRACKETS: &[(&str, &str, Spelling)] = &[
    ("none", "H1-TGT-015", |server, _| {
        format!("::1:{}", server.port())
    }),
    ("no_right_one", "H1-TGT-016", |server, _| {
        format!("[::1:{}", server.port())
    }),
    ("no_left_one", "H1-TGT-016", |server, _| {
        format!("::1]:{}", server.port())
    }),
];

/// A reader that stops at the bracket sees an address; one that looks for the last colon, and compares the end of what is
/// before it with its names, sees a name of its own.
///
/// Also accepted: any status that is not 2xx, also after a look into the DNS, or a close without an answer.
fn refuses_what_stands_behind_the_brackets() -> Family {
    each(BEHIND_BRACKETS, |&(_, behind)| {
        should("Nothing stands between the closing bracket and the colon")
            .over(EVERY)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_3986.section("3.2.2"))
            .covers(["H1-TGT-016"])
            .needs([Need::Ipv6])
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;
                let target = format!("[::1]{behind}:{}", server.port());

                lab.refuses_target(target, &server).await
            })
    })
}

const BEHIND_BRACKETS: &[(&str, &str)] = &[
    ("a_letter", "x"),
    ("a_name", ".allowed.example"),
    ("a_dot", "."),
    ("brackets", "[::1]"),
];

/// A filter looks for `127.0.0.1` and finds `[127.0.0.1]`, which is another string and, to some, the same host.
///
/// Also accepted: any status that is not 2xx, also after a look into the DNS, or a close without an answer.
fn refuses_brackets_around_anything_else() -> Family {
    each(BRACKETED, |&(_, host)| {
        should("Brackets hold an IPv6 address and nothing else")
            .over(EVERY)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_3986.section("3.2.2"))
            .covers(["H1-TGT-017"])
            .seen_in(
                "Squid #1253",
                "https://github.com/squid-cache/squid/pull/1253",
            )
            .seen_in(
                "smokescreen #163",
                "https://github.com/stripe/smokescreen/pull/163",
            )
            .run(async move |lab| {
                let server = lab.dual_server(echo()).await?;

                lab.refuses_target(format!("{host}:{}", server.port()), &server)
                    .await
            })
    })
}

const BRACKETED: &[(&str, &str)] = &[
    ("an_ipv4_address", "[127.0.0.1]"),
    ("a_name", "[localhost]"),
    ("nothing", "[]"),
    ("brackets", "[[::1]]"),
];

/// A byte at which one reader stops, and that another one skips, hides a part of the host from one of them.
///
/// Also accepted: any status that is not 2xx, a redirection too, or a close without an answer.
fn refuses_a_strange_byte_in_the_host() -> Family {
    each(STRANGE_BYTES, |&(_, byte)| {
        should("A byte that no host can hold makes a target invalid")
            .over(EVERY)
            .cites(RFC_9112.section("3.2"))
            .cites(RFC_9112.section("2.2"))
            .covers(["H1-TGT-023"])
            .seen_in(
                "Squid #1253",
                "https://github.com/squid-cache/squid/pull/1253",
            )
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;
                let mut target = server.authority().into_bytes();
                // In the middle of the host: at its ends, it could belong to the line and not to the target.
                target.insert(server.host().len() / 2, byte);

                lab.refuses_target(target, &server).await
            })
    })
}

const STRANGE_BYTES: &[(&str, u8)] = &[
    ("space", b' '),
    ("tab", b'\t'),
    ("backslash", b'\\'),
    ("quote", b'"'),
    ("less_than", b'<'),
    ("delete", 0x7f),
    ("nul", 0),
];

/// To repair a target is a recovery; to connect to what the repair made up is a hole.
///
/// Also accepted: a refusal, or a tunnel to exactly the host and the port that stand there. No port stands in a URI
/// that leaves it out. What the Host field says, be it something else, decides nothing.
fn a_repaired_target_leads_nowhere_else() -> Family {
    each(REPAIRABLE, |&(_, row, target)| {
        must("An odd target leads to the host and the port that it names, or nowhere")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("2.4"))
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .relying_on(["target/the_target_beats_the_host_field"])
            .run(async move |lab| {
                let server = lab.server_among(|_| WELL_KNOWN.to_vec()).await?;
                let request = lab.request(&server).target(target(&server, lab.host()));

                lab.tolerates(&request, &server).await?;
                lab.tolerates(&request.clone().host(server.authority()), &server)
                    .await?;
                let another = lab.server(echo()).await?;
                lab.tolerates(&request.host(another.authority()), &server)
                    .await?;
                Ok(())
            })
    })
}

const REPAIRABLE: &[(&str, &str, Spelling)] = &[
    ("uri", "H1-TGT-008", |server, _| {
        format!("http://{}/", server.authority())
    }),
    ("uri_without_a_port", "H1-TGT-008", |server, _| {
        format!("http://{}/", server.host())
    }),
    ("slash", "H1-TGT-011", |server, _| {
        format!("{}/", server.authority())
    }),
    ("query", "H1-TGT-011", |server, _| {
        format!("{}?x", server.authority())
    }),
    ("fragment", "H1-TGT-011", |server, _| {
        format!("{}#f", server.authority())
    }),
    ("user", "H1-TGT-012", USERINFO[0].1),
    ("user_and_password", "H1-TGT-012", USERINFO[1].1),
];
