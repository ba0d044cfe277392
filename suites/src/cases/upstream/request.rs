//! # Asking an upstream proxy
//!
//! A proxy that goes through another one is a client there. What it asks for decides where the tunnel leads, and what it
//! says about itself and about its client is seen by somebody else.

use connectspec_harness::prelude::*;

mod asked;
mod nominated;
mod passed_on;

use crate::{
    cases::upstream::request::asked::{
        a_connection_that_was_a_tunnel_is_not_used_again, the_upstream_proxy_is_asked,
    },
    cases::upstream::request::nominated::{
        content_does_not_follow_without_its_length, what_connection_names_is_still_said,
    },
    cases::upstream::request::passed_on::{
        a_damaged_value_is_not_passed_on, a_long_value_is_passed_on_whole,
        an_unknown_field_is_passed_on, lines_of_a_field_keep_their_order,
    },
    documents::{RFC_9110, RFC_9112},
};

/// Every case about the request that an upstream proxy gets.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream": "Asking an upstream proxy", concat!(include_str!("request.rs"), include_str!("request/passed_on.rs"), include_str!("request/asked.rs"), include_str!("request/nominated.rs"));
        the_upstream_proxy_is_asked,
        a_connection_that_was_a_tunnel_is_not_used_again,
        is_asked_for_the_same_target,
        host_names_the_target,
        the_version_is_the_proxys_own,
        via_has_an_entry_of_the_proxy,
        what_connection_names_is_not_passed_on,
        what_connection_names_is_still_said,
        content_does_not_follow_without_its_length,
        what_is_meant_for_one_hop_is_not_passed_on,
        an_unknown_field_is_passed_on,
        a_long_value_is_passed_on_whole,
        lines_of_a_field_keep_their_order,
        a_damaged_value_is_not_passed_on,
        the_ports_that_are_allowed_stay_the_proxys_own,
        a_name_that_only_an_upstream_proxy_could_know,
    }
}

/// Hosts of targets, as clients write them.
const HOSTS: &[(&str, &str, &[Need])] = &[
    ("ipv4", "127.0.0.1", &[]),
    ("ipv6", "[::1]", &[Need::Ipv6]),
    ("name", "localhost", &[Need::Names]),
    ("name_in_capitals", "LOCALHOST", &[Need::Names]),
];

/// What an upstream proxy is asked for is where the tunnel leads. A proxy that resolves a name first, or that writes an IPv6
/// address without its brackets, asks for something else than its client has.
///
/// Also accepted: another case of a name, a dot after it, zeros in front of the port.
fn is_asked_for_the_same_target() -> Family {
    each(HOSTS, |&(_, host, needs)| {
        must("The upstream proxy is asked for the host and port that the client asks for")
            .over(EVERY)
            .cites(RFC_9112.section("3.2.3"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H1-FWD-001"])
            .covers_over(Protocol::H2c, ["H2-XV-001"])
            .covers_over(Protocol::H2, ["H2-XV-001"])
            .seen_in(
                "mitmproxy #8309",
                "https://github.com/mitmproxy/mitmproxy/issues/8309",
            )
            .under(upstream())
            .needs(needs.iter().copied())
            .run(async move |lab| {
                let server = lab.dual_server(hold()).await?;
                let target = format!("{host}:{}", server.port());
                let request = lab.client().request(&target);
                let upstream = lab.upstream(hand_over()).await?;
                let chain = lab.chains(&upstream, &request).await?;
                let asked = &chain.asked;
                let same = authority(asked.target()) == authority(&target);
                if asked.method() == "CONNECT" && same {
                    return Ok(());
                }
                let expected = format!("CONNECT {target}, in authority-form");
                Err(Finding::violation(expected, asked.line()))
            })
    })
}

/// Host and port of a target, in one spelling; `None` if it is no authority-form.
pub(super) fn authority(target: &str) -> Option<(String, u16)> {
    let (host, port) = target.rsplit_once(':')?;
    let is_one_host = match host.strip_prefix('[') {
        Some(rest) => rest.ends_with(']'),
        None => !host.is_empty() && !host.contains([':', '/', '@']),
    };
    let digits = port.bytes().all(|digit| digit.is_ascii_digit());
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (is_one_host && digits).then_some((host, port.parse().ok()?))
}

/// An upstream proxy, or a filter in front of it, may go by the Host field. One that names another host than the target
/// makes two of them decide about two different things.
///
/// Also accepted: the host without its port, and no Host field in a request of HTTP/1.0.
fn host_names_the_target() -> Case {
    must("A CONNECT that is forwarded in HTTP/1.1 has one Host field, which fits its target")
        .over(EVERY)
        .cites(RFC_9112.section("3.2"))
        .cites(RFC_9112.section("3.2.3"))
        .covers(["H1-FWD-002"])
        .covers_over(Protocol::H2c, ["H2-XV-001"])
        .covers_over(Protocol::H2, ["H2-XV-001"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.upstream(hand_over()).await?;
            let chain = lab.chains(&upstream, &lab.request(&server)).await?;
            let hosts: Vec<_> = chain.asked.values("Host").collect();
            let fits = |value: &[u8]| {
                let value = String::from_utf8_lossy(value);
                value == server.host() || authority(&value) == authority(&server.authority())
            };
            match &hosts[..] {
                [] if chain.asked.version() == "HTTP/1.0" => lab.note("HTTP/1.0, without Host"),
                [host] if fits(host) => {}
                _ => {
                    let expected = format!("one Host field, of {}", server.authority());
                    let seen: Vec<_> = hosts
                        .iter()
                        .map(|host| format!("Host: {}", host.escape_ascii()))
                        .collect();
                    let observed = match &seen[..] {
                        [] => format!("no Host in {}", chain.asked.version()),
                        _ => seen.join(", "),
                    };
                    return Err(Finding::violation(expected, observed));
                }
            }
            Ok(())
        })
}

/// Versions of clients that are not the proxy's own.
const VERSIONS: &[(&str, &str)] = &[("older", "HTTP/1.0"), ("newer", "HTTP/1.7")];

/// The version says what the next sender understands. It is the proxy that reads the answer, so a client's version
/// promises for it what it may not keep.
///
/// Also accepted: to refuse the client's version, and any version of the proxy's own, as long as it does not depend on the
/// client's.
fn the_version_is_the_proxys_own() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("A forwarded CONNECT names the version that the proxy speaks, not the client's")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("2.3"))
            .covers(["H1-FWD-003"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.upstream(hand_over()).await?;
                let own = lab.chains(&upstream, &lab.request(&server)).await?;
                let own = own.asked.version().to_owned();
                let request = lab.request(&server).version(version);
                let asked = lab.chains(&upstream, &request).await?.asked;
                if asked.version() == own {
                    lab.note(own);
                    return Ok(());
                }
                let expected = format!("{own}, as in the request for a client of HTTP/1.1");
                Err(Finding::violation(expected, asked.line()))
            })
    })
}

/// Via is how loops are found, and how a server knows what the proxies on the way understand.
///
/// Also accepted: to put earlier entries under one name. A proxy that passes nothing of its client's request on opens a
/// tunnel of its own through the upstream proxy, and forwards no message: then nothing follows.
fn via_has_an_entry_of_the_proxy() -> Case {
    must("A forwarded CONNECT has an entry of the proxy at the end of Via")
        .over(EVERY)
        .cites(RFC_9110.section("7.6.3"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-004"])
        .covers_over(Protocol::H2c, ["H2-XV-001"])
        .covers_over(Protocol::H2, ["H2-XV-001"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let nonce = lab.nonce();
            let request = lab
                .request(&server)
                .field(format!("Via: {EARLIER}"))
                .field(format!("X-Unknown: {nonce}"));
            let upstream = lab.upstream(hand_over()).await?;
            let asked = lab.chains(&upstream, &request).await?.asked;
            let via = asked.members("Via");
            let is_last_its_own = via.last().is_some_and(|last| last != EARLIER);
            if is_last_its_own {
                lab.note(format!("Via: {}", via.join(", ")));
                return Ok(());
            }
            if via.is_empty() && !asked.contains(&nonce) {
                return Err(Finding::inconclusive(
                    "nothing of the client's request is passed on: a tunnel of the proxy's own",
                ));
            }
            let observed = match &via[..] {
                [] => "no Via".to_owned(),
                _ => format!("Via: {}", via.join(", ")),
            };
            Err(Finding::violation(
                format!("an entry of the proxy after `Via: {EARLIER}`"),
                observed,
            ))
        })
}

/// The entry of a proxy before this one.
const EARLIER: &str = "1.0 fred";

/// What Connection names is between the client and this proxy. The next one may do something else for it.
///
/// Only this conforms; a proxy that passes no field on keeps it, too.
fn what_connection_names_is_not_passed_on() -> Case {
    must("Neither Connection nor the fields that it names reach the upstream proxy")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.1"))
        .covers(["H1-FWD-005"])
        .under(upstream())
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let nonce = lab.nonce();
            let request = lab
                .request(&server)
                .field("Connection: X-Hop")
                .field(format!("X-Hop: {nonce}"));
            let upstream = lab.upstream(hand_over()).await?;
            let asked = lab.chains(&upstream, &request).await?.asked;
            let named = asked.members("Connection");
            let is_named = named.iter().any(|name| name.eq_ignore_ascii_case("X-Hop"));
            let observed = match (asked.contains(&nonce), is_named) {
                (true, _) => format!("X-Hop: {nonce}"),
                (false, true) => format!("Connection: {}", named.join(", ")),
                (false, false) => return Ok(()),
            };
            Err(Finding::violation(
                "neither X-Hop nor a Connection that names it",
                observed,
            ))
        })
}

/// Fields about one connection only, and a value of each in which a nonce stands.
const HOPS: &[(&str, &str, &str)] = &[
    ("proxy_connection", "Proxy-Connection", ""),
    ("keep_alive", "Keep-Alive", "timeout=5, "),
    ("te", "TE", "trailers, "),
    ("upgrade", "Upgrade", ""),
];

/// What a client says about its own connection is not true of the next one.
///
/// Also accepted: values of the proxy's own.
fn what_is_meant_for_one_hop_is_not_passed_on() -> Family {
    each(HOPS, |&(_, field, value)| {
        should("Fields that concern one connection are removed or replaced, whether Connection names them or not")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("7.6.1"))
            .covers(["H1-FWD-006"])
            .under(upstream())
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let nonce = lab.nonce();
                let line = format!("{field}: {value}{nonce}");
                let request = lab.request(&server).field(&line);
                let upstream = lab.upstream(hand_over()).await?;
                let asked = lab.chains(&upstream, &request).await?.asked;
                if !asked.contains(&nonce) {
                    return Ok(());
                }
                Err(Finding::violation(format!("no {field} of the client"), line))
            })
    })
}

/// Whoever allows ports on a proxy means its clients. That another proxy comes next does not make them any safer.
///
/// Also accepted: any refusal. What is asked is that the upstream proxy hears nothing of it.
fn the_ports_that_are_allowed_stay_the_proxys_own() -> Case {
    practice("A port that is not allowed is refused before the upstream proxy hears of it")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-017"])
        .under(upstream())
        .needs([Need::PortList])
        .run(async |lab| {
            let granting = receive_head()
                .then(send("HTTP/1.1 200 OK\r\n\r\n"))
                .then(echo());
            let upstream = lab.upstream(granting).await?;
            let server = lab.denied_server(hold()).await?;
            let target = server.authority();
            let found = lab.refuses(&lab.request(&server)).await;
            // A proxy that asks again what another client wanted before has not asked for this.
            let heard = upstream.visits();
            let mut heard = heard.iter().map(|visit| upstream.heard(visit)).peekable();
            let by_others = heard.peek().is_some()
                && !heard.any(|head| String::from_utf8_lossy(&head).contains(&target));
            match found {
                Err(Finding::Violation { .. }) if by_others => Err(Finding::inconclusive(
                    "what came to the upstream proxy was asked for something else",
                )),
                found => found.map(drop),
            }
        })
}

/// After a proxy that is the only way out, often nobody but the upstream proxy can resolve names.
///
/// Also accepted: to resolve them all the same, for a policy that goes by addresses, and to refuse what has none.
fn a_name_that_only_an_upstream_proxy_could_know() -> Case {
    survey("A name that does not exist on this side of an upstream proxy")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-016"])
        .under(upstream())
        .needs([Need::Names])
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let target = format!("{}:{}", lab.impossible_name(), server.port());
            let upstream = lab.upstream(hand_over()).await?;
            let chain = lab.chains(&upstream, &lab.client().request(&target)).await;
            lab.note(match chain {
                Ok(_) => "is passed on".to_owned(),
                Err(Finding::Inconclusive { reason }) => reason,
                Err(finding) => return Err(finding),
            });
            Ok(())
        })
}
