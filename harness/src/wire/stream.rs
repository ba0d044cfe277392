//! A connection as verbs see it: plain or with TLS on it, once or several times, and with bytes that were read too far
//! given back.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::wire::{Tap, Way};

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
    Secure(Box<Session>),
}

/// A TLS session, whose plaintext is written down as well.
#[derive(Debug)]
struct Session {
    tls: TlsStream<Stream>,
    /// Inside how many sessions its plaintext stands: 1 for the one on the connection itself.
    layer: usize,
    /// Which ways have ended with `close_notify`.
    ended: [bool; 2],
}

impl Session {
    fn note(&self, way: Way, bytes: &[u8]) {
        let (transcript, place) = self.tls.get_ref().0.tap().within(self.layer);
        transcript.data(place, way, bytes);
    }

    fn note_end(&mut self, way: Way) {
        if !std::mem::replace(&mut self.ended[way as usize], true) {
            let (transcript, place) = self.tls.get_ref().0.tap().within(self.layer);
            transcript.fin(place, way);
        }
    }
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
            inner: Inner::Secure(Box::new(Session {
                layer: tls.get_ref().0.layer() + 1,
                tls,
                ended: [false; 2],
            })),
        }
    }

    /// Inside how many TLS sessions this stands.
    const fn layer(&self) -> usize {
        match &self.inner {
            Inner::Plain(_) => 0,
            Inner::Secure(session) => session.layer,
        }
    }

    /// Notes that a session was ended with `close_notify`, by somebody who said so below this stream.
    pub(crate) fn note_close_notify(&mut self) {
        if let Inner::Secure(session) = &mut self.inner {
            session.note_end(Way::Out);
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
            Inner::Secure(session) => session.tls.get_ref().0.tap(),
        }
    }

    /// The TLS session, if there is one: the innermost.
    pub(crate) fn session(&self) -> Option<&TlsStream<Self>> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Secure(session) => Some(&session.tls),
        }
    }

    /// What the TLS session runs on, and the session, to be used in a way that TLS would not; `None` without one.
    pub(crate) fn below(&mut self) -> Option<(&mut Self, &mut rustls::CommonState)> {
        match &mut self.inner {
            Inner::Plain(_) => None,
            Inner::Secure(session) => match &mut session.tls {
                TlsStream::Client(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
                TlsStream::Server(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
            },
        }
    }

    /// Ends the TCP connection with a reset.
    pub(crate) fn reset(self) -> io::Result<()> {
        match self.inner {
            Inner::Plain(tap) => tap.reset(),
            Inner::Secure(session) => match session.tls {
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
            Inner::Secure(session) => {
                let before = buffer.filled().len();
                let read = ready!(Pin::new(&mut session.tls).poll_read(cx, buffer));
                match (&read, &buffer.filled()[before..]) {
                    (Ok(()), []) if buffer.remaining() > 0 => session.note_end(Way::In),
                    (Ok(()), fresh) => session.note(Way::In, fresh),
                    (Err(_), _) => {}
                }
                Poll::Ready(read)
            }
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
            Inner::Secure(session) => {
                let taken = ready!(Pin::new(&mut session.tls).poll_write(cx, bytes));
                if let Ok(taken) = taken {
                    session.note(Way::Out, &bytes[..taken]);
                }
                Poll::Ready(taken)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_flush(cx),
            Inner::Secure(session) => Pin::new(&mut session.tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_shutdown(cx),
            Inner::Secure(session) => {
                // The alert goes out before the connection below ends.
                session.note_end(Way::Out);
                Pin::new(&mut session.tls).poll_shutdown(cx)
            }
        }
    }
}
