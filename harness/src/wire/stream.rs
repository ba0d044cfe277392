//! A connection as verbs see it: plain, with TLS on it, once or several times, or one stream of a connection that speaks
//! HTTP/2; and with bytes that were read too far given back.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::{
    http2::{ErrorCode, Handle},
    wire::{Tap, Transcript, Way, transcript::Place},
};

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
    Multiplexed(Box<Multiplexed>),
}

/// One stream of a connection that speaks HTTP/2, and what is to be known of the connection.
#[derive(Debug)]
struct Multiplexed {
    handle: Handle,
    transcript: Transcript,
    /// Where its frames stand.
    place: Place,
    /// Both ends of the connection, the harness's first.
    ends: [SocketAddr; 2],
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
        let (transcript, place) = self.tls.get_ref().0.within(self.layer);
        transcript.data(place, way, bytes);
    }

    fn note_end(&mut self, way: Way) {
        if !std::mem::replace(&mut self.ended[way as usize], true) {
            let (transcript, place) = self.tls.get_ref().0.within(self.layer);
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

    /// The stream of `handle`, whose connection runs on what had these `ends` and stands at `place` in that transcript.
    pub(crate) fn multiplexed(
        handle: Handle,
        (transcript, place): (&Transcript, Place),
        ends: [SocketAddr; 2],
    ) -> Self {
        Self {
            pending: Vec::new(),
            inner: Inner::Multiplexed(Box::new(Multiplexed {
                handle,
                transcript: transcript.clone(),
                place,
                ends,
            })),
        }
    }

    /// Inside how many TLS sessions this stands.
    pub(crate) fn layer(&self) -> usize {
        match &self.inner {
            Inner::Plain(_) => 0,
            Inner::Secure(session) => session.layer,
            Inner::Multiplexed(stream) => stream.place.layer,
        }
    }

    /// The record that it writes to, and where in it something stands that is inside of so many TLS sessions on this
    /// connection.
    pub(crate) fn within(&self, layer: usize) -> (&Transcript, Place) {
        let (transcript, place) = match &self.inner {
            Inner::Plain(tap) => return tap.within(layer),
            Inner::Secure(session) => session.tls.get_ref().0.within(layer),
            Inner::Multiplexed(stream) => (&stream.transcript, stream.place),
        };
        (transcript, Place { layer, ..place })
    }

    /// The stream of HTTP/2 that this is, if it is one.
    pub(crate) const fn handle(&self) -> Option<&Handle> {
        match &self.inner {
            Inner::Multiplexed(stream) => Some(&stream.handle),
            Inner::Plain(_) | Inner::Secure(_) => None,
        }
    }

    /// Another stream of the same connection, where it speaks HTTP/2.
    ///
    /// # Panics
    /// Where it does not.
    pub(crate) fn beside(&self, id: u32) -> Self {
        let Inner::Multiplexed(stream) = &self.inner else {
            panic!("one connection without HTTP/2 has but one stream");
        };
        let handle = Handle::new(stream.handle.owner().clone(), id);
        Self::multiplexed(handle, (&stream.transcript, stream.place), stream.ends)
    }

    /// Another stream of the same connection, in place of this one, where it speaks HTTP/2.
    pub(crate) fn goes_on_as(&mut self, id: u32) {
        self.pending.clear();
        if let Inner::Multiplexed(stream) = &mut self.inner {
            stream.handle = Handle::new(stream.handle.owner().clone(), id);
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

    /// The TCP connection below; `None` where this is but one stream of it.
    pub(crate) fn tap(&self) -> Option<&Tap> {
        match &self.inner {
            Inner::Plain(tap) => Some(tap),
            Inner::Secure(session) => session.tls.get_ref().0.tap(),
            Inner::Multiplexed(_) => None,
        }
    }

    /// The harness's address on the connection below.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn local(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Inner::Plain(tap) => tap.local(),
            Inner::Secure(session) => session.tls.get_ref().0.local(),
            Inner::Multiplexed(stream) => Ok(stream.ends[0]),
        }
    }

    /// The proxy's.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn peer(&self) -> io::Result<SocketAddr> {
        match &self.inner {
            Inner::Plain(tap) => tap.peer(),
            Inner::Secure(session) => session.tls.get_ref().0.peer(),
            Inner::Multiplexed(stream) => Ok(stream.ends[1]),
        }
    }

    /// Makes what the proxy may send before it was read small.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn narrow(&self, bytes: usize) -> io::Result<()> {
        match self.tap() {
            Some(tap) => tap.shrink_receive_buffer(bytes),
            // The windows of HTTP/2 are small as they are.
            None => Ok(()),
        }
    }

    /// The TLS session, if there is one: the innermost.
    pub(crate) fn session(&self) -> Option<&TlsStream<Self>> {
        match &self.inner {
            Inner::Plain(_) | Inner::Multiplexed(_) => None,
            Inner::Secure(session) => Some(&session.tls),
        }
    }

    /// What the TLS session runs on, and the session, to be used in a way that TLS would not; `None` without one.
    pub(crate) fn below(&mut self) -> Option<(&mut Self, &mut rustls::CommonState)> {
        match &mut self.inner {
            Inner::Plain(_) | Inner::Multiplexed(_) => None,
            Inner::Secure(session) => match &mut session.tls {
                TlsStream::Client(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
                TlsStream::Server(tls) => Some(tls.get_mut()).map(|(io, tls)| (io, &mut ***tls)),
            },
        }
    }

    /// Ends the TCP connection with a reset; where this is but one stream, the stream alone, as a client does that has no
    /// more use for it.
    pub(crate) fn reset(self) -> io::Result<()> {
        match self.inner {
            Inner::Plain(tap) => tap.reset(),
            Inner::Secure(session) => match session.tls {
                TlsStream::Client(tls) => tls.into_inner().0.reset(),
                TlsStream::Server(tls) => tls.into_inner().0.reset(),
            },
            Inner::Multiplexed(stream) => {
                stream.handle.reset(ErrorCode::CANCEL);
                Ok(())
            }
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
            Inner::Multiplexed(stream) => Pin::new(&mut stream.handle).poll_read(cx, buffer),
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
            Inner::Multiplexed(stream) => Pin::new(&mut stream.handle).poll_write(cx, bytes),
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
            Inner::Multiplexed(stream) => Pin::new(&mut stream.handle).poll_flush(cx),
            Inner::Secure(session) => Pin::new(&mut session.tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Inner::Plain(tap) => Pin::new(tap).poll_shutdown(cx),
            Inner::Multiplexed(stream) => Pin::new(&mut stream.handle).poll_shutdown(cx),
            Inner::Secure(session) => {
                // The alert goes out before the connection below ends.
                session.note_end(Way::Out);
                Pin::new(&mut session.tls).poll_shutdown(cx)
            }
        }
    }
}
