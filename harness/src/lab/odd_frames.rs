//! Frames of HTTP/2 that are none, over all cases of a run.

use crate::lab::{Lab, lab::lock};

/// What is kept of a run: one reason is enough to look into it.
const KEPT: usize = 64;

impl Lab {
    /// What was wrong with frames of HTTP/2 that the proxy sent, in any case that has ended and over what this one is asked over,
    /// each with the case; and in this one so far.
    #[must_use]
    pub fn odd_frames(&self) -> Vec<String> {
        let here = self.transcript.odd_frames();
        let own = self.running.listener;
        let earlier = lock(&self.world.odd_frames);
        let elsewhere = earlier.iter().filter(|(listener, _)| *listener == own);
        let elsewhere = elsewhere.map(|(_, odd)| odd.clone());
        elsewhere.chain(here).collect()
    }

    /// Keeps what was wrong with frames of the proxy in this case, which has that id.
    pub(crate) fn keep_odd_frames(&self, id: &str) {
        let mut kept = lock(&self.world.odd_frames);
        for odd in self.transcript.odd_frames() {
            if kept.len() < KEPT {
                kept.push((self.running.listener, format!("{odd} ({id})")));
            }
        }
    }
}
