//! # Asking an upstream proxy over HTTP/2
//!
//! To the next proxy, a proxy is a client of HTTP/2. What it asks is a field section of its own making, whatever version its own
//! client speaks: what was right on a line of HTTP/1.1 may be malformed there.

use connectspec_harness::{http2::Fields, prelude::*};

mod fields;

use super::words::{VERSIONS, chain};
use crate::{
    cases::upstream::request::authority,
    documents::{RFC_9110, RFC_9113},
};
use fields::{
    an_unknown_field_is_passed_on, credentials_do_not_reach_the_upstream_proxy,
    fields_of_a_connection_are_left_out, host_is_absent_or_names_the_target,
    names_are_in_small_letters, values_hold_what_a_field_may, via_has_an_entry_of_the_proxy,
    what_connection_names_is_not_passed_on,
};

/// Every case about the request that an upstream proxy of HTTP/2 gets.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_http2": "Asking an upstream proxy over HTTP/2", concat!(include_str!("request.rs"), include_str!("request/fields.rs"));
        is_asked_for_the_same_target,
        a_connect_has_no_scheme_and_no_path,
        pseudo_fields_come_once_and_first,
        a_connect_does_not_end_its_stream,
        names_are_in_small_letters,
        host_is_absent_or_names_the_target,
        fields_of_a_connection_are_left_out,
        what_connection_names_is_not_passed_on,
        values_hold_what_a_field_may,
        via_has_an_entry_of_the_proxy,
        an_unknown_field_is_passed_on,
        credentials_do_not_reach_the_upstream_proxy,
        settings_are_acknowledged,
        a_ping_is_answered,
    }
}

/// Hosts of targets, as clients write them.
const HOSTS: &[(&str, &str, &[Need])] = &[
    ("ipv4", "127.0.0.1", &[]),
    ("ipv6", "[::1]", &[Need::Ipv6]),
    ("name", "localhost", &[Need::Names]),
];

/// What is asked for decides where the tunnel leads. A proxy that resolves a name first, that leaves the port out, or that loses
/// brackets in a translation, asks for something else than its client has.
///
/// Also accepted: another case of a name, a dot after it, zeros in front of the port.
fn is_asked_for_the_same_target() -> Family {
    each(HOSTS, |&(_, host, needs)| {
        must("The upstream proxy is asked with CONNECT for the host and port that the client asks for")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-001", "H1-FWD-001"])
            .under(upstream_over(HttpVersion::H2c))
            .needs(needs.iter().copied())
            .run(async move |lab| {
                let server = lab.dual_server(hold()).await?;
                let target = format!("{host}:{}", server.port());
                let upstream = lab.http2_upstream().await?;
                let request = lab.client().request(&target);
                let asked = lab.chains_streams(&upstream, &request).await?.asked;
                let method = only(&asked, ":method");
                let asks = only(&asked, ":authority");
                let same = asks.as_deref().map(authority) == Some(authority(&target));
                match method.as_deref() == Some("CONNECT") && same {
                    true => Ok(()),
                    false => Err(Finding::violation(
                        format!(":method: CONNECT, :authority: {target}"),
                        asked.describe(),
                    )),
                }
            })
    })
}

/// The value of a field that is there once.
fn only(fields: &Fields, name: &str) -> Option<String> {
    let mut values = fields.values(name);
    let first = values.next()?;
    let text = String::from_utf8_lossy(first).into_owned();
    values.next().is_none().then_some(text)
}

/// A CONNECT names an authority and nothing else: with a scheme or a path, a strict proxy refuses it as malformed. Libraries that
/// know no CONNECT add both.
///
/// Only this conforms.
fn a_connect_has_no_scheme_and_no_path() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("A CONNECT to the upstream proxy has neither :scheme nor :path")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-001"])
            .under(upstream_over(version))
            .run(async |lab| {
                let asked = chain(lab).await?.asked;
                let odd = |name: &&str| asked.values(name).next().is_some();
                match [":scheme", ":path"].iter().any(odd) {
                    false => Ok(()),
                    true => Err(Finding::violation(
                        "neither :scheme nor :path",
                        asked.describe(),
                    )),
                }
            })
    })
}

/// Those that a request may have; one of extended CONNECT is for what no client here asks for.
const PSEUDO_FIELDS: [&[u8]; 4] = [b":method", b":authority", b":scheme", b":path"];

/// Fields that say where a request goes are read before all others. What comes late, or twice, is malformed, since two readers may
/// take two of them.
///
/// Only this conforms; whether :scheme and :path may be there is for another case.
fn pseudo_fields_come_once_and_first() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("Pseudo-header fields of a CONNECT to the upstream proxy are known ones, each there once, in front of all other fields")
            .over(EVERY)
            .cites(RFC_9113.section("8.3"))
            .cites(RFC_9113.section("8.3.1"))
            .covers(["H2-FWD-001"])
            .under(upstream_over(version))
            .run(async |lab| {
                let asked = chain(lab).await?.asked;
                let names: Vec<&[u8]> = asked.iter().map(|(name, _)| name).collect();
                let is_pseudo = |name: &&&[u8]| name.starts_with(b":");
                let in_front = names.iter().take_while(is_pseudo).count();
                let all: Vec<_> = names.iter().filter(is_pseudo).collect();
                let known = all.iter().all(|name| PSEUDO_FIELDS.contains(name));
                let once = all.iter().all(|name| asked_once(&asked, name));
                match known && once && in_front == all.len() {
                    true => Ok(()),
                    false => Err(Finding::violation(
                        ":method and :authority, once, before all others",
                        asked.describe(),
                    )),
                }
            })
    })
}

fn asked_once(asked: &Fields, name: &[u8]) -> bool {
    asked.iter().filter(|(known, _)| *known == name).count() == 1
}

/// A stream that its client has ended carries nothing more of it: what the client of the tunnel says has no way to go.
///
/// Only this conforms: no client here has ended anything yet.
fn a_connect_does_not_end_its_stream() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("A CONNECT to the upstream proxy leaves its stream open")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-001"])
            .under(upstream_over(version))
            .run(async |lab| {
                let chain = chain(lab).await?;
                let ended = chain.far.session().with(|state| {
                    let stream = state.streams.get(&chain.id);
                    let first = stream.and_then(|stream| stream.sections.first());
                    first.is_some_and(|(_, last)| *last)
                });
                match ended {
                    false => Ok(()),
                    true => Err(Finding::violation(
                        "HEADERS without END_STREAM",
                        "HEADERS with END_STREAM",
                    )),
                }
            })
    })
}

/// Settings are agreed on when they are acknowledged. Who waits for that in vain ends the connection, with the tunnels on it.
///
/// Also accepted: any time within that of a tunnel that makes progress.
fn settings_are_acknowledged() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("SETTINGS of the upstream proxy are acknowledged")
            .cites(RFC_9113.section("6.5.3"))
            .covers(["H2-FWD-003"])
            .under(upstream_over(version))
            .run(async |lab| {
                let chain = chain(lab).await?;
                let settled = chain.far.is_settled().await;
                settled.map_err(|finding| match finding {
                    // What has become of a connection that is over is for other cases.
                    Finding::Inconclusive { reason } if !is_over(&chain) => {
                        Finding::violation("SETTINGS with ACK", reason)
                    }
                    other => other,
                })
            })
    })
}

/// An upstream proxy that gets no answer takes the connection for dead.
///
/// Only this conforms.
fn a_ping_is_answered() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("PING of the upstream proxy is answered")
            .cites(RFC_9113.section("6.7"))
            .covers(["H2-FWD-003"])
            .under(upstream_over(version))
            .run(async |lab| {
                let chain = chain(lab).await?;
                match chain.far.answers_a_ping().await {
                    true => Ok(()),
                    false if is_over(&chain) => Err(Finding::inconclusive("the connection ends")),
                    false => Err(Finding::violation("PING with ACK", "none")),
                }
            })
    })
}

/// Whether the connection to the upstream proxy has ended.
fn is_over(chain: &StreamChain) -> bool {
    chain.far.session().with(|state| state.over.is_some())
}
