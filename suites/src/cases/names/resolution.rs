//! # Names and their addresses
//!
//! A client names a host, and the proxy finds out where that is. The name server of these cases belongs to them: it says
//! what a case wants, and every question to it stands in the transcript.

mod neighbours;

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use connectspec_harness::{
    lab::network::{Answers, Says, addresses},
    prelude::*,
};

use neighbours::an_unanswered_name_keeps_nobody_else_waiting;

use super::requests::{Place, comes_to_an_end, is_a_server_error, to};
use crate::documents::{RFC_1035, RFC_1123, RFC_2308, RFC_6761, RFC_8305, RFC_9110, RFC_9209};

/// Every case about names and their addresses.
pub(crate) fn suite() -> Suite {
    suite! {
        "names": "Names and their addresses", concat!(include_str!("resolution.rs"), include_str!("resolution/neighbours.rs"));
        a_name_leads_to_its_address,
        the_other_address_is_tried_where_one_refuses,
        the_other_address_is_tried_where_one_is_silent,
        one_connection_alone_carries_the_tunnel,
        aliases_are_followed,
        a_loop_of_aliases_is_refused,
        an_answer_too_long_for_udp_is_asked_for_again,
        a_failed_look_up_is_the_proxys_error,
        a_name_server_that_is_silent_ends_in_an_error,
        an_unreachable_address_is_the_proxys_error,
        a_failed_look_up_is_remembered,
        many_dead_addresses_end_in_an_error,
        a_name_without_dots_obeys_the_policy,
        an_unanswered_name_keeps_nobody_else_waiting,
    }
}

/// Clients name hosts; whoever resolves them only in one family shuts out half of the Internet, the one or the other.
///
/// Only this conforms: a tunnel. Where the machine of the proxy has no IPv6, it would be right to refuse; this one has.
fn a_name_leads_to_its_address() -> Family {
    each(FAMILIES, |&(_, v6)| {
        let title = "A name with addresses of one family leads there";
        let case = if v6 {
            should(title).needs([Need::Ipv6])
        } else {
            must(title)
        };
        case.cites(RFC_9110.section("9.3.6"))
            .covers(["DNS-004"])
            .needs([Need::Names])
            .in_the_lab()
            .run(async move |lab| {
                let place = match v6 {
                    true => Place::at(lab, lab.address_v6()?).await?,
                    false => Place::take(lab).await?,
                };
                let name = lab.name(place.answers())?;

                lab.carries(&to(lab, &name, place.port), &place.server)
                    .await
            })
    })
}

const FAMILIES: &[(&str, bool)] = &[("ipv4", false), ("ipv6", true)];

/// Large services have many addresses so that one may fail.
///
/// Only this conforms: a tunnel through the address that works. Which is tried first is the resolver's choice, so both are
/// asked for in each place.
fn the_other_address_is_tried_where_one_refuses() -> Family {
    each(PLACES, |&(_, first)| {
        should("Where an address of a name refuses, the next one is tried")
            .cites(RFC_1123.section("2.3"))
            .covers(["DNS-001"])
            .needs([Need::Names])
            .in_the_lab()
            .run(async move |lab| {
                let (closed, place) = (lab.address()?, Place::take(lab).await?);
                let order = match first {
                    true => [closed, place.address],
                    false => [place.address, closed],
                };
                let name = lab.name(Answers::addresses(order))?;

                lab.carries(&to(lab, &name, place.port), &place.server)
                    .await
            })
    })
}

const PLACES: &[(&str, bool)] = &[("the_first", true), ("the_last", false)];

/// Half of the Internet is reached by IPv6, and behind some routers it is a hole: a service that answers elsewhere must not wait
/// for that.
///
/// Also accepted: a tunnel within half a minute; how long it took is noted where it was more than a few seconds.
fn the_other_address_is_tried_where_one_is_silent() -> Case {
    should("Where an address of a name is silent, the next one is tried")
        .cites(RFC_8305.section("5"))
        .covers(["DNS-002"])
        .needs([Need::Names])
        .in_the_lab()
        .slow()
        .run(async |lab| {
            let silent = lab.black_hole().await?;
            let port = silent.port();
            let address = lab.address()?;
            let server = lab.server_of(address, port, &echo())?;
            // Loopback is near, so that a resolver which sorts puts it in front (RFC 6724, section 6, rule 8).
            let name = lab.name(Answers::addresses([silent.address(), address]))?;
            let mut connection = lab.client().dial().await?;
            let began = Instant::now();
            connection.sends(to(lab, &name, port).bytes()).await;
            let answer = connection.hears_within(LATE).await;
            let took = began.elapsed();
            let expected = || format!("a tunnel to {} within {LATE:?}", server.authority());
            if !matches!(answer.status(), Some(200..300)) {
                return Err(Finding::violation(expected(), answer.describe()));
            }
            if connection.into_tunnel().echoes(lab.nonce()).await.is_err() {
                let what = format!("{}, and nothing comes back", answer.describe());
                return Err(Finding::violation(expected(), what));
            }
            if took > NOTEWORTHY {
                lab.note(format!("a tunnel after {} s", took.as_secs()));
            }
            Ok(())
        })
}

/// From when on somebody who waits has gone.
const LATE: Duration = Duration::from_secs(30);

/// What people notice.
const NOTEWORTHY: Duration = Duration::from_secs(3);

/// Who dials several addresses at once has several connections for a moment. A server that gets half of a stream, or a
/// copy, does with it what it would do with a whole one.
///
/// Also accepted: connections beside the one of the tunnel, as long as nothing arrives on them.
fn one_connection_alone_carries_the_tunnel() -> Case {
    must("Where a name has several addresses, one connection alone carries the tunnel")
        .cites(RFC_9110.section("3.7"))
        .covers(["DNS-003"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let (one, two) = (lab.address()?, lab.address()?);
            let servers = [
                lab.server_of(one, port, &echo())?,
                lab.server_of(two, port, &echo())?,
            ];
            let name = lab.name(Answers::addresses([one, two]))?;
            let exchange = lab.client().asks(to(lab, &name, port)).await?;
            let mut tunnel = exchange.granted()?;
            tunnel.echoes(lab.nonce()).await?;

            for server in &servers {
                server.fence().await?;
            }
            let mut carried = Vec::new();
            for server in &servers {
                let heard = server
                    .visits()
                    .into_iter()
                    .map(|visit| server.heard(&visit));
                carried.extend(heard.filter(|octets| !octets.is_empty()));
            }
            match carried.len() {
                1 => Ok(()),
                several => Err(Finding::violation(
                    "one connection that carries the client's octets",
                    format!("{several} of them"),
                )),
            }
        })
}

/// Most large services are aliases of some other name.
///
/// Only this conforms: a tunnel. The chain stands in one answer, as a recursive name server gives it.
fn aliases_are_followed() -> Case {
    should("A name that is an alias leads where the other name does")
        .cites(RFC_1035.section("3.6.2"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["DNS-005"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let place = Place::take(lab).await?;
            let name = lab.name(Answers::always(Says::Aliases(3, vec![place.address])))?;

            lab.carries(&to(lab, &name, place.port), &place.server)
                .await
        })
}

/// A mistake in a zone must not hold a client, nor a worker of the proxy.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_loop_of_aliases_is_refused() -> Case {
    practice("Names that are aliases of each other lead nowhere, and somebody says so")
        .cites(RFC_9209.section("2.3.2"))
        .covers(["DNS-005"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let name = lab.name(Answers::always(Says::Loop))?;

            comes_to_an_end(lab, &name, port).await
        })
}

/// A name with many addresses is an ordinary one of a large service.
///
/// Only this conforms: a tunnel. Over UDP the name server says that the answer has no room there.
fn an_answer_too_long_for_udp_is_asked_for_again() -> Case {
    practice("An answer that has no room in UDP is asked for over TCP")
        .cites(RFC_1123.section("6.1.3.2"))
        .covers(["DNS-010"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let place = Place::take(lab).await?;
            let name = lab.name(Answers::always(Says::Truncated(vec![place.address])))?;

            lab.carries(&to(lab, &name, place.port), &place.server)
                .await
        })
}

/// The client asked for nothing wrong, and may try again: what failed is beyond the proxy.
///
/// Also accepted: any status of the class 5xx. The codes are noted.
fn a_failed_look_up_is_the_proxys_error() -> Family {
    each(FAILURES, |(_, says)| {
        practice("A name that is not found is answered with a 5xx")
            .cites(RFC_9209.section("2.3.1"))
            .cites(RFC_9209.section("2.3.2"))
            .covers(["DNS-006"])
            .needs([Need::Names])
            .in_the_lab()
            .run(async move |lab| {
                let port = lab.port_anywhere().await?;
                let name = lab.name(Answers::always(says.clone()))?;

                is_a_server_error(lab, &name, port, lab.patience().progress()).await
            })
    })
}

const FAILURES: &[(&str, Says)] = &[
    ("no_such_name", Says::NoSuchName),
    ("failure", Says::Failure),
    ("no_address", Says::Addresses(Vec::new())),
];

/// Stub resolvers ask again for ten seconds, or twenty; somewhere there has to be an end.
///
/// Also accepted: any status of the class 5xx, after however long within a minute.
fn a_name_server_that_is_silent_ends_in_an_error() -> Case {
    practice("A name that no name server answers for is answered with a 5xx")
        .cites(RFC_9209.section("2.3.1"))
        .covers(["DNS-006", "DNS-011"])
        .needs([Need::Names])
        .in_the_lab()
        .slow()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let name = lab.name(Answers::always(Says::Silence))?;

            is_a_server_error(lab, &name, port, lab.patience().lingering()).await
        })
}

/// That there is no way is no mistake of the client, and may be otherwise tomorrow.
///
/// Also accepted: any status of the class 5xx. A proxy that refuses the address by a rule is not judged.
fn an_unreachable_address_is_the_proxys_error() -> Case {
    practice("An address to which there is no way is answered with a 5xx")
        .cites(RFC_9209.section("2.3.6"))
        .covers(["H1-ERR-004"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let name = lab.name(Answers::addresses([addresses::NOWHERE]))?;

            is_a_server_error(lab, &name, port, lab.patience().progress()).await
        })
}

/// A service that is back is not back for the clients of a proxy that remembers for long that it was not there.
///
/// Also accepted: anything. What is noted is the answer to a second request, at once.
fn a_failed_look_up_is_remembered() -> Case {
    survey("A name that was not there a moment ago, and is there now")
        .cites(RFC_2308.section("5"))
        .covers(["DNS-007"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let place = Place::take(lab).await?;
            let name = lab.name(Answers::always(Says::NoSuchName))?;
            let request = to(lab, &name, place.port);
            lab.client().asks(&request).await?.refusal()?;
            let asked = name.questions()?.len();

            let name = lab.name_as(name.text(), place.answers())?;
            let exchange = lab.client().asks(&request).await?;
            lab.note(match exchange.success() {
                Ok(_) => format!(
                    "opens a tunnel ({asked} questions before, then {})",
                    name.questions()?.len()
                ),
                Err(_) => format!("is not there yet: {}", exchange.answer.describe()),
            });
            Ok(())
        })
}

/// Each address costs a connection that has to fail before the next one is tried.
///
/// Also accepted: any status that is not 2xx, or a close without an answer, however few addresses were tried.
fn many_dead_addresses_end_in_an_error() -> Case {
    practice("A name with sixty-four addresses that refuse is refused in bounded time")
        .cites(RFC_1123.section("2.3"))
        .covers(["DNS-010"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let addresses: Vec<IpAddr> =
                (0..MANY).map(|_| lab.address()).collect::<Outcome<_>>()?;
            let name = lab.name(Answers::addresses(addresses))?;

            comes_to_an_end(lab, &name, port).await
        })
}

/// What an answer over TCP, or over UDP with EDNS, has room for.
const MANY: usize = 64;

/// Machines have short names for what is near: themselves, their database, the service that hands out credentials.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. The port is denied whatever the name is.
fn a_name_without_dots_obeys_the_policy() -> Case {
    practice("A denied port stays closed at a name without dots")
        .cites(RFC_6761.section("6.3"))
        .covers(["DNS-009"])
        .needs([Need::Names, Need::PortList])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.closed_denied_port().await?;
            let address = lab.address()?;
            let _server = lab.server_of(address, port, &echo())?;
            let name = lab.name_as(&lab.nonce(), Answers::addresses([address]))?;

            lab.refuses(&to(lab, &name, port)).await.map(drop)
        })
}
