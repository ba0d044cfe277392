//! Processes that a case had for itself, on their way out.
//!
//! A proxy that is told to stop lets its tunnels end first, and the other ends of these are the case's: a case that waited for the
//! proxy would keep it waiting, until the proxy's patience ends. So each is stopped on a thread of its own, while the case goes on;
//! and whoever opened the lab waits for them, when the case is over and with it every tunnel.

use std::{
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
};

/// What is being stopped; all of it has ended once this is dropped.
#[derive(Debug, Default)]
pub(super) struct Stopping {
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Stopping {
    /// Drops it beside the case.
    pub(super) fn takes<T: Send + 'static>(&self, what: T) {
        let thread = std::thread::spawn(move || drop(what));
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(thread);
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        let threads = std::mem::take(&mut self.threads);
        for thread in threads.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // A process that could not be stopped is killed with the guard that it has.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Ends when it is told that the case has ended.
    struct Patient(mpsc::Receiver<()>, mpsc::Sender<&'static str>);

    impl Drop for Patient {
        fn drop(&mut self) {
            self.0.recv().unwrap();
            self.1.send("it has ended").unwrap();
        }
    }

    #[test]
    fn what_waits_for_the_case_to_end_is_waited_for_afterwards() {
        let (ends, ended) = mpsc::channel();
        let (says, said) = mpsc::channel();
        let stopping = Stopping::default();
        stopping.takes(Patient(ended, says));
        // Still here, although it waits for the next line.
        ends.send(()).unwrap();
        drop(stopping);
        assert_eq!(said.try_recv(), Ok("it has ended"));
    }
}
