//! One direction of a tunnel.

use super::Port;
use std::cell::RefCell;
use std::task::{Context, Poll, ready};

/// The buffer that all tunnels of a thread share. Large enough that a copy costs little beside its system
/// calls, small enough for the second-level cache.
const BUFFER: usize = 64 << 10;
/// Octets that one direction moves before others get their turn.
const TURN: usize = 1 << 20;

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// The state of one direction: next to nothing while it is idle.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// What was read and not yet sent.
    held: Vec<u8>,
    /// How much of `held` is sent.
    held_sent: usize,
    /// The sender has ended.
    finished: bool,
    /// The end was passed on.
    ended: bool,
    /// Something was sent since the last question.
    sent: bool,
    /// Octets read so far.
    pub(super) octets: u64,
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
        Self {
            held,
            ..Self::default()
        }
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
        let mut left = TURN;
        loop {
            ready!(self.poll_held(cx, to))?;
            if self.finished {
                ready!(to.poll_finish(cx)).map_err(|_| Broken::To)?;
                self.ended = true;
                return Poll::Ready(Ok(()));
            }
            if left == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let moved = SHARED.with_borrow_mut(|buffer| self.poll_copy(cx, from, to, buffer));
            left = left.saturating_sub(ready!(moved)?);
        }
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
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Broken>> {
        let read = ready!(from.poll_receive(cx, buffer)).map_err(|_| Broken::From)?;
        if read == 0 {
            self.finished = true;
            return Poll::Ready(Ok(0));
        }
        self.octets += read as u64;
        let sent = match to.poll_send(cx, &buffer[..read]) {
            Poll::Ready(sent) => sent.map_err(|_| Broken::To)?,
            Poll::Pending => 0,
        };
        if sent < read {
            self.held = buffer[sent..read].to_vec();
            self.held_sent = 0;
        }
        Poll::Ready(Ok(read))
    }

    /// Sends what is held and gives its memory back.
    fn poll_held<T: Port>(&mut self, cx: &mut Context<'_>, to: &mut T) -> Poll<Result<(), Broken>> {
        while self.held_sent < self.held.len() {
            let sent =
                ready!(to.poll_send(cx, &self.held[self.held_sent..])).map_err(|_| Broken::To)?;
            self.held_sent += sent;
            self.sent = true;
        }
        if self.held.capacity() > 0 {
            self.held = Vec::new();
            self.held_sent = 0;
        }
        Poll::Ready(Ok(()))
    }
}
