//! What else stands in the field section of a CONNECT.

use connectspec_harness::{http2::Fields, prelude::*};

use crate::{
    cases::upstream::{over_http2::words::chain, request::authority},
    documents::{RFC_9110, RFC_9113},
};

/// What reaches the upstream proxy of an ordinary request with these field lines.
async fn asked_with(lab: &Lab, fields: &[&str]) -> Outcome<Fields> {
    let server = lab.server(hold()).await?;
    let upstream = lab.http2_upstream().await?;
    let ordinary = lab.request(&server);
    let request = fields
        .iter()
        .fold(ordinary, |request, field| request.field(*field));
    Ok(lab.chains_streams(&upstream, &request).await?.asked)
}

/// A name in capitals is another name to whoever compares octets, and malformed to all others.
///
/// Only this conforms.
pub(super) fn names_are_in_small_letters() -> Case {
    must("Field names have no capitals in a CONNECT to the upstream proxy")
        .over(EVERY)
        .cites(RFC_9113.section("8.2"))
        .cites(RFC_9113.section("8.2.1"))
        .covers(["H2-FWD-002"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let asked = asked_with(lab, &["X-Mixed-Case: Value"]).await?;
            let capital = |name: &[u8]| name.iter().any(u8::is_ascii_uppercase);
            match asked.iter().any(|(name, _)| capital(name)) {
                false => Ok(()),
                true => Err(Finding::violation("small letters", asked.describe())),
            }
        })
}

/// An upstream proxy that goes by Host, and one that goes by the authority, decide about two things where they differ.
///
/// Also accepted: no Host at all, and one without the port.
pub(super) fn host_is_absent_or_names_the_target() -> Case {
    must("A Host field in a CONNECT to the upstream proxy names what its authority names")
        .over(EVERY)
        .cites(RFC_9113.section("8.3.1"))
        .covers(["H2-FWD-002", "H1-FWD-002"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let upstream = lab.http2_upstream().await?;
            let asked = lab.chains_streams(&upstream, &lab.request(&server)).await?;
            let fits = |value: &[u8]| {
                let value = String::from_utf8_lossy(value);
                value == server.host() || authority(&value) == authority(&server.authority())
            };
            let mut hosts = asked.asked.values("host");
            match (hosts.next(), hosts.next()) {
                (None, _) => Ok(()),
                (Some(host), None) if fits(host) => Ok(()),
                _ => Err(Finding::violation(
                    format!("no Host, or one of {}", server.authority()),
                    asked.asked.describe(),
                )),
            }
        })
}

/// Fields about a connection of HTTP/1.1, as clients of it send them.
const OF_A_CONNECTION: &[(&str, &str)] = &[
    ("connection", "Connection: X-Hop"),
    ("keep_alive", "Keep-Alive: timeout=5"),
    ("proxy_connection", "Proxy-Connection: keep-alive"),
    ("te", "TE: gzip;q=0.5"),
    ("upgrade", "Upgrade: example/1"),
];

/// What HTTP/2 has no place for is malformed there: a proxy that copies such a field has its CONNECT refused.
///
/// Also accepted: `te: trailers`, and to refuse the request.
pub(super) fn fields_of_a_connection_are_left_out() -> Family {
    each(OF_A_CONNECTION, |&(_, field)| {
        must("A CONNECT to the upstream proxy has no field that is about a connection of HTTP/1.1")
            .over(HTTP_1_1)
            .cites(RFC_9113.section("8.2.2"))
            .covers(["H2-FWD-002", "H1-FWD-006"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let asked = asked_with(lab, &[field]).await?;
                let odd = |(name, value): (&[u8], &[u8])| match name {
                    b"connection" | b"keep-alive" | b"proxy-connection" | b"transfer-encoding"
                    | b"upgrade" => true,
                    b"te" => value != b"trailers",
                    _ => false,
                };
                match asked.iter().any(odd) {
                    false => Ok(()),
                    true => Err(Finding::violation(
                        "no field of a connection",
                        asked.describe(),
                    )),
                }
            })
    })
}

/// What Connection names is between the client and this proxy. The next one may do something else for it.
///
/// Only this conforms; a proxy that passes no field on keeps it, too.
pub(super) fn what_connection_names_is_not_passed_on() -> Case {
    must("A field that Connection names does not reach an upstream proxy of HTTP/2")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("7.6.1"))
        .covers(["H1-FWD-005"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let nonce = lab.nonce();
            let asked = asked_with(lab, &["Connection: X-Hop", &format!("X-Hop: {nonce}")]).await?;
            match holds(&asked, &nonce) {
                false => Ok(()),
                true => Err(Finding::violation("no X-Hop", asked.describe())),
            }
        })
}

/// Whether a value is there that contains `text`.
fn holds(fields: &Fields, text: &str) -> bool {
    let text = text.as_bytes();
    let has = |value: &[u8]| value.windows(text.len()).any(|window| window == text);
    fields.iter().any(|(_, value)| has(value))
}

/// Fields that a client of HTTP/1.1 can write so that their value, as it stands, is none of HTTP/2.
const ODD_VALUES: &[(&str, &str)] = &[
    ("blanks_around", "X-A: \t a \t "),
    ("fold", "X-A: a\r\n X-B: b"),
    ("bare_carriage_return", "X-A: a\rX-B: b"),
    ("nul", "X-A: a\0X-B: b"),
];

/// The next proxy may write such a value into a line of HTTP/1.1: then it is a field, or a request, that nobody has made.
///
/// Also accepted: to refuse the request, to put spaces there, and to pass no such field on.
pub(super) fn values_hold_what_a_field_may() -> Family {
    each(ODD_VALUES, |&(_, field)| {
        must("No value in a CONNECT to the upstream proxy has a line end or a NUL in it, or a blank at its ends")
            .over(HTTP_1_1)
            .cites(RFC_9113.section("8.2.1"))
            .cites(RFC_9113.section("10.3"))
            .covers(["H2-FWD-002", "H1-FLD-005"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let server = lab.server(hold()).await?;
                let upstream = lab.http2_upstream().await?;
                let request = lab.request(&server).field(field);
                let asked = match lab.chains_streams(&upstream, &request).await {
                    Ok(chain) => chain.asked,
                    Err(Finding::Inconclusive { reason }) => {
                        lab.note(reason);
                        return Ok(());
                    }
                    Err(Finding::Violation { .. }) if upstream.visits().is_empty() => {
                        return Err(Finding::inconclusive(
                            "silence, and the upstream proxy is not asked",
                        ));
                    }
                    Err(finding) => return Err(finding),
                };
                let blank = |octet: Option<&u8>| matches!(octet, Some(b' ' | b'\t'));
                let odd = |value: &[u8]| {
                    let inside = value.iter().any(|octet| b"\0\r\n".contains(octet));
                    inside || blank(value.first()) || blank(value.last())
                };
                match asked.iter().any(|(_, value)| odd(value)) {
                    false => Ok(()),
                    true => Err(Finding::violation(
                        "spaces in its place, or no such field",
                        asked.describe(),
                    )),
                }
            })
    })
}

/// The entry of a proxy before this one.
const EARLIER: &str = "1.0 fred";

/// Via is how loops are found, over whatever versions they go.
///
/// Also accepted: to put earlier entries under one name. A proxy that passes nothing of its client's request on opens a
/// tunnel of its own through the upstream proxy, and forwards no message: then nothing follows.
pub(super) fn via_has_an_entry_of_the_proxy() -> Case {
    must("A CONNECT that is forwarded in HTTP/2 has an entry of the proxy at the end of Via")
        .over(EVERY)
        .cites(RFC_9110.section("7.6.3"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-FWD-004"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let nonce = lab.nonce();
            let (via, unknown) = (format!("Via: {EARLIER}"), format!("X-Unknown: {nonce}"));
            let asked = asked_with(lab, &[&via, &unknown]).await?;
            let via: Vec<String> = asked
                .values("via")
                .flat_map(|value| value.split(|&octet| octet == b','))
                .map(|entry| String::from_utf8_lossy(entry.trim_ascii()).into_owned())
                .collect();
            if via.last().is_some_and(|last| last != EARLIER) {
                lab.note(format!("via: {}", via.join(", ")));
                return Ok(());
            }
            if via.is_empty() && !holds(&asked, &nonce) {
                return Err(Finding::inconclusive(
                    "nothing of the client's request is passed on: a tunnel of the proxy's own",
                ));
            }
            Err(Finding::violation(
                format!("an entry of the proxy after `via: {EARLIER}`"),
                asked.describe(),
            ))
        })
}

/// What a proxy does not know may be meant for the next one.
///
/// Also accepted: both values on one line. A proxy that keeps all of a request to itself goes against a recommendation only, where
/// the tunnel is its own.
pub(super) fn an_unknown_field_is_passed_on() -> Case {
    should("A field that the proxy does not know reaches an upstream proxy of HTTP/2")
        .over(EVERY)
        .cites(RFC_9110.section("5.1"))
        .covers(["H1-FWD-007"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let nonce = lab.nonce();
            let asked = asked_with(lab, &[&format!("X-Unknown: {nonce}")]).await?;
            match asked
                .values("x-unknown")
                .any(|value| value == nonce.as_bytes())
            {
                true => Ok(()),
                false => Err(Finding::violation(
                    format!("x-unknown: {nonce}"),
                    asked.describe(),
                )),
            }
        })
}

/// The upstream proxy is often somebody else's.
///
/// Also accepted: to have been told to send credentials of its own. This one was not, nor to pass on those of its clients.
pub(super) fn credentials_do_not_reach_the_upstream_proxy() -> Case {
    practice("An upstream proxy of HTTP/2 sees nothing of the credentials for this one")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.2"))
        .covers(["H1-AUTH-017"])
        .under(Setup {
            credentials: true,
            ..upstream_over(HttpVersion::H2c)
        })
        .run(async |lab| {
            let asked = chain(lab).await?.asked;
            let mut secrets = lab.credentials()?.secrets().into_iter();
            let shown = secrets.any(|secret| holds(&asked, &secret));
            match shown || asked.values("proxy-authorization").next().is_some() {
                false => Ok(()),
                true => Err(Finding::violation(
                    "no credentials",
                    "the credentials of the client",
                )),
            }
        })
}
