//! What ends a run before its time.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// A way to end a run early, from a signal handler's thread for example.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    inner: Arc<StopInner>,
}

/// What is done when a run is stopped.
type Listener = Box<dyn Fn() + Send>;

#[derive(Default)]
struct StopInner {
    asked: AtomicBool,
    listeners: Mutex<Vec<Listener>>,
}

impl std::fmt::Debug for StopInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl Stop {
    /// Ends the run: no case is begun any more, and those that run are left behind.
    pub fn now(&self) {
        let listeners = self.listeners();
        self.inner.asked.store(true, Ordering::SeqCst);
        listeners.iter().for_each(|listener| listener());
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Does something when the run is stopped, or at once if it was.
    pub(super) fn tell(&self, listener: Listener) {
        let mut listeners = self.listeners();
        if self.is_asked() {
            listener();
        }
        listeners.push(listener);
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.inner
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
