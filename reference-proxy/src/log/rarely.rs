//! What happens a thousand times a second and is said once a minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing is said after it was said.
const PAUSE: Duration = Duration::from_secs(60);

/// When something was said last, and how often it has happened since.
#[derive(Debug, Default)]
pub struct Rarely {
    state: Mutex<(Option<Instant>, u64)>,
}

impl Rarely {
    /// It happens again; says how often it has since it was said last, if it is to be said now.
    pub fn again(&self) -> Option<u64> {
        self.again_at(Instant::now())
    }

    fn again_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (said, times) = &mut *state;
        *times += 1;
        let due = said.is_none_or(|said| now.saturating_duration_since(said) >= PAUSE);
        due.then(|| {
            *said = Some(now);
            std::mem::take(times)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_is_said_at_once_and_the_others_are_counted() {
        let (rarely, start) = (Rarely::default(), Instant::now());
        assert_eq!(rarely.again_at(start), Some(1));
        assert_eq!(rarely.again_at(start), None);
        assert_eq!(rarely.again_at(start + PAUSE / 2), None);
        assert_eq!(rarely.again_at(start + PAUSE), Some(3));
    }
}
