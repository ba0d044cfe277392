//! The connections that are being served: how many there may be, and that each ends before the process does.

use crate::log::Sinks;
use slab::Slab;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// How many are ended at once: so few that the logs take their lines, each of which may be long.
const ENDED_AT_ONCE: usize = 128;
/// How long a connection may take to end when it is told to; it only has to notice.
const END_LONGEST: Duration = Duration::from_secs(5);

/// What is being served.
#[derive(Debug)]
pub(super) struct Sessions {
    most: usize,
    places: Arc<Semaphore>,
    running: Mutex<Slab<AbortHandle>>,
}

/// The right to serve one connection more.
pub(super) type Place = OwnedSemaphorePermit;

/// One connection on the list; it is off the list when this is dropped.
pub(super) struct Seat {
    key: usize,
    sessions: Arc<Sessions>,
    _place: Place,
}

impl Sessions {
    /// For at most so many connections.
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        Self {
            most,
            places: Arc::new(Semaphore::new(most)),
            running: Mutex::default(),
        }
    }

    /// Waits for a place; `full` is called when there is none at once.
    pub(super) async fn place(&self, full: impl FnOnce()) -> Option<Place> {
        let places = Arc::clone(&self.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Some(place);
        }
        full();
        places.acquire_owned().await.ok()
    }

    /// Serves a connection by running what `session` makes of its seat, which it keeps to its end.
    pub(super) fn spawn<S>(self: &Arc<Self>, place: Place, session: impl FnOnce(Seat) -> S)
    where
        S: Future<Output = ()> + Send + 'static,
    {
        // Held until the entry is there, so that a session which ends at once finds it.
        let mut running = self.running();
        let entry = running.vacant_entry();
        let seat = Seat {
            key: entry.key(),
            sessions: Arc::clone(self),
            _place: place,
        };
        let task = tokio::spawn(session(seat));
        entry.insert(task.abort_handle());
    }

    /// Waits until nobody is served any more.
    pub(super) async fn ended(&self) {
        self.at_most(0).await;
    }

    /// Ends everything that still runs and waits until it has ended, so that each has handed over its access
    /// line. Octets that were on their way are lost, and both sides get a reset.
    pub(super) async fn end(&self, logs: &Sinks) {
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

impl Drop for Seat {
    fn drop(&mut self) {
        self.sessions.running().try_remove(self.key);
    }
}
