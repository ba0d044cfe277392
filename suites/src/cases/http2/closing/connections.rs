//! The end of a connection, with all tunnels on it.

use connectspec_harness::{
    client::{Fate, Http2},
    http2::{ErrorCode, Frame, Leave},
    prelude::*,
};

use crate::{
    cases::http2::words::{connection, tunnel},
    documents::RFC_9113,
};

/// How a client goes, and what becomes of its connection then.
type Goes = fn(Http2) -> Option<Http2>;

/// Ways to go in which something has gone wrong.
const LOST: &[(&str, Goes)] = &[
    ("by_a_reset", |http2| {
        http2.leaves(Leave::Reset);
        None
    }),
    // Its socket stays open: its own end would hide that of its tunnels.
    ("by_an_error", |http2| {
        http2.sends(&Frame::data(0, *b"of no stream", false));
        Some(http2)
    }),
];

/// All of them.
const GONE: &[(&str, Goes)] = &[
    LOST[0],
    LOST[1],
    ("in_order", |http2| {
        http2.sends(&Frame::goaway(ErrorCode::NO_ERROR));
        http2.leaves(Leave::Close);
        None
    }),
];

/// How many tunnels are on the connection.
const TUNNELS: usize = 3;

/// A proxy that forgets the tunnels of a connection that is gone keeps their servers waiting, and itself full.
///
/// Also accepted: a FIN; a case of its own asks for a reset. What says nothing of an error leaves the connection open, and says
/// nothing here.
pub(super) fn a_lost_client_ends_its_servers() -> Family {
    each(GONE, |&(_, goes)| {
        must("When the client's connection ends, each of its servers sees the end")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-CLS-006"])
            .run(async move |lab| {
                for ending in servers_see(lab, goes).await? {
                    lab.note(ending.describe());
                }
                Ok(())
            })
    })
}

/// With a FIN, what was cut off looks whole to each server.
///
/// Only this conforms.
pub(super) fn a_lost_client_resets_its_servers() -> Family {
    each(LOST, |&(_, goes)| {
        should("When the client's connection is lost, each of its servers sees a reset")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-CLS-006"])
            .relying_on(["http2_closing/a_lost_client_ends_its_servers"])
            .run(async move |lab| {
                let endings = servers_see(lab, goes).await?;
                let resets = |ending: &&Ending| **ending == Ending::Abrupt;
                match endings.iter().filter(resets).count() {
                    TUNNELS => Ok(()),
                    count => Err(Finding::violation(
                        format!("{TUNNELS} resets"),
                        format!("{count} of {TUNNELS} ends"),
                    )),
                }
            })
    })
}

/// What each of its servers sees when the client goes.
async fn servers_see(lab: &Lab, goes: Goes) -> Outcome<Vec<Ending>> {
    let http2 = connection(lab).await?;
    let mut tunnels = Vec::new();
    for _ in 0..TUNNELS {
        tunnels.push(tunnel(lab, &http2).await?);
    }
    let first = tunnels[0].id;
    let stays = goes(http2);
    if let Some(http2) = &stays {
        let limit = lab.patience().end();
        let fate = http2.fate(first, limit, limit).await;
        if fate == Fate::Open {
            return Err(Finding::inconclusive("the connection goes on"));
        }
    }
    let mut endings = Vec::new();
    for tunnel in &mut tunnels {
        endings.push(tunnel.far.ends_somehow().await?);
    }
    Ok(endings)
}

/// A client that is told asks elsewhere. One that is not has sent requests of which it does not know whether anybody has
/// seen them.
///
/// Also accepted: to end the tunnels at once, after a while, or to let them come to their end; that is noted.
pub(super) fn a_proxy_that_stops_says_so() -> Case {
    should("A proxy that stops sends GOAWAY before it ends a connection")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.8"))
        .cites(RFC_9113.section("5.4.1"))
        .covers(["H2-CLS-008"])
        .needs([Need::Launched])
        .slow()
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let http2 = connection(&lab).await?;
            let mut tunnel = tunnel(&lab, &http2).await?;
            lab.is_told_to_stop()?;
            let limit = lab.patience().end();
            let said = http2.until_within(limit, |state| {
                let over = state.over.is_some().then_some(false);
                state.goaway.map(|_| true).or(over)
            });
            let said = said.await;
            let lives = tunnel.carries(&lab).await.is_ok();
            case.note(if lives {
                "its tunnels live on"
            } else {
                "its tunnels are cut"
            });
            match said {
                Some(true) => Ok(()),
                Some(false) => Err(Finding::violation("GOAWAY", "the end without it")),
                None => Err(Finding::inconclusive("the connection goes on")),
            }
        })
}
