//! # Addresses with a special use
//!
//! Some addresses mean this machine, this network, or a service that hands out credentials to whoever can reach it. A proxy
//! that dials them for strangers hands over what firewalls are for. Servers of these cases listen at such addresses, in a
//! network where they harm nobody.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use connectspec_harness::{
    lab::network::{Answers, Says, addresses},
    prelude::*,
};

use super::requests::{CHANGES, TIMES, to};
use crate::documents::{RFC_1918, RFC_3927, RFC_3986, RFC_6598, RFC_6890, RFC_9110, RFC_9298};

/// Every case about addresses with a special use.
pub(crate) fn suite() -> Suite {
    suite! {
        "special_use": "Addresses with a special use", include_str!("special_use.rs");
        link_local_addresses_are_refused,
        reserved_addresses_are_refused,
        addresses_of_a_range,
        loopback_as_shipped,
        a_refused_address_stays_refused_in_other_words,
        a_refused_address_stays_refused_behind_a_name,
        a_refused_address_stays_refused_when_answers_change,
    }
}

/// At 169.254.169.254, clouds hand out the credentials of the machine to any program on it: for a proxy, to anybody.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn link_local_addresses_are_refused() -> Family {
    each(LINK_LOCAL, |&(_, address)| {
        practice("A link-local address is refused")
            .cites(RFC_3927.section("7"))
            .cites(RFC_9298.section("7"))
            .covers(["SEC-004"])
            .in_the_lab()
            .run(async move |lab| is_refused(lab, address).await)
    })
}

const LINK_LOCAL: &[(&str, IpAddr)] = &[
    ("metadata", addresses::METADATA),
    ("another", addresses::LINK_LOCAL),
];

/// Nobody has a server at a reserved address; a network that uses them says so to its proxy.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn reserved_addresses_are_refused() -> Case {
    practice("A reserved address is refused")
        .cites(RFC_6890.section("2.2.2"))
        .covers(["SEC-006"])
        .in_the_lab()
        .run(async |lab| is_refused(lab, addresses::RESERVED).await)
}

/// What is private to one network is what another one's proxy is there for; so it is only told which of them it reaches.
///
/// Also accepted: a tunnel, and any refusal; it is noted which.
fn addresses_of_a_range() -> Family {
    each(RANGES, |&(_, what, address)| {
        let case = survey(format!("What comes of a CONNECT to {what}"))
            .cites(RFC_1918.section("3"))
            .cites(RFC_6598.section("7"))
            .covers(["SEC-005"])
            .in_the_lab();
        let case = if address.is_ipv6() {
            case.needs([Need::Ipv6])
        } else {
            case
        };
        case.run(async move |lab| {
            let port = lab.port_anywhere().await?;
            let server = lab.server_of(address, port, &echo())?;
            let reached = reached(lab, &authority(address, port), &server).await?;
            lab.note(match reached {
                Reached::Tunnel(granted) => granted,
                Reached::Refused(answer) => format!("it is refused: {answer}"),
            });
            Ok(())
        })
    })
}

const RANGES: &[(&str, &str, IpAddr)] = &[
    ("public", "an address of the Internet", addresses::PUBLIC),
    (
        "public_ipv6",
        "an address of the Internet in IPv6",
        addresses::PUBLIC_V6,
    ),
    ("ten", "10.0.0.0/8", addresses::PRIVATE[0]),
    ("one_seven_two", "172.16.0.0/12", addresses::PRIVATE[1]),
    ("one_nine_two", "192.168.0.0/16", addresses::PRIVATE[2]),
    (
        "carrier_grade",
        "100.64.0.0/10, behind a carrier's translation",
        addresses::SHARED,
    ),
    (
        "benchmark",
        "198.18.0.0/15, for benchmarks",
        addresses::BENCHMARK,
    ),
    (
        "unique_local",
        "fd00::/8, a unique local address",
        addresses::UNIQUE_LOCAL,
    ),
    (
        "metadata_ipv6",
        "the metadata address in IPv6",
        addresses::METADATA_V6,
    ),
    (
        "nat64",
        "10.0.0.0/8 in the prefix of NAT64",
        addresses::NAT64,
    ),
    (
        "documentation",
        "192.0.2.0/24, for documentation",
        addresses::DOCUMENTATION,
    ),
    (
        "documentation_ipv6",
        "2001:db8::/32, for documentation",
        addresses::DOCUMENTATION_V6,
    ),
    ("six_to_four", "10.0.0.0/8 in 6to4", addresses::SIX_TO_FOUR),
    ("teredo", "an address of Teredo", addresses::TEREDO),
    (
        "compatible",
        "10.0.0.0/8 as an IPv4-compatible address",
        addresses::COMPATIBLE,
    ),
];

/// What listens on the loopback of the proxy's own machine is meant for that machine, and often has no password. Some proxies are
/// there for just such servers; so it is only told what one makes of them that nobody has told anything.
///
/// Also accepted: a tunnel, and any refusal; it is noted which. A proxy that does not lead to 443 without a list is not asked.
fn loopback_as_shipped() -> Family {
    each(LOOPBACK, |&(_, address)| {
        let case = survey(
            "What comes of a CONNECT to the loopback of the proxy's own machine, as shipped",
        )
        .cites(RFC_9298.section("7"))
        .cites(RFC_9110.section("17.2"))
        .covers(["SEC-001"])
        .needs([Need::DefaultPorts, Need::Launched])
        .under(no_list())
        .in_the_lab();
        let case = if address.is_ipv6() {
            case.needs([Need::Ipv6])
        } else {
            case
        };
        case.run(async move |lab| {
            let far = lab.server_of(lab.address()?, HTTPS, &echo())?;
            if let Reached::Refused(said) = reached(lab, &far.authority(), &far).await? {
                let reason = format!("without a list, {HTTPS} is not open anywhere: {said}");
                return Err(Finding::absent(reason));
            }
            let near = lab.server_of(address, HTTPS, &echo())?;
            let reached = reached(lab, &authority(address, HTTPS), &near).await?;
            lab.note(match reached {
                Reached::Tunnel(granted) => granted,
                Reached::Refused(answer) => format!("it is refused: {answer}"),
            });
            Ok(())
        })
    })
}

const LOOPBACK: &[(&str, IpAddr)] = &[
    ("ipv4", IpAddr::V4(Ipv4Addr::new(127, 44, 3, 1))),
    ("ipv6", IpAddr::V6(Ipv6Addr::LOCALHOST)),
];

/// What is open without a list, if anything is.
const HTTPS: u16 = 443;

/// A rule is for an address, not for one of its spellings: a filter that compares text is no filter.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. A proxy that leads to the address in its
/// ordinary spelling has no rule that a spelling could go around, and is not asked.
fn a_refused_address_stays_refused_in_other_words() -> Family {
    each(SPELLINGS, |&(_, host)| {
        practice("The metadata address stays closed in every spelling")
            .cites(RFC_3986.section("7.4"))
            .covers(["SEC-002", "SEC-004"])
            .in_the_lab()
            .run(async move |lab| {
                let port = lab.port_anywhere().await?;
                let server = metadata_that_is_refused(lab, port).await?;

                stays_refused(lab, format!("{host}:{port}"), &server).await
            })
    })
}

const SPELLINGS: &[(&str, &str)] = &[
    ("decimal", "2852039166"),
    ("hexadecimal", "0xa9fea9fe"),
    ("hexadecimal_parts", "0xa9.0xfe.0xa9.0xfe"),
    ("octal", "0251.0376.0251.0376"),
    ("short", "169.254.43518"),
    ("trailing_dot", "169.254.169.254."),
    ("mapped", "[::ffff:169.254.169.254]"),
    ("mapped_hexadecimal", "[::ffff:a9fe:a9fe]"),
];

/// Whoever owns a domain decides where its names lead. A list of addresses that is only held against what the client wrote
/// keeps out those who do not know that.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. A proxy that leads to the address as it is has no
/// rule that a name could go around, and is not asked.
fn a_refused_address_stays_refused_behind_a_name() -> Family {
    each(WAYS, |&(_, answers)| {
        practice("The metadata address stays closed behind a name")
            .cites(RFC_9298.section("7"))
            .covers(["SEC-002", "NAM-008", "POL-015"])
            .needs([Need::Names])
            .in_the_lab()
            .run(async move |lab| {
                let port = lab.port_anywhere().await?;
                let server = metadata_that_is_refused(lab, port).await?;
                let name = lab.name(answers(addresses::METADATA))?;

                stays_refused(lab, name.authority(port), &server).await
            })
    })
}

/// What the name server says, so that a name leads to an address.
type Leading = fn(IpAddr) -> Answers;

const WAYS: &[(&str, Leading)] = &[
    ("an_address", |address| Answers::addresses([address])),
    ("an_alias", |address| {
        Answers::always(Says::Aliases(2, vec![address]))
    }),
    ("a_mapped_address", |address| {
        Answers::addresses([mapped(address)])
    }),
    ("the_second_of_two", |address| {
        // Nobody listens at the first one, so that whoever goes on is led here.
        Answers::addresses([addresses::PUBLIC, address])
    }),
];

/// A name server that says one thing to whoever judges, and another to whoever dials, gets past a rule that asks twice.
///
/// Also accepted: a tunnel to the other address, and any refusal. A proxy that leads to the metadata address as it is has no
/// rule that a name could go around, and is not asked.
fn a_refused_address_stays_refused_when_answers_change() -> Family {
    each(CHANGES, |&(_, answers)| {
        practice("The metadata address stays closed behind a name whose answers change")
            .cites(RFC_9298.section("7"))
            .covers(["DNS-008"])
            .needs([Need::Names])
            .in_the_lab()
            .run(async move |lab| {
                let port = lab.port_anywhere().await?;
                let server = metadata_that_is_refused(lab, port).await?;
                let (far, closed) = (lab.address()?, lab.address()?);
                lab.server_of(far, port, &echo())?;
                let name = lab.name(answers(far, addresses::METADATA, closed))?;
                for _ in 0..TIMES {
                    let exchange = lab.client().asks(to(lab, &name, port)).await?;
                    lab.note(exchange.answer.describe());
                }
                server.stays_unvisited().await
            })
    })
}

fn mapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
        other => other,
    }
}

/// A server at the metadata address, to which the proxy does not lead by that address.
async fn metadata_that_is_refused(lab: &Lab, port: u16) -> Outcome<Arc<Server>> {
    let server = lab.server_of(addresses::METADATA, port, &echo())?;
    match reached(lab, &server.authority(), &server).await? {
        Reached::Refused(_) => Ok(server),
        Reached::Tunnel(_) => Err(Finding::absent(
            "it leads to the metadata address in its ordinary spelling",
        )),
    }
}

async fn stays_refused(lab: &Lab, target: String, server: &Server) -> Outcome {
    match reached(lab, &target, server).await? {
        Reached::Refused(_) => Ok(()),
        Reached::Tunnel(granted) => Err(Finding::violation(
            "no connection to the address, as where it is asked for in its ordinary spelling",
            granted,
        )),
    }
}

async fn is_refused(lab: &Lab, address: IpAddr) -> Outcome {
    let port = lab.port_anywhere().await?;
    let server = lab.server_of(address, port, &echo())?;
    match reached(lab, &authority(address, port), &server).await? {
        Reached::Refused(answer) => {
            lab.note(answer);
            Ok(())
        }
        Reached::Tunnel(granted) => Err(Finding::violation(
            format!("no connection to {address}"),
            granted,
        )),
    }
}

/// What came of a request.
enum Reached {
    /// The server was connected to; what the client was told.
    Tunnel(String),
    /// It was not.
    Refused(String),
}

/// Whether a request for `target` leads to `server`; a server that is connected to is reached, whatever the client is told.
async fn reached(lab: &Lab, target: &str, server: &Server) -> Outcome<Reached> {
    let known = server.visits().len();
    let client = lab.client();
    let exchange = client.asks(client.request(target)).await?;
    let said = exchange.answer.describe();
    let (granted, silent) = (
        exchange.success().is_ok(),
        exchange.answer == Answer::Silence,
    );
    drop(exchange);
    server.fence().await?;
    if server.visits().len() > known {
        return Ok(Reached::Tunnel(format!("a connection to it, and {said}")));
    }
    match (granted, silent) {
        (true, _) => Err(Finding::inconclusive(format!(
            "{said}, and no connection to it"
        ))),
        (_, true) => Err(Finding::inconclusive("silence")),
        _ => Ok(Reached::Refused(said)),
    }
}

fn authority(address: IpAddr, port: u16) -> String {
    SocketAddr::new(address, port).to_string()
}
