//! The tunnel: octets both ways, until both ways have ended.
//!
//! One task drives both directions of a tunnel. A direction reads into a buffer that all tunnels of a thread
//! share and sends at once, so that an idle tunnel owns no buffer; only what the receiver does not take is
//! kept, and nothing more is read until it is gone: that is the back-pressure, and the bound on memory.
//!
//! Reads that fill the buffer announce more to come. From then on octets are spliced through a pipe, which
//! costs less than half of copying them; for small messages copying is cheaper, so a turn that brings little
//! leads back to it. Pipes are shared like the buffer, and where none can be had (TLS, none left) the
//! direction goes on copying. No direction moves more than a few mebibytes before others get their turn.
//!
//! A stream of HTTP/2 is no socket of its own, so that nothing can be spliced into it. What is received for it stays in the blocks
//! that it was received into until it has left on the connection. It is received when its window has room for it, and the streams of
//! a connection take turns, so that no more waits for the connection than it sends at once.
//!
//! What one side ends is ended on the other: a FIN when it arrives behind the last octet, a reset as a reset.
//! A side that has sent its FIN is still watched for a reset, by its error state alone, so that a half-closed
//! tunnel costs nothing while nothing happens. A tunnel that is silent in both directions for too long ends;
//! its one timer is moved only when it fires. What the kernel still delivers is no silence, so that it is asked
//! first; a tunnel of which nobody takes anything is noticed after up to twice the time.

mod blocks;
mod flow;
mod pipe;
mod port;
mod undelivered;
mod unsent;

pub use pipe::allow as allow_pipes;
pub use port::Port;
pub use undelivered::undelivered;
pub use unsent::limit as limit_unsent;

use flow::{Broken, Flow};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

/// How a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Each side has sent its FIN, and it was passed on.
    Closed,
    /// The client is gone without a FIN, or cannot be written to.
    ClientReset,
    /// The server is gone without a FIN, or cannot be written to.
    ServerReset,
    /// Neither side has said anything for too long.
    Idle,
    /// The same, with octets on their way that nobody took.
    Stalled,
}

/// Octets that passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    /// From the client.
    pub received: u64,
    /// To the client.
    pub sent: u64,
}

/// Octets that were read before the tunnel stood, and go first.
#[derive(Debug, Default)]
pub struct Early {
    /// Behind the head of the client's request.
    pub up: Vec<u8>,
    /// Behind the answer of an upstream proxy.
    pub down: Vec<u8>,
}

/// Relays between `client` and `server` until the tunnel has ended.
///
/// Each comes with its socket where that shows that it is lost while nothing is received or sent. `traffic` is up to date whenever
/// this future is dropped.
///
/// A standing tunnel holds this future, so that it is made by hand: what is `async` keeps its arguments beside what it makes of them.
pub fn run<'a, C: Port + Send, S: Port + Send + Unpin>(
    (client, client_socket): (&'a mut C, Option<&'a TcpStream>),
    (mut server, server_socket): (S, Option<&'a TcpStream>),
    early: Early,
    traffic: &'a mut Traffic,
    idle: Duration,
) -> impl Future<Output = Ended> + Send + Unpin + use<'a, C, S> {
    let (mut up, mut down) = (Flow::holding(early.up), Flow::holding(early.down));
    let mut active = Instant::now();
    // What the kernel had on its way to both sides when it was last asked.
    let mut earlier: Option<[u32; 2]> = None;
    let mut timer = Box::pin(sleep_until(active + idle));
    let (mut client_loss, mut server_loss) = (Loss::of(client_socket), Loss::of(server_socket));

    poll_fn(move |cx| {
        let (before_up, before_down) = (up.octets, down.octets);
        let ended_up = up.poll(cx, client, &mut server);
        if up.is_holding() {
            client.gather(cx);
        }
        server.pass_turn();
        let ended_down = down.poll(cx, &mut server, client);
        client.pass_turn();
        if down.is_holding() {
            server.gather(cx);
        }
        traffic.received += up.octets - before_up;
        traffic.sent += down.octets - before_down;

        match (ended_up, ended_down) {
            (Poll::Ready(Err(Broken::From)), _) | (_, Poll::Ready(Err(Broken::To))) => {
                return Poll::Ready(Ended::ClientReset);
            }
            (Poll::Ready(Err(Broken::To)), _) | (_, Poll::Ready(Err(Broken::From))) => {
                return Poll::Ready(Ended::ServerReset);
            }
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(Ended::Closed),
            (Poll::Ready(Ok(())), Poll::Pending) if client_loss.poll(cx).is_ready() => {
                return Poll::Ready(Ended::ClientReset);
            }
            (Poll::Pending, Poll::Ready(Ok(()))) if server_loss.poll(cx).is_ready() => {
                return Poll::Ready(Ended::ServerReset);
            }
            _ if client.poll_lost(cx).is_ready() => return Poll::Ready(Ended::ClientReset),
            _ if server.poll_lost(cx).is_ready() => return Poll::Ready(Ended::ServerReset),
            _ => {}
        }
        if up.octets != before_up || down.octets != before_down || up.take_sent() | down.take_sent()
        {
            active = Instant::now();
            earlier = None;
        }
        loop {
            std::task::ready!(poll_idle(cx, timer.as_mut(), active + idle));
            let now = [client.undelivered(), server.undelivered()];
            let stalled = up.is_holding() || down.is_holding() || now != [0, 0];
            if !delivers(earlier, now) {
                return Poll::Ready(if stalled { Ended::Stalled } else { Ended::Idle });
            }
            (earlier, active) = (Some(now), Instant::now());
        }
    })
}

/// Whether the kernel has delivered something to either side since it was asked before. The first time that it
/// has something on its way nobody knows yet, so that the tunnel gets the benefit of the doubt.
fn delivers(earlier: Option<[u32; 2]>, now: [u32; 2]) -> bool {
    match earlier {
        None => now != [0, 0],
        Some(earlier) => now.iter().zip(earlier).any(|(now, earlier)| *now < earlier),
    }
}

/// Ready when `deadline`, which moves with each activity, is over. The timer itself is only moved when it
/// fires, since a busy tunnel would otherwise spend its time on moving it.
fn poll_idle(
    cx: &mut Context<'_>,
    mut timer: Pin<&mut tokio::time::Sleep>,
    deadline: Instant,
) -> Poll<()> {
    while timer.as_mut().poll(cx).is_ready() {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
}

/// Whether a socket reports an error, as it does after a reset. Most tunnels never ask, so that the watch is made for who does,
/// and is one pointer until then.
struct Loss<'a> {
    socket: Option<&'a TcpStream>,
    watch: Option<Box<Watch<'a>>>,
}

type Watch<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl<'a> Loss<'a> {
    const fn of(socket: Option<&'a TcpStream>) -> Self {
        Self {
            socket,
            watch: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(socket) = self.socket else {
            return Poll::Pending;
        };
        let watch = self.watch.get_or_insert_with(|| {
            Box::new(Box::pin(async move {
                let _ = socket.ready(Interest::ERROR).await;
            }))
        });
        Pin::new(&mut **watch).poll(cx)
    }
}
