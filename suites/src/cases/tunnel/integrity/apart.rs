//! What enters one tunnel, and comes out of no other.

use connectspec_harness::prelude::*;

use crate::{
    cases::{
        tunnel::integrity::{VERY_MUCH, passes},
        words::transfers::{DIRECTIONS, SMALL_BUFFER},
    },
    documents::RFC_9110,
};

/// What one user sends must never reach another.
///
/// Only this conforms.
pub(super) fn two_tunnels_are_kept_apart() -> Case {
    must("What enters one tunnel leaves by no other")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["H1-CONN-016"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let (mut other_near, mut other_far) = lab.tunnel().await?;
            for _ in 0..8 {
                near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                    .await?;
                other_near
                    .exchanges_with(&mut other_far, lab.nonce(), lab.nonce())
                    .await?;
            }
            other_near.sends_to(&mut other_far, lab.nonce()).await?;
            far.stays_silent(lab.patience().settle()).await
        })
}

/// A buffer that is used again has to be empty by then, also when its tunnel has died with bytes on their way.
///
/// Only this conforms: the bytes belong to nobody any more. It takes over a second: so many tunnels die, one after the other.
pub(super) fn what_a_tunnel_leaves_is_no_other_ones() -> Family {
    each(DIRECTIONS, |&(_, upwards)| {
        must("What a tunnel held when it was reset comes out of no later one")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .relying_on(["integrity/much_passes_unchanged"])
            .covers(["H1-CONN-016"])
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut from, to) = if upwards { (near, far) } else { (far, near) };
                to.takes_little(SMALL_BUFFER)?;
                let flood = stream(!lab.seed(), VERY_MUCH);
                let (mut reader, mut writer) = from.halves();
                writer.offers_within(&flood, lab.patience().quiet()).await;
                // What arrived is unread, so that its kernel sends a reset.
                to.leaves();
                reader.takes_until_quiet(lab.patience().end()).await;
                passes(lab, upwards, LATER).await
            })
    })
}

/// What a later tunnel carries: past a buffer that it may have from another one.
const LATER: u64 = 4 << 20;

/// A server counts its clients, and a second connection that says nothing takes the place of somebody who would.
///
/// Also accepted: connections that race, as long as those that have lost are closed soon; that is noted.
pub(super) fn a_tunnel_leaves_no_second_connection_open() -> Case {
    practice("A tunnel has one connection to its server, and leaves no second one open")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-022"])
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut tunnel = lab.client().connect(&server).await?;
            tunnel.echoes(lab.nonce()).await?;
            pass(lab.patience().quiet()).await;
            server.fence().await?;
            let open = || {
                let visits = server.visits().into_iter();
                visits.filter(|visit| visit.played.is_none()).count()
            };
            if open() > 1 {
                pass(lab.patience().stall()).await;
            }
            let (came, open) = (server.visits().len(), open());
            if open > 1 {
                let seen = format!("{came} connections, of which {open} are still open");
                return Err(Finding::violation("one connection", seen));
            }
            if came > 1 {
                lab.note(format!("{came} connections, of which one stays open"));
            }
            tunnel.echoes(lab.nonce()).await
        })
}

/// Tunnels at the same time: no more than an ordinary proxy has workers for.
const MANY: u64 = 64;

/// Buffers and numbers that are mixed up show only when there are many of them.
///
/// Also accepted: to refuse tunnels past a limit; those that were granted have to be right.
pub(super) fn many_tunnels_are_kept_apart() -> Case {
    must("Sixty-four tunnels at the same time carry what is theirs")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["INT-012"])
        .is_a_crowd()
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let mut open = Vec::new();
            for number in 0..MANY {
                let exchange = lab.client().asks(lab.request(&server)).await?;
                if exchange.success().is_err() {
                    lab.note(format!("{number} tunnels were granted"));
                    break;
                }
                let far = server.accepts().await?;
                let (near, far) = lab.carried_by(exchange.granted()?, far, &server).await?;
                open.push((number, near, far));
            }
            if open.len() < 2 {
                return Err(Finding::inconclusive(
                    "it grants no two tunnels at the same time",
                ));
            }
            let mut flows = tokio::task::JoinSet::new();
            for (number, mut near, mut far) in open {
                let (there, back) = (lab.seed() ^ number, lab.seed() ^ (number + MANY));
                flows.spawn(async move {
                    let (there, back) = (stream(there, PART), stream(back, PART));
                    let passed = near.exchanges_with(&mut far, there, back).await;
                    passed.map_err(|finding| finding.at(&format!("tunnel {}", number + 1)))
                });
            }
            while let Some(flow) = flows.join_next().await {
                flow.map_err(|error| Finding::harness(error.to_string()))??;
            }
            Ok(())
        })
}

/// What each of many tunnels carries, in each direction.
const PART: u64 = 32 * 1024;
