//! Takes connections, and plays the script on each.

use std::{panic::AssertUnwindSafe, sync::Arc};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;

use crate::{
    server::{Script, Shared},
    tunnel::{End, Side},
    verdict::{Finding, Outcome},
    wire::{Leg, Stream, Tap},
};

/// Whether a server speaks TLS.
#[derive(Clone, Debug, Default)]
pub enum Secrecy {
    /// It does not.
    #[default]
    Plain,
    /// It does, with this configuration.
    Tls(Arc<rustls::ServerConfig>),
}

/// Takes connections until the server is dropped.
pub(super) async fn accept(
    listener: TcpListener,
    script: Script,
    secrecy: Secrecy,
    shared: Arc<Shared>,
    hand_over: mpsc::UnboundedSender<End>,
) {
    while let Ok((socket, peer)) = listener.accept().await {
        if shared.is_fence(peer) {
            shared.note_visit(peer, None);
            continue;
        }
        let Ok(tap) = Tap::accepted(socket, peer, shared.leg, &shared.transcript) else {
            continue;
        };
        let index = shared.note_visit(peer, Some(tap.connection()));
        let (script, secrecy) = (script.clone(), secrecy.clone());
        let (shared, hand_over) = (Arc::clone(&shared), hand_over.clone());
        tokio::spawn(async move {
            let play = AssertUnwindSafe(play(tap, script, secrecy, &shared, hand_over));
            let outcome = caught(play).await;
            shared.note_played(index, outcome);
        });
    }
}

async fn play(
    tap: Tap,
    script: Script,
    secrecy: Secrecy,
    shared: &Shared,
    hand_over: mpsc::UnboundedSender<End>,
) -> Outcome {
    let stream = match secrecy {
        Secrecy::Plain => Stream::plain(tap),
        Secrecy::Tls(config) => {
            let tls = TlsAcceptor::from(config)
                .accept(Stream::plain(tap))
                .await
                .map_err(|error| {
                    Finding::violation("a TLS handshake with the client", error.to_string())
                })?;
            Stream::secure(tls.into())
        }
    };
    let side = match shared.leg {
        Leg::Upstream => Side::Upstream,
        Leg::Client | Leg::Server | Leg::Names => Side::Server,
    };
    let end = End::new(stream, side, shared.patience);
    script.play(end, |end| drop(hand_over.send(end))).await
}

/// A panic in a server is the harness's fault, and must be seen.
async fn caught(play: impl Future<Output = Outcome>) -> Outcome {
    let mut play = std::pin::pin!(play);
    std::future::poll_fn(|cx| {
        std::panic::catch_unwind(AssertUnwindSafe(|| play.as_mut().poll(cx))).unwrap_or_else(
            |panic| std::task::Poll::Ready(Err(Finding::harness(crate::verdict::said(&*panic)))),
        )
    })
    .await
}
