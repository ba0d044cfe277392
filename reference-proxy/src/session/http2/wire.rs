//! What a connection of HTTP/2 goes over: the client's socket or TLS, behind the octets that were read to know it, and screened.

use super::screen::{Oversight, Screen};
use crate::net::Client;
use crate::relay;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The connection, shared with whoever closes it: the crate below keeps what it was given, and a close with unread octets would
/// take its last words back.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Client>>);

/// What it takes to know how much is on its way to the client.
#[derive(Clone, Debug)]
pub(super) struct Beneath(Weak<Mutex<Client>>);

/// What is read and written of it.
#[derive(Debug)]
pub(super) struct Wire {
    before: Vec<u8>,
    screen: Screen,
    client: Shared,
}

impl Shared {
    pub(super) fn new(client: Client) -> Self {
        relay::limit_unsent(client.socket());
        Self(Arc::new(Mutex::new(client)))
    }

    pub(super) fn wire(&self, before: Vec<u8>, oversight: Arc<Oversight>) -> Wire {
        Wire {
            before,
            screen: Screen::new(oversight),
            client: self.clone(),
        }
    }

    pub(super) fn beneath(&self) -> Beneath {
        Beneath(Arc::downgrade(&self.0))
    }

    /// The connection, when nobody else has it any more.
    pub(super) fn into_client(self) -> Option<Client> {
        let client = Arc::into_inner(self.0)?;
        Some(client.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn client(&self) -> MutexGuard<'_, Client> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beneath {
    /// Octets that the kernel has for the client, of all streams together.
    pub(super) fn undelivered(&self) -> u32 {
        let client = self.0.upgrade();
        let client = client.as_deref();
        let client = client.map(|client| client.lock().unwrap_or_else(PoisonError::into_inner));
        client
            .and_then(|client| relay::undelivered(client.socket()))
            .unwrap_or(0)
    }
}

impl AsyncRead for Wire {
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
                ready!(Pin::new(&mut *this.client.client()).poll_read(cx, buffer))?;
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

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.client.client()).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.client.client()).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.client.client().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.client.client()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.client.client()).poll_shutdown(cx)
    }
}
