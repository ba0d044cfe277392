//! # HTTP/2: data
//!
//! In a tunnel, DATA is what TCP carries, and nothing else is. Frames, padding and flags are about the connection to the proxy:
//! none of them reaches the server, and what is no DATA, and is not allowed beside it, is an error.

use connectspec_harness::{
    client::{Fate, Http2},
    http2::{Fields, Frame, State, frame::MAX_PAYLOAD},
    prelude::*,
};

use super::words::{Tunnel, afterwards, connection, fate, tunnel};
use crate::documents::RFC_9113;

/// Every case about what a tunnel of HTTP/2 carries.
pub(crate) fn suite() -> Suite {
    suite! {
        "http2_data": "HTTP/2: data", include_str!("data.rs");
        padding_is_not_relayed,
        padding_is_given_back,
        frames_are_no_larger_than_the_client_allows,
        an_empty_frame_has_no_effect,
        data_before_a_refusal_is_for_nobody,
        trailers_of_a_client_are_an_error,
        frames_about_the_stream_leave_the_tunnel_alive,
        a_frame_of_an_unknown_type,
        a_tunnel_ends_without_trailers,
        a_frame_that_is_too_large_is_an_error,
        a_frame_that_is_too_large_is_not_relayed,
    }
}

/// Padding hides how long something is. At the server it would be noise in the middle of a TLS record.
///
/// Only this conforms.
fn padding_is_not_relayed() -> Case {
    must("What is padded arrives without its padding, exact and in order")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .cites(RFC_9113.section("6.1"))
        .covers(["H2-DATA-001"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnel = tunnel(lab, &http2).await?;
            let every: Vec<u8> = (0..=255).collect();
            for padding in [0, 1, 7, 255] {
                tunnel.sends_padded(&http2, &every, (100, padding)).await?;
            }
            tunnel.carries(lab).await
        })
}

/// What is sent so that a proxy that forgets the padding has used up its windows: most of it is padding.
const MUCH: usize = 2 << 20;

/// Octets of one frame with 255 of padding.
const SPARSE: usize = 100;

/// Whoever forgets it lets an upload stand still after some megabytes, for those clients alone that pad.
///
/// Only this conforms. A proxy whose windows are larger than what is sent here has not been seen to forget it.
fn padding_is_given_back() -> Case {
    must("Padding is given back to the windows, as what is relayed is")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.1"))
        .cites(RFC_9113.section("6.9"))
        .covers(["H2-DATA-009"])
        .relying_on([
            "http2_data/padding_is_not_relayed",
            "integrity/much_passes_unchanged[to_the_server]",
        ])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnel = tunnel(lab, &http2).await?;
            let whole = SPARSE + 256;
            let bytes = stream(lab.seed(), (MUCH / whole * SPARSE) as u64).bytes();
            tunnel.sends_padded(&http2, &bytes, (SPARSE, 255)).await
        })
}

/// Octets that come in many frames.
const DOWNLOAD: u64 = 1 << 20;

/// A client that has not said otherwise takes frames of up to 16,384 octets; it ends the connection, with all tunnels on it,
/// at a larger one.
///
/// Also accepted: frames of any smaller size.
fn frames_are_no_larger_than_the_client_allows() -> Case {
    must("DATA comes in frames that are no larger than the client allows")
        .over(HTTP_2)
        .cites(RFC_9113.section("4.2"))
        .covers(["H2-DATA-002"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnel = tunnel(lab, &http2).await?;
            let payload = stream(lab.seed(), DOWNLOAD);
            tunnel.far.sends_to(&mut tunnel.near, payload).await?;
            let largest = http2.session().with(|state| {
                let stream = state.streams.get(&tunnel.id);
                stream.map_or(0, |stream| stream.received().1)
            });
            lab.note(format!("at most {largest} octets"));
            match largest <= MAX_PAYLOAD {
                true => Ok(()),
                false => Err(Finding::violation(
                    format!("at most {MAX_PAYLOAD} octets in a frame"),
                    format!("{largest}"),
                )),
            }
        })
}

/// How often a tunnel has to break to be called broken: floods of empty frames are an attack, and one may be taken for its
/// beginning.
const TRIES: usize = 3;

/// Libraries send one at the end of a buffer. It says nothing, and a proxy that takes it for the end cuts the tunnel.
///
/// Also accepted: to break two of three such tunnels.
fn an_empty_frame_has_no_effect() -> Case {
    should("An empty DATA frame that does not end the stream has no effect")
        .over(HTTP_2)
        .cites(RFC_9113.section("6.1"))
        .covers(["H2-DATA-003"])
        .run(async |lab| {
            let mut last = Ok(());
            for _ in 0..TRIES {
                let http2 = connection(lab).await?;
                let mut tunnel = tunnel(lab, &http2).await?;
                http2.sends(&Frame::data(tunnel.id, [], false));
                last = tunnel.carries(lab).await;
                match &last {
                    Ok(()) => return Ok(()),
                    Err(finding) => lab.note(finding.to_string()),
                }
            }
            last
        })
}

/// What a client sends together with its request belongs to that request's server. Where there is none, it is thrown away:
/// nobody else may get it.
///
/// Also accepted: whatever becomes of the stream.
fn data_before_a_refusal_is_for_nobody() -> Case {
    must("DATA behind a CONNECT that is refused reaches no server, and no other tunnel")
        .over(HTTP_2)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-DATA-004"])
        .needs([Need::PortList])
        .run(async |lab| {
            let denied = lab.denied_server(echo()).await?;
            let http2 = connection(lab).await?;
            let mut beside = tunnel(lab, &http2).await?;
            let id = http2.opens(&http2.request(denied.authority()), false);
            http2.sends(&Frame::data(id, lab.nonce(), false));
            let answer = http2.hears(id).await;
            if answer.status().is_some_and(|status| status / 100 == 2) {
                return Err(Finding::inconclusive(answer.describe()));
            }
            beside.carries(lab).await?;
            denied.is_unvisited().await
        })
}

/// What stands where the trailers of a message would, and whether it ends the stream.
const TRAILERS: &[(&str, bool)] = &[("in_the_middle", false), ("at_the_end", true)];

/// A tunnel is no message, and has no trailers. A proxy that takes them for the end of the stream tells the server that all
/// is well, of a client that has lost its way.
///
/// Also accepted: RST_STREAM with any code, GOAWAY, and the end of the connection, also if the server has seen a FIN before.
fn trailers_of_a_client_are_an_error() -> Family {
    each(TRAILERS, |&(_, last)| {
        must("A field section from the client, in a tunnel, is an error")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-DATA-005"])
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let tunnel = tunnel(lab, &http2).await?;
                let trailers = Fields::new().with("x-trailer", "1");
                http2.sends(&Frame::headers(tunnel.id, trailers.block(), last));
                // One that comes late is one all the same.
                let limit = lab.patience().visit();
                let fate = http2.fate(tunnel.id, limit, limit).await;
                lab.note(fate.describe());
                match fate.is_error() {
                    true => Ok(()),
                    false => Err(Finding::violation(
                        "an error of the stream or of the connection",
                        fate.describe(),
                    )),
                }
            })
    })
}

/// Makes a frame for a stream.
type Make = fn(u32) -> Frame;

/// Frames that may stand beside DATA, but for RST_STREAM, which ends a tunnel.
const ALLOWED: &[(&str, Make)] = &[
    ("priority", Frame::priority),
    ("window_update", |id| Frame::window_update(id, 1000)),
];

/// Browsers change the priority of what they load, and every client gives windows back.
///
/// Only this conforms.
fn frames_about_the_stream_leave_the_tunnel_alive() -> Family {
    each(ALLOWED, |&(_, make)| {
        must("PRIORITY and WINDOW_UPDATE leave a tunnel alive")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-DATA-006"])
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let mut tunnel = tunnel(lab, &http2).await?;
                http2.sends(&make(tunnel.id));
                http2.fence().await?;
                tunnel.carries(lab).await
            })
    })
}

/// A type that nobody has registered.
const UNKNOWN: u8 = 0xfa;

/// One section has frames of unknown types ignored, another one makes all but a few an error in a tunnel.
///
/// Also accepted: either.
fn a_frame_of_an_unknown_type() -> Case {
    survey("In a tunnel, a frame of an unknown type")
        .over(HTTP_2)
        .cites(RFC_9113.section("5.5"))
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-DATA-007"])
        .run(async |lab| {
            let http2 = connection(lab).await?;
            let mut tunnel = tunnel(lab, &http2).await?;
            http2.sends(&Frame::new(UNKNOWN, 0, tunnel.id, *b"unknown"));
            match tunnel.carries(lab).await {
                Ok(()) => lab.note("is ignored"),
                Err(_) => lab.note(format!(
                    "ends in {}",
                    fate(lab, &http2, tunnel.id).await.describe()
                )),
            }
            Ok(())
        })
}

/// How a server ends.
const ENDS: &[(&str, bool)] = &[
    ("of_a_server_that_closes", false),
    ("of_a_server_that_resets", true),
];

/// A client reads a tunnel to END_STREAM. It has no place for fields, and takes them for an error, as it has to.
///
/// Also accepted: any end without fields. What the end has to be is asked elsewhere.
fn a_tunnel_ends_without_trailers() -> Family {
    each(ENDS, |&(_, resets)| {
        must("A tunnel comes to its end without a field section")
            .over(HTTP_2)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-DATA-008"])
            .run(async move |lab| {
                let http2 = connection(lab).await?;
                let Tunnel { id, near, mut far } = tunnel(lab, &http2).await?;
                if resets {
                    far.resets()?;
                } else {
                    far.finishes().await?;
                }
                let ended = http2.until_within(lab.patience().end(), |state| {
                    (sections(state, id) > 1 || http2_has_ended(state, id)).then_some(())
                });
                if ended.await.is_none() {
                    return Err(Finding::inconclusive("the stream does not end"));
                }
                // The client may still have to end its own direction.
                drop(near);
                match http2.session().with(|state| sections(state, id)) {
                    0 | 1 => Ok(()),
                    _ => Err(Finding::violation(
                        "no fields behind the 2xx",
                        trailers(&http2, id),
                    )),
                }
            })
    })
}

/// Field sections that have come from the final response on.
fn sections(state: &State, id: u32) -> usize {
    let Some(stream) = state.streams.get(&id) else {
        return 0;
    };
    let is_final = |fields: &Fields| fields.status().is_none_or(|status| status >= 200);
    let sections = stream.sections.iter();
    sections.filter(|(fields, _)| is_final(fields)).count()
}

fn http2_has_ended(state: &State, id: u32) -> bool {
    let stream = state.streams.get(&id);
    let ended = stream.is_none_or(|stream| stream.ended || stream.reset.is_some());
    ended || state.over.is_some()
}

/// The last field section of a stream.
fn trailers(http2: &Http2, id: u32) -> String {
    http2.session().with(|state| {
        let last = state
            .streams
            .get(&id)
            .and_then(|stream| stream.sections.last());
        last.map_or_else(String::new, |(fields, _)| fields.describe())
    })
}

/// A frame with one octet more than the proxy takes, on a tunnel; what has become of it.
async fn too_large(lab: &Lab) -> Outcome<(Http2, Tunnel, Fate)> {
    let http2 = connection(lab).await?;
    let tunnel = tunnel(lab, &http2).await?;
    let size = http2.session().with(|state| state.max_payload) + 1;
    http2.sends(&Frame::data(tunnel.id, vec![b'x'; size], false));
    let fate = fate(lab, &http2, tunnel.id).await;
    lab.note(format!("{size} octets: {}", fate.describe()));
    Ok((http2, tunnel, fate))
}

/// What each side takes at once is agreed on when a connection begins. Who takes more than that was not tested with it.
///
/// Also accepted: an error of the stream or of the connection, with any code; the end of the connection.
fn a_frame_that_is_too_large_is_an_error() -> Case {
    must("A DATA frame that is larger than the proxy allows is an error")
        .over(HTTP_2)
        .cites(RFC_9113.section("4.2"))
        .covers(["H2-DATA-010"])
        .run(async |lab| match too_large(lab).await? {
            (_, _, fate) if fate.is_error() => Ok(()),
            (_, _, fate) => Err(Finding::violation(
                "an error of the stream or of the connection",
                fate.describe(),
            )),
        })
}

/// Half of a frame that is an error must not look as if the client had sent it.
///
/// Also accepted: to end the tunnel in any way. A frame that is no error is asked about elsewhere.
fn a_frame_that_is_too_large_is_not_relayed() -> Case {
    must("Nothing of a DATA frame that is an error reaches the server")
        .over(HTTP_2)
        .cites(RFC_9113.section("4.2"))
        .covers(["H2-DATA-010"])
        .relying_on(["http2_data/a_frame_that_is_too_large_is_an_error"])
        .run(async |lab| {
            let (_http2, mut tunnel, _) = too_large(lab).await?;
            let (taken, _) = tunnel
                .far
                .halves()
                .0
                .takes_until_quiet(afterwards(lab))
                .await;
            match taken {
                0 => Ok(()),
                _ => Err(Finding::violation(
                    "nothing at the server",
                    format!("{taken} octets"),
                )),
            }
        })
}
