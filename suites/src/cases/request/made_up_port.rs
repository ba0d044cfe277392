//! # Ports that nobody gave
//!
//! Programs that are used to URIs fill in 80 or 443 where a target has no port. A list of ports that lacks both hides it; here
//! both are allowed, and somebody listens there. Of a proxy without a list, the suites `target` and `port` see it.

use connectspec_harness::prelude::*;

use crate::documents::{RFC_9110, RFC_9112};

/// Every case about ports that are made up.
pub(crate) fn suite() -> Suite {
    suite! {
        "made_up_port": "Ports that nobody gave", include_str!("made_up_port.rs");
        no_usual_port_is_filled_in,
        no_usual_port_is_added_to_the_host_field,
    }
}

/// A filter in front of the proxy that looks for a port has seen none, and the tunnel leads to one.
///
/// Also accepted: any status that is not 2xx, or a close without an answer, as long as nobody comes to 80 or 443.
fn no_usual_port_is_filled_in() -> Family {
    each(WITHOUT_A_PORT, |&(_, row, behind)| {
        must("Where a target has no port, neither 80 nor 443 takes its place")
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .needs([Need::PortList])
            .under(allowing_the_web())
            .on_low_ports()
            .run(async move |lab| {
                let host = host_of_the_web(lab).await?;
                let target = format!("{host}{behind}");
                let request = lab.client().request(&target);

                lab.refuses(&request).await?;
                lab.refuses(&request.host(&host))
                    .await
                    .map(drop)
                    .map_err(|finding| finding.at("with a Host field that has no port either"))
            })
    })
}

const WITHOUT_A_PORT: &[(&str, &str, &str)] = &[
    ("no_port", "H1-TGT-005", ""),
    ("empty_port", "H1-TGT-006", ":"),
    ("zero", "H1-PORT-001", ":0"),
];

/// The request-line shows no destination at all, and there is a tunnel to one.
///
/// Also accepted: any status that is not 2xx, or a close without an answer, as long as nobody comes to 80 or 443.
fn no_usual_port_is_added_to_the_host_field() -> Family {
    each(OTHER_FORMS, |&(_, row, section, target)| {
        should(
            "A target of another form does not lead to a usual port of what the Host field names",
        )
        .cites(RFC_9112.section(section))
        .cites(RFC_9112.section("3.2.3"))
        .covers([row])
        .needs([Need::PortList])
        .under(allowing_the_web())
        .on_low_ports()
        .run(async move |lab| {
            let host = host_of_the_web(lab).await?;
            let request = lab.client().request(target).host(host);

            lab.refuses(&request).await.map(drop)
        })
    })
}

const OTHER_FORMS: &[(&str, &str, &str, &str)] = &[
    ("origin", "H1-TGT-009", "3.2.1", "/x"),
    ("asterisk", "H1-TGT-010", "3.2.4", "*"),
];

/// A host of this case's own with servers at 80 and 443, to which tunnels lead: where none does, a refusal would say nothing.
async fn host_of_the_web(lab: &Lab) -> Outcome<String> {
    let servers = lab.servers_on(&WEB, WEB[0]).await?;
    for server in &servers {
        lab.lets_through(server).await.map_err(|finding| {
            let why = format!("no tunnel to {}: {finding}", server.authority());
            Finding::inconclusive(why)
        })?;
    }
    Ok(servers[0].host().to_owned())
}
