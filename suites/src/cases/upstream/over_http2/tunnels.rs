//! # Tunnels through an upstream proxy of HTTP/2
//!
//! The tunnel is DATA on one stream, as far as windows let it, and its ends are flags and resets. What else comes on that stream, or
//! on the connection, is none of the tunnel's.

use connectspec_harness::{
    http2::{
        BROKEN, Frame, Manners,
        frame::{MAX_PAYLOAD, setting::INITIAL_WINDOW_SIZE},
    },
    prelude::*,
    tunnel::Http2,
};

use super::words::{Tunnel, VERSIONS, is_a_success, tunnel, tunnel_with};
use crate::documents::RFC_9113;

mod ends;
mod others;

use ends::{
    a_lost_connection_ends_the_tunnel, a_reset_of_the_client_ends_the_stream,
    a_reset_of_the_client_is_no_clean_end, a_reset_of_the_stream_ends_the_tunnel,
    a_reset_of_the_stream_is_a_reset_at_the_client, a_stream_that_is_cut_off_is_no_clean_end,
    a_stream_that_is_reset_is_a_connect_error, the_clients_end_is_the_end_of_the_stream,
    the_end_of_the_stream_is_the_clients,
};
use others::{
    a_goodbye_leaves_an_open_tunnel_alone, a_tunnel_ends_without_trailers,
    data_behind_the_end_is_not_relayed, frames_beside_a_tunnel_leave_it_alive,
    trailers_are_an_error, trailers_are_no_data,
};

/// Every case about a tunnel through an upstream proxy of HTTP/2.
pub(crate) fn suite() -> Suite {
    suite! {
        "upstream_http2_tunnels": "Tunnels through an upstream proxy of HTTP/2", concat!(include_str!("tunnels.rs"), include_str!("tunnels/ends.rs"), include_str!("tunnels/others.rs"));
        much_arrives_at_the_upstream_proxy,
        much_arrives_at_the_client,
        what_comes_early_arrives_once,
        the_window_of_the_stream_is_kept_to,
        the_window_of_the_connection_is_kept_to,
        a_larger_initial_window_wakes_a_tunnel,
        padding_is_not_relayed,
        padding_is_given_back,
        frames_are_no_larger_than_allowed,
        the_clients_end_is_the_end_of_the_stream,
        the_end_of_the_stream_is_the_clients,
        a_reset_of_the_client_ends_the_stream,
        a_reset_of_the_client_is_no_clean_end,
        a_reset_of_the_stream_ends_the_tunnel,
        a_reset_of_the_stream_is_a_reset_at_the_client,
        a_lost_connection_ends_the_tunnel,
        a_stream_that_is_cut_off_is_no_clean_end,
        a_stream_that_is_reset_is_a_connect_error,
        trailers_are_no_data,
        trailers_are_an_error,
        a_tunnel_ends_without_trailers,
        data_behind_the_end_is_not_relayed,
        frames_beside_a_tunnel_leave_it_alive,
        a_goodbye_leaves_an_open_tunnel_alone,
        every_frame_is_well_formed,
    }
}

/// More than the windows that a connection begins with.
const MUCH: u64 = 1 << 20;

/// A proxy that counts a window wrong lets an upload stand still, or loses a part of it.
///
/// Only this conforms.
fn much_arrives_at_the_upstream_proxy() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("What the client sends arrives as DATA at the upstream proxy, exact and in order")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9113.section("6.9"))
            .covers(["H2-FWD-005"])
            .under(upstream_over(version))
            .run(async |lab| {
                let Tunnel {
                    mut near, mut far, ..
                } = tunnel(lab).await?;
                near.sends_to(&mut far, stream(lab.seed(), MUCH)).await
            })
    })
}

/// A proxy that gives nothing of its windows back stops its server after some kilobytes.
///
/// Only this conforms.
fn much_arrives_at_the_client() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("What the upstream proxy sends as DATA arrives at the client, exact and in order")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9113.section("6.9"))
            .covers(["H2-FWD-005"])
            .under(upstream_over(version))
            .run(async |lab| {
                let Tunnel {
                    mut near, mut far, ..
                } = tunnel(lab).await?;
                far.sends_to(&mut near, stream(lab.seed(), MUCH)).await
            })
    })
}

/// What a client says before it knows of a tunnel is the tunnel's first words, if there is one.
///
/// Also accepted: to send it on the stream before the 2xx, where HTTP/2 leaves no doubt about what it is.
fn what_comes_early_arrives_once() -> Case {
    must(
        "What the client sends behind its CONNECT arrives at the upstream proxy, once and in order",
    )
    .over(EVERY)
    .cites(RFC_9113.section("8.5"))
    .covers(["H2-FWD-005"])
    .relying_on(["early/early_data_is_delivered_once_and_in_order[a_few_bytes]"])
    .under(upstream_over(HttpVersion::H2c))
    .run(async |lab| {
        let server = lab.server(hold()).await?;
        let upstream = lab.http2_upstream().await?;
        let early = lab.nonce();
        let request = lab.request(&server).followed_by(&early);
        let mut chain = lab.chains_streams(&upstream, &request).await?;
        let answer = chain.grants().await;
        is_a_success(&answer)?;
        let (mut near, mut far, _http2) = chain.into_tunnel();
        far.receives(early).await?;
        near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
            .await
    })
}

/// Windows that a stream begins with.
const WINDOWS: &[(&str, u32)] = &[("of_nothing", 0), ("of_ten_octets", 10)];

/// What waits at the proxy for a window.
const WAITS: u64 = 1000;

/// Gives nothing of a window back but what a case grants; beside the first 65,535 octets, so much comes on the connection.
fn stingy(connection_window: u32) -> Manners {
    Manners {
        credits: false,
        connection_window,
        ..Manners::default()
    }
}

/// An upstream proxy that has no room for more says so with its window. Who sends all the same fills its memory, or is cut off.
///
/// Only this conforms.
fn the_window_of_the_stream_is_kept_to() -> Family {
    each(WINDOWS, |&(_, window)| {
        must("No more DATA goes to the upstream proxy than the window of its stream allows")
            .over(IN_THE_CLEAR)
            .cites(RFC_9113.section("5.2.1"))
            .cites(RFC_9113.section("6.9.1"))
            .covers(["H2-FWD-003"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let settings = [(INITIAL_WINDOW_SIZE, window)];
                let mut tunnel = tunnel_with(lab, &settings, stingy(1 << 24)).await?;
                tunnel.http2.is_settled().await?;
                let grants = |http2: &Http2, id| http2.grants(id, 1 << 16);
                tunnel.waits(lab, (WAITS, window.into()), grants).await
            })
    })
}

impl Tunnel {
    /// The client says so many octets, of which no more than the window arrive until `grants` has made room for all.
    async fn waits(
        &mut self,
        lab: &Lab,
        (length, window): (u64, u64),
        grants: impl FnOnce(&Http2, u32),
    ) -> Outcome {
        let Self {
            near,
            far,
            http2,
            id,
        } = self;
        let bytes = stream(lab.seed(), length).bytes();
        let receives = async {
            let more = http2.until_within(lab.patience().quiet(), |state| {
                let received = state.streams.get(id)?.received().0;
                (received > window || state.over.is_some()).then_some(())
            });
            if more.await.is_some() {
                http2.fence().await?;
            }
            grants(http2, *id);
            far.receives(&bytes).await
        };
        // How much of it a proxy takes beforehand is its own decision.
        let (sent, received) = tokio::join!(near.sends(&bytes), receives);
        received.and(sent)
    }
}

/// The window of a connection that has just begun (RFC 9113 §6.9.2).
const FIRST_WINDOW: u64 = 65_535;

/// The window of the stream is a promise to that stream; the one of the connection is what the upstream proxy has room for.
///
/// Also accepted: to leave a part of the window unused.
fn the_window_of_the_connection_is_kept_to() -> Case {
    must("No more DATA goes to the upstream proxy than the window of its connection allows")
        .over(IN_THE_CLEAR)
        .cites(RFC_9113.section("5.2.1"))
        .cites(RFC_9113.section("6.9.1"))
        .covers(["H2-FWD-003"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let settings = [(INITIAL_WINDOW_SIZE, 1 << 20)];
            let mut tunnel = tunnel_with(lab, &settings, stingy(0)).await?;
            tunnel.http2.is_settled().await?;
            let grants = |http2: &Http2, _| http2.grants(0, 1 << 20);
            tunnel
                .waits(lab, (2 * FIRST_WINDOW, FIRST_WINDOW), grants)
                .await
        })
}

/// Settings that change are for open streams, too. A proxy that looks at them for new ones only waits for a window that it has.
///
/// Only this conforms.
fn a_larger_initial_window_wakes_a_tunnel() -> Case {
    must(
        "A larger initial window of the upstream proxy makes room for what waits on an open stream",
    )
    .over(IN_THE_CLEAR)
    .cites(RFC_9113.section("6.9.2"))
    .covers(["H2-FWD-003"])
    .relying_on(["upstream_http2_tunnels/the_window_of_the_stream_is_kept_to"])
    .under(upstream_over(HttpVersion::H2c))
    .run(async |lab| {
        let settings = [(INITIAL_WINDOW_SIZE, 0)];
        let mut tunnel = tunnel_with(lab, &settings, stingy(1 << 24)).await?;
        tunnel.http2.is_settled().await?;
        let bytes = stream(lab.seed(), WAITS).bytes();
        tunnel.near.sends(&bytes).await?;
        pass(lab.patience().pace()).await;
        tunnel
            .http2
            .settles(&[(INITIAL_WINDOW_SIZE, 1 << 16)])
            .await?;
        tunnel.far.receives(&bytes).await
    })
}

/// Padding hides how long something is. At the client it would be noise in the middle of a TLS record.
///
/// Only this conforms.
fn padding_is_not_relayed() -> Case {
    must("What the upstream proxy pads arrives at the client without its padding")
        .over(IN_THE_CLEAR)
        .cites(RFC_9113.section("6.1"))
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-FWD-005"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            let every: Vec<u8> = (0..=255).collect();
            for padding in [0, 1, 7, 255] {
                let frame = Frame::padded_data(tunnel.id, &every, padding);
                tunnel.http2.sends_when_allowed(&frame).await?;
                tunnel.near.receives(&every).await?;
            }
            tunnel.carries(lab).await
        })
}

/// What is sent so that a proxy that forgets the padding has used up its windows: most of it is padding.
const SPARSE_FRAMES: usize = 6000;

/// Octets of one frame with 255 of padding.
const SPARSE: usize = 100;

/// Whoever forgets it lets a download stand still after some megabytes, from those upstream proxies alone that pad.
///
/// Only this conforms. A proxy whose windows are larger than what is sent here has not been seen to forget it.
fn padding_is_given_back() -> Case {
    must("Padding of the upstream proxy is given back to the windows, as what is relayed is")
        .over(IN_THE_CLEAR)
        .cites(RFC_9113.section("6.1"))
        .cites(RFC_9113.section("6.9"))
        .covers(["H2-FWD-003"])
        .relying_on([
            "upstream_http2_tunnels/padding_is_not_relayed",
            "upstream_http2_tunnels/much_arrives_at_the_client[h2c]",
        ])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            let bytes = stream(lab.seed(), (SPARSE_FRAMES * SPARSE) as u64).bytes();
            let id = tunnel.id;
            let send = async {
                for piece in bytes.chunks(SPARSE) {
                    let frame = Frame::padded_data(id, piece, 255);
                    tunnel.http2.sends_when_allowed(&frame).await?;
                }
                Ok(())
            };
            let (sent, received) = tokio::join!(send, tunnel.near.receives(&bytes));
            // What was not sent could not arrive.
            sent.and(received)
        })
}

/// Whoever has not said otherwise takes frames of up to 16,384 octets, and ends the connection at a larger one.
///
/// Also accepted: frames of any smaller size.
fn frames_are_no_larger_than_allowed() -> Case {
    must("DATA goes to the upstream proxy in frames that are no larger than it allows")
        .over(IN_THE_CLEAR)
        .cites(RFC_9113.section("4.2"))
        .covers(["H2-FWD-003"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            let sent = tunnel
                .near
                .sends_to(&mut tunnel.far, stream(lab.seed(), MUCH))
                .await;
            // A larger frame is not read to its end.
            tunnel.http2.fence().await.and(sent)?;
            let largest = tunnel.http2.session().with(|state| {
                let stream = state.streams.get(&tunnel.id);
                stream.map_or(0, |stream| stream.received().1)
            });
            lab.note(format!("at most {largest} of {MAX_PAYLOAD} octets"));
            Ok(())
        })
}

/// An upstream proxy that cannot understand a frame ends the connection, and all tunnels on it.
///
/// Only this conforms: the preface and SETTINGS first, frames of the right length, with the flags and the padding that they may have,
/// on streams that are open, within the windows, and field blocks that can be decoded. Whatever was seen in any other case counts
/// here.
fn every_frame_is_well_formed() -> Case {
    must("Every frame that goes to an upstream proxy is well-formed, and where it may be")
        .over(HTTP_1_1)
        .cites(RFC_9113.section("3.4"))
        .cites(RFC_9113.section("4"))
        .cites(RFC_9113.section("5"))
        .cites(RFC_9113.section("6"))
        .covers(["H2-FWD-003", "H2-ROB-001"])
        .under(upstream_over(HttpVersion::H2c))
        .after_all_others()
        .run(async |lab| {
            let toured = tour(lab).await;
            match lab.odd_frames().first() {
                Some(first) => Err(Finding::violation(
                    "frames that are well-formed",
                    format!("{BROKEN} {first}"),
                )),
                // Whatever else goes wrong on the way is for other cases.
                None => toured.map_err(|finding| Finding::inconclusive(finding.to_string())),
            }
        })
}

/// Something of everything that makes a proxy send frames.
async fn tour(lab: &Lab) -> Outcome {
    let mut tunnel = tunnel(lab).await?;
    tunnel.carries(lab).await?;
    tunnel.http2.fence().await?;
    tunnel.near.finishes().await?;
    tunnel.far.ends().await?;
    tunnel.far.finishes().await?;
    tunnel.near.ends().await
}
