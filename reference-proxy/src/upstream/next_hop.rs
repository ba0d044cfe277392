//! The far side of a tunnel: a socket, or a stream at an upstream proxy that is spoken to over HTTP/2.

use super::http2::Stream;
use crate::relay::{self, Early, Ended, Port, Traffic};
use socket2::SockRef;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;

/// Where the octets of a client go.
#[derive(Debug)]
pub enum NextHop {
    /// A server, or an upstream proxy that has become one with its 2xx.
    Socket(TcpStream),
    /// A stream of a connection to an upstream proxy.
    Stream(Box<Stream>),
}

impl NextHop {
    /// Relays between the client and it until the tunnel has ended.
    ///
    /// What this process does not bring to an end must not look whole to the server: closing the socket sends a reset, unless
    /// it is told to [`Self::finish`]; a stream without its END_STREAM is not whole anyway.
    pub fn relay<'a, C: Port + Send>(
        &'a mut self,
        client: (&'a mut C, Option<&'a TcpStream>),
        early: Early,
        traffic: &'a mut Traffic,
        idle: Duration,
    ) -> impl Future<Output = Ended> + Send + use<'a, C> {
        match self {
            Self::Socket(socket) => {
                closing(socket, Some(Duration::ZERO));
                let socket = &*socket;
                let server = (socket, Some(socket));
                Relay::Socket(relay::run(client, server, early, traffic, idle))
            }
            // On the heap, so that whoever has a socket does not carry it.
            Self::Stream(stream) => Relay::Stream(Box::pin(async move {
                let server = (stream.port(), None);
                let ended = relay::run(client, server, early, traffic, idle).await;
                match ended {
                    // All that it had to say was passed on, and nobody else can take what the client still says.
                    Ended::ServerReset if stream.port().is_lost_behind_its_end() => Ended::Closed,
                    _ => ended,
                }
            })),
        }
    }

    /// Ends it in order: what was sent arrives, and an end behind it.
    pub fn finish(&mut self) {
        match self {
            Self::Socket(socket) => closing(socket, None),
            Self::Stream(stream) => stream.port().finish(),
        }
    }

    /// Breaks it off, and it does not look whole.
    pub fn cut(&mut self) {
        match self {
            Self::Socket(socket) => closing(socket, Some(Duration::ZERO)),
            Self::Stream(stream) => stream.cut(),
        }
    }

    /// The same behind [`Self::relay`], which leaves a socket so.
    pub fn stays_cut(&mut self) {
        if let Self::Stream(stream) = self {
            stream.cut();
        }
    }

    /// Waits until what was sent to a client that is gone has arrived; for a socket the kernel sees to that.
    pub async fn deliver(&mut self) {
        self.finish();
        if let Self::Stream(stream) = self {
            Box::pin(stream.end()).await;
        }
    }

    /// Lets it go. What it takes to tell an upstream proxy so is part of serving the client.
    pub async fn leave(self) {
        if let Self::Stream(stream) = self {
            Box::pin(stream.leave()).await;
        }
    }
}

/// A tunnel that stands. It is made by hand, as what is in it: its arguments are not kept beside it.
enum Relay<'a, F> {
    Socket(F),
    Stream(Pin<Box<dyn Future<Output = Ended> + Send + 'a>>),
}

impl<F: Future<Output = Ended> + Unpin> Future for Relay<'_, F> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        match self.get_mut() {
            Self::Socket(relay) => Pin::new(relay).poll(cx),
            Self::Stream(relay) => relay.as_mut().poll(cx),
        }
    }
}

fn closing(socket: &TcpStream, linger: Option<Duration>) {
    // A socket that is lost already has no use for it.
    let _ = SockRef::from(socket).set_linger(linger);
}
