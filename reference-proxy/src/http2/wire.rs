//! What a connection of HTTP/2 goes over: a socket or TLS, behind the octets that were read to know it, and screened.

use super::screen::Screen;
use crate::net::Client;
use crate::relay;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Something that frames go over.
pub(crate) trait Link: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The socket beneath.
    fn socket(&self) -> &TcpStream;
}

impl Link for Client {
    fn socket(&self) -> &TcpStream {
        self.socket()
    }
}

impl Link for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Link for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Link for Box<dyn Link> {
    fn socket(&self) -> &TcpStream {
        (**self).socket()
    }
}

/// The connection, shared with whoever closes it: the crate below keeps what it was given, and a close with unread octets would
/// take its last words back.
#[derive(Debug)]
pub(crate) struct Shared<L>(Arc<Mutex<L>>);

/// What it takes to know how much is on its way to the other end.
#[derive(Clone, Debug)]
pub(crate) struct Beneath(Weak<Mutex<dyn Link>>);

/// What is read and written of it.
#[derive(Debug)]
pub(crate) struct Wire<L> {
    before: Vec<u8>,
    screen: Screen,
    link: Shared<L>,
}

impl<L> Clone for Shared<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Link> Shared<L> {
    pub(crate) fn new(link: L) -> Self {
        relay::limit_unsent(link.socket());
        Self(Arc::new(Mutex::new(link)))
    }

    /// What is read and written of it, behind what was read `before`.
    pub(crate) fn wire(&self, before: Vec<u8>, screen: Screen) -> Wire<L> {
        Wire {
            before,
            screen,
            link: self.clone(),
        }
    }

    pub(crate) fn beneath(&self) -> Beneath {
        let link: Weak<Mutex<L>> = Arc::downgrade(&self.0);
        Beneath(link)
    }

    /// The connection, when nobody else has it any more.
    pub(crate) fn into_link(self) -> Option<L> {
        let link = Arc::into_inner(self.0)?;
        Some(link.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn link(&self) -> MutexGuard<'_, L> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beneath {
    /// Octets that the kernel has for the other end, of all streams together.
    pub(crate) fn undelivered(&self) -> u32 {
        let link = self.0.upgrade();
        let link = link.as_deref();
        let link = link.map(|link| link.lock().unwrap_or_else(PoisonError::into_inner));
        link.and_then(|link| relay::undelivered(link.socket()))
            .unwrap_or(0)
    }
}

impl<L: Link> AsyncRead for Wire<L> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(ready) = this.screen.ready(buffer.remaining()) {
                buffer.put_slice(&ready);
                return Poll::Ready(Ok(()));
            }
            if this.screen.is_over() {
                // Whoever drives the connection ends it.
                return Poll::Pending;
            }
            let start = buffer.filled().len();
            if this.before.is_empty() {
                ready!(Pin::new(&mut *this.link.link()).poll_read(cx, buffer))?;
            } else {
                let most = this.before.len().min(buffer.remaining());
                let behind = this.before.split_off(most);
                buffer.put_slice(&std::mem::replace(&mut this.before, behind));
            }
            let arrived = &buffer.filled()[start..];
            if arrived.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let passed = this.screen.sort(arrived);
            buffer.set_filled(start + passed);
            if this.screen.is_over() {
                cx.waker().wake_by_ref();
            }
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<L: Link> AsyncWrite for Wire<L> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.link.link()).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.link.link()).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.link.link().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.link.link()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.link.link()).poll_shutdown(cx)
    }
}
