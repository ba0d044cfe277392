//! The connection that a client made: plain, or TLS (`SSLEngine`).

use crate::relay::{Early, Ended, Traffic};
use crate::upstream::{Answer, Asker, NextHop};
use socket2::SockRef;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A client's connection.
#[derive(Debug)]
pub enum Client {
    /// Octets as they are.
    Plain(TcpStream),
    /// Behind a handshake.
    Secure(Box<TlsStream<TcpStream>>),
}

impl Client {
    /// Runs the tunnel to its end.
    ///
    /// What broke on one side must not look whole on the other, and what this process does not bring to an end,
    /// because it is told to stop, is killed or crashes, must not look whole on either: while the tunnel
    /// stands, closing its sockets sends a reset. An orderly end takes that back. `server` is still to be left.
    pub async fn relay(
        self,
        server: &mut NextHop,
        early: &mut Early,
        traffic: &mut Traffic,
        idle: Duration,
    ) -> Ended {
        let closing = |socket: &TcpStream, linger: Option<Duration>| {
            // A socket that is lost already has no use for it.
            let _ = SockRef::from(socket).set_linger(linger);
        };
        closing(self.socket(), Some(Duration::ZERO));
        let (ended, client) = match self {
            Self::Plain(client) => {
                let own = (&mut &client, Some(&client));
                let ended = server
                    .relay(own, std::mem::take(early), traffic, idle)
                    .await;
                (ended, client)
            }
            Self::Secure(mut client) => {
                let own = (&mut *client, None);
                let ended = server
                    .relay(own, std::mem::take(early), traffic, idle)
                    .await;
                (ended, client.into_inner().0)
            }
        };
        match ended {
            Ended::Closed | Ended::Idle => {
                closing(&client, None);
                server.finish();
            }
            Ended::ClientReset | Ended::ServerReset | Ended::Stalled => server.stays_cut(),
        }
        ended
    }

    /// Whether the handshake has chosen this protocol.
    #[must_use]
    pub fn chose(&self, protocol: &str) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Secure(stream) => stream.get_ref().1.alpn_protocol() == Some(protocol.as_bytes()),
        }
    }

    /// The socket beneath.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Secure(stream) => stream.get_ref().0,
        }
    }
}

impl Asker for Client {
    async fn hear(&mut self, answer: &Answer) -> io::Result<()> {
        self.write_all(&answer.interim()).await
    }

    /// Ends when the client is gone for good, as after a reset. A FIN is no reason to give up: the client may
    /// still read.
    async fn lost(&mut self) {
        let _ = self.socket().ready(Interest::ERROR).await;
    }
}

impl AsyncRead for Client {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    /// Frames of HTTP/2 are a head and what stands in it: one system call and one TLS record for both.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
