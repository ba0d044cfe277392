//! What the other side sends, before the crate below sees it: frames as they are, but for field blocks, which are read here.
//!
//! The crate ends a whole connection over a field that is malformed in a way that its types cannot hold. What it gets instead is a
//! block that is always well-formed, with what was said packed into one field (`letter`): so one malformed request costs
//! one stream, and is judged, answered and logged as over HTTP/1.1. DATA passes without being copied.
//!
//! What is wrong with a connection as a whole and would show in no frame any more, as a broken compression, is noted in
//! [`Oversight`], and the connection ends with a GOAWAY that says so.

mod block;
#[cfg(test)]
mod tests;

use super::turns::Turns;
use crate::hpack::Decoder;
use block::{Block, Opening, Said};
use bytes::{Buf, BytesMut};
use h2::Reason;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The octets before the first frame.
const PREFACE: usize = 24;
/// The head of a frame.
const HEAD: usize = 9;
/// The largest frame, since no other was allowed.
const FRAME_LARGEST: usize = 16_384;
/// The longest field block. The section in it may not be longer than half of it.
const BLOCK_LONGEST: usize = 128 << 10;
/// Streams that were ended by their client, and are not forgotten yet: as many as any configuration is likely to have at once.
const ENDED_MOST: usize = 10_000;
/// The most frames of one block, so that empty ones come to an end.
const PIECES_MOST: usize = 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// What the connection as a whole is to know.
#[derive(Debug, Default)]
pub struct Oversight {
    violation: Mutex<Option<Reason>>,
    block_began: Mutex<Option<Instant>>,
    /// Streams that the other side has ended, to the last octet: when the connection is lost, the crate below forgets that.
    ended: Mutex<BTreeSet<u32>>,
    /// Whose turn it is to read for it.
    pub(super) turns: Turns,
}

/// The octets of one direction of a connection, sorted.
#[derive(Debug)]
pub struct Screen {
    /// Octets that pass as they are, and have not arrived.
    passing: usize,
    /// The stream that ends with them.
    ending: Option<u32>,
    /// Octets behind them, the beginning of a frame.
    held: Vec<u8>,
    /// What is ready, in place of what was held.
    ready: BytesMut,
    block: Option<Block>,
    decoder: Decoder,
    /// What a block means.
    opening: Opening,
    oversight: Arc<Oversight>,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Oversight {
    /// Why the connection has to end, if it has to.
    #[must_use]
    pub fn violation(&self) -> Option<Reason> {
        *self
            .violation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when a field block is under way.
    #[must_use]
    pub fn block_began(&self) -> Option<Instant> {
        *self
            .block_began
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the other side has ended a stream, and everything before that has arrived.
    #[must_use]
    pub fn has_ended(&self, stream: u32) -> bool {
        self.ended().contains(&stream)
    }

    /// Nobody asks about a stream any more.
    pub fn forget(&self, stream: u32) {
        self.ended().remove(&stream);
    }

    fn note_end(&self, stream: u32) {
        let mut ended = self.ended();
        ended.insert(stream);
        // Of those that were refused nobody asks.
        if ended.len() > ENDED_MOST {
            ended.pop_first();
        }
    }

    fn ended(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_violation(&self, reason: Reason) {
        *self
            .violation
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    fn note_block(&self, began: Option<Instant>) {
        *self
            .block_began
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = began;
    }
}

impl Screen {
    /// Of what a client sends, from its preface on.
    #[must_use]
    pub fn new(oversight: Arc<Oversight>) -> Self {
        Self::reading(Opening::Requests { last: 0 }, PREFACE, oversight)
    }

    /// Of what a server sends to whoever has one stream on a connection.
    #[must_use]
    pub fn of_answers(oversight: Arc<Oversight>) -> Self {
        Self::reading(Opening::Answers { interim: 0 }, 0, oversight)
    }

    fn reading(opening: Opening, passing: usize, oversight: Arc<Oversight>) -> Self {
        Self {
            passing,
            ending: None,
            held: Vec::new(),
            ready: BytesMut::new(),
            block: None,
            decoder: Decoder::default(),
            opening,
            oversight,
        }
    }

    /// Sorts what has arrived: so many octets of it pass as they are, and behind them goes what is [`Self::ready`]. That has to be
    /// taken before anything more is sorted.
    pub fn sort(&mut self, arrived: &[u8]) -> usize {
        let mut at = 0;
        if self.held.is_empty() {
            loop {
                let passes = self.passing.min(arrived.len() - at);
                self.pass(passes);
                at += passes;
                match Head::read(&arrived[at..]) {
                    Some(head) if self.passes(head) => self.begin(head),
                    _ => break,
                }
            }
        }
        if at < arrived.len() {
            self.held.extend_from_slice(&arrived[at..]);
            if let Err(reason) = self.sort_held() {
                self.oversight.note_violation(reason);
            }
        }
        at
    }

    /// Octets for the crate below, in place of those that were held.
    pub fn ready(&mut self, most: usize) -> Option<BytesMut> {
        let length = self.ready.len().min(most);
        let ready = (length > 0).then(|| self.ready.split_to(length));
        if self.ready.is_empty() {
            self.ready = BytesMut::new();
        }
        ready
    }

    /// Whether nothing that arrives means anything any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.oversight.violation().is_some()
    }

    fn sort_held(&mut self) -> Result<(), Reason> {
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        while let Some(head) = Head::read(&held[at..]) {
            let rest = &held[at..];
            let whole = HEAD + head.length;
            if self.passes(head) {
                let there = whole.min(rest.len());
                self.ready.extend_from_slice(&rest[..there]);
                self.begin(head);
                self.pass(there);
                at += there;
                continue;
            }
            if head.length > FRAME_LARGEST {
                return Err(Reason::FRAME_SIZE_ERROR);
            }
            if rest.len() < whole {
                break;
            }
            if head.is_nothing() && self.block.is_none() {
                at += whole;
                continue;
            }
            self.piece(head, &rest[HEAD..whole])?;
            at += whole;
        }
        // Most often nothing is left, and then it takes no memory.
        if at < held.len() {
            held.drain(..at);
            self.held = held;
        }
        Ok(())
    }

    /// From here on a frame passes.
    const fn begin(&mut self, head: Head) {
        self.passing = HEAD + head.length;
        if head.kind == DATA && head.flags & END_STREAM != 0 {
            self.ending = Some(head.stream);
        }
    }

    /// So many octets of it have passed.
    fn pass(&mut self, octets: usize) {
        self.passing -= octets;
        if self.passing == 0
            && let Some(stream) = self.ending.take()
        {
            self.oversight.note_end(stream);
        }
    }

    /// Whether a frame is none of a field block, and stands in none, and means something.
    const fn passes(&self, head: Head) -> bool {
        let read_here = matches!(head.kind, HEADERS | CONTINUATION) || head.is_nothing();
        !read_here && self.block.is_none()
    }

    /// One frame of a field block.
    fn piece(&mut self, head: Head, payload: &[u8]) -> Result<(), Reason> {
        let mut block = match (self.block.take(), head.kind) {
            (None, HEADERS) => {
                self.oversight.note_block(Some(Instant::now()));
                Block {
                    stream: head.stream,
                    ends_stream: head.flags & END_STREAM != 0,
                    octets: head.fragment(payload)?.to_vec(),
                    pieces: 0,
                }
            }
            (Some(mut block), CONTINUATION) if block.stream == head.stream => {
                block.octets.extend_from_slice(payload);
                block.pieces += 1;
                block
            }
            // RFC 9113, section 6.10: nothing else may stand there.
            _ => return Err(Reason::PROTOCOL_ERROR),
        };
        if block.octets.len() > BLOCK_LONGEST || block.pieces > PIECES_MOST {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        if head.flags & END_HEADERS == 0 {
            self.block = Some(block);
            return Ok(());
        }
        self.oversight.note_block(None);
        let mut said = Said::default();
        let octets = std::mem::take(&mut block.octets);
        self.decoder
            .decode(&octets, |name, value| said.push(name, value))
            .map_err(|_| Reason::COMPRESSION_ERROR)?;
        let (octets, opens) = self.opening.rewrite(&block, said)?;
        if block.ends_stream && opens {
            self.oversight.note_end(block.stream);
        }
        block.write(&octets, &mut self.ready);
        Ok(())
    }
}

impl Head {
    /// The head that `octets` begin with; `None`: it is not yet complete.
    fn read(octets: &[u8]) -> Option<Self> {
        let mut octets = octets.get(..HEAD)?;
        let length = octets.get_uint(3) as usize;
        let (kind, flags) = (octets.get_u8(), octets.get_u8());
        Some(Self {
            length,
            kind,
            flags,
            // The first bit means nothing.
            stream: octets.get_u32() & (u32::MAX >> 1),
        })
    }

    /// DATA without an octet, a padding or an end: it has no effect (RFC 9113, section 6.1), and the crate below counts to a hundred of
    /// them in the life of a connection.
    const fn is_nothing(self) -> bool {
        self.kind == DATA && self.length == 0 && self.flags & END_STREAM == 0 && self.stream != 0
    }

    /// The field block in a HEADERS frame, without padding and priority.
    fn fragment(self, payload: &[u8]) -> Result<&[u8], Reason> {
        let mut rest = payload;
        let mut padding = 0;
        if self.flags & PADDED != 0 {
            let (length, behind) = rest.split_first().ok_or(Reason::FRAME_SIZE_ERROR)?;
            padding = usize::from(*length);
            rest = behind;
        }
        if self.flags & PRIORITY != 0 {
            rest = rest.get(5..).ok_or(Reason::FRAME_SIZE_ERROR)?;
        }
        let length = rest
            .len()
            .checked_sub(padding)
            .ok_or(Reason::PROTOCOL_ERROR)?;
        Ok(&rest[..length])
    }
}
