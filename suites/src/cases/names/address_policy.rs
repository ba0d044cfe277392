//! # Addresses as policy
//!
//! A proxy that refuses private addresses has to know what a name leads to, and to go there and nowhere else. Whoever owns a
//! domain says what its names lead to, anew for each question.

use std::{net::IpAddr, net::Ipv6Addr};

use connectspec_harness::{
    lab::network::{Answers, Says, addresses},
    prelude::*,
};

use super::requests::{CHANGES, Place, TIMES, leads_to, to};
use crate::documents::{RFC_1918, RFC_9298};

/// Every case about rules for addresses.
pub(crate) fn suite() -> Suite {
    suite! {
        "address_policy": "Addresses as policy", include_str!("address_policy.rs");
        addresses_of_the_internet_are_reached,
        private_addresses_are_refused,
        names_that_lead_to_private_addresses_are_refused,
        aliases_that_lead_to_private_addresses_are_refused,
        a_listed_name_leads_to_no_private_address,
        the_address_that_is_judged_is_dialled,
    }
}

/// A rule about some addresses is none about the others.
///
/// Only this conforms: a tunnel.
fn addresses_of_the_internet_are_reached() -> Case {
    refusing(must(
        "A name that leads to an address of the Internet is reached where private ones are refused",
    ))
    .covers(["NAM-008"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.name(place.answers())?;

        leads_to(lab, &to(lab, &name, place.port), &place.server).await
    })
}

/// What is near a proxy is not meant for whoever may use it.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn private_addresses_are_refused() -> Family {
    each(RANGES, |&(_, at, asked)| {
        let case = refusing(must(
            "An address that means this machine or network is refused",
        ));
        for_family(case, asked).run(async move |lab| {
            let place = Place::at(lab, at).await?;
            let host = match asked {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("[{address}]"),
            };
            let request = lab.client().request(format!("{host}:{}", place.port));
            lab.refuses(&request).await.map(drop)
        })
    })
}

/// A list of addresses that is only held against what the client wrote keeps out those who do not know that.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn names_that_lead_to_private_addresses_are_refused() -> Family {
    each(RANGES, |&(_, at, asked)| {
        let case = refusing(must(
            "A name that leads to an address of this machine or network is refused",
        ));
        for_family(case, asked).run(async move |lab| {
            let place = Place::at(lab, at).await?;
            let name = lab.name(Answers::addresses([asked]))?;
            lab.refuses(&to(lab, &name, place.port)).await.map(drop)
        })
    })
}

/// What is judged has to be where the chain of aliases ends, and not where it begins.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn aliases_that_lead_to_private_addresses_are_refused() -> Family {
    each(RANGES, |&(_, at, asked)| {
        let case = refusing(must(
            "An alias that leads to an address of this machine or network is refused",
        ));
        for_family(case, asked).run(async move |lab| {
            let place = Place::at(lab, at).await?;
            let name = lab.name(Answers::always(Says::Aliases(2, vec![asked])))?;
            lab.refuses(&to(lab, &name, place.port)).await.map(drop)
        })
    })
}

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 7, 7, 7));
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const MAPPED: IpAddr = mapped(addresses::PRIVATE[0]);
const MAPPED_LOOPBACK: IpAddr = mapped(LOOPBACK);

/// Where a server stands, and the address that is asked for.
#[rustfmt::skip]
const RANGES: &[(&str, IpAddr, IpAddr)] = &[
    ("loopback", LOOPBACK, LOOPBACK),
    ("loopback_ipv6", LOOPBACK_V6, LOOPBACK_V6),
    ("mapped_loopback", LOOPBACK, MAPPED_LOOPBACK),
    ("link_local", addresses::LINK_LOCAL, addresses::LINK_LOCAL),
    ("metadata", addresses::METADATA, addresses::METADATA),
    ("metadata_ipv6", addresses::METADATA_V6, addresses::METADATA_V6),
    ("ten", addresses::PRIVATE[0], addresses::PRIVATE[0]),
    ("one_seven_two", addresses::PRIVATE[1], addresses::PRIVATE[1]),
    ("one_nine_two", addresses::PRIVATE[2], addresses::PRIVATE[2]),
    ("mapped", addresses::PRIVATE[0], MAPPED),
    ("carrier_grade", addresses::SHARED, addresses::SHARED),
    ("unique_local", addresses::UNIQUE_LOCAL, addresses::UNIQUE_LOCAL),
    ("nat64", addresses::NAT64, addresses::NAT64),
    ("six_to_four", addresses::SIX_TO_FOUR, addresses::SIX_TO_FOUR),
];

const fn mapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
        other @ IpAddr::V6(_) => other,
    }
}

/// Whose name is trusted may still be somebody whose zone was taken over.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_listed_name_leads_to_no_private_address() -> Family {
    each(LISTED, |&(_, at)| {
        refusing(must(
            "A listed name that leads to an address of this machine or network is refused",
        ))
        .covers(["NAM-008"])
        .under(Setup {
            refuse_private: true,
            ..allowing_hosts()
        })
        .run(async move |lab| {
            let place = Place::at(lab, at).await?;
            let name = lab.host_of(HostKind::Listed, place.answers())?;
            lab.refuses(&to(lab, &name, place.port)).await.map(drop)
        })
    })
}

const LISTED: &[(&str, IpAddr)] = &[
    ("loopback", LOOPBACK),
    ("metadata", addresses::METADATA),
    ("ten", addresses::PRIVATE[0]),
];

/// A name server that says one thing to whoever judges, and another to whoever dials, gets past a rule that asks twice.
///
/// Also accepted: a tunnel to an address that is not refused, and any refusal.
fn the_address_that_is_judged_is_dialled() -> Family {
    each(CHANGES, |&(_, answers)| {
        refusing(must(
            "The address that was judged is the address that is dialled",
        ))
        .covers(["NAM-009", "DNS-008"])
        .relying_on(["address_policy/names_that_lead_to_private_addresses_are_refused[ten]"])
        .run(async move |lab| {
            let near = Place::at(lab, addresses::PRIVATE[0]).await?;
            let far = lab.address()?;
            lab.server_of(far, near.port, &echo())?;
            let name = lab.name(answers(far, near.address, lab.address()?))?;
            for _ in 0..TIMES {
                let exchange = lab.client().asks(to(lab, &name, near.port)).await?;
                lab.note(exchange.answer.describe());
            }
            near.server.stays_unvisited().await
        })
    })
}

fn refusing(case: Case) -> Case {
    case.cites(RFC_9298.section("7"))
        .cites(RFC_1918.section("3"))
        .needs([Need::Names])
        .under(refusing_private())
        .in_the_lab()
}

fn for_family(case: Case, asked: IpAddr) -> Case {
    let case = case.covers(["NAM-008"]);
    match asked {
        IpAddr::V4(_) => case,
        IpAddr::V6(_) => case.needs([Need::Ipv6]),
    }
}
