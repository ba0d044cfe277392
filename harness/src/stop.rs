//! What ends a run before its time: asked once, from anywhere, and heard wherever something is waited for.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

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
    /// For threads that wait.
    waking: Condvar,
    /// For tasks that wait.
    notified: Notify,
}

impl std::fmt::Debug for StopInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl Stop {
    /// Ends the run: no case is begun any more, those that run are left behind, and nothing is waited for.
    pub fn now(&self) {
        let listeners = self.listeners();
        self.inner.asked.store(true, Ordering::SeqCst);
        self.inner.waking.notify_all();
        self.inner.notified.notify_waiters();
        listeners.iter().for_each(|listener| listener());
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Waits for as long as that, or until somebody asks; whether somebody has. Blocks.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let asleep = |_: &mut Vec<Listener>| !self.is_asked();
        let woken = self
            .inner
            .waking
            .wait_timeout_while(self.listeners(), patience, asleep);
        drop(woken);
        self.is_asked()
    }

    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) {
        // Made before the look, so that no call between the two is missed.
        let notified = self.inner.notified.notified();
        if !self.is_asked() {
            notified.await;
        }
    }

    /// Does something when the run is stopped, or at once if it was.
    pub(crate) fn tell(&self, listener: Listener) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_hears_of_it() {
        let stop = Stop::default();
        assert!(!stop.wait(Duration::ZERO));
        let (thread, task) = (stop.clone(), stop.clone());
        let thread = std::thread::spawn(move || thread.wait(Duration::from_secs(3600)));
        let task = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(task.asked());
        });
        stop.now();
        assert!(thread.join().unwrap());
        task.join().unwrap();
        assert!(stop.wait(Duration::from_secs(3600)), "also who comes later");
    }
}
