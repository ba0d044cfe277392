//! What a connection of HTTP/2 goes over: a socket or TLS, behind the octets that were read to know it, and screened.

use super::outbox::Outbox;
use super::screen::{Oversight, Screen};
use crate::net::Client;
use crate::relay;
use std::future::poll_fn;
use std::io::{self, IoSlice};
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
pub(crate) struct Shared<L>(Arc<Mutex<Both<L>>>);

/// What it takes to know how much is on its way to the other end.
#[derive(Clone, Debug)]
pub(crate) struct Beneath(Weak<Mutex<Both<dyn Link>>>);

/// The connection, and what is to be written to it.
#[derive(Debug)]
struct Both<L: ?Sized> {
    outbox: Outbox,
    link: L,
}

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
        let outbox = Outbox::default();
        Self(Arc::new(Mutex::new(Both { outbox, link })))
    }

    /// Runs what drives the connection to its end. What it says is gathered, and leaves whenever it waits; then streams have their
    /// turn again.
    pub(crate) fn driving<F: Future>(
        &self,
        mut driver: Pin<&mut F>,
        oversight: &Oversight,
    ) -> impl Future<Output = F::Output> {
        poll_fn(move |cx| {
            loop {
                let driven = driver.as_mut().poll(cx);
                let Both { outbox, link } = &mut *self.lock();
                let fails = outbox.fails(cx, link);
                if outbox.length() == 0 {
                    oversight.turns.all_sent();
                }
                if driven.is_ready() || !fails {
                    return driven;
                }
            }
        })
    }

    /// Waits until everything that was said has left.
    pub(crate) async fn drained(&self) {
        let drained = poll_fn(|cx| {
            let Both { outbox, link } = &mut *self.lock();
            outbox.poll_send(cx, link)
        });
        // Nobody is there who could be told of a failure.
        let _ = drained.await;
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
        let both: Weak<Mutex<Both<L>>> = Arc::downgrade(&self.0);
        Beneath(both)
    }

    /// The connection, when nobody else has it any more.
    pub(crate) fn into_link(self) -> Option<L> {
        let both = Arc::into_inner(self.0)?.into_inner();
        Some(both.unwrap_or_else(PoisonError::into_inner).link)
    }

    fn lock(&self) -> MutexGuard<'_, Both<L>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beneath {
    /// Octets that the kernel has for the other end, or is to have, of all streams together.
    pub(crate) fn undelivered(&self) -> u32 {
        let Some(both) = self.0.upgrade() else {
            return 0;
        };
        let both = both.lock().unwrap_or_else(PoisonError::into_inner);
        let kernel = relay::undelivered(both.link.socket()).unwrap_or(0);
        kernel.saturating_add(both.outbox.length() as u32)
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
                ready!(Pin::new(&mut this.link.lock().link).poll_read(cx, buffer))?;
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

/// Frames are gathered, and leave when [`Shared::driving`] says so.
impl<L: Link> AsyncWrite for Wire<L> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(octets)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Both { outbox, link } = &mut *self.link.lock();
        outbox.poll_put(cx, link, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.link.lock().outbox.told())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Both { outbox, link } = &mut *self.link.lock();
        outbox.told()?;
        ready!(outbox.poll_send(cx, link))?;
        Pin::new(link).poll_shutdown(cx)
    }
}
