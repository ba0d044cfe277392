//! Beginning again, and noticing who has gone.

use connectspec_harness::prelude::*;

use crate::{
    cases::operation::robustness::serves_on,
    documents::{RFC_1122, RFC_9110},
};

/// Tunnels that the proxy has ended on the client's side first, so that its own port remembers them for a while.
const ENDED: usize = 4;

/// An update takes a second; a proxy that cannot have its port back as long as the kernel remembers old connections takes a
/// minute, in which nobody is served.
///
/// Only this conforms: a tunnel through the new process, on the port of the old one.
pub(super) fn it_can_be_started_again_at_once() -> Case {
    practice("Stopped behind its tunnels, the proxy can be started again on the same port at once")
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-020"])
        .needs([Need::Launched])
        .run(async |case| {
            let lab = case.relaunched(&Setup::default()).await?;
            let server = lab.server(hand_over()).await?;
            for _ in 0..ENDED {
                let mut near = lab.client().connect(&server).await?;
                let mut far = server.accepts().await?;
                far.finishes().await?;
                // The end comes from the proxy, which is then the side that remembers; where it waits for both, it does not.
                let ended = near.ends_somehow().await;
                near.leaves();
                far.leaves();
                if ended.is_err() {
                    break;
                }
            }
            drop(server);
            match lab.restarted(&Setup::default()).await? {
                Ok(again) => {
                    let server = again.server(echo()).await?;
                    serves_on(&again, &server).await
                }
                Err(said) => {
                    // Where it starts on no other port either, the port is not the reason.
                    case.relaunched(&Setup::default()).await?;
                    let expected = "a proxy that listens again on its port";
                    Err(Finding::violation(expected, said))
                }
            }
        })
}

/// A client that lost its network says no goodbye. Unless somebody asks now and then, what it had stays open for as long as the
/// proxy lives, or its idle timeout lasts.
///
/// Also accepted: anything; an idle timeout does the same.
pub(super) fn dead_peers_are_asked_after() -> Case {
    survey("Whether the kernel asks for the proxy if the peers of an idle tunnel are still there")
        .cites(RFC_1122.section("4.2.3.6"))
        .covers(["ROB-022"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
                .await?;
            // What was said is acknowledged by then, so that no other timer is set.
            pass(lab.patience().quiet()).await;
            for (name, end) in [("client", &near), ("server", &far)] {
                lab.note(match lab.keepalive_towards(end)? {
                    Some(after) => format!("the {name}: after {} s", after.as_secs()),
                    None => format!("the {name}: never"),
                });
            }
            Ok(())
        })
}
