//! One direction of a tunnel.
//!
//! It starts out copying, since that is the cheapest way for a message that fits a buffer. When a read fills
//! the buffer there is more to come, and octets are spliced from socket to socket until a turn brings little.

use super::Port;
use super::blocks;
use super::pipe::Pipe;
use super::port::attempt;
use super::unsent::Unsent;
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The buffer that all tunnels of a thread share. Large enough that a copy costs little beside its system
/// calls, small enough for the second-level cache.
const BUFFER: usize = 64 << 10;
/// Octets that one direction moves before others get their turn.
const TURN: usize = 8 << 20;
/// A turn that moves less than this by splicing would have been cheaper as a copy.
const LITTLE: u64 = 16_384;

/// No transfer through a pipe is short: what fills its slots, or the receiver, is not all that the kernel has.
const ANY: usize = 0;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// The state of one direction: next to nothing while it is idle.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// `None` while nothing moves.
    moving: Option<Box<Moving>>,
    /// Reads have been filling the buffer.
    bulk: bool,
    /// The sender has ended.
    finished: bool,
    /// The end was passed on.
    ended: bool,
    /// How much the kernel may hold for the receiver.
    unsent: Unsent,
    /// Something was sent since the last question.
    sent: bool,
    /// Octets read so far.
    pub(super) octets: u64,
}

/// What was read and not yet sent.
#[derive(Debug, Default)]
struct Moving {
    held: VecDeque<Bytes>,
    /// What is in it comes behind what is held.
    pipe: Option<Pipe>,
}

/// Which side of a direction is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The side that octets come from.
    From,
    /// The side that octets go to.
    To,
}

impl Flow {
    /// A direction that starts with octets that were read before.
    pub(super) fn holding(held: Vec<u8>) -> Self {
        let mut flow = Self::default();
        if !held.is_empty() {
            flow.hold(held.into());
        }
        flow
    }

    fn hold(&mut self, octets: Bytes) {
        self.moving.get_or_insert_default().held.push_back(octets);
    }

    /// Moves octets until a side has to wait; ready when the end was passed on.
    pub(super) fn poll<F: Port, T: Port>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut F,
        to: &mut T,
    ) -> Poll<Result<(), Broken>> {
        if self.ended {
            return Poll::Ready(Ok(()));
        }
        let before = self.octets;
        loop {
            ready!(self.poll_held(cx, to))?;
            ready!(self.poll_drain(cx, to))?;
            if self.finished {
                ready!(to.poll_finish(cx)).map_err(|_| Broken::To)?;
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
            // All of them have been sent.
            self.unsent.follow(self.octets, to.beneath());
            if self.octets - before >= TURN as u64 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(to.poll_turn(cx));
            let filled = if self.bulk {
                self.poll_fill(cx, from, to)
            } else if let (true, Some(from)) = (to.holds(), from.socket()) {
                self.poll_take(cx, from, to)
            } else {
                self.poll_copy(cx, from, to)
            };
            if filled.is_pending() {
                self.rest(before);
            }
            ready!(filled)?;
        }
    }

    /// Whether octets wait for their receiver.
    pub(super) fn is_holding(&self) -> bool {
        let holds = |moving: &Moving| !moving.held.is_empty() || moving.pipe.is_some();
        self.moving.as_deref().is_some_and(holds)
    }

    /// Whether something was sent since the last call.
    pub(super) fn take_sent(&mut self) -> bool {
        std::mem::take(&mut self.sent)
    }

    /// Reads once and sends once; what is not taken is held.
    fn poll_copy<F: Port, T: Port>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut F,
        to: &mut T,
    ) -> Poll<Result<(), Broken>> {
        SHARED.with_borrow_mut(|buffer| {
            let read = ready!(from.poll_receive(cx, buffer)).map_err(|_| Broken::From)?;
            self.octets += read as u64;
            self.finished = read == 0;
            self.bulk = read >= buffer.len() && from.socket().is_some() && to.socket().is_some();
            if self.finished {
                return Poll::Ready(Ok(()));
            }
            let sent = match to.poll_send(cx, &buffer[..read]) {
                Poll::Ready(sent) => sent.map_err(|_| Broken::To)?,
                Poll::Pending => 0,
            };
            if sent < read {
                let rest = Bytes::copy_from_slice(&buffer[sent..read]);
                self.hold(rest);
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Reads what is sent without a copy.
    fn poll_take<T: Port>(
        &mut self,
        cx: &mut Context<'_>,
        from: &TcpStream,
        to: &mut T,
    ) -> Poll<Result<(), Broken>> {
        // Nobody asks for room who may have nothing for it.
        ready!(from.poll_read_ready(cx)).map_err(|_| Broken::From)?;
        // Where there is none, a block is held, so that an end that has come already is passed on.
        let room = to.room(blocks::MOST * blocks::SIZE);
        let count = (room / blocks::SIZE).clamp(1, blocks::MOST);
        let mut moving = self.moving.take().unwrap_or_default();
        let received = blocks::poll_receive(from, cx, count, &mut moving.held);
        if received.is_pending() {
            to.room(0);
        }
        let read = ready!(received).map_err(|_| Broken::From)?;
        self.octets += read as u64;
        self.finished = read == 0;
        self.moving = (read > 0).then_some(moving);
        Poll::Ready(Ok(()))
    }

    /// Sends what is held and gives its memory back.
    fn poll_held<T: Port>(&mut self, cx: &mut Context<'_>, to: &mut T) -> Poll<Result<(), Broken>> {
        let moving = self.moving.as_deref_mut();
        if let Some(Moving { held, .. }) = moving {
            while !held.is_empty() {
                ready!(to.poll_send_held(cx, held)).map_err(|_| Broken::To)?;
                self.sent = true;
            }
        }
        // A record of TLS may still be on its way; nothing more is read until it has left.
        ready!(to.poll_flush(cx)).map_err(|_| Broken::To)?;
        self.moving.take_if(|moving| moving.pipe.is_none());
        Poll::Ready(Ok(()))
    }

    /// Moves what has arrived into a pipe.
    fn poll_fill<F: Port, T: Port>(
        &mut self,
        cx: &mut Context<'_>,
        from: &F,
        to: &T,
    ) -> Poll<Result<(), Broken>> {
        let (Some(from), Some(_)) = (from.socket(), to.socket()) else {
            self.bulk = false;
            return Poll::Ready(Ok(()));
        };
        loop {
            ready!(from.poll_read_ready(cx)).map_err(|_| Broken::From)?;
            let moving = self.moving.get_or_insert_default();
            moving.pipe = moving.pipe.take().or_else(Pipe::take);
            let Some(pipe) = &mut moving.pipe else {
                self.bulk = false;
                return Poll::Ready(Ok(()));
            };
            if let Some(moved) = attempt(from, Interest::READABLE, ANY, || pipe.fill(from)) {
                let moved = moved.map_err(|_| Broken::From)?;
                self.octets += moved as u64;
                self.finished = moved == 0;
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Moves what is in the pipe on.
    fn poll_drain<T: Port>(&mut self, cx: &mut Context<'_>, to: &T) -> Poll<Result<(), Broken>> {
        let moving = self.moving.as_deref_mut();
        let pipe = moving.and_then(|moving| moving.pipe.as_mut());
        let (Some(pipe), Some(to)) = (pipe, to.socket()) else {
            return Poll::Ready(Ok(()));
        };
        while pipe.held() > 0 {
            ready!(to.poll_write_ready(cx)).map_err(|_| Broken::To)?;
            if let Some(moved) = attempt(to, Interest::WRITABLE, ANY, || pipe.drain(to)) {
                moved.map_err(|_| Broken::To)?;
                self.sent = true;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing more to read for now: nothing is held, and the pipe, which is empty, goes back.
    fn rest(&mut self, before: u64) {
        self.moving = None;
        self.bulk = self.bulk && self.octets - before >= LITTLE;
    }
}
