//! # What a list of ports holds
//!
//! A list is numbers. Where it is kept as text, in too few bits or in too little room, it holds other ports than those
//! that were written down, and nobody sees it: an ordinary list has few ports, which do not look alike.

use std::sync::Arc;

use connectspec_harness::prelude::*;

use crate::{cases::words::statuses::no_tunnel, documents::RFC_9110};

/// Every case about how a list of ports is kept.
pub(crate) fn suite() -> Suite {
    suite! {
        "port_list": "What a list of ports holds", include_str!("port_list.rs");
        a_port_that_looks_like_a_listed_one_is_refused,
        a_long_list_holds_its_last_port,
    }
}

/// The words of a list that does not hold a port, and looks as if it did.
type Words = fn(u16) -> Vec<String>;

/// What another reader of a list takes for a port, made from that port.
const ALIKE: &[(&str, &[Need], Words)] = &[
    ("its_first_digits", &[], |port| {
        words([port / 10, port / 100, port / 1000])
    }),
    ("its_last_digits", &[], |port| {
        words([port % 10_000, port % 1000, port % 100])
    }),
    ("its_text_between_others", &[Need::PortRanges], |port| {
        // To a reader of text, 12345 lies between 123 and 124.
        vec![format!("{}-{}", port / 100, port / 100 + 1)]
    }),
    ("its_bytes_in_the_other_order", &[], |port| {
        words([port.swap_bytes()])
    }),
    ("its_last_bits", &[], |port| {
        words([port & 0xff, port & 0x3ff, port & 0xfff])
    }),
];

/// Those of the numbers that are ports.
fn words<const N: usize>(numbers: [u16; N]) -> Vec<String> {
    let ports = numbers.into_iter().filter(|&number| number > 0);
    ports.map(|number| number.to_string()).collect()
}

/// `target.ends_with("443")` opens 8443, and a comparison of text lets 12345 pass between 123 and 124.
///
/// Also accepted: any status that is not 2xx, or a close without an answer. Only this conforms: the list of this set-up
/// names the port of another server, which is reached, and numbers that are not this port.
fn a_port_that_looks_like_a_listed_one_is_refused() -> Family {
    each(ALIKE, |&(_, needs, alike)| {
        must("A port is not allowed by a list of others that only look like it")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers(["POL-005"])
            .needs([Need::PortList, Need::Launched])
            .needs(needs.iter().copied())
            .run(async move |lab| {
                let (denied, words) = denied_that_has_its_like(lab, alike).await?;
                let open = lab.server(echo()).await?;
                let list = format!("{} {}", words.join(" "), open.port());
                let with_list = lab.relaunched(&allowing(&list)).await?;
                let told = format!("with the list `{list}`, port {}", denied.port());

                opens(&with_list, &open).await?;
                let answer = with_list.client().asks(lab.request(&denied)).await?.answer;
                no_tunnel(&answer, &denied)
                    .await
                    .map_err(|finding| finding.at(&told))?;
                denied
                    .stays_unvisited()
                    .await
                    .map_err(|finding| finding.at(&told))
            })
    })
}

/// A server on a port that is denied, and a list that looks as if it held it. Some ports have none, as one whose octets are the
/// same in both orders: then the next is taken.
async fn denied_that_has_its_like(lab: &Lab, alike: Words) -> Outcome<(Arc<Server>, Vec<String>)> {
    let mut others = Vec::new();
    while others.len() < TAKEN {
        let denied = lab.denied_server(echo()).await?;
        let words = alike(denied.port());
        if !words.is_empty() && !words.contains(&denied.port().to_string()) {
            return Ok((denied, words));
        }
        others.push(denied);
    }
    Err(Finding::absent("no other port looks like it"))
}

/// Neighbours are denied, and seldom two of them have none.
const TAKEN: usize = 4;

/// How many words stand before the last one: more than the room that a list with a fixed number of places has.
const MANY: u16 = 300;

/// What does not fit is dropped without a word, and whoever needs the last port of the list looks for the reason elsewhere.
///
/// Also accepted: not to start with a list that is too long. Only this conforms: the port was declared to be allowed.
fn a_long_list_holds_its_last_port() -> Case {
    must("The last port of a list of 301 is reached, and one that is not on it is not")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["POL-004", "POL-005"])
        .needs([Need::PortList, Need::Launched])
        .run(async |lab| {
            let (last, denied) = (lab.server(echo()).await?, lab.denied_server(echo()).await?);
            // Every second one, so that they are no range.
            let others = (1..=MANY).map(|number| (2 * number).to_string());
            let list: Vec<String> = others.chain([last.port().to_string()]).collect();
            let with_list = match lab.relaunched_if_it_will(&allowing(list.join(" "))).await? {
                Ok(with_list) => with_list,
                Err(refusal) => {
                    lab.note(refusal);
                    return Ok(());
                }
            };

            opens(&with_list, &last).await?;
            let answer = with_list.client().asks(lab.request(&denied)).await?.answer;
            no_tunnel(&answer, &denied).await?;
            denied.stays_unvisited().await
        })
}

/// The proxy that was told to allow the port of `server`, an echo, leads there. It has begun a moment ago, so that the first
/// answer may take its time.
async fn opens(with_list: &Lab, server: &Server) -> Outcome {
    let client = with_list.client();
    let exchange = client
        .asks_until_answered(with_list.request(server))
        .await?;
    match exchange.answer.status() {
        Some(200..300) => {
            let mut tunnel = exchange.granted()?;
            tunnel.echoes(with_list.nonce()).await
        }
        Some(407 | 408) => Err(Finding::inconclusive(exchange.answer.describe())),
        _ => Err(Finding::violation(
            format!("a tunnel to {}, which is on the list", server.authority()),
            exchange.answer.describe(),
        )),
    }
}
