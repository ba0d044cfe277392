//! Frames out of a stream of octets.

use crate::http2::frame::{Frame, HEADER, MAX_PAYLOAD, number};

/// Takes frames out of a stream of octets, however it is cut.
#[derive(Clone, Debug, Default)]
pub struct FrameReader {
    octets: Vec<u8>,
}

/// A frame that is larger than it may be: nothing behind it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} octets, and {MAX_PAYLOAD} are allowed")]
pub struct TooLarge {
    /// The type of the frame.
    pub kind: u8,
    /// What its header says.
    pub length: usize,
}

impl FrameReader {
    /// Takes octets in. Whoever does not take the frames out again keeps them all.
    pub fn feed(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// The next whole frame, if there is one.
    ///
    /// # Errors
    /// Where it is larger than [`MAX_PAYLOAD`].
    pub fn frame(&mut self) -> Result<Option<Frame>, TooLarge> {
        let [high, middle, low, kind, flags, stream @ ..] = &*self.octets else {
            return Ok(None);
        };
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        let (kind, flags) = (*kind, *flags);
        if length > MAX_PAYLOAD {
            return Err(TooLarge { kind, length });
        }
        let Some(stream) = number(stream) else {
            return Ok(None);
        };
        let end = HEADER + length;
        if self.octets.len() < end {
            return Ok(None);
        }
        let payload = self.octets[HEADER..end].to_vec();
        self.octets.drain(..end);
        Ok(Some(Frame {
            kind,
            flags,
            stream,
            payload,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http2::frame::{kind, setting};

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let frames = [
            Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]),
            Frame::headers(1, b"block".as_slice(), false),
            Frame::data(1, [], true),
            Frame::new(77, 3, 5, b"odd".as_slice()),
        ];
        let mut octets = Vec::new();
        for frame in &frames {
            frame.encode(&mut octets);
        }
        for cut in 1..octets.len() {
            let mut reader = FrameReader::default();
            let mut found = Vec::new();
            for piece in octets.chunks(cut) {
                reader.feed(piece);
                while let Some(frame) = reader.frame().unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!(found, frames, "in pieces of {cut}");
        }
    }

    #[test]
    fn one_that_is_too_large_is_not_waited_for() {
        let mut reader = FrameReader::default();
        reader.feed(&[0, 0x40, 1, kind::DATA, 0, 0, 0, 0, 1]);
        let length = MAX_PAYLOAD + 1;
        let kind = kind::DATA;
        assert_eq!(reader.frame(), Err(TooLarge { kind, length }));
    }
}
