//! # The ends of the range
//!
//! From 1 to 65535: the first and the last port are ports like any other, and what lies beyond them is not one of them.

use connectspec_harness::prelude::*;

use crate::documents::RFC_9110;

/// Every case about the first and the last port.
pub(crate) fn suite() -> Suite {
    suite! {
        "port_range": "The ends of the range", include_str!("port_range.rs");
        the_last_port_is_a_port,
        the_first_port_is_a_port,
        a_huge_port_is_not_the_last_one,
    }
}

/// The last port is a port like any other; an off-by-one closes it.
///
/// Also accepted: 403, 407 and 5xx say nothing; only 400 says that the port is wrong.
fn the_last_port_is_a_port() -> Case {
    should("Port 65535 is reached where it is allowed")
        .over(EVERY)
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-PORT-011"])
        .needs([Need::PortList])
        .under(allowing("65535"))
        .run(async |lab| reaches(lab, u16::MAX).await)
}

/// Few use it, and nothing is wrong with it.
///
/// Also accepted: to refuse it by policy.
fn the_first_port_is_a_port() -> Case {
    may("Port 1 is reached where it is allowed")
        .over(EVERY)
        .cites(RFC_9110.section("2.4"))
        .covers(["H1-PORT-012"])
        .needs([Need::PortList])
        .under(allowing("1"))
        .run(async |lab| reaches(lab, 1).await)
}

async fn reaches(lab: &Lab, port: u16) -> Outcome {
    let server = lab.server_on(port).await?;
    let answer = lab.client().asks(lab.request(&server)).await?.answer;
    match answer.status() {
        Some(400) | Some(200..300) => lab.carries(&lab.request(&server), &server).await,
        _ => Err(Finding::inconclusive(answer.describe())),
    }
}

/// Where a number is too large, some libraries hand back the largest one that they know.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_huge_port_is_not_the_last_one() -> Family {
    each(HUGE_PORTS, |&(_, port)| {
        must("A number that is no port is not taken for the largest one")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .cites(RFC_9110.section("17.5"))
            .covers(["H1-PORT-003"])
            .needs([Need::PortList])
            .under(allowing("65535"))
            .run(async move |lab| {
                let server = lab.server_on(u16::MAX).await?;

                lab.refuses_target(format!("{}:{port}", server.host()), &server)
                    .await
            })
    })
}

const HUGE_PORTS: &[(&str, &str)] = &[
    ("65536", "65536"),
    ("twenty_digits", "99999999999999999999"),
    ("minus_one", "-1"),
];
