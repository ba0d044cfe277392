//! How a tunnel ends that is a stream at the upstream proxy.

use connectspec_harness::{
    http2::{ErrorCode, Frame, Leave},
    prelude::*,
    tunnel::{Fate, Http2},
};

use crate::{
    cases::upstream::over_http2::words::{VERSIONS, tunnel},
    documents::{RFC_9110, RFC_9113},
};

const LAST_WORDS: &[u8] = b"goodbye";

/// A server that does not see the end of what its client says waits for more.
///
/// Only this conforms: all of it, and then END_STREAM; a reset would say that something is missing. Behind END_STREAM, the stream may
/// be reset as well.
pub(super) fn the_clients_end_is_the_end_of_the_stream() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("The client's end is END_STREAM at the upstream proxy, behind all data")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-006"])
            .under(upstream_over(version))
            .run(async |lab| {
                let mut tunnel = tunnel(lab).await?;
                tunnel.near.sends(LAST_WORDS).await?;
                tunnel.near.finishes().await?;
                tunnel.far.receives(LAST_WORDS).await?;
                tunnel.far.ends().await
            })
    })
}

/// Where END_STREAM stands.
const PLACES: &[(&str, bool)] = &[("beside_the_data", true), ("behind_the_data", false)];

/// Whoever reads to the end waits for one. A reset in its place says that something is missing.
///
/// Only this conforms.
pub(super) fn the_end_of_the_stream_is_the_clients() -> Family {
    each(PLACES, |&(_, beside)| {
        must("END_STREAM of the upstream proxy is the end for the client, behind all data")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-006"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut tunnel = tunnel(lab).await?;
                let (id, http2) = (tunnel.id, &tunnel.http2);
                http2.sends(&Frame::data(id, LAST_WORDS, beside));
                if !beside {
                    http2.sends(&Frame::data(id, [], true));
                }
                tunnel.near.receives(LAST_WORDS).await?;
                tunnel.near.ends().await
            })
    })
}

/// An upstream proxy that is not told keeps the tunnel, and its server, for a client that is gone.
///
/// Also accepted: END_STREAM, and the end of a connection that is there for this tunnel alone; a case of its own asks for no clean
/// end.
pub(super) fn a_reset_of_the_client_ends_the_stream() -> Family {
    each(VERSIONS, |&(_, version)| {
        must("When the client resets, the upstream proxy sees the end of the stream")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-006"])
            .under(upstream_over(version))
            .run(async |lab| {
                let (mut far, _http2) = reset_by_its_client(lab).await?;
                lab.note(far.ends_somehow().await?.describe());
                Ok(())
            })
    })
}

/// What is left of a tunnel that its client has reset.
async fn reset_by_its_client(lab: &Lab) -> Outcome<(End, Http2)> {
    let mut tunnel = tunnel(lab).await?;
    tunnel.carries(lab).await?;
    tunnel.near.resets()?;
    Ok((tunnel.far, tunnel.http2))
}

/// With END_STREAM, an upload that was cut off looks whole to the server.
///
/// Also accepted: RST_STREAM with any code, and the end of the connection.
pub(super) fn a_reset_of_the_client_is_no_clean_end() -> Case {
    should("When the client resets, the upstream proxy sees no END_STREAM")
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-FWD-006"])
        .relying_on(["upstream_http2_tunnels/a_reset_of_the_client_ends_the_stream[h2c]"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let (mut far, _http2) = reset_by_its_client(lab).await?;
            match far.ends_somehow().await? {
                Ending::Abrupt => Ok(()),
                Ending::Orderly => Err(Finding::violation("RST_STREAM", "END_STREAM")),
            }
        })
}

/// How an upstream proxy cuts a stream off: by itself, or with its connection.
type Cuts = fn(&Http2, u32);

/// Resets of the stream.
const RESETS: &[(&str, Cuts)] = &[
    ("connect_error", |http2, id| {
        http2.resets(id, ErrorCode::CONNECT_ERROR);
    }),
    ("internal_error", |http2, id| {
        http2.resets(id, ErrorCode::INTERNAL_ERROR);
    }),
    ("cancel", |http2, id| http2.resets(id, ErrorCode::CANCEL)),
];

/// A client that is not told waits for a server that is gone.
///
/// Also accepted: an end in order, where HTTP has no other; cases of their own ask for more.
pub(super) fn a_reset_of_the_stream_ends_the_tunnel() -> Family {
    each(RESETS, |&(_, cuts)| {
        must("When the upstream proxy resets the stream, the client sees the end of the tunnel")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-006"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                lab.note(cut_off(lab, cuts).await?.describe());
                Ok(())
            })
    })
}

/// The end that the client sees whose tunnel the upstream proxy cuts off so.
async fn cut_off(lab: &Lab, cuts: Cuts) -> Outcome<Ending> {
    let mut tunnel = tunnel(lab).await?;
    tunnel.carries(lab).await?;
    cuts(&tunnel.http2, tunnel.id);
    tunnel.near.ends_somehow().await
}

/// With a FIN, a file that was cut off looks whole to a client of HTTP/1.1. That an error of a stream is a reset of TCP is said of
/// clients of HTTP/2 and their servers; in the other direction it is good practice.
///
/// Also accepted: in TLS, the end of the connection without close_notify is none in order; here it counts as one.
pub(super) fn a_reset_of_the_stream_is_a_reset_at_the_client() -> Case {
    practice(
        "A stream that the upstream proxy resets with an error is a reset at a client of HTTP/1.1",
    )
    .cites(RFC_9113.section("8.5"))
    .covers(["H2-FWD-006"])
    .relying_on(["upstream_http2_tunnels/a_reset_of_the_stream_ends_the_tunnel[connect_error]"])
    .under(upstream_over(HttpVersion::H2c))
    .run(async |lab| match cut_off(lab, RESETS[0].1).await? {
        Ending::Abrupt => Ok(()),
        Ending::Orderly => Err(Finding::violation("a reset", "a FIN")),
    })
}

/// Ends of the connection below an open tunnel.
const LOSSES: &[(&str, Cuts)] = &[
    ("closes", |http2, _| {
        http2.session().with(|state| state.leave(Leave::Close));
    }),
    ("resets", |http2, _| {
        http2.session().with(|state| state.leave(Leave::Reset));
    }),
];

/// All tunnels of a connection end with it, whoever has noticed first.
///
/// Also accepted: an end in order, where HTTP has no other.
pub(super) fn a_lost_connection_ends_the_tunnel() -> Family {
    each(LOSSES, |&(_, cuts)| {
        must("When the upstream proxy's connection is lost, the client sees the end of the tunnel")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9110.section("9.3.6"))
            .covers(["H2-FWD-006"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                lab.note(cut_off(lab, cuts).await?.describe());
                Ok(())
            })
    })
}

/// Ends with which something is missing.
const CUTS: &[(&str, Cuts)] = &[
    RESETS[0],
    RESETS[1],
    ("the_connection_closes", LOSSES[0].1),
    ("the_connection_is_reset", LOSSES[1].1),
];

/// With END_STREAM, a file that was cut off looks whole to a client of HTTP/2.
///
/// Also accepted: RST_STREAM with any code, and an error of the connection.
pub(super) fn a_stream_that_is_cut_off_is_no_clean_end() -> Family {
    each(CUTS, |&(_, cuts)| {
        must("What the upstream proxy cuts off does not end with END_STREAM at a client of HTTP/2")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-006", "H2-CLS-004"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| match cut_off(lab, cuts).await? {
                Ending::Abrupt => Ok(()),
                Ending::Orderly => Err(Finding::violation("RST_STREAM", "END_STREAM")),
            })
    })
}

/// The code tells a client that it is the server that is gone, and not the proxy that has a problem with its stream.
///
/// Also accepted: INTERNAL_ERROR and PROTOCOL_ERROR, which fit everything.
pub(super) fn a_stream_that_is_reset_is_a_connect_error() -> Case {
    should("A stream that the upstream proxy resets with CONNECT_ERROR is that at a client of HTTP/2")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-FWD-006", "H2-CLS-004"])
        .relying_on(["upstream_http2_tunnels/a_stream_that_is_cut_off_is_no_clean_end"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let tunnel = tunnel(lab).await?;
            let near = Http2::of(tunnel.near)?;
            tunnel.http2.resets(tunnel.id, ErrorCode::CONNECT_ERROR);
            let (end, quiet) = (lab.patience().end(), lab.patience().quiet());
            match near.fate(near.id(), end, quiet).await {
                Fate::Reset {
                    code:
                        ErrorCode::CONNECT_ERROR
                        | ErrorCode::INTERNAL_ERROR
                        | ErrorCode::PROTOCOL_ERROR,
                    ..
                } => Ok(()),
                fate => Err(Finding::violation(
                    "RST_STREAM(CONNECT_ERROR)",
                    fate.describe(),
                )),
            }
        })
}
