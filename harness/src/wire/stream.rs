//! A connection as verbs see it: plain or with TLS on it, once or several times, and with bytes that were read too far
//! given back.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::wire::Tap;

/// One end of a connection.
#[derive(Debug)]
pub struct Stream {
    /// Read from the connection, but not yet by anybody: what followed a head in the same segment.
    pending: Vec<u8>,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Plain(Tap),
    Secure(Box<TlsStream<Stream>>),
}

impl Stream {
    /// A connection without TLS.
    pub(crate) const fn plain(tap: Tap) -> Self {
        Self {
            pending: Vec::new(),
            inner: Inner::Plain(tap),
        }
    }

    /// A connection with TLS on it.
    pub(crate) fn secure(tls: TlsStream<Self>) -> Self {
        Self {
            pending: Vec::new(),
            inner: Inner::Secure(Box::new(tls)),
        }
    }

    /// Gives back bytes that were read too far.
    pub(crate) fn unread(&mut self, bytes: &[u8]) {
        self.pending.splice(0..0, bytes.iter().copied());
    }

    /// Whether bytes were given back and not read since.
    pub(crate) const fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The TCP connection below.
    pub(crate) fn tap(&self) -> &Tap {
        match &self.inner {
            Inner::Plain(tap) => tap,
            Inner::Secure(tls) => tls.get_ref().0.tap(),
        }
    }

    /// The TLS session, if there is one: the innermost.
    pub(crate) fn session(&self) -> Option<&TlsStream<Self>> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Secure(tls) => Some(tls),
        }
    }

    /// What the TLS session runs on, and the session, to be used in a way that TLS would not; `None` without one.
    pub(crate) fn below(&mut self) -> Option<(&mut Self, &mut rustls::CommonState)> {
        match &mut self.inner {
            Inner::Plain(_) => None,
            Inner::Secure(tls) => match &mut **tls {
                TlsStream::Client(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
                TlsStream::Server(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
            },
        }
    }

    /// Ends the TCP connection with a reset.
    pub(crate) fn reset(self) -> io::Result<()> {
        match self.inner {
            Inner::Plain(tap) => tap.reset(),
            Inner::Secure(tls) => match *tls {
                TlsStream::Client(tls) => tls.into_inner().0.reset(),
                TlsStream::Server(tls) => tls.into_inner().0.reset(),
            },
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.pending.is_empty() {
            let taken = self.pending.len().min(buffer.remaining());
            buffer.put_slice(&self.pending[..taken]);
            self.pending.drain(..taken);
            return Poll::Ready(Ok(()));
        }
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_read(cx, buffer),
            Inner::Secure(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_write(cx, bytes),
            Inner::Secure(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_flush(cx),
            Inner::Secure(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_shutdown(cx),
            Inner::Secure(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
