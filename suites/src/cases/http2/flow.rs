//! Connections of which a case holds the windows, and tunnels on them.

use connectspec_harness::{
    client::Http2,
    http2::{Frame, Manners},
    prelude::*,
};

use super::words::{Tunnel, fate};

/// A connection that begins with these SETTINGS, and gives nothing of a window back but what a case grants. On all streams
/// together, so much comes beside the first 65,535 octets.
pub(super) async fn stingy(
    lab: &Lab,
    settings: &[(u16, u32)],
    connection_window: u32,
) -> Outcome<Http2> {
    let manners = Manners {
        credits: false,
        connection_window,
        ..Manners::default()
    };
    let http2 = lab.client().dial_http2(settings, manners).await?;
    http2.is_settled().await?;
    Ok(http2)
}

/// The window of a connection that no case of this room fills.
pub(super) const AMPLE: u32 = 1 << 24;

/// A tunnel that has carried something to the server: nothing has come back, and no window is used. Where the 2xx waits for a
/// window, though it is none that DATA would use, its stream is granted one octet.
pub(super) async fn opened(lab: &Lab, http2: &Http2) -> Outcome<Tunnel> {
    let server = lab.server(hand_over()).await?;
    let id = http2.opens(&http2.request(server.authority()), false);
    let heard = http2.until_within(lab.patience().quiet(), |state| {
        let stream = state.streams.get(&id)?;
        let heard = !stream.sections.is_empty() || stream.reset.is_some() || state.over.is_some();
        heard.then_some(())
    });
    if heard.await.is_none() {
        lab.note("the 2xx waits for a window");
        http2.grants(id, 1);
    }
    let answer = http2.hears(id).await;
    if answer.status().is_none_or(|status| status / 100 != 2) {
        return Err(Finding::setup(format!("no tunnel: {}", answer.describe())));
    }
    let mut near = http2.end(id);
    let nonce = lab.nonce();
    near.sends(&nonce).await?;
    let mut far = server.accepts_who_speaks().await?;
    far.receives(nonce).await?;
    Ok(Tunnel { id, near, far })
}

impl Tunnel {
    /// It carries something to the server, and the proxy has seen all that was sent to it before. Whatever it sends against a
    /// window comes no later.
    pub(super) async fn fences(&mut self, lab: &Lab, http2: &Http2) -> Outcome {
        http2.fence().await?;
        self.near.sends_to(&mut self.far, lab.nonce()).await?;
        http2.fence().await
    }

    /// Waits for DATA behind the first `before` octets, but not long: how much a proxy makes of a small window is its own
    /// decision, as is whether it pads.
    pub(super) async fn hears_more(&self, lab: &Lab, http2: &Http2, before: u64) {
        let more = http2.until_within(lab.patience().quiet(), |state| {
            let stream = state.streams.get(&self.id)?;
            (stream.received().0 > before || state.over.is_some()).then_some(())
        });
        if more.await.is_none() {
            lab.note("nothing comes through the first small window");
        }
    }

    /// Sends `bytes` in DATA frames of `piece` octets, each with so much padding, while the server receives them.
    pub(super) async fn sends_padded(
        &mut self,
        http2: &Http2,
        bytes: &[u8],
        (piece, padding): (usize, u8),
    ) -> Outcome {
        let id = self.id;
        let send = async {
            for piece in bytes.chunks(piece) {
                let frame = Frame::padded_data(id, piece, padding);
                http2.sends_when_allowed(&frame).await?;
            }
            Ok(())
        };
        let (sent, received) = tokio::join!(send, self.far.receives(bytes));
        // What was not sent could not arrive.
        sent.and(received)
    }
}

/// Receives exactly `bytes` on a stream on which nothing came before, while whatever the proxy has used of the window is given back at once.
pub(super) async fn receives_in_steps(
    http2: &Http2,
    id: u32,
    near: &mut End,
    bytes: &[u8],
) -> Outcome {
    let mut given = 0;
    while http2.received(id) < bytes.len() as u64 {
        let used = http2.until(|state| {
            let stream = state.streams.get(&id)?;
            let over = stream.ended || stream.reset.is_some() || state.over.is_some();
            (over || stream.used() > given).then(|| stream.used())
        });
        let Some(used) = used.await.filter(|used| *used > given) else {
            break;
        };
        http2.grants(id, u32::try_from(used - given).unwrap_or(u32::MAX));
        given = used;
    }
    near.receives(bytes).await
}

/// The proxy calls what was done on a stream an error: of the stream, or of the connection.
pub(super) async fn is_an_error(lab: &Lab, http2: &Http2, id: u32) -> Outcome {
    let fate = fate(lab, http2, id).await;
    lab.note(fate.describe());
    match fate.is_error() {
        true => Ok(()),
        false => Err(Finding::violation(
            "an error of the stream or of the connection",
            fate.describe(),
        )),
    }
}
