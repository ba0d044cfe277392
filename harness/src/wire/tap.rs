//! The one place where bytes pass.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::wire::{Leg, Transcript, Way, transcript::Place};

/// A TCP connection whose every byte, FIN and RST is written down.
#[derive(Debug)]
pub struct Tap {
    socket: TcpStream,
    transcript: Transcript,
    place: Place,
    /// How each direction ended, if it did.
    ended: [bool; 2],
}

impl Tap {
    /// Listens in on `socket`.
    pub(crate) fn on(socket: TcpStream, leg: Leg, transcript: &Transcript) -> io::Result<Self> {
        let peer = socket.peer_addr()?;
        Self::with(socket, peer, leg, transcript)
    }

    /// Listens in on a connection that a server has accepted from `peer`. It may have been reset since, and then no
    /// longer knows its peer.
    pub(crate) fn accepted(
        socket: TcpStream,
        peer: SocketAddr,
        leg: Leg,
        transcript: &Transcript,
    ) -> io::Result<Self> {
        Self::with(socket, peer, leg, transcript)
    }

    fn with(
        socket: TcpStream,
        peer: SocketAddr,
        leg: Leg,
        transcript: &Transcript,
    ) -> io::Result<Self> {
        // Cases choose their own segments; a delay here would join them.
        socket.set_nodelay(true)?;
        let connection = transcript.opened(leg, socket.local_addr()?, peer);
        Ok(Self {
            socket,
            transcript: transcript.clone(),
            place: Place {
                leg,
                connection,
                layer: 0,
            },
            ended: [false; 2],
        })
    }

    /// The harness's address.
    ///
    /// # Errors
    /// What the system said.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The proxy's address.
    ///
    /// # Errors
    /// What the system said.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Makes the kernel's receive buffer small.
    pub(crate) fn shrink_receive_buffer(&self, bytes: usize) -> io::Result<()> {
        socket2::SockRef::from(&self.socket).set_recv_buffer_size(bytes)
    }

    /// Sends a byte as TCP urgent data.
    pub(crate) fn send_urgent(&self, byte: u8) -> io::Result<()> {
        let sent = socket2::SockRef::from(&self.socket).send_out_of_band(&[byte])?;
        self.transcript.data(self.place, Way::Out, &[byte][..sent]);
        Ok(())
    }

    /// The record that it writes to, and where in it the plaintext of a TLS session on this connection stands.
    pub(crate) fn within(&self, layer: usize) -> (&Transcript, Place) {
        (
            &self.transcript,
            Place {
                layer,
                ..self.place
            },
        )
    }

    /// The number of this connection in the transcript.
    pub(crate) const fn connection(&self) -> usize {
        self.place.connection
    }

    /// Ends the connection with a reset, and throws away what is unsent.
    pub(crate) fn reset(mut self) -> io::Result<()> {
        socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?;
        self.transcript.reset(self.place, Way::Out);
        self.ended = [true; 2];
        Ok(())
    }

    fn note_end(&mut self, way: Way) {
        if !std::mem::replace(&mut self.ended[way as usize], true) {
            self.transcript.fin(self.place, way);
        }
    }

    fn note_error(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionReset
            && !std::mem::replace(&mut self.ended[Way::In as usize], true)
        {
            self.ended[Way::Out as usize] = true;
            self.transcript.reset(self.place, Way::In);
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match ready!(Pin::new(&mut self.socket).poll_read(cx, buffer)) {
            Ok(()) if buffer.filled().len() > before => {
                let fresh = &buffer.filled()[before..];
                self.transcript.data(self.place, Way::In, fresh);
                Poll::Ready(Ok(()))
            }
            Ok(()) => {
                if buffer.remaining() > 0 {
                    self.note_end(Way::In);
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.note_error(&error);
                Poll::Ready(Err(error))
            }
        }
    }
}

impl AsyncWrite for Tap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.socket).poll_write(cx, bytes)) {
            Ok(taken) => {
                self.transcript.data(self.place, Way::Out, &bytes[..taken]);
                Poll::Ready(Ok(taken))
            }
            Err(error) => {
                self.note_error(&error);
                Poll::Ready(Err(error))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = ready!(Pin::new(&mut self.socket).poll_shutdown(cx));
        if shut.is_ok() {
            self.note_end(Way::Out);
        }
        Poll::Ready(shut)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // The kernel closes what is still open: with a FIN, or with a reset where bytes are unread.
        self.note_end(Way::Out);
    }
}
