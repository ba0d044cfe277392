//! # Which ports are allowed
//!
//! A CONNECT proxy that connects to any port is an open door: to mail servers from outside, and to everything inside.
//! What is allowed has to be exactly what was configured, however a request is spelled.

use connectspec_harness::prelude::*;

mod random_lists;

use crate::{
    cases::access::port_policy::random_lists::{agrees, lists},
    cases::words::{
        httpd::{allow_connect, httpd},
        property::holds_for_all,
        statuses::no_tunnel,
    },
    documents::{MOD_PROXY_CONNECT, RFC_9110, RFC_9112, VU_150227},
};

/// Every case about which ports are allowed.
pub(crate) fn suite() -> Suite {
    suite! {
        "policy": "Which ports are allowed", include_str!("port_policy.rs");
        a_listed_port_is_reached,
        an_unlisted_port_is_refused_and_never_contacted,
        a_client_of_old_is_refused_a_denied_port,
        ports_and_ranges_add_up,
        a_range_ends_where_it_says,
        a_list_replaces_the_default,
        each_request_of_a_connection_is_judged,
        a_refused_request_is_refused_again,
        an_allowed_port_in_host_opens_nothing,
        a_denied_port_in_host_leads_nowhere,
        a_denied_port_in_host_denies_nothing,
        no_spelling_opens_a_denied_port,
        random_lists_mean_what_they_say,
    }
}

/// A proxy that refuses what it was told to allow is of no use.
///
/// Also accepted: to ask for credentials first, or to refuse while it is overloaded; both say nothing here.
fn a_listed_port_is_reached() -> Case {
    must("A port of the list is reached")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-004"])
        .needs([Need::PortList])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            lab.lets_through(&server).await
        })
}

/// The server behind a denied port must not even see a connection: that alone is enough to scan a network.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn an_unlisted_port_is_refused_and_never_contacted() -> Case {
    must("A port outside the list is refused, and its server never contacted")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(VU_150227.section(""))
        .covers(["POL-005"])
        .covers_over(Protocol::H2c, ["H2-POL-001"])
        .covers_over(Protocol::H2, ["H2-POL-001"])
        .needs([Need::PortList])
        .run(async |lab| {
            let server = lab.denied_server(echo()).await?;
            lab.refuses(&lab.request(&server)).await?;
            Ok(())
        })
}

/// A check that only requests of today's version pass through is a check for those who want to be checked.
///
/// Also accepted: to refuse the version.
fn a_client_of_old_is_refused_a_denied_port() -> Case {
    must("A port outside the list is refused to an HTTP/1.0 client, too")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-005"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;

            lab.refuses(&lab.request(&denied).version("HTTP/1.0"))
                .await?;
            denied.stays_unvisited().await
        })
}

/// A parser that reads only the first word, or the last line, quietly closes half of what was opened.
///
/// Only this conforms: each port that the list names was declared to be allowed.
fn ports_and_ranges_add_up() -> Case {
    must("Every port and every range of the list is allowed")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-004"])
        .needs([Need::PortList])
        .under(allowing("{a} {b}-{c} {d}"))
        .about_the_control()
        .run(async |lab| {
            for letter in ['a', 'b', 'c', 'd'] {
                let server = lab.server_at(lab.port(letter)?, echo()).await?;
                lab.lets_through(&server)
                    .await
                    .map_err(|f| f.at(&letter.to_string()))?;
            }
            Ok(())
        })
}

/// Off by one at either end opens a port that nobody asked for, or closes one that somebody needs.
///
/// Only this conforms: the list of this set-up names both ends, and none of their neighbours.
fn a_range_ends_where_it_says() -> Case {
    must("A range contains its ends and what is between them, and nothing else")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["POL-004", "POL-005", "POL-007"])
        .needs([Need::PortRanges])
        .under(allowing("{a} {p}-{q}"))
        .run(async |lab| {
            let (first, last) = (lab.port('p')?, lab.port('q')?);
            for port in [first, first + 1, last] {
                let server = lab.server_at(port, echo()).await?;
                lab.lets_through(&server).await?;
            }
            for port in [first - 1, last + 1] {
                let server = lab.server_at(port, echo()).await?;
                lab.refuses(&lab.request(&server)).await?;
            }
            Ok(())
        })
}

/// In httpd a list of one's own replaces 443 and 563: whoever writes `AllowCONNECT 8443` has closed 443.
///
/// Only this conforms for a proxy like httpd: a port that was refused before any connection gives 403 there.
fn a_list_replaces_the_default() -> Case {
    httpd("A list of ports replaces the default one")
        .over(EVERY)
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["POL-006"])
        .needs([Need::Directive, Need::DefaultPorts])
        .under(allow_connect("{a}"))
        .run(async |lab| {
            for port in [443, 563] {
                let answer = lab
                    .refuses(&lab.client().request(format!("{}:{port}", lab.host())))
                    .await?;
                if answer.status() != Some(403) {
                    return Err(Finding::violation("status 403", answer.describe()));
                }
            }
            Ok(())
        })
}

/// A proxy that decides once for each connection lets the second request through on the strength of the first.
///
/// Also accepted: to close the connection after the first request, or to serve no other method than CONNECT. A proxy that
/// answers only once the origin has ended meets another origin, which ends at once: what comes late is the answer to the
/// first request, and not to the second.
fn each_request_of_a_connection_is_judged() -> Case {
    must("A CONNECT after another request is judged like any other")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("3.3"))
        .covers(["POL-009"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let waits = receive("GET ").then(send(EMPTY_OK));
            for origin in [
                waits.clone().then(receive_to_the_end()),
                waits.then(close()),
            ] {
                let authority = lab.server(origin).await?.authority();
                let mut connection = lab.client().dial().await?;

                let get = format!("GET http://{authority}/ HTTP/1.1\r\nHost: {authority}\r\n\r\n");
                let first = connection.asks(get).await;
                lab.note(format!("GET: {}", first.describe()));
                if first != Answer::Silence {
                    no_tunnel(&connection.asks(lab.request(&denied)).await, &denied).await?;
                    break;
                }
            }
            denied.stays_unvisited().await
        })
}

/// Asking twice must not help.
///
/// Also accepted: to close after the first refusal, which RFC 9931 asks for.
fn a_refused_request_is_refused_again() -> Case {
    must("A refused CONNECT that is repeated on its connection is not granted")
        .over(EVERY)
        .cites(RFC_9110.section("3.3"))
        .covers(["POL-009"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let mut connection = lab.client().dial().await?;

            for _ in 0..2 {
                no_tunnel(&connection.asks(lab.request(&denied)).await, &denied).await?;
            }
            denied.stays_unvisited().await
        })
}

/// A proxy that decides by the Host field and connects by the target can be told to open any port.
///
/// Also accepted: any refusal.
fn an_allowed_port_in_host_opens_nothing() -> Case {
    must("The target is what is judged, not the Host field")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.3"))
        .covers(["POL-010", "H1-HOST-005"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let allowed = lab.server(echo()).await?;
            lab.refuses(&lab.request(&denied).host(allowed.authority()))
                .await?;
            Ok(())
        })
}

/// The mirror image: the Host field must not lead to a port that the target does not name.
///
/// Also accepted: to refuse the request, or to answer it with a tunnel to its target.
fn a_denied_port_in_host_leads_nowhere() -> Case {
    must("A Host field never leads to a port of its own")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.3"))
        .covers(["POL-010", "H1-HOST-005"])
        .needs([Need::PortList])
        .run(async |lab| {
            let allowed = lab.server(echo()).await?;
            let denied = lab.denied_server(echo()).await?;
            let request = lab.request(&allowed).host(denied.authority());

            lab.tolerates(&request, &allowed).await?;
            Ok(())
        })
}

/// A proxy that refuses an allowed target for the port in the Host field has judged the wrong one.
///
/// Also accepted: a tunnel to the target; 400 or 421, since Host and target differ.
fn a_denied_port_in_host_denies_nothing() -> Case {
    practice("A denied port in the Host field is no reason to deny the target")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("3.3"))
        .covers(["POL-010"])
        .needs([Need::PortList])
        .run(async |lab| {
            let allowed = lab.server(echo()).await?;
            let denied = lab.denied_server(hold()).await?;
            let answer = lab
                .client()
                .asks(lab.request(&allowed).host(denied.authority()))
                .await?
                .answer;
            if answer.status() == Some(403) {
                return Err(Finding::none_of(
                    ["a tunnel to the target", "400", "421"],
                    answer.describe(),
                ));
            }
            lab.note(answer.describe());
            Ok(())
        })
}

/// How a target is spelled, from a host and a port.
type Spelling = fn(&str, u16) -> String;

/// Other ways to write a target, each of which some proxy once took for the same port.
const SPELLINGS: &[(&str, Spelling)] = &[
    ("past_65535", |h, p| {
        format!("{h}:{}", 65_536 + u32::from(p))
    }),
    ("past_32_bits", |h, p| {
        format!("{h}:{}", (1_u64 << 32) + u64::from(p))
    }),
    ("past_64_bits", |h, p| {
        format!("{h}:{}", (1_u128 << 64) + u128::from(p))
    }),
    ("negative", |h, p| format!("{h}:{}", i32::from(p) - 65_536)),
    ("plus_sign", |h, p| format!("{h}:+{p}")),
    ("leading_zeros", |h, p| format!("{h}:000{p}")),
    ("hexadecimal", |h, p| format!("{h}:{p:#x}")),
    ("space_before", |h, p| format!("{h}: {p}")),
    ("tab_before", |h, p| format!("{h}:\t{p}")),
    ("letter_behind", |h, p| format!("{h}:{p}a")),
    ("path_behind", |h, p| format!("{h}:{p}/")),
    ("userinfo", |h, p| format!("user:password@{h}:{p}")),
    ("absolute_form", |h, p| format!("http://{h}:{p}/")),
    ("brackets_around_ipv4", |h, p| format!("[{h}]:{p}")),
    ("ipv4_in_ipv6", |h, p| format!("[::ffff:{h}]:{p}")),
    ("allowed_port_first", |h, p| format!("{h}:443:{p}")),
    ("allowed_port_behind_a_comma", |h, p| format!("{h}:{p},443")),
    ("percent_encoded_colon", |h, p| format!("{h}%3a{p}")),
    ("trailing_dot", |h, p| format!("{h}.:{p}")),
    ("minus_sign", |h, p| format!("{h}:-{p}")),
    ("name", |_, p| format!("localhost:{p}")),
];

/// A denial is worth what its weakest spelling is worth: a filter in front compares text, and the proxy dials numbers.
///
/// Also accepted: any answer, as long as nothing arrives at the denied port.
fn no_spelling_opens_a_denied_port() -> Family {
    each(SPELLINGS, |&(_, spelling)| {
        must("A denied port stays closed however it is written")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["POL-011"])
            .needs([Need::PortList])
            .run(async move |lab| {
                let denied = lab.denied_server(echo()).await?;
                let target = spelling(denied.host(), denied.port());
                if !target.contains(denied.host()) {
                    lab.shares_loopback()?;
                }
                for request in [
                    lab.request(&denied).target(&target),
                    lab.request(&denied)
                        .target(&target)
                        .host(denied.authority()),
                ] {
                    let exchange = lab.client().asks(request).await?;
                    lab.note(exchange.answer.describe());
                    if exchange.success().is_ok() {
                        // A proxy that connects late does so when there is something to send.
                        let _ = exchange.granted()?.sends(lab.nonce()).await;
                    }
                }
                denied.stays_unvisited().await
            })
    })
}

/// Examples test what their author thought of. Here lists are made up: each port at, inside and just outside each of
/// their ranges has to be treated as the list says. A counterexample is made small, and told as a list and a port.
///
/// Only this conforms: the list was declared to be what is allowed. It takes over a second: a process for each list.
fn random_lists_mean_what_they_say() -> Case {
    must("Whatever list is configured, exactly its ports are allowed")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-004", "POL-005"])
        .covers_over(Protocol::H2c, ["H2-POL-001"])
        .covers_over(Protocol::H2, ["H2-POL-001"])
        .needs([Need::PortList, Need::Launched])
        .under(allowing("{a}-{z}"))
        .waits()
        .run(async |lab| {
            let (first, last) = (lab.port('a')?, lab.port('z')?);
            holds_for_all(lab, lists(first, last), async |list| {
                agrees(lab, list, first..=last).await
            })
            .await
        })
}

const EMPTY_OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
