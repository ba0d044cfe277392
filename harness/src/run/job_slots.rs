//! Job slots: as many cases at the same time as there are.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::stop::Stop;

/// As many cases at the same time as there are slots.
#[derive(Debug)]
pub(crate) struct JobSlots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// Taken until it is dropped.
#[derive(Debug)]
pub(crate) struct JobSlot {
    slots: Arc<JobSlots>,
}

impl JobSlots {
    pub(super) const fn new(free: usize) -> Self {
        Self {
            free: Mutex::new(free),
            freed: Condvar::new(),
        }
    }

    /// Waits for a slot; none is given any more once the run is stopped.
    pub(super) fn take(self: &Arc<Self>, stop: &Stop) -> Option<JobSlot> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0 && !stop.is_asked())
            .unwrap_or_else(PoisonError::into_inner);
        if stop.is_asked() {
            return None;
        }
        *free -= 1;
        Some(JobSlot {
            slots: Arc::clone(self),
        })
    }

    /// Wakes whoever waits, to see that the run is stopped.
    pub(super) fn wake(&self) {
        let _free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        self.freed.notify_all();
    }
}

impl Drop for JobSlot {
    fn drop(&mut self) {
        *self
            .slots
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
        self.slots.freed.notify_one();
    }
}
