//! # Requests as httpd reads them
//!
//! What httpd takes and refuses of a CONNECT, also where a specification wants something else: whoever replaces it learns
//! which clients will notice. Asked only of proxies that are like httpd.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        httpd::httpd,
        statuses::{expect_status, granted, has_status, leads_to},
    },
    documents::{HTTPD_CORE, MOD_PROXY, MOD_PROXY_CONNECT},
};

/// Every case about what httpd takes.
pub(crate) fn suite() -> Suite {
    suite! {
        "httpd_requests": "Requests as httpd reads them", include_str!("requests.rs");
        broken_lines_are_bad_requests,
        an_old_client_needs_no_host,
        a_missing_host_is_a_bad_request,
        whatever_is_wrong_with_host_is_ignored,
        another_host_is_ignored,
        a_port_is_read_as_c_reads_numbers,
        a_host_is_a_strict_name_or_address,
        odd_hosts_are_looked_up,
        max_forwards_counts,
        content_goes_to_the_server,
        half_a_head_is_a_bad_request,
        only_one_expectation_is_known,
    }
}

/// What is wrong with a request that is right otherwise.
type Broken = fn(Request) -> Request;

const BROKEN: &[(&str, Broken)] = &[
    ("method", |request| request.method("CON(NECT")),
    ("first_control_character", |request| {
        request.field("X: a\x01b")
    }),
    ("last_control_character", |request| {
        request.field("X: a\x1fb")
    }),
    ("delete", |request| request.field("X: a\x7fb")),
];

/// Since httpd reads strictly, what comes through it can be logged and compared without a second look.
///
/// Only this conforms for a proxy like httpd.
fn broken_lines_are_bad_requests() -> Family {
    each(BROKEN, |&(_, broken)| {
        httpd("A method that is no token and a control character in a value are answered with 400")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-SYN"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                has_status(lab, &broken(lab.request(&server)), 400).await?;
                server.stays_unvisited().await
            })
    })
}

/// Programs that speak HTTP/1.0 to a proxy send two lines, and have done so for thirty years.
///
/// Only this conforms for a proxy like httpd.
fn an_old_client_needs_no_host() -> Case {
    httpd("An HTTP/1.0 CONNECT without Host is served")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .covers(["REF-SYN"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server).version("HTTP/1.0").without_host();
            leads_to(lab, &request, &server).await
        })
}

/// A client that does not know Host is from before HTTP/1.1, whatever it says.
///
/// Only this conforms: RFC 9112 asks for 400 as well.
fn a_missing_host_is_a_bad_request() -> Case {
    httpd("An HTTP/1.1 CONNECT without Host is answered with 400")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .covers(["REF-HOST"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            has_status(lab, &lab.request(&server).without_host(), 400).await
        })
}

/// Host fields, one after another.
const HOSTS: &[(&str, &[&str])] = &[
    ("two", &["one.invalid", "two.invalid"]),
    ("space", &["a b"]),
    ("path", &["a/b"]),
    ("user", &["a@b"]),
    ("half_a_bracket", &["[::1"]),
    ("empty", &[""]),
];

/// Old clients put all sorts of things into Host, and httpd has always looked at the target alone.
///
/// Only this conforms for a proxy like httpd. RFC 9112 asks for 400 for most of these, so one that keeps to that lists
/// them as deviations.
fn whatever_is_wrong_with_host_is_ignored() -> Family {
    each(HOSTS, |&(_, values)| {
        httpd("A malformed or doubled Host does not keep a CONNECT from its target")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-HOST"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.request(&server).without_host();
                let request = values.iter().fold(request, |request, value| {
                    request.field(format!("Host: {value}"))
                });
                leads_to(lab, &request, &server).await
            })
    })
}

/// Hosts in every spelling that the grammar has; none of them is where the tunnel shall lead.
const OTHER_HOSTS: &[(&str, &str)] = &[
    ("name", "a.invalid"),
    ("empty_port", "a.invalid:"),
    ("large_port", "a.invalid:99999"),
    ("odd_characters", "-._~!$&'()*+,;="),
    ("percent_encoding", "%4a%A4"),
    ("ipv6", "[::1]"),
    ("ipv6_and_a_port", "[::1]:80"),
    ("future_address", "[v1f.-._~!$&'()*+,;=:a]:80"),
    ("future_address_in_capitals", "[V1F.a]"),
];

/// Clients that send the proxy's own name, or the one that a person has typed, get their tunnel.
///
/// Only this conforms for a proxy like httpd. Others may refuse a request whose two hosts differ: RFC 9112 wants clients
/// to send the same one.
fn another_host_is_ignored() -> Family {
    each(OTHER_HOSTS, |&(_, host)| {
        httpd("A Host that names another host does not keep a CONNECT from its target")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-HOST"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                leads_to(lab, &lab.request(&server).host(host), &server).await
            })
    })
}

/// How a port is written that comes to the same one.
type Spelling = fn(u16) -> String;

const PORTS: &[(&str, Spelling)] = &[
    ("leading_zeros", |port| format!("00{port}")),
    ("plus_sign", |port| format!("+{port}")),
    ("past_16_bits", |port| (u32::from(port) + 65536).to_string()),
    ("past_32_bits", |port| {
        (u64::from(port) + (1 << 32)).to_string()
    }),
    ("negative", |port| (i32::from(port) - 65536).to_string()),
];

/// A filter in front of the proxy that compares text has to know what else is the same port.
///
/// Only this conforms for a proxy like httpd. RFC 9110 asks for 400 for all but the first, so one that keeps to that
/// lists them as deviations.
fn a_port_is_read_as_c_reads_numbers() -> Family {
    each(PORTS, |&(_, spelled)| {
        httpd("A port may have a sign and zeros, and is cut to 16 bits")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-PORT"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let target = format!("{}:{}", server.host(), spelled(server.port()));
                let request = lab.client().request(target).host(server.authority());
                leads_to(lab, &request, &server).await
            })
    })
}

/// Hosts that are no names and no addresses to httpd.
const BAD_HOSTS: &[(&str, &str)] = &[
    ("exclamation_mark", "a!b"),
    ("percent", "loc%61lhost"),
    ("two_dots", "a..b"),
    ("three_parts", "127.0.1"),
    ("five_parts", "127.0.0.0.1"),
    ("one_number", "2130706433"),
    ("leading_zero", "127.0.0.01"),
    ("digit_in_the_last_label", "a.1b"),
    ("non_ascii", "\u{e4}"),
];

/// A name that is looked up in spite of its form can mean another host to every resolver.
///
/// Also accepted: any refusal; httpd gives 400 to those that its parser refuses, and 502 to those that only the resolver
/// does.
fn a_host_is_a_strict_name_or_address() -> Family {
    each(BAD_HOSTS, |&(_, host)| {
        httpd("A host is letters, digits, dots, dashes and underscores, or a whole address")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-HOSTSYN"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.client().request(format!("{host}:{}", server.port()));
                has_status(lab, &request, 400).await?;
                server.stays_unvisited().await
            })
    })
}

/// Hosts that get as far as the resolver.
const ODD_HOSTS: &[(&str, &str, bool)] = &[
    ("underscore", "_x", false),
    ("dash", "-x-", false),
    ("trailing_dot", "127.0.0.1.", true),
    ("hexadecimal", "0x7f000001", true),
    ("ipv4_in_brackets", "[127.0.0.1]", true),
];

/// What httpd's grammar of names lets through is for the resolver to judge, and that knows more spellings of an address
/// than any filter.
///
/// Only this conforms for a proxy like httpd, but an address that this machine's resolver does not know by that
/// spelling may be answered with 502. One that is stricter lists the rows as deviations.
fn odd_hosts_are_looked_up() -> Family {
    each(ODD_HOSTS, |&(_, host, is_address)| {
        httpd("A host that has the form of a name is looked up, however odd it is")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-HOSTSYN"])
            .needs([Need::ConfigLines])
            .needs([Need::Names])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let host = match is_address {
                    true => host.to_owned(),
                    false => format!("{host}.{}", lab.impossible_name()),
                };
                let request = lab.client().request(format!("{host}:{}", server.port()));
                let answer = lab.client().asks(request).await?.answer;
                match answer.status() {
                    Some(502) => Ok(()),
                    Some(200) if is_address => Ok(()),
                    _ => {
                        let expected = "it is looked up: a tunnel or 502";
                        Err(Finding::violation(expected, answer.describe()))
                    }
                }
            })
    })
}

/// Values of Max-Forwards, and whether they let a request pass.
const COUNTS: &[(&str, &str, bool)] = &[
    ("zero", "0", false),
    ("zeros", "00", false),
    ("empty", "", false),
    ("no_number", "x", false),
    ("one", "1", true),
    ("many", "99", true),
];

/// A loop of proxies that count down ends; one that ignores the count keeps it alive.
///
/// Only this conforms for a proxy like httpd, which counts for every method.
fn max_forwards_counts() -> Family {
    each(COUNTS, |&(_, value, passes)| {
        httpd("Max-Forwards refuses a CONNECT with 400 when it is zero or no number")
            .cites(MOD_PROXY.section("proxymaxforwards"))
            .covers(["REF-MF"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.request(&server).field(format!("Max-Forwards: {value}"));
                match passes {
                    true => leads_to(lab, &request, &server).await,
                    false => has_status(lab, &request, 400).await,
                }
            })
    })
}

/// Content, and the fields that announce it.
const CONTENTS: &[(&str, &str, &str)] = &[
    ("length", "Content-Length: 5", "hello"),
    (
        "chunked",
        "Transfer-Encoding: chunked",
        "5\r\nhello\r\n0\r\n\r\n",
    ),
];

/// What httpd does not read it passes on, with the octets of its framing.
///
/// Only this conforms for a proxy like httpd. RFC 9110 says that a CONNECT has no content, so one that refuses it lists
/// the rows as deviations.
fn content_goes_to_the_server() -> Family {
    each(CONTENTS, |&(_, field, content)| {
        httpd("Content of a CONNECT goes to the server as it is")
            .cites(MOD_PROXY_CONNECT.section(""))
            .covers(["REF-CL"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.request(&server).field(field).followed_by(content);
                let mut tunnel = granted(lab, &request).await?;
                tunnel.receives(content.as_bytes()).await
            })
    })
}

/// Whoever looks for a client that breaks off finds it in the log, and the client that only ended its own direction is told.
///
/// Only this conforms for a proxy like httpd.
fn half_a_head_is_a_bad_request() -> Case {
    httpd("A request whose client ends before its head does is answered with 400")
        .cites(HTTPD_CORE.section("httpprotocoloptions"))
        .covers(["REF-CUT"])
        .needs([Need::ConfigLines])
        .run(async |lab| {
            let server = lab.server(hold()).await?;
            let mut head = lab.request(&server).bytes();
            head.truncate(head.len() - 2);
            let mut connection = lab.client().dial().await?;
            connection.sends(head).await;
            connection.finishes().await;
            expect_status(&connection.hears().await, 400)
        })
}

/// Values of Expect, and whether they are known.
const EXPECTATIONS: &[(&str, &str, bool)] = &[
    ("continue", "100-continue", true),
    ("in_capitals", "100-CONTINUE", true),
    ("unknown", "miracles", false),
];

/// A client that expects what nobody can give it is told so, and one that expects the usual is served.
///
/// Only this conforms for a proxy like httpd.
fn only_one_expectation_is_known() -> Family {
    each(EXPECTATIONS, |&(_, value, known)| {
        httpd("Expect: 100-continue does not keep a CONNECT from its target, and any other expectation is 417")
            .cites(HTTPD_CORE.section("httpprotocoloptions"))
            .covers(["REF-EXP"])
            .needs([Need::ConfigLines])
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = lab.request(&server).field(format!("Expect: {value}"));
                match known {
                    true => leads_to(lab, &request, &server).await,
                    false => has_status(lab, &request, 417).await,
                }
            })
    })
}
