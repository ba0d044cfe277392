//! One end of a tunnel, as a direction sees it.

use rustix::net::{RecvFlags, SendFlags};
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
            let mut received = 0;
            let attempt = socket.try_io(Interest::READABLE, || {
                (received, _) = rustix::net::recv(socket, &mut *buffer, RecvFlags::empty())?;
                short_is_blocked(received, buffer.len())
            });
            if let Some(outcome) = settled(attempt, received) {
                return Poll::Ready(outcome);
            }
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let socket = *self;
        loop {
            ready!(socket.poll_write_ready(cx))?;
            let mut sent = 0;
            let attempt = socket.try_io(Interest::WRITABLE, || {
                sent = rustix::net::send(socket, octets, SendFlags::NOSIGNAL)?;
                short_is_blocked(sent, octets.len())
            });
            if let Some(outcome) = settled(attempt, sent) {
                return Poll::Ready(outcome);
            }
        }
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(*self).shutdown(std::net::Shutdown::Write))
    }

    fn socket(&self) -> Option<&TcpStream> {
        Some(self)
    }
}

impl Port for TlsStream<TcpStream> {
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

/// Tells the runtime to wait for readiness again after a short transfer. 0 is the end, not short.
fn short_is_blocked(moved: usize, asked: usize) -> io::Result<()> {
    if moved > 0 && moved < asked {
        Err(io::ErrorKind::WouldBlock.into())
    } else {
        Ok(())
    }
}

/// The outcome of an attempt; `None`: nothing was moved, wait. A signal interrupts nothing that does not block.
fn settled(attempt: io::Result<()>, moved: usize) -> Option<io::Result<usize>> {
    match attempt {
        Ok(()) => Some(Ok(moved)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => (moved > 0).then_some(Ok(moved)),
        Err(error) => Some(Err(error)),
    }
}
