//! One stream, as one end of a tunnel: the client's, or the server's at an upstream proxy.

use super::piece::Piece;
use super::screen::Oversight;
use super::wire::Beneath;
use crate::relay::Port;
use bytes::{Buf, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::net::TcpStream;

/// The connection that carries streams, as each of them sees it.
#[derive(Debug)]
pub(crate) struct Carrier {
    pub(crate) beneath: Beneath,
    pub(crate) oversight: Arc<Oversight>,
}

/// Both halves of a stream whose request was answered with 2xx.
#[derive(Debug)]
pub(crate) struct StreamPort {
    receiving: RecvStream,
    sending: SendStream<Piece>,
    /// What has arrived and was not yet received.
    rest: Option<Box<BytesMut>>,
    /// The most octets in one of ours.
    data_most: u32,
    carrier: Arc<Carrier>,
    /// Whether everything was received, to the end.
    received: bool,
    /// Whether it is an answer, behind whose end a reset with NO_ERROR is none (RFC 9113, section 8.1).
    answered: bool,
}

impl StreamPort {
    pub(crate) fn new(
        receiving: RecvStream,
        sending: SendStream<Piece>,
        data_most: usize,
        carrier: Arc<Carrier>,
    ) -> Self {
        Self {
            receiving,
            sending,
            rest: None,
            data_most: u32::try_from(data_most).unwrap_or(u32::MAX),
            carrier,
            received: false,
            answered: false,
        }
    }

    /// The same, for one that was answered by the other side.
    pub(crate) const fn answered(mut self) -> Self {
        self.answered = true;
        self
    }

    /// Whether the other end is gone with its connection, and had ended its direction before.
    pub(crate) fn is_lost_behind_its_end(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let reset = self.sending.poll_reset(&mut cx);
        self.received && matches!(reset, Poll::Ready(reset) if self.is_no_loss(&reset))
    }

    /// Whether what has become of the stream or its connection takes nothing of what the other side said, if that has come to
    /// its end before.
    fn is_no_loss(&self, reset: &Result<Reason, h2::Error>) -> bool {
        match reset {
            Ok(reason) => self.answered && *reason == Reason::NO_ERROR,
            Err(error) if error.is_reset() => {
                self.answered && error.reason() == Some(Reason::NO_ERROR)
            }
            Err(error) => error.is_io(),
        }
    }

    fn has_ended(&self) -> bool {
        let stream = self.receiving.stream_id().as_u32();
        self.received || self.carrier.oversight.has_ended(stream)
    }

    fn keep(&mut self, data: &[u8]) {
        if !data.is_empty() {
            self.rest.get_or_insert_default().extend_from_slice(data);
        }
    }

    /// How many of so many octets may be sent; `None`: the stream is gone.
    fn poll_room(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<Option<usize>> {
        let wanted = wanted.min(self.data_most as usize);
        self.sending.reserve_capacity(wanted);
        loop {
            match self.sending.capacity() {
                0 => {}
                room => return Poll::Ready(Some(wanted.min(room))),
            }
            if !matches!(ready!(self.sending.poll_capacity(cx)), Some(Ok(_))) {
                return Poll::Ready(None);
            }
        }
    }

    fn send(&mut self, piece: Piece) -> io::Result<()> {
        let octets = piece.remaining();
        self.carrier.oversight.turns.give(octets);
        let outcome = self.sending.send_data(piece, false);
        outcome.map_err(|error| {
            self.carrier.oversight.turns.take_back(octets);
            io::Error::other(error)
        })
    }

    /// What is sent to whoever has answered to the end, and then went, goes nowhere; what it said is still to be passed on.
    fn nowhere(&mut self, length: usize) -> io::Result<usize> {
        let mut cx = Context::from_waker(Waker::noop());
        let reset = self.sending.poll_reset(&mut cx);
        let goes = matches!(reset, Poll::Ready(reset) if self.is_no_loss(&reset));
        match goes && self.answered && !self.received && self.has_ended() {
            true => Ok(length),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// What is behind the last octet that was received: where the connection is lost, the end that came before that counts.
    fn lost(&mut self, error: h2::Error) -> io::Result<usize> {
        let lost = Err(error);
        if self.is_no_loss(&lost) && self.has_ended() {
            self.received = true;
            return Ok(0);
        }
        lost.map(|_| 0).map_err(io::Error::other)
    }

    /// Ends the stream with this code.
    pub(crate) fn reset(&mut self, reason: Reason) {
        self.sending.send_reset(reason);
    }

    /// Sends the end without waiting for anything.
    pub(crate) fn finish(&mut self) {
        // A stream that is lost already has no use for it.
        let _ = self.sending.send_data(Piece::default(), true);
    }

    /// What stands behind the last octet: nothing, and it is an end, or trailers, which a tunnel must not have (RFC 9113,
    /// section 8.5).
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match ready!(self.receiving.poll_trailers(cx)) {
            Ok(None) => {
                self.received = true;
                Poll::Ready(Ok(0))
            }
            Ok(Some(_)) => {
                self.reset(Reason::PROTOCOL_ERROR);
                Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
            }
            Err(error) => Poll::Ready(self.lost(error)),
        }
    }
}

impl Drop for StreamPort {
    fn drop(&mut self) {
        let stream = self.receiving.stream_id().as_u32();
        self.carrier.oversight.forget(stream);
        self.carrier.oversight.turns.leave(stream);
    }
}

impl Port for StreamPort {
    /// As many frames as have arrived and fit: they go on at once.
    fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut filled = 0;
        if let Some(rest) = &mut self.rest {
            filled = rest.len().min(buffer.len());
            rest.copy_to_slice(&mut buffer[..filled]);
        }
        while filled < buffer.len() {
            match self.receiving.poll_data(cx) {
                Poll::Ready(Some(Ok(mut data))) => {
                    let moved = data.len().min(buffer.len() - filled);
                    data.copy_to_slice(&mut buffer[filled..filled + moved]);
                    filled += moved;
                    self.keep(&data);
                }
                // What has come before goes first; it says so again.
                Poll::Ready(Some(Err(_))) if filled > 0 => break,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(self.lost(error)),
                Poll::Ready(None) if filled == 0 => return self.poll_end(cx),
                Poll::Pending if filled == 0 => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        // An idle stream owns no buffer.
        self.rest.take_if(|rest| rest.is_empty());
        // What the receiver does not take is held by the direction, which asks for nothing more until it is gone.
        let released = self.receiving.flow_control().release_capacity(filled);
        Poll::Ready(released.map(|()| filled).map_err(io::Error::other))
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let Some(room) = ready!(self.poll_room(cx, octets.len())) else {
            return Poll::Ready(self.nowhere(octets.len()));
        };
        let outcome = self.send(Bytes::copy_from_slice(&octets[..room]).into());
        Poll::Ready(outcome.map(|()| room))
    }

    fn holds(&self) -> bool {
        true
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let stream = self.receiving.stream_id().as_u32();
        self.carrier.oversight.turns.poll(cx, stream)
    }

    fn pass_turn(&mut self) {
        self.carrier.oversight.turns.pass();
    }

    fn room(&mut self, wanted: usize) -> usize {
        self.sending.reserve_capacity(wanted);
        self.sending.capacity().min(wanted)
    }

    fn poll_send_held(
        &mut self,
        cx: &mut Context<'_>,
        held: &mut VecDeque<Bytes>,
    ) -> Poll<io::Result<()>> {
        let length = held.iter().map(Bytes::len).sum();
        let Some(room) = ready!(self.poll_room(cx, length)) else {
            self.nowhere(length)?;
            held.clear();
            return Poll::Ready(Ok(()));
        };
        Poll::Ready(self.send(Piece::of(held, room)))
    }

    /// One buffer for what fills the window, and not a frame for each of its octets.
    fn gather(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(Ok(data))) = self.receiving.poll_data(cx) {
            self.keep(&data);
        }
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.sending.send_data(Piece::default(), true);
        Poll::Ready(outcome.or_else(|_| self.nowhere(0).map(|_| ())))
    }

    fn beneath(&self) -> Option<&TcpStream> {
        None
    }

    fn undelivered(&self) -> u32 {
        self.carrier.beneath.undelivered()
    }

    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let reset = ready!(self.sending.poll_reset(cx));
        // What it had to say is still to be passed on.
        match self.is_no_loss(&reset) && !self.received && self.has_ended() {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}
