//! # What only contains a listed name
//!
//! A list is held against a text, and a tunnel goes to an address. Between the two stands whatever the proxy makes of a
//! target that is no plain name: signs of a URI, octets that end a text for some programs, and addresses.

use std::net::IpAddr;

use connectspec_harness::{lab::network::Answers, prelude::*};

use super::requests::{Place, leads_to, to};
use crate::documents::{RFC_3986, RFC_9110, RFC_9112};

/// Every case about targets that are no plain name.
pub(crate) fn suite() -> Suite {
    suite! {
        "lookalikes": "What only contains a listed name", include_str!("lookalikes.rs");
        a_target_that_contains_a_listed_name_is_refused,
        the_address_of_a_listed_name_is_refused,
        an_address_is_refused_where_its_name_is_listed_in_reverse,
    }
}

/// Whoever looks for a listed name somewhere in the target lets through what has it as decoration.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_target_that_contains_a_listed_name_is_refused() -> Family {
    each(TARGETS, |&(_, pattern)| {
        listed(must(
            "A target that merely contains a listed name is refused",
        ))
        .cites(RFC_9112.section("3.2.3"))
        .covers(["NAM-006"])
        .run(async move |lab| {
            let place = Place::take(lab).await?;
            let listed = lab.host_of(HostKind::Listed, Answers::addresses([]))?;
            let wide = lab.host_of(HostKind::Wide, Answers::addresses([]))?;
            let evil = lab.name(place.answers())?;
            let target = pattern
                .replace("{listed}", listed.text())
                .replace("{wide}", wide.text())
                .replace("{evil}", evil.text())
                .replace("{address}", &place.address.to_string())
                .replace("{port}", &place.port.to_string());

            lab.refuses_target(target, &place.server).await
        })
    })
}

#[rustfmt::skip]
const TARGETS: &[(&str, &str)] = &[
    ("user", "{listed}@{evil}:{port}"),
    ("user_and_password", "{listed}:{port}@{evil}:{port}"),
    ("percent_encoded_at", "{listed}%40{evil}:{port}"),
    ("address_behind_a_user", "{listed}@{address}:{port}"),
    ("fragment", "{evil}:{port}#{listed}:{port}"),
    ("fragment_in_the_host", "{evil}#.{wide}:{port}"),
    ("query", "{evil}:{port}?{listed}:{port}"),
    ("query_in_the_host", "{evil}?.{wide}:{port}"),
    ("path", "{evil}:{port}/{listed}:{port}"),
    ("path_in_the_host", "{evil}/.{wide}:{port}"),
    ("percent_encoded_path", "{evil}%2f.{wide}:{port}"),
    ("backslash", "{evil}\\.{wide}:{port}"),
    ("nul", "{evil}\0.{wide}:{port}"),
    ("percent_encoded_nul", "{evil}%00.{wide}:{port}"),
    ("line_end", "{evil}%0d%0a.{wide}:{port}"),
    ("tab", "{evil}\t.{wide}:{port}"),
    ("comma", "{evil},{listed}:{port}"),
    ("semicolon", "{evil};.{wide}:{port}"),
    ("second_port", "{evil}:{port}:{listed}:{port}"),
    ("name_behind_the_port", "{evil}:{port}.{wide}:{port}"),
    ("zone_of_an_address", "[::ffff:{address}%25.{wide}]:{port}"),
    ("scheme", "https://{listed}@{evil}:{port}/"),
];

/// A list of names says nothing about addresses: what else is served at one of them, its owner did not say.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn the_address_of_a_listed_name_is_refused() -> Family {
    each(SPELLINGS, |&(_, v6, spelled)| {
        let case = listed(must("The address of a listed name is refused"))
            .cites(RFC_3986.section("7.4"))
            .covers(["NAM-007"])
            .relying_on(["name_policy/a_listed_name_is_reached"]);
        let case = if v6 { case.needs([Need::Ipv6]) } else { case };
        case.run(async move |lab| {
            let address = if v6 {
                lab.address_v6()?
            } else {
                lab.address()?
            };
            let place = Place::at(lab, address).await?;
            // Names of one kind lead to addresses of one family, whatever a proxy remembers of them.
            let kind = match v6 {
                true => HostKind::Foreign,
                false => HostKind::Listed,
            };
            let name = lab.host_of(kind, place.answers())?;
            // Once more than the list knows the address: the proxy has just dialled it.
            leads_to(lab, &to(lab, &name, place.port), &place.server).await?;

            let target = format!("{}:{}", spelled(address), place.port);
            lab.refuses_target(target, &place.server).await
        })
    })
}

/// How an address is written.
type Spelling = fn(IpAddr) -> String;

#[rustfmt::skip]
const SPELLINGS: &[(&str, bool, Spelling)] = &[
    ("plain", false, |address| address.to_string()),
    ("ipv6", true, |address| format!("[{address}]")),
    ("mapped", false, |address| format!("[::ffff:{address}]")),
    ("decimal", false, |address| number(address).to_string()),
    ("hexadecimal", false, |address| format!("{:#x}", number(address))),
    ("octal", false, |address| format!("{:#o}", number(address)).replace("0o", "0")),
    ("short", false, |address| {
        let number = number(address);
        format!("{}.{}", number >> 24, number & 0x00ff_ffff)
    }),
    ("trailing_dot", false, |address| format!("{address}.")),
];

fn number(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(_) => 0,
    }
}

/// Who has an address says what its name is, if asked in reverse: whoever believes that lets everybody choose.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn an_address_is_refused_where_its_name_is_listed_in_reverse() -> Case {
    listed(must(
        "An address is refused, whatever the name server calls it",
    ))
    .covers(["NAM-007"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        lab.calls(place.address, &HostKind::Listed.name(0))?;

        lab.refuses_target(place.server.authority(), &place.server)
            .await
    })
}

fn listed(case: Case) -> Case {
    case.cites(RFC_9110.section("9.3.6"))
        .needs([Need::Names])
        .under(allowing_hosts())
        .in_the_lab()
}
