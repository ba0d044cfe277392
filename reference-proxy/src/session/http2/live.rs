//! Which streams of a connection have a task, and how long one without any may stay.

use super::GLANCES;
use crate::config::Http2;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The streams of one connection that have a task.
#[derive(Debug, Default)]
pub(super) struct Live {
    count: AtomicUsize,
    /// Those that were reset before they were answered, since the last one that was not.
    given_up: AtomicUsize,
    /// When the last one ended, if one has.
    ended: Mutex<Option<Instant>>,
    began: Began,
}

/// When the connection began.
#[derive(Debug)]
struct Began(Instant);

impl Default for Began {
    fn default() -> Self {
        Self(Instant::now())
    }
}

/// One of them.
pub(super) struct One(Arc<Live>);

impl Live {
    pub(super) fn one_more(self: &Arc<Self>) -> One {
        self.count.fetch_add(1, Ordering::Relaxed);
        One(Arc::clone(self))
    }

    pub(super) fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Relaxed)
    }

    /// How long the connection may stay if nothing happens. Streams without a task have been answered, and wait for the client to
    /// read.
    pub(super) fn stays_until(&self, http2: &Http2, has_streams: bool) -> Instant {
        if self.count.load(Ordering::Relaxed) > 0 {
            return Instant::now() + http2.spare_time.max(GLANCES[0]);
        }
        let ended = *self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match ended {
            None => self.began.0 + http2.first_time,
            Some(ended) if has_streams => ended + http2.idle_time,
            Some(ended) => ended + http2.spare_time,
        }
    }
}

impl One {
    /// Notes whether a client has waited for the answer.
    pub(super) fn note(&self, waited: bool) {
        match waited {
            true => self.0.given_up.store(0, Ordering::Relaxed),
            false => _ = self.0.given_up.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}
