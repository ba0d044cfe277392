//! Frames of HTTP/2 that are none: what is wrong with them is kept for the case that asks for it.

use crate::wire::Transcript;

/// Reasons that are kept of one case: behind the first, nothing on its connection is understood.
const KEPT: usize = 8;

impl Transcript {
    /// Notes that the proxy has sent a frame that HTTP/2 does not allow, and why it does not.
    pub(crate) fn odd_frame(&self, why: &str) {
        let odd = &mut self.lock().odd_frames;
        if odd.len() < KEPT {
            odd.push(why.to_owned());
        }
    }

    /// Why frames of the proxy were none.
    pub(crate) fn odd_frames(&self) -> Vec<String> {
        self.lock().odd_frames.clone()
    }
}
