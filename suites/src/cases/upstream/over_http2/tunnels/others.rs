//! What is no tunnel's, on its stream and beside it.

use connectspec_harness::{
    http2::{ErrorCode, Fields, Frame, frame::kind},
    prelude::*,
};

use crate::{cases::upstream::over_http2::words::tunnel, documents::RFC_9113};

/// What stands where the trailers of a message would, and whether it ends the stream.
const TRAILERS: &[(&str, bool)] = &[("in_the_middle", false), ("at_the_end", true)];

/// A tunnel is no message, and has no trailers: nobody but the two proxies may read what stands there.
///
/// Also accepted: whatever becomes of the tunnel; that is another case.
pub(super) fn trailers_are_no_data() -> Family {
    each(TRAILERS, |&(_, last)| {
        must("A field section from the upstream proxy, in a tunnel, does not reach the client as data")
            .over(EVERY)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-005"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut tunnel = tunnel(lab).await?;
                tunnel.far.sends_to(&mut tunnel.near, lab.nonce()).await?;
                let trailers = Fields::new().with("x-trailer", lab.nonce());
                let frame = Frame::headers(tunnel.id, trailers.block(), last);
                tunnel.http2.sends(&frame);
                let quiet = lab.patience().quiet();
                let (heard, _) = tunnel.near.halves().0.takes_until_quiet(quiet).await;
                match heard {
                    0 => Ok(()),
                    more => Err(Finding::violation(
                        "nothing more",
                        format!("{more} octets behind what was said"),
                    )),
                }
            })
    })
}

/// An upstream proxy that says fields where nothing but data belongs has lost its way. Who takes them for the end tells its client
/// that all is well.
///
/// Also accepted: RST_STREAM with any code, GOAWAY, and the end of the connection.
pub(super) fn trailers_are_an_error() -> Family {
    each(TRAILERS, |&(_, last)| {
        must("A field section from the upstream proxy, in a tunnel, is an error")
            .over(IN_THE_CLEAR)
            .cites(RFC_9113.section("8.5"))
            .covers(["H2-FWD-005", "H2-DATA-005"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let tunnel = tunnel(lab).await?;
                let trailers = Fields::new().with("x-trailer", "1");
                let frame = Frame::headers(tunnel.id, trailers.block(), last);
                tunnel.http2.sends(&frame);
                // One that comes late is one all the same.
                let limit = lab.patience().visit();
                let fate = tunnel.http2.fate(tunnel.id, limit, limit).await;
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

/// Fields behind the data of a tunnel are no part of it, and an error to a strict upstream proxy.
///
/// Only this conforms.
pub(super) fn a_tunnel_ends_without_trailers() -> Case {
    must("Nothing but DATA follows the CONNECT on the upstream proxy's stream")
        .over(EVERY)
        .cites(RFC_9113.section("8.5"))
        .covers(["H2-FWD-005"])
        .relying_on(["upstream_http2_tunnels/the_clients_end_is_the_end_of_the_stream[h2c]"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            tunnel.near.finishes().await?;
            tunnel.far.ends().await?;
            let sections = tunnel.http2.session().with(|state| {
                let stream = state.streams.get(&tunnel.id);
                stream.map_or(0, |stream| stream.sections.len())
            });
            match sections {
                1 => Ok(()),
                more => Err(Finding::violation(
                    "the CONNECT, and DATA",
                    format!("{more} field sections"),
                )),
            }
        })
}

const LAST_WORDS: &[u8] = b"goodbye";

/// What comes behind the end is not a part of what was said, whoever put it there.
///
/// Also accepted: to lose what stood before the end, where the tunnel ends in an error.
pub(super) fn data_behind_the_end_is_not_relayed() -> Case {
    must("DATA behind END_STREAM of the upstream proxy does not reach the client")
        .over(EVERY)
        .cites(RFC_9113.section("5.1"))
        .covers(["H2-FWD-005"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            let id = tunnel.id;
            tunnel.http2.sends(&Frame::data(id, LAST_WORDS, true));
            tunnel.http2.sends(&Frame::data(id, *b"more", false));
            let quiet = lab.patience().quiet();
            let (heard, _) = tunnel.near.halves().0.takes_until_quiet(quiet).await;
            match heard <= LAST_WORDS.len() as u64 {
                true => Ok(()),
                false => Err(Finding::violation(
                    format!("{} octets, or fewer", LAST_WORDS.len()),
                    format!("{heard} octets"),
                )),
            }
        })
}

/// Makes frames for a stream.
type Make = fn(u32) -> Frame;

/// Frames that may stand beside DATA, and on the connection.
const BESIDE: &[(&str, Make)] = &[
    ("window_update", |id| Frame::window_update(id, 1000)),
    ("window_update_of_the_connection", |_| {
        Frame::window_update(0, 1000)
    }),
    ("priority", Frame::priority),
    ("ping", |_| Frame::ping(*b"alive ?!")),
    ("settings", |_| Frame::settings(&[])),
    ("of_an_unknown_type", |_| Frame::new(0xf0, 0xff, 0, *b"odd")),
];

/// Upstream proxies give windows back, look whether anybody is there, and know extensions.
///
/// Only this conforms.
pub(super) fn frames_beside_a_tunnel_leave_it_alive() -> Family {
    each(BESIDE, |&(_, make)| {
        must("Frames of the upstream proxy that say nothing about the tunnel leave it alive")
            .over(IN_THE_CLEAR)
            .cites(RFC_9113.section("8.5"))
            .cites(RFC_9113.section("5.5"))
            .cites(RFC_9113.section("6.5"))
            .covers(["H2-FWD-003"])
            .under(upstream_over(HttpVersion::H2c))
            .run(async move |lab| {
                let mut tunnel = tunnel(lab).await?;
                let frame = make(tunnel.id);
                match frame.kind {
                    // It is acknowledged, which is counted.
                    kind::SETTINGS => tunnel.http2.session().with(|state| state.announce(&[])),
                    _ => tunnel.http2.sends(&frame),
                }
                tunnel.carries(lab).await
            })
    })
}

/// Who is about to restart says so, and serves what it has to the end. A proxy that drops its tunnels with that cuts off whatever was
/// on its way.
///
/// Also accepted: a tunnel on another connection for whoever comes next.
pub(super) fn a_goodbye_leaves_an_open_tunnel_alone() -> Case {
    should("GOAWAY without an error leaves a tunnel alive that was open before")
        .over(EVERY)
        .cites(RFC_9113.section("6.8"))
        .covers(["H2-FWD-006"])
        .under(upstream_over(HttpVersion::H2c))
        .run(async |lab| {
            let mut tunnel = tunnel(lab).await?;
            let code = ErrorCode::NO_ERROR;
            let payload = [tunnel.id.to_be_bytes(), code.0.to_be_bytes()].concat();
            tunnel.http2.sends(&Frame::new(kind::GOAWAY, 0, 0, payload));
            // What comes behind it shows what the proxy has made of it.
            tunnel.far.sends_to(&mut tunnel.near, lab.nonce()).await?;
            tunnel.carries(lab).await
        })
}
