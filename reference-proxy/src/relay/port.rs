//! One end of a tunnel, as a direction sees it.

use super::undelivered::undelivered;
use bytes::{Buf, Bytes};
use rustix::net::{RecvFlags, SendFlags};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Something that octets come from and go to.
pub trait Port {
    /// Reads into `buffer`; 0 is the end.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Sends some of `octets`.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>>;

    /// Whether it holds what it is sent, without a copy, until that has left.
    fn holds(&self) -> bool {
        false
    }

    /// Waits until more may be received for it, where others go through the same connection.
    fn poll_turn(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Nothing more is received for it for now.
    fn pass_turn(&mut self) {}

    /// How many of so many octets it takes at once.
    fn room(&mut self, wanted: usize) -> usize {
        wanted
    }

    /// Sends some of what is held, and takes it off that.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    fn poll_send_held(
        &mut self,
        cx: &mut Context<'_>,
        held: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        let Some(octets) = held.front_mut() else {
            return Poll::Ready(Ok(()));
        };
        let sent = ready!(self.poll_send(cx, octets))?;
        octets.advance(sent);
        if octets.is_empty() {
            held.pop_front();
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what [`Self::poll_send`] has taken and not yet sent; a socket has nothing of the kind.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Sends the end.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// The socket that all octets go through, whatever they are; `None` where others go through it as well.
    fn beneath(&self) -> Option<&TcpStream>;

    /// Octets that have left this process, or its hands, and have not arrived.
    fn undelivered(&self) -> u32 {
        self.beneath().and_then(undelivered).unwrap_or(0)
    }

    /// Takes what has arrived although nobody can be sent it yet, where it would cost more where it is. It stays what the sender has
    /// no room for.
    fn gather(&mut self, _: &mut Context<'_>) {}

    /// Whether the other side has given up, where that shows before anything is received or sent.
    fn poll_lost(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// The socket, where its octets are those of the tunnel.
    fn socket(&self) -> Option<&TcpStream> {
        None
    }
}

/// A socket, shared by both directions.
///
/// A transfer that is shorter than asked says that the kernel has no more, so the readiness is cleared in
/// the same breath and the next attempt costs no system call.
impl Port for &TcpStream {
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let socket = *self;
        loop {
            ready!(socket.poll_read_ready(cx))?;
            let whole = buffer.len();
            let outcome = attempt(socket, Interest::READABLE, whole, || {
                let (received, _) = rustix::net::recv(socket, &mut *buffer, RecvFlags::empty())?;
                Ok(received)
            });
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let socket = *self;
        loop {
            ready!(socket.poll_write_ready(cx))?;
            let outcome = attempt(socket, Interest::WRITABLE, octets.len(), || {
                Ok(rustix::net::send(socket, octets, SendFlags::NOSIGNAL)?)
            });
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
        }
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(*self).shutdown(std::net::Shutdown::Write))
    }

    fn beneath(&self) -> Option<&TcpStream> {
        Some(self)
    }

    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

/// Somebody else's.
impl<P: Port> Port for &mut P {
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        (**self).poll_receive(cx, buffer)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        (**self).poll_send(cx, octets)
    }

    fn holds(&self) -> bool {
        (**self).holds()
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_turn(cx)
    }

    fn pass_turn(&mut self) {
        (**self).pass_turn();
    }

    fn room(&mut self, wanted: usize) -> usize {
        (**self).room(wanted)
    }

    fn poll_send_held(
        &mut self,
        cx: &mut Context<'_>,
        held: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        (**self).poll_send_held(cx, held)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_flush(cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_finish(cx)
    }

    fn beneath(&self) -> Option<&TcpStream> {
        (**self).beneath()
    }

    fn undelivered(&self) -> u32 {
        (**self).undelivered()
    }

    fn gather(&mut self, cx: &mut Context<'_>) {
        (**self).gather(cx);
    }

    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_lost(cx)
    }

    fn socket(&self) -> Option<&TcpStream> {
        (**self).socket()
    }
}

impl Port for TlsStream<TcpStream> {
    fn beneath(&self) -> Option<&TcpStream> {
        Some(self.get_ref().0)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(self).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self).poll_write(cx, octets)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(self), cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }
}

/// Moves octets at once, or not at all; `None`: nothing was moved, wait. A signal interrupts nothing that does not block.
///
/// A transfer of fewer octets than `whole` says that the kernel has no more, so that the runtime waits for readiness before
/// the next one. 0 is the end, not short.
pub(super) fn attempt(
    socket: &TcpStream,
    interest: Interest,
    whole: usize,
    transfer: impl FnOnce() -> io::Result<usize>,
) -> Option<io::Result<usize>> {
    let mut moved = 0;
    let attempt = socket.try_io(interest, || {
        moved = transfer()?;
        match (1..whole).contains(&moved) {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    });
    match attempt {
        Ok(()) => Some(Ok(moved)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => (moved > 0).then_some(Ok(moved)),
        Err(error) => Some(Err(error)),
    }
}
