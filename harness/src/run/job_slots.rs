//! Job slots: as many cases at the same time as there are, and as many files as those may have open.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::{case::Case, stop::Stop, subject::process::files_to_be_had};

/// What is open beside the cases: the ports of the run, the subject's output, set-ups that begin.
const FILES_BESIDE: u64 = 256;

/// What most cases have open at the same time, and what those that say of themselves that it is much.
const FILES_OF_A_CASE: usize = 16;
const FILES_OF_A_CROWD: usize = 320;

/// What cases may have open, all of them together.
pub(super) fn files_for_cases() -> usize {
    let files = files_to_be_had().saturating_sub(FILES_BESIDE);
    usize::try_from(files).unwrap_or(usize::MAX).max(1)
}

/// What one has open.
pub(super) const fn files_of(case: &Case) -> usize {
    match case.is_a_crowd {
        true => FILES_OF_A_CROWD,
        false => FILES_OF_A_CASE,
    }
}

/// Of what cases need while they run, as much as there is.
#[derive(Debug)]
pub(crate) struct JobSlots {
    all: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

/// Taken until it is dropped.
#[derive(Debug)]
pub(crate) struct JobSlot {
    slots: Arc<JobSlots>,
    many: usize,
}

impl JobSlots {
    pub(super) const fn new(all: usize) -> Self {
        Self {
            all,
            free: Mutex::new(all),
            freed: Condvar::new(),
        }
    }

    /// Waits for so many of them, or for all where there are fewer; none is given any more once the run is stopped.
    pub(super) fn take(self: &Arc<Self>, many: usize, stop: &Stop) -> Option<JobSlot> {
        let many = many.min(self.all);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free < many && !stop.is_asked())
            .unwrap_or_else(PoisonError::into_inner);
        if stop.is_asked() {
            return None;
        }
        *free -= many;
        Some(JobSlot {
            slots: Arc::clone(self),
            many,
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
            .unwrap_or_else(PoisonError::into_inner) += self.many;
        self.slots.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn who_needs_much_waits_until_there_is_enough_and_takes_no_more_than_all() {
        let (slots, stop) = (Arc::new(JobSlots::new(4)), Stop::default());
        let [one, two] = [1, 2].map(|many| slots.take(many, &stop).unwrap());
        let (says, said) = mpsc::channel();
        let waits = std::thread::spawn({
            let slots = Arc::clone(&slots);
            move || {
                let all = slots.take(9, &stop).unwrap();
                says.send(all.many).unwrap();
                all
            }
        });
        drop(one);
        // Two are free now, and it takes all four.
        assert_eq!(said.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(two);
        assert_eq!(said.recv(), Ok(4));
        let all = waits.join().unwrap();
        assert_eq!(*slots.free.lock().unwrap(), 0);
        drop(all);
        assert_eq!(*slots.free.lock().unwrap(), 4);
    }
}
