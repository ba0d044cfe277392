//! Lists of ports that are made up, and whether a proxy agrees with them.

use connectspec_harness::prelude::*;
use proptest::prelude::{Strategy, prop};

use crate::cases::words::statuses::no_tunnel;

/// A port or a range: where it begins, and how many ports it has.
pub(super) type Ports = (u16, u16);

pub(super) fn lists(first: u16, last: u16) -> impl Strategy<Value = Vec<Ports>> {
    prop::collection::vec((first + 1..last - 8, 1_u16..8), 1..5)
}

/// The proxy, launched with `list`, treats every interesting port as the list says.
pub(super) async fn agrees(
    lab: &Lab,
    list: &[Ports],
    within: std::ops::RangeInclusive<u16>,
) -> Outcome {
    let words: Vec<String> = list
        .iter()
        .map(|&(first, count)| match count {
            1 => first.to_string(),
            _ => format!("{first}-{}", first + count - 1),
        })
        .collect();
    let words = words.join(" ");
    let listed = |port: u16| {
        list.iter()
            .any(|&(first, count)| (first..first + count).contains(&port))
    };
    let interesting = list.iter().flat_map(|&(first, count)| {
        [
            first - 1,
            first,
            first + count / 2,
            first + count - 1,
            first + count,
        ]
    });
    let mut ports: Vec<u16> = interesting.filter(|port| within.contains(port)).collect();
    ports.sort_unstable();
    ports.dedup();

    let with_list = lab.relaunched(&allowing(&words)).await?;
    let told = |port: u16| format!("with the list `{words}`, port {port}");
    let mut denied = Vec::new();
    for port in ports {
        let server = with_list.server_at(port, echo()).await?;
        let request = with_list.request(&server);
        if listed(port) {
            let carried = with_list.lets_through(&server).await;
            carried.map_err(|finding| finding.at(&told(port)))?;
        } else {
            let answer = with_list.client().asks(&request).await?.answer;
            no_tunnel(&answer, &server)
                .await
                .map_err(|finding| finding.at(&told(port)))?;
            denied.push(server);
        }
    }
    pass(lab.patience().settle()).await;
    for server in denied {
        server
            .is_unvisited()
            .await
            .map_err(|finding| finding.at(&told(server.port())))?;
    }
    Ok(())
}
