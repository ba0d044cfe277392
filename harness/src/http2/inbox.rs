//! The direction of a stream in which DATA comes, and what may still come.

use std::collections::VecDeque;

/// What came as DATA, and was not read yet. The window limits how much that is.
#[derive(Debug)]
pub(super) struct Inbox {
    octets: VecDeque<u8>,
    /// What the proxy may still send.
    pub(super) may_receive: i64,
    /// What was read, or thrown away, and not given back.
    uncredited: u32,
    /// All that has come, without padding.
    pub(super) received: u64,
    /// What that has taken of the window: padding, too.
    pub(super) used: u64,
    /// The largest payload of one frame.
    pub(super) largest: usize,
}

impl Inbox {
    /// Nothing has come, and so much may.
    pub(super) fn new(window: i64) -> Self {
        Self {
            octets: VecDeque::new(),
            may_receive: window,
            uncredited: 0,
            received: 0,
            used: 0,
            largest: 0,
        }
    }

    /// Takes in the octets of a frame, which had so much padding beside them.
    pub(super) fn push(&mut self, octets: &[u8], padding: usize) {
        self.octets.extend(octets);
        self.received += octets.len() as u64;
        self.used += (octets.len() + padding) as u64;
        self.largest = self.largest.max(octets.len() + padding);
        self.uncredited += u32::try_from(padding).unwrap_or(u32::MAX);
    }

    /// Whether there is nothing to be read.
    pub(super) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Fills the front of `buffer`: how much that is.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let taken = self.octets.len().min(buffer.len());
        for (place, octet) in buffer.iter_mut().zip(self.octets.drain(..taken)) {
            *place = octet;
        }
        self.uncredited += u32::try_from(taken).unwrap_or(u32::MAX);
        taken
    }

    /// What is to be given back, once it is worth a frame.
    pub(super) fn credit(&mut self, at_least: u32) -> Option<u32> {
        (self.uncredited >= at_least).then(|| std::mem::take(&mut self.uncredited))
    }

    /// Throws away what was not read: how much that was.
    pub(super) fn forget(&mut self) -> u32 {
        let unread = self.octets.len();
        self.octets.clear();
        u32::try_from(unread).unwrap_or(u32::MAX)
    }
}
