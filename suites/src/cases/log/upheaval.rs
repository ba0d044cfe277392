//! # A log in difficulties
//!
//! What a proxy did is in its log, or nowhere: also when it is told to stop in the middle of a day. And a log that takes no more
//! lines, for a full disk or a program behind a pipe that hangs, is no reason to keep clients waiting.

use connectspec_harness::prelude::*;

use crate::{cases::words::log_lines::tunnel_with_line, documents::RFC_9110};

/// Every case about a log in difficulties.
pub(crate) fn suite() -> Suite {
    suite! {
        "log_upheaval": "A log in difficulties", include_str!("upheaval.rs");
        tunnels_that_stand_at_the_end_have_their_lines,
        a_log_that_stands_still_holds_up_no_tunnel,
    }
}

/// Tunnels at the same time.
const STANDING: usize = 8;

/// Whoever looks for an attacker after a restart finds every tunnel but those of that hour.
///
/// Also accepted: to write a line when the tunnel begins; to let tunnels come to their end, and to write then.
fn tunnels_that_stand_at_the_end_have_their_lines() -> Case {
    practice("Tunnels that stand when the proxy is told to stop have their lines in the log")
        .cites(RFC_9110.section("17.4"))
        .covers(["NOTE-022"])
        .needs([Need::Launched, Need::AccessLog])
        .slow()
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            // Without a line of a tunnel that ends in peace, nothing follows.
            let (server, nonce) = (lab.server(echo()).await?, lab.nonce());
            let tunnel = tunnel_with_line(&lab, &server, &nonce).await?;
            tunnel.closes().await?;
            lab.log_line(&nonce).await?;

            let mut standing = Vec::new();
            for _ in 0..STANDING {
                let (server, nonce) = (lab.server(echo()).await?, lab.nonce());
                let mut tunnel = tunnel_with_line(&lab, &server, &nonce).await?;
                tunnel.echoes(lab.nonce()).await?;
                standing.push((nonce, tunnel));
            }
            lab.is_told_to_stop()?;
            let mut nonces = Vec::new();
            for (nonce, mut tunnel) in standing {
                // One that is left its time is ended by its client.
                if tunnel.ends_somehow().await.is_err() {
                    case.note("tunnels live on");
                }
                tunnel.leaves();
                nonces.push(nonce);
            }
            let mut lacking = 0;
            for nonce in &nonces {
                let there = lacking == 0 && lab.log_line(nonce).await.is_ok();
                lacking += usize::from(!there && lab.log_lines(nonce)?.is_empty());
            }
            if lacking == 0 {
                return Ok(());
            }
            Err(Finding::violation(
                format!("{STANDING} lines"),
                format!("none for {lacking} of {STANDING} tunnels"),
            ))
        })
}

/// Tunnels one after the other: more than small pools have threads.
const IN_A_ROW: usize = 12;

/// A disk that is full of somebody else's data, or a program behind a pipe that hangs, stops everybody's work.
///
/// Also accepted: to lose lines, and not to begin with such a log. A log that is no file of its own is not asked.
fn a_log_that_stands_still_holds_up_no_tunnel() -> Case {
    practice("A log that takes no line keeps no client from its tunnel")
        .cites(RFC_9110.section("17.5"))
        .covers(["NOTE-023"])
        .needs([Need::Launched, Need::AccessLog])
        .waits()
        .run(async |case| {
            // One that waits for its log before it listens has kept nobody from a tunnel yet.
            let lab = case.relaunched(&log_that_stands_still()).await;
            let lab = lab.map_err(|finding| match finding {
                Finding::Setup { reason, .. } => {
                    Finding::inconclusive(format!("it does not begin with such a log: {reason}"))
                }
                other => other,
            })?;
            let server = lab.server(echo()).await?;
            let held_up = |after: usize, what: &Finding| {
                let observed = format!("after {after} tunnels: {what}");
                Finding::violation("tunnels, while the log stands still", observed)
            };
            // Whatever looked whether it listens may have been a line of the log already.
            let standing = lab.client().connect(&server).await;
            let mut standing = standing.map_err(|finding| held_up(0, &finding))?;
            for before in 0..IN_A_ROW {
                let mut tunnel = match lab.client().connect(&server).await {
                    Ok(tunnel) => tunnel,
                    Err(finding) => return Err(held_up(before, &finding)),
                };
                let carried = tunnel.echoes(lab.nonce()).await;
                carried.map_err(|finding| held_up(before, &finding))?;
                tunnel.leaves();
            }
            let carried = standing.echoes(lab.nonce()).await;
            carried.map_err(|finding| held_up(IN_A_ROW, &finding))
        })
}
