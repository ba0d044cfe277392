//! Whose turn it is to read for a connection.
//!
//! Whoever drives a connection comes behind all streams that have something for it, and what they read waits for him. So a stream
//! that finds enough waiting lets the connection go first, and the next one has its turn when everything has left: octets are
//! still in the cache when they leave, and a client that takes nothing makes all of its streams together hold little.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// When so many octets wait for the connection, it has its turn. What a stream reads at once may exceed it.
const GIVEN_MOST: usize = 512 << 10;

/// The turns on one connection.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Octets that streams have given to the connection since it last had sent everything.
    given: usize,
    /// Streams that have something to read, in the order in which they get their turn. One that is woken passes the turn on when
    /// it does not use it up.
    waiting: VecDeque<(u32, Waker)>,
}

impl Turns {
    /// Waits for the turn of a stream.
    pub(super) fn poll(&self, cx: &Context<'_>, stream: u32) -> Poll<()> {
        let mut state = self.state();
        if state.given < GIVEN_MOST {
            return Poll::Ready(());
        }
        let waker = cx.waker();
        match state.waiting.iter_mut().find(|(own, _)| *own == stream) {
            Some((_, own)) => own.clone_from(waker),
            None => state.waiting.push_back((stream, waker.clone())),
        }
        Poll::Pending
    }

    /// So many octets are about to be given to the connection. It has to be told before, since they may leave at once.
    pub(super) fn give(&self, octets: usize) {
        self.state().given += octets;
    }

    /// They were not taken.
    pub(super) fn take_back(&self, octets: usize) {
        let mut state = self.state();
        state.given = state.given.saturating_sub(octets);
        pass(state);
    }

    /// The connection has sent everything.
    pub(super) fn all_sent(&self) {
        let mut state = self.state();
        state.given = 0;
        pass(state);
    }

    /// Somebody has had his turn, or has no use for it.
    pub(super) fn pass(&self) {
        pass(self.state());
    }

    /// A stream is gone.
    pub(super) fn leave(&self, stream: u32) {
        let mut state = self.state();
        state.waiting.retain(|(own, _)| *own != stream);
        pass(state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the next one the turn, if there is anything left of it.
fn pass(mut state: MutexGuard<'_, State>) {
    if state.given >= GIVEN_MOST {
        return;
    }
    let next = state.waiting.pop_front();
    if state.waiting.is_empty() {
        // A connection without traffic owns no buffer.
        state.waiting = VecDeque::new();
    }
    drop(state);
    if let Some((_, waker)) = next {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    /// How often a stream was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A connection with so many streams, which have all found that enough waits already, in their order.
    struct Crowded {
        turns: Turns,
        woken: Vec<Arc<Woken>>,
    }

    impl Crowded {
        fn with(streams: usize) -> Self {
            let turns = Turns::default();
            turns.give(GIVEN_MOST);
            let woken = (0..streams).map(|_| Arc::default()).collect();
            let crowded = Self { turns, woken };
            for at in 0..streams {
                assert!(crowded.poll(at).is_pending());
            }
            crowded
        }

        fn poll(&self, stream: usize) -> Poll<()> {
            let waker = Arc::clone(&self.woken[stream]).into();
            self.turns.poll(&Context::from_waker(&waker), stream as u32)
        }

        fn woken(&self) -> Vec<usize> {
            let count = |woken: &Arc<Woken>| woken.0.load(Ordering::Relaxed);
            self.woken.iter().map(count).collect()
        }
    }

    #[test]
    fn streams_have_their_turns_one_after_the_other() {
        let crowded = Crowded::with(3);
        crowded.turns.pass();
        assert_eq!(crowded.woken(), [0, 0, 0]);
        for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1]] {
            crowded.turns.all_sent();
            assert_eq!(crowded.woken(), expected);
            crowded.turns.give(GIVEN_MOST);
            crowded.turns.pass();
        }
        assert_eq!(crowded.woken(), [1, 1, 1]);
        // A connection without traffic owns no buffer.
        assert_eq!(crowded.turns.state().waiting.capacity(), 0);
    }

    #[test]
    fn who_does_not_use_his_turn_up_passes_it_on() {
        let crowded = Crowded::with(3);
        crowded.turns.all_sent();
        assert!(crowded.poll(0).is_ready());
        crowded.turns.give(GIVEN_MOST - 1);
        crowded.turns.pass();
        assert_eq!(crowded.woken(), [1, 1, 0]);
        // What it wanted to give was not taken.
        crowded.turns.give(1);
        crowded.turns.take_back(1);
        assert_eq!(crowded.woken(), [1, 1, 1]);
    }

    #[test]
    fn no_turn_ends_with_the_stream_that_has_it() {
        let crowded = Crowded::with(3);
        // One that was asked twice waits once.
        assert!(crowded.poll(1).is_pending());
        // One goes before it has a turn, and one that has it.
        crowded.turns.leave(1);
        crowded.turns.all_sent();
        crowded.turns.leave(0);
        assert_eq!(crowded.woken(), [1, 0, 1]);
    }
}
