//! # HTTP/2: windows
//!
//! A window says how much one side may send before the other has made room: for each stream, and for all of them together. A
//! proxy has two of them for each tunnel, and TCP's own behind. Whoever counts wrong sends too much, or nothing more.

use connectspec_harness::{
    client::Http2,
    http2::{ErrorCode, Frame, frame::setting::INITIAL_WINDOW_SIZE},
    prelude::*,
};

use super::{
    flow::{AMPLE, is_an_error, opened, receives_in_steps, stingy},
    words::{connection, tunnel},
};
use crate::{cases::words::transfers::SMALL_BUFFER, documents::RFC_9113};

mod dead_tunnels;

use dead_tunnels::what_dead_tunnels_were_sent_is_given_back;

/// Every case about flow control in HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_windows": "HTTP/2: windows", concat!(include_str!("windows.rs"), include_str!("windows/dead_tunnels.rs"));
        the_window_of_a_stream_is_kept_to,
        a_window_that_shrinks_is_kept_to,
        the_window_of_the_connection_is_shared,
        a_slow_server_holds_up_no_other_tunnel,
        a_client_that_does_not_read_stops_its_server,
        a_wrong_window_update_is_an_error,
        small_windows_let_everything_through,
        windows_of_one_octet,
        what_dead_tunnels_were_sent_is_given_back,
        a_larger_initial_window_wakes_a_tunnel,
        a_tunnel_that_stands_still_silences_nothing_else,
    }
}

/// Windows that a stream begins with.
const WINDOWS: &[(&str, u32)] = &[("of_nothing", 0), ("of_ten_octets", 10)];

/// What waits at the proxy for a window.
const WAITS: u64 = 1000;

/// A client that has no room for more says so with its window. Who sends all the same fills its memory, or is cut off.
///
/// Also accepted: to keep the 2xx back until there is a window; that is noted.
fn the_window_of_a_stream_is_kept_to() -> Family {
    each(WINDOWS, |&(_, window)| {
        must("No more DATA comes on a stream than its window allows")
            .over(HTTP_2)
            .cites(RFC_9113.section("5.2.1"))
            .cites(RFC_9113.section("6.9.1"))
            .covers(["H2-FC-001"])
            .run(async move |lab| {
                let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, window)], AMPLE).await?;
                let mut tunnel = opened(lab, &http2).await?;
                let mut beside = opened(lab, &http2).await?;
                let bytes = stream(lab.seed(), WAITS).bytes();
                tunnel.far.sends(&bytes).await?;
                beside.fences(lab, &http2).await?;
                let before = http2.received(tunnel.id);
                http2.grants(tunnel.id, 100);
                tunnel.hears_more(lab, &http2, before).await;
                beside.fences(lab, &http2).await?;
                http2.grants(tunnel.id, 1 << 16);
                tunnel.near.receives(&bytes).await?;
                http2.fence().await
            })
    })
}

/// A client that runs short of room takes back what it has promised to every stream: the window may be less than nothing
/// then, and what is granted afterwards fills that up first.
///
/// Only this conforms.
fn a_window_that_shrinks_is_kept_to() -> Case {
    must("A smaller initial window holds for open tunnels, and may leave them less than nothing")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.9.2"))
        .covers(["H2-FC-001"])
        .run(async |lab| {
            let http2 = stingy(lab, &[], AMPLE).await?;
            let mut tunnel = opened(lab, &http2).await?;
            let mut beside = opened(lab, &http2).await?;
            let bytes = stream(lab.seed(), 35_000).bytes();
            let (before, behind) = bytes.split_at(30_000);
            tunnel.far.sends_to(&mut tunnel.near, before).await?;
            // 10,000 less 30,000 that have come.
            http2.settles(&[(INITIAL_WINDOW_SIZE, 10_000)]).await?;
            tunnel.far.sends(behind).await?;
            beside.fences(lab, &http2).await?;
            http2.grants(tunnel.id, 20_000);
            beside.fences(lab, &http2).await?;
            http2.grants(tunnel.id, 1000);
            tunnel.hears_more(lab, &http2, before.len() as u64).await;
            beside.fences(lab, &http2).await?;
            http2.grants(tunnel.id, 1 << 16);
            tunnel.near.receives(behind).await?;
            http2.fence().await
        })
}

/// What each of two servers says: one alone fits into the window of a connection that has just begun, both do not.
const EACH: u64 = 60_000;

/// The windows of the streams are promises to each; the one of the connection is what the client has room for.
///
/// Also accepted: to leave a part of the window unused.
fn the_window_of_the_connection_is_shared() -> Case {
    must("On all streams together no more DATA comes than the window of the connection allows")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.9.1"))
        .covers(["H2-FC-002"])
        .run(async |lab| {
            let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 1 << 20)], 0).await?;
            let mut one = opened(lab, &http2).await?;
            let mut two = opened(lab, &http2).await?;
            let mut beside = opened(lab, &http2).await?;
            let bytes = stream(lab.seed(), 2 * EACH).bytes();
            let (first, second) = bytes.split_at(bytes.len() / 2);
            one.far.sends(first).await?;
            two.far.sends(second).await?;
            let full = http2.until_within(lab.patience().quiet(), |state| {
                let received = [one.id, two.id].map(|id| {
                    let stream = state.streams.get(&id);
                    stream.map_or(0, |stream| stream.received().0)
                });
                (received.iter().sum::<u64>() >= FIRST_WINDOW || state.over.is_some()).then_some(())
            });
            if full.await.is_none() {
                lab.note("a part of the window is left unused");
            }
            beside.fences(lab, &http2).await?;
            http2.grants(0, 1 << 20);
            one.near.receives(first).await?;
            two.near.receives(second).await?;
            http2.fence().await
        })
}

/// The window of a connection that has just begun (RFC 9113 §6.9.2).
const FIRST_WINDOW: u64 = 65_535;

/// What no proxy should keep in its memory for a server that does not read.
const BOUND: u64 = 32 << 20;

/// What the kernel may hold of one connection: Linux lets a receiver's buffer grow to 32 MiB where memory is plenty, and a sender's
/// to 4.
const KERNELS: u64 = 36 << 20;

/// All tunnels of a browser share one connection. If what one slow server has not read is held against all, a download that
/// somebody has paused stops everything else.
///
/// Also accepted: to keep any amount below 32 MiB for the slow server.
fn a_slow_server_holds_up_no_other_tunnel() -> Case {
    practice(
        "A server that does not read stops its own tunnel, and no other on the same connection",
    )
    .over(HTTP_2)
    .cites(RFC_9113.section("5.2"))
    .cites(RFC_9113.section("10.5.2"))
    .covers(["H2-FC-003"])
    .relying_on(["integrity/much_passes_unchanged[to_the_server]"])
    .run(async |lab| {
        let http2 = connection(lab).await?;
        let mut slow = tunnel(lab, &http2).await?;
        let mut beside = tunnel(lab, &http2).await?;
        slow.far.takes_little(SMALL_BUFFER)?;
        let much = stream(lab.seed(), BOUND);
        let mut writer = slow.near.halves().1;
        let (taken, stopped) = writer.offers_within(&much, lab.patience().quiet()).await;
        if stopped.is_none() {
            return Err(Finding::violation(
                "a client that is kept waiting for its server",
                format!("{taken} octets are taken for a server that does not read"),
            ));
        }
        lab.note(format!("{taken} octets are kept"));
        beside
            .near
            .sends_to(&mut beside.far, stream(lab.seed(), 1 << 20))
            .await
    })
}

/// A client pauses a download by leaving its window closed. A proxy that reads on keeps in its memory what nobody takes, for each
/// client that knows how.
///
/// Also accepted: to keep any amount below 32 MiB. What both ends of TCP keep beside it is not the proxy's.
fn a_client_that_does_not_read_stops_its_server() -> Case {
    practice("A server whose client does not read is kept waiting")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.2"))
        .covers(["H2-FC-009"])
        .run(async |lab| {
            let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 1000)], AMPLE).await?;
            let mut tunnel = opened(lab, &http2).await?;
            let much = stream(lab.seed(), BOUND + KERNELS);
            let mut writer = tunnel.far.halves().1;
            let (taken, stopped) = writer.offers_within(&much, lab.patience().quiet()).await;
            lab.note(format!("{taken} octets are kept"));
            match stopped {
                Some(_) => Ok(()),
                None => Err(Finding::violation(
                    "a server that is kept waiting for its client",
                    format!("{taken} octets are taken for a client that does not read"),
                )),
            }
        })
}

/// A wrong WINDOW_UPDATE: its section, whether it is about a stream, and what it adds.
const WRONG: &[(&str, &str, bool, u32)] = &[
    ("of_nothing_on_a_stream", "6.9", true, 0),
    ("of_nothing_on_the_connection", "6.9", false, 0),
    ("too_large_on_a_stream", "6.9.1", true, 0x7fff_ffff),
    ("too_large_on_the_connection", "6.9.1", false, 0x7fff_ffff),
];

/// Two sides that count differently find out when nothing moves any more. An error says so at once.
///
/// Also accepted: any code; for a stream, an error of the connection; the end of the connection without a word.
fn a_wrong_window_update_is_an_error() -> Family {
    each(WRONG, |&(_, section, of_a_stream, more)| {
        must("A WINDOW_UPDATE of nothing, or past the largest window, is an error")
            .over(HTTP_2)
            .cites(RFC_9113.section(section))
            .covers(["H2-FC-004"])
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let tunnel = tunnel(lab, &http2).await?;
                if of_a_stream {
                    http2.sends(&Frame::window_update(tunnel.id, more));
                    return is_an_error(lab, &http2, tunnel.id).await;
                }
                http2.sends(&Frame::window_update(0, more));
                ends_the_connection(lab, &http2).await
            })
    })
}

/// The connection has come to its end, or to GOAWAY with an error.
async fn ends_the_connection(lab: &Lab, http2: &Http2) -> Outcome {
    let ended = http2.until_within(lab.patience().end(), |state| {
        let failed = state.goaway.filter(|code| *code != ErrorCode::NO_ERROR);
        match (failed, &state.over) {
            (Some(code), _) => Some(format!("GOAWAY({code})")),
            (None, over) => over.as_ref().map(|_| "the end without GOAWAY".to_owned()),
        }
    });
    match ended.await {
        Some(how) => {
            lab.note(how);
            Ok(())
        }
        None => Err(Finding::violation(
            "an error of the connection",
            "it goes on",
        )),
    }
}

/// What goes through a small window.
const TRICKLE: u64 = 4096;

/// Small devices grant little at a time. Who waits for a window that is worth a frame waits for ever.
///
/// Also accepted: a connection that is ended for excessive load (ENHANCE_YOUR_CALM) says nothing.
fn small_windows_let_everything_through() -> Case {
    must("Four kilobytes come through a window of 64 octets")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.2"))
        .cites(RFC_9113.section("6.9"))
        .covers(["H2-FC-005"])
        .run(async |lab| {
            let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 64)], AMPLE).await?;
            let come = trickle(lab, &http2, TRICKLE).await;
            match http2.session().with(|state| state.goaway) {
                Some(ErrorCode::ENHANCE_YOUR_CALM) => {
                    Err(Finding::inconclusive("GOAWAY(ENHANCE_YOUR_CALM)"))
                }
                _ => come,
            }
        })
}

/// The smallest window that is one.
///
/// Also accepted: whatever comes of it.
fn windows_of_one_octet() -> Case {
    survey("Through a window of one octet, of a hundred octets")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.9"))
        .covers(["H2-FC-005"])
        .run(async |lab| {
            let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 1)], AMPLE).await?;
            lab.note(match trickle(lab, &http2, 100).await {
                Ok(()) => "all come".to_owned(),
                Err(finding) => finding.to_string(),
            });
            Ok(())
        })
}

/// The server says so much, which comes through the window that a stream begins with, step by step.
async fn trickle(lab: &Lab, http2: &Http2, length: u64) -> Outcome {
    let mut tunnel = opened(lab, http2).await?;
    let bytes = stream(lab.seed(), length).bytes();
    tunnel.far.sends(&bytes).await?;
    receives_in_steps(http2, tunnel.id, &mut tunnel.near, &bytes).await?;
    http2.fence().await
}

/// What waits for a window that grows.
const BEYOND: u64 = 50_000;

/// A client that has found room tells all of its streams at once. Who does not count that on streams that are open leaves
/// each of them standing still.
///
/// Only this conforms.
fn a_larger_initial_window_wakes_a_tunnel() -> Case {
    must("A larger initial window lets a tunnel go on that stands still")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.9.2"))
        .covers(["H2-FC-007"])
        .run(async |lab| {
            let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 1000)], AMPLE).await?;
            let mut tunnel = opened(lab, &http2).await?;
            let bytes = stream(lab.seed(), BEYOND).bytes();
            tunnel.far.sends(&bytes).await?;
            tunnel.hears_more(lab, &http2, 0).await;
            http2.settles(&[(INITIAL_WINDOW_SIZE, 100_000)]).await?;
            tunnel.near.receives(&bytes).await?;
            http2.fence().await
        })
}

/// What a client asks beside a tunnel.
const ASKED: &[(&str, bool)] = &[("ping", true), ("settings", false)];

/// A client that hears nothing of a PING takes the connection for dead, and ends it with all tunnels on it.
///
/// Only this conforms.
fn a_tunnel_that_stands_still_silences_nothing_else() -> Family {
    each(ASKED, |&(_, pings)| {
        must("PING and SETTINGS are answered while a tunnel stands still")
            .over(HTTP_2)
            .cites(RFC_9113.section(if pings { "6.7" } else { "6.5.3" }))
            .covers(["H2-FC-008"])
            .run(async move |lab| {
                let http2 = stingy(lab, &[(INITIAL_WINDOW_SIZE, 1000)], AMPLE).await?;
                let mut tunnel = opened(lab, &http2).await?;
                let flood = stream(lab.seed(), BOUND);
                let (mut reader, mut writer) = (tunnel.near.halves().0, tunnel.far.halves().1);
                let flooded = async {
                    writer.offers_within(&flood, lab.patience().quiet()).await;
                };
                let answered = async {
                    reader.receives_any(1).await?;
                    let answered = match pings {
                        true => http2.answers_a_ping().await,
                        false => http2.settles(&[]).await.is_ok(),
                    };
                    match answered {
                        true => Ok(()),
                        false => Err(Finding::violation(
                            if pings {
                                "an answer to PING"
                            } else {
                                "an answer to SETTINGS"
                            },
                            format!("none within {:?}", lab.patience().progress()),
                        )),
                    }
                };
                // The flood need not come to its end, once there is an answer.
                tokio::pin!(flooded);
                tokio::pin!(answered);
                tokio::select! {
                    biased;
                    answer = &mut answered => answer,
                    () = &mut flooded => answered.await,
                }
            })
    })
}
