//! What each side may send: windows that were announced, granted, and given back.

use crate::http2::{Frame, State, frame::setting, session::CREDIT};

impl State {
    /// Sends SETTINGS; a smaller window counts once they are acknowledged, a larger one at once.
    pub fn announce(&mut self, values: &[(u16, u32)]) {
        let window = values
            .iter()
            .find(|(name, _)| *name == setting::INITIAL_WINDOW_SIZE);
        let mut later = window.map(|(_, value)| i64::from(*value));
        if let Some(larger) = later.filter(|window| *window > self.initial_in) {
            self.resize(larger);
            later = None;
        }
        self.announced.push(later);
        self.unacknowledged += 1;
        self.send(&Frame::settings(values));
    }

    pub(super) fn resize(&mut self, window: i64) {
        let more = window - self.initial_in;
        self.initial_in = window;
        for stream in self.streams.values_mut() {
            stream.inbox.may_receive += more;
        }
    }

    /// Allows the proxy to send so much more on a stream; on stream 0, on all together.
    pub fn grant(&mut self, id: u32, more: u32) {
        match self.streams.get_mut(&id) {
            Some(stream) => stream.inbox.may_receive += i64::from(more),
            None if id == 0 => self.may_receive += i64::from(more),
            None => {}
        }
        self.send(&Frame::window_update(id, more));
    }

    /// Gives back the window of the connection for so much, once it is worth a frame.
    pub(super) fn credit(&mut self, octets: u32) {
        self.uncredited += octets;
        if self.manners.credits && self.uncredited >= CREDIT {
            let more = std::mem::take(&mut self.uncredited);
            self.grant(0, more);
        }
    }
}
