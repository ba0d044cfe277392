//! The connections and streams that are being served: how many there may be, and that each ends before the process does.

use crate::log::Sinks;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// How many are ended at once: so few that the logs take their lines, each of which may be long.
const ENDED_AT_ONCE: usize = 128;
/// How long a connection may take to end when it is told to; it only has to notice.
const END_LONGEST: Duration = Duration::from_secs(5);

/// Said when somebody has to wait for a place, or gets none.
pub const FULL: &str = "AH00484: server reached MaxRequestWorkers setting, or what the limit of open files allows; the next \
                        client waits until another one goes";

/// What is being served.
#[derive(Debug)]
pub struct Sessions {
    most: usize,
    places: Semaphore,
    files: Semaphore,
    running: Mutex<Slab<AbortHandle>>,
    /// Whether nothing new is to begin.
    leaving: watch::Sender<bool>,
}

/// What one more of them takes, in open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A connection, with one for the client and one for its way on.
    Connection = 2,
    /// A stream, with its way on; the connection has the other.
    Stream = 1,
}

/// The right to serve one connection or stream more.
#[derive(Debug)]
pub struct Place {
    kind: Kind,
    sessions: Arc<Sessions>,
}

/// One connection or stream on the list; it is off the list when this is dropped.
#[derive(Debug)]
pub struct Seat {
    key: usize,
    place: Place,
}

impl Sessions {
    /// For at most so many at once, if that is configured, and with so many open files.
    #[must_use]
    pub fn new(most: Option<usize>, files: usize) -> Self {
        let files = files.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let most = most.unwrap_or(files).min(files);
        Self {
            most,
            places: Semaphore::new(most),
            files: Semaphore::new(files),
            running: Mutex::default(),
            leaving: watch::Sender::new(false),
        }
    }

    /// Waits for a place for a connection; `full` is called when there is none at once.
    pub async fn place(self: &Arc<Self>, full: impl FnOnce()) -> Option<Place> {
        let kind = Kind::Connection;
        if let Some(place) = self.free_place(kind) {
            return Some(place);
        }
        full();
        let place = self.places.acquire().await.ok()?;
        let files = self.files.acquire_many(kind as u32).await.ok()?;
        Some(self.taken(kind, [place, files]))
    }

    /// A place, if there is one at once.
    #[must_use]
    pub fn free_place(self: &Arc<Self>, kind: Kind) -> Option<Place> {
        let place = self.places.try_acquire().ok()?;
        let files = self.files.try_acquire_many(kind as u32).ok()?;
        Some(self.taken(kind, [place, files]))
    }

    /// What the end of the place gives back. A standing tunnel keeps it, so that it is small.
    fn taken(self: &Arc<Self>, kind: Kind, permits: [SemaphorePermit<'_>; 2]) -> Place {
        permits.into_iter().for_each(SemaphorePermit::forget);
        let sessions = Arc::clone(self);
        Place { kind, sessions }
    }

    /// Tells those that could begin something new that they shall not.
    pub fn leave(&self) {
        self.leaving.send_replace(true);
    }

    /// Changes when nothing new is to begin.
    pub fn leaving(&self) -> watch::Receiver<bool> {
        self.leaving.subscribe()
    }

    /// Serves a connection or a stream by running what `session` makes of its seat, which it keeps to its end.
    pub fn spawn<S>(self: &Arc<Self>, place: Place, session: impl FnOnce(Seat) -> S)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        // Held until the entry is there, so that a session which ends at once finds it.
        let mut running = self.running();
        let entry = running.vacant_entry();
        let seat = Seat {
            key: entry.key(),
            place,
        };
        let task = tokio::spawn(session(seat));
        entry.insert(task.abort_handle());
    }

    /// Waits until nobody is served any more.
    pub async fn ended(&self) {
        self.at_most(0).await;
    }

    /// Ends everything that still runs and waits until it has ended, so that each has handed over its access
    /// line. Octets that were on their way are lost, and both sides get a reset.
    pub async fn end(&self, logs: &Sinks) {
        let mut logs_move = true;
        loop {
            let (batch, left) = {
                let running = self.running();
                let batch = running.iter().take(ENDED_AT_ONCE);
                let batch: Vec<_> = batch.map(|(_, session)| session.clone()).collect();
                let left = running.len() - batch.len();
                (batch, left)
            };
            if batch.is_empty() {
                return;
            }
            batch.iter().for_each(AbortHandle::abort);
            if timeout(END_LONGEST, self.at_most(left)).await.is_err() {
                return;
            }
            logs_move = logs_move && logs.keep_up();
        }
    }

    /// Waits until at most so many are served.
    async fn at_most(&self, count: usize) {
        let free = u32::try_from(self.most.saturating_sub(count)).unwrap_or(u32::MAX);
        // It is never closed; the places go back at once.
        let _ = self.places.acquire_many(free).await;
    }

    fn running(&self) -> MutexGuard<'_, Slab<AbortHandle>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sessions.files.add_permits(self.kind as usize);
        self.sessions.places.add_permits(1);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.place.sessions.running().try_remove(self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_takes_half_of_what_a_connection_takes() {
        let sessions = Arc::new(Sessions::new(None, 5));
        let free = |kind| sessions.free_place(kind);
        let connections = [
            free(Kind::Connection).unwrap(),
            free(Kind::Connection).unwrap(),
        ];
        assert!(free(Kind::Connection).is_none());
        let stream = free(Kind::Stream).unwrap();
        assert!(free(Kind::Stream).is_none());
        drop(connections);
        let streams: Vec<_> = std::iter::from_fn(|| free(Kind::Stream)).collect();
        assert_eq!(streams.len(), 4);
        drop((streams, stream));
        // What is configured counts both alike.
        let sessions = Arc::new(Sessions::new(Some(2), 100));
        let _two = [
            sessions.free_place(Kind::Stream),
            sessions.free_place(Kind::Connection),
        ];
        assert!(sessions.free_place(Kind::Stream).is_none());
    }
}
