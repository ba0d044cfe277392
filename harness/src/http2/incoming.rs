//! What comes from the proxy, frame by frame, and what of it HTTP/2 does not allow.

use crate::http2::{
    ErrorCode, Frame, Over, State, Stream,
    describe::name,
    frame::{MAX_PAYLOAD, flag, kind, number, setting, settings},
    session::{Role, WINDOW_LIMIT},
};

/// A field block over several frames; a longer one is a flood.
const BLOCK_LIMIT: usize = 64 * 1024;

/// Field sections that are kept of one stream: interim responses, a response, trailers.
const SECTIONS_LIMIT: usize = 16;

/// Settings that are kept.
const SETTINGS_LIMIT: usize = 256;

/// Answers to PING that are kept.
const PONGS_LIMIT: usize = 64;

impl State {
    /// Takes in what has come.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.over.is_some() {
            return;
        }
        let octets = match self.take_preface(octets) {
            Ok(octets) => octets,
            Err(why) => return self.is_broken_by(why),
        };
        self.reader.feed(octets);
        loop {
            let taken = match self.reader.frame() {
                Ok(None) => return,
                Ok(Some(frame)) => self.take(&frame),
                Err(large) => Err(format!("{} of {large}", name(large.kind))),
            };
            if let Err(why) = taken {
                return self.is_broken_by(why);
            }
        }
    }

    /// Nothing that comes later can be understood.
    fn is_broken_by(&mut self, why: String) {
        self.recorder.odd(&why);
        self.over = Some(Over::Broken(why));
    }

    /// Takes in one frame.
    ///
    /// # Errors
    /// What is wrong with it, so that nothing that comes later can be relied on.
    fn take(&mut self, frame: &Frame) -> Result<(), String> {
        let ends_block = self.block.is_some() || frame.kind == kind::HEADERS;
        if !ends_block {
            self.recorder.note(false, frame, None);
        }
        if let Some((id, ..)) = self.block
            && (frame.kind, frame.stream) != (kind::CONTINUATION, id)
        {
            self.recorder.note(false, frame, None);
            return Err(wrong(frame, "in the middle of a field block"));
        }
        if !self.settled && (frame.kind != kind::SETTINGS || frame.has(flag::ACK)) {
            return Err(wrong(frame, "before the first SETTINGS"));
        }
        match frame.kind {
            kind::DATA => self.take_data(frame),
            kind::HEADERS => self.take_headers(frame),
            kind::CONTINUATION => self.take_continuation(frame),
            kind::RST_STREAM => self.take_reset(frame),
            kind::SETTINGS => self.take_settings(frame),
            kind::PING => self.take_ping(frame),
            kind::GOAWAY => {
                let code = frame.payload.get(4..).and_then(ErrorCode::read);
                self.goaway = Some(code.ok_or_else(|| wrong(frame, "without a code"))?);
                Ok(())
            }
            kind::WINDOW_UPDATE => self.take_window_update(frame),
            kind::PRIORITY if frame.payload.len() != 5 => Err(wrong(frame, "of a wrong length")),
            kind::PUSH_PROMISE => Err(wrong(frame, "though nobody has allowed pushes")),
            // What is not known is skipped (RFC 9113 §5.5).
            _ => Ok(()),
        }
    }

    fn stream(&mut self, frame: &Frame) -> Result<&mut Stream, String> {
        let stream = self.streams.get_mut(&frame.stream);
        stream.ok_or_else(|| wrong(frame, "on a stream that nobody has opened"))
    }

    fn take_data(&mut self, frame: &Frame) -> Result<(), String> {
        let octets = unpadded(frame)?;
        let length = i64::try_from(frame.payload.len()).unwrap_or(i64::MAX);
        self.may_receive -= length;
        if self.may_receive < 0 {
            return Err(wrong(frame, "past the window of the connection"));
        }
        let stream = self.stream(frame)?;
        if stream.ended {
            return Err(wrong(frame, "after END_STREAM"));
        }
        if stream.sections.is_empty() && !stream.abandoned {
            return Err(wrong(frame, "before HEADERS"));
        }
        stream.inbox.may_receive -= length;
        if stream.inbox.may_receive < 0 && !stream.abandoned {
            return Err(wrong(frame, "past the window of the stream"));
        }
        stream.ended |= frame.has(flag::END_STREAM);
        let mut skipped = frame.payload.len() - octets.len();
        match stream.abandoned {
            true => skipped = frame.payload.len(),
            false => stream.inbox.push(octets, skipped),
        }
        let skipped = u32::try_from(skipped).unwrap_or(u32::MAX);
        self.credit(skipped);
        Ok(())
    }

    fn take_headers(&mut self, frame: &Frame) -> Result<(), String> {
        let mut block = unpadded(frame)?;
        if frame.has(flag::PRIORITY) {
            block = block
                .get(5..)
                .ok_or_else(|| wrong(frame, "without its priority"))?;
        }
        let block = block.to_vec();
        let serves = self.role != Role::Client;
        if serves && !self.streams.contains_key(&frame.stream) {
            self.is_opened_by(frame)?;
        }
        if self.stream(frame)?.ended {
            return Err(wrong(frame, "after END_STREAM"));
        }
        self.block = Some((frame.stream, frame.has(flag::END_STREAM), block));
        self.take_block(frame)
    }

    fn take_continuation(&mut self, frame: &Frame) -> Result<(), String> {
        let Some((_, _, block)) = &mut self.block else {
            return Err(wrong(frame, "without HEADERS"));
        };
        block.extend_from_slice(&frame.payload);
        self.take_block(frame)
    }

    /// The block is whole, if this was its last frame.
    fn take_block(&mut self, frame: &Frame) -> Result<(), String> {
        let is_long = |(_, _, block): &(u32, bool, Vec<u8>)| block.len() > BLOCK_LIMIT;
        if self.block.as_ref().is_some_and(is_long) {
            return Err(wrong(
                frame,
                "with a field block that is longer than any that is taken",
            ));
        }
        if !frame.has(flag::END_HEADERS) {
            self.recorder.note(false, frame, None);
            return Ok(());
        }
        let Some((id, last, block)) = self.block.take() else {
            return Ok(());
        };
        let fields = self.decoder.decode(&block);
        self.recorder.note(false, frame, fields.as_ref().ok());
        let fields = fields.map_err(|why| wrong(frame, &format!("with {why}")))?;
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.sections.len() >= SECTIONS_LIMIT {
                return Err(wrong(frame, "after many others on the same stream"));
            }
            stream.ended |= last;
            stream.sections.push((fields, last));
        }
        Ok(())
    }

    fn take_reset(&mut self, frame: &Frame) -> Result<(), String> {
        let code = (frame.payload.len() == 4).then(|| ErrorCode::read(&frame.payload));
        let code = code.flatten();
        let code = code.ok_or_else(|| wrong(frame, "of a wrong length"))?;
        self.stream(frame)?.reset.get_or_insert(code);
        Ok(())
    }

    fn take_settings(&mut self, frame: &Frame) -> Result<(), String> {
        let acknowledges = frame.has(flag::ACK);
        let whole = frame.payload.len().is_multiple_of(6) && frame.stream == 0;
        if !whole || (acknowledges && !frame.payload.is_empty()) {
            return Err(wrong(frame, "of a wrong length, or on a stream"));
        }
        if acknowledges {
            if self.unacknowledged == 0 {
                return Err(wrong(frame, "which answers nothing"));
            }
            self.unacknowledged -= 1;
            if let Some(window) = self.announced.remove(0) {
                self.resize(window);
            }
            return Ok(());
        }
        for (name, value) in settings(&frame.payload) {
            if self.settings.len() < SETTINGS_LIMIT {
                self.settings.push((name, value));
            }
            match name {
                setting::MAX_CONCURRENT_STREAMS => self.max_streams = Some(value),
                setting::INITIAL_WINDOW_SIZE => {
                    let window = i64::from(value);
                    if window > WINDOW_LIMIT {
                        return Err(wrong(frame, "with a window that is too large"));
                    }
                    for stream in self.streams.values_mut() {
                        stream.may_send += window - self.initial_out;
                    }
                    self.initial_out = window;
                }
                setting::MAX_FRAME_SIZE => {
                    let size = usize::try_from(value).unwrap_or(usize::MAX);
                    if !(MAX_PAYLOAD..=0xff_ffff).contains(&size) {
                        return Err(wrong(frame, "with a frame size that is not allowed"));
                    }
                    self.max_payload = size;
                }
                setting::ENABLE_PUSH if value != 0 && self.role == Role::Client => {
                    return Err(wrong(frame, "with ENABLE_PUSH, from a server"));
                }
                setting::ENABLE_PUSH if value > 1 => {
                    return Err(wrong(frame, "with an ENABLE_PUSH that is none"));
                }
                _ => {}
            }
        }
        self.settled = true;
        if self.manners.acknowledges {
            self.send(&Frame::settings_ack());
        }
        Ok(())
    }

    fn take_ping(&mut self, frame: &Frame) -> Result<(), String> {
        if frame.payload.len() != 8 || frame.stream != 0 {
            return Err(wrong(frame, "of a wrong length, or on a stream"));
        }
        if !frame.has(flag::ACK) {
            self.send(&Frame::new(kind::PING, flag::ACK, 0, &*frame.payload));
        } else if self.pongs.len() < PONGS_LIMIT {
            self.pongs.push(frame.payload.clone());
        }
        Ok(())
    }

    fn take_window_update(&mut self, frame: &Frame) -> Result<(), String> {
        let more = (frame.payload.len() == 4).then(|| number(&frame.payload));
        let more = match more.flatten() {
            None => return Err(wrong(frame, "of a wrong length")),
            Some(0) => return Err(wrong(frame, "of nothing")),
            Some(more) => i64::from(more),
        };
        let window = match frame.stream {
            0 => &mut self.may_send,
            _ => &mut self.stream(frame)?.may_send,
        };
        *window += more;
        match *window > WINDOW_LIMIT {
            true => Err(wrong(frame, "beyond the largest window")),
            false => Ok(()),
        }
    }
}

/// The payload without padding (RFC 9113 §6.1).
fn unpadded(frame: &Frame) -> Result<&[u8], String> {
    if frame.stream == 0 {
        return Err(wrong(frame, "on the connection"));
    }
    if !frame.has(flag::PADDED) {
        return Ok(&frame.payload);
    }
    let stripped = frame.payload.split_first().and_then(|(padding, rest)| {
        let length = rest.len().checked_sub(usize::from(*padding))?;
        Some(&rest[..length])
    });
    stripped.ok_or_else(|| wrong(frame, "with more padding than payload"))
}

/// A frame that breaks HTTP/2, for a reader.
fn wrong(frame: &Frame, how: &str) -> String {
    format!("{} {how}", frame.describe(None))
}
