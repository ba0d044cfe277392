//! # Unusual endings
//!
//! One side goes away while the other is in the middle of something: a connection that is being made, a download, a
//! half-closed tunnel. The proxy is the only one that knows of both.

mod stopping;

use connectspec_harness::prelude::*;

use crate::{
    cases::{
        tunnel::abrupt_ends::stopping::{
            nothing_is_added_when_the_proxy_stops, tunnels_of_a_proxy_that_stops,
            what_a_stop_cuts_off_does_not_look_whole,
        },
        words::transfers::SMALL_BUFFER,
    },
    documents::{RFC_9110, RFC_9112},
};

/// Every case about a tunnel that ends in an unusual way.
pub(crate) fn suite() -> Suite {
    suite! {
        "endings": "Unusual endings", concat!(include_str!("abrupt_ends.rs"), include_str!("abrupt_ends/stopping.rs"));
        a_reset_ends_a_half_closed_tunnel,
        a_reset_of_the_client_ends_a_server_that_sends,
        nothing_is_added_when_a_server_resets,
        nothing_is_added_when_the_proxy_stops,
        a_client_that_left_while_connecting_is_noticed,
        a_close_during_a_download,
        a_close_right_behind_an_upload,
        much_that_follows_a_close_of_the_client,
        much_that_follows_a_close_of_the_server,
        data_right_before_a_reset,
        tunnels_of_a_proxy_that_stops,
        what_a_stop_cuts_off_does_not_look_whole,
    }
}

/// Which end closes first, and then sees the other one reset.
const FIRST: &[(&str, &str, bool)] = &[
    ("of_the_client", "CLS-007", false),
    ("of_the_server", "CLS-006", true),
];

/// A relay that has stopped to watch a side that has ended misses that it has died, and keeps the other waiting.
///
/// Also accepted: a FIN in place of the reset, and to have closed both sides before.
fn a_reset_ends_a_half_closed_tunnel() -> Family {
    each(FIRST, |&(_, row, client_closes)| {
        must("A reset ends the tunnel, also when the other side has closed before")
            .over(EVERY)
            .cites(RFC_9110.section("9.3.6"))
            .covers([row])
            .seen_in(
                "ATS #3288",
                "https://github.com/apache/trafficserver/issues/3288",
            )
            .run(async move |lab| {
                let (near, far) = lab.tunnel().await?;
                let (mut closes, mut resets) = if client_closes {
                    (near, far)
                } else {
                    (far, near)
                };
                closes
                    .exchanges_with(&mut resets, lab.nonce(), lab.nonce())
                    .await?;
                closes.finishes().await?;
                resets.ends_somehow().await?;
                resets.resets()?;
                lab.note(closes.ends_somehow().await?.describe());
                Ok(())
            })
    })
}

/// A server that streams to nobody is kept busy, and paid for, until somebody restarts the proxy.
///
/// Also accepted: to read on and throw away for a while, as long as the server sees the end.
fn a_reset_of_the_client_ends_a_server_that_sends() -> Case {
    must("When the client resets, a server that is sending sees the end")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-007"])
        .seen_in(
            "httpd 596940ef40",
            "https://github.com/apache/httpd/commit/596940ef40",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let endless = stream(lab.seed(), u64::MAX);
            let (mut reader, mut writer) = far.halves();
            let reset = async {
                near.receives_any(SOME).await?;
                near.resets()?;
                reader.ends_somehow().await
            };
            tokio::select! {
                (_, stopped) = writer.offers(&endless) => {
                    let Some(stopped) = stopped else { return Ok(()) };
                    if let Stopped::Standstill(_) = stopped {
                        let observed = stopped.to_string();
                        return Err(Finding::violation("the end at the server", observed));
                    }
                    lab.note(stopped.to_string());
                    Ok(())
                }
                ending = reset => {
                    lab.note(ending?.describe());
                    Ok(())
                }
            }
        })
}

/// Enough to know that the server is sending.
const SOME: usize = 256 * 1024;

/// A page that explains the failure, after a 2xx, becomes part of what the server said: the client reads it as the rest
/// of a file.
///
/// Only this conforms.
fn nothing_is_added_when_a_server_resets() -> Case {
    must("When the server resets, nothing is added to what it said")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .relying_where(
            "no end within",
            ["close/a_reset_of_the_server_ends_the_client"],
        )
        .covers(["INT-016"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            far.sends_to(
                &mut near,
                "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n",
            )
            .await?;
            far.resets()?;
            near.ends_somehow().await?;
            Ok(())
        })
}

/// The connection that comes at last has nobody at its other end: a proxy that leaves it open loses one each time that a
/// server is slow.
///
/// Also accepted: to give the attempt up with the client, so that no connection comes; and to close it once it has come.
fn a_client_that_left_while_connecting_is_noticed() -> Case {
    practice("A connection that comes after its client has left is closed")
        .over(EVERY)
        .cites(RFC_9112.section("9.5"))
        .covers(["CLS-009"])
        .seen_in(
            "konnectivity #789",
            "https://github.com/kubernetes-sigs/apiserver-network-proxy/pull/789",
        )
        .slow()
        .run(async |lab| {
            let mut silent = lab.black_hole().await?;
            let mut connection = lab.client().dial().await?;
            connection
                .requests(lab.client().request(silent.authority()))
                .await;
            pass(lab.patience().stall()).await;
            connection.into_tunnel().leaves();
            let late = silent.opens(lab.patience().retried_syn()).await?;
            lab.note(format!("{} connections came late", late.len()));
            for mut end in late {
                end.ends_somehow().await?;
            }
            Ok(())
        })
}

/// Eight megabytes: past the kernel's buffers.
const MUCH: u64 = 8 << 20;

/// What a client that has closed its own direction still gets of a download. Only what the side that has closed had sent
/// must be delivered.
///
/// Also accepted: all of it, or a part.
fn a_close_during_a_download() -> Case {
    survey("When the client closes during a download, of eight megabytes it gets")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-018"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let payload = stream(lab.seed(), MUCH);
            let (mut reader, mut writer) = near.halves();
            let mut sends = far.halves().1;
            let send = async {
                sends.offers(&payload).await;
                let _ = sends.finishes().await;
            };
            let read = async {
                writer.finishes().await?;
                Ok::<_, Finding>(reader.takes_until_quiet(lab.patience().end()).await)
            };
            let ((), taken) = tokio::join!(send, read);
            lab.note(share(taken?.0, MUCH));
            Ok(())
        })
}

/// Whether an upload is complete when its client has closed the connection after it, not only its own direction: it
/// cannot tell a lost end from its own reset, so nobody is blamed.
///
/// Also accepted: all of it, or a part.
fn a_close_right_behind_an_upload() -> Case {
    survey("When the client leaves right after an upload of eight megabytes, a slow server gets")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-002"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let payload = stream(lab.seed(), MUCH);
            // Otherwise its kernel may take all of it before it reads.
            far.takes_little(SMALL_BUFFER)?;
            let send = async {
                near.sends(&payload).await?;
                near.leaves();
                Ok::<_, Finding>(())
            };
            let mut reader = far.halves().0;
            let read = async {
                pass(lab.patience().quiet()).await;
                reader.takes_until_quiet(lab.patience().end()).await
            };
            let (sent, (taken, _)) = tokio::join!(send, read);
            sent?;
            lab.note(share(taken, MUCH));
            Ok(())
        })
}

/// A client of an old protocol says that it has asked everything, and waits for the answer.
///
/// Also accepted: to close both directions, so that nothing of it arrives.
fn much_that_follows_a_close_of_the_client() -> Case {
    survey("Of a megabyte that the server sends after the client has closed, there arrives")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("3.7"))
        .covers(["CLS-003"])
        .seen_in(
            "envoy #2067",
            "https://github.com/envoyproxy/envoy/issues/2067",
        )
        .seen_in("bore #165", "https://github.com/ekzhang/bore/issues/165")
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            much_follows_a_close(lab, &mut near, &mut far, 1 << 20).await
        })
}

/// rsync, and whoever uploads to a server that speaks first and has nothing more to say.
///
/// Also accepted: to close both directions, so that nothing of it arrives.
fn much_that_follows_a_close_of_the_server() -> Case {
    survey("Of eight megabytes that the client sends after the server has closed, there arrives")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .cites(RFC_9110.section("3.7"))
        .covers(["CLS-004"])
        .seen_in(
            "haproxy #3205",
            "https://github.com/haproxy/haproxy/issues/3205",
        )
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            much_follows_a_close(lab, &mut far, &mut near, MUCH).await
        })
}

/// `first` closes, and later gets what `second` sends of `volume`.
async fn much_follows_a_close(
    lab: &Lab,
    first: &mut End,
    second: &mut End,
    volume: u64,
) -> Outcome {
    first.finishes().await?;
    second.ends_somehow().await?;
    let payload = stream(lab.seed(), volume);
    let (mut reader, mut writer) = (first.halves().0, second.halves().1);
    let send = async {
        pass(lab.patience().quiet()).await;
        writer.offers(&payload).await;
        let _ = writer.finishes().await;
    };
    let ((), (taken, _)) = tokio::join!(send, reader.takes_until_quiet(lab.patience().end()));
    lab.note(share(taken, volume));
    Ok(())
}

/// What was said right before a reset may be thrown away by every kernel on the way.
///
/// Also accepted: any part of it.
fn data_right_before_a_reset() -> Case {
    survey("Of 64 KiB that a server sends right before it resets, there arrives")
        .over(EVERY)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["CLS-010"])
        .run(async |lab| {
            let (mut near, mut far) = lab.tunnel().await?;
            let payload = stream(lab.seed(), BEFORE_THE_RESET);
            far.sends(&payload).await?;
            far.resets()?;
            let (taken, _) = near
                .halves()
                .0
                .takes_until_quiet(lab.patience().end())
                .await;
            lab.note(share(taken, BEFORE_THE_RESET));
            Ok(())
        })
}

const BEFORE_THE_RESET: u64 = 64 * 1024;

/// How much of `whole` it was, in words.
fn share(part: u64, whole: u64) -> String {
    match part {
        0 => "nothing".to_owned(),
        part if part == whole => "all".to_owned(),
        _ => "a part".to_owned(),
    }
}
