//! Frames: nine octets, and what follows them (RFC 9113 §4.1).
//!
//! What is sent is whatever a case says: nothing here insists on a frame that is right.

use crate::http2::ErrorCode;

/// Octets of a frame's header.
pub const HEADER: usize = 9;

/// What begins a connection, before any frame (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The largest payload that may be sent before anything else was agreed on (RFC 9113 §4.2), and the largest that is taken here.
pub const MAX_PAYLOAD: usize = 16 * 1024;

/// The types of frames (RFC 9113 §6).
pub mod kind {
    #![expect(missing_docs, reason = "they are named as in RFC 9113 §6")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Their flags.
pub mod flag {
    /// Of DATA and HEADERS: nothing more comes on this stream.
    pub const END_STREAM: u8 = 0x1;
    /// Of SETTINGS and PING: this answers one.
    pub const ACK: u8 = 0x1;
    /// Of HEADERS and CONTINUATION: the field section is whole.
    pub const END_HEADERS: u8 = 0x4;
    /// Of DATA and HEADERS: padding follows, and its length stands in front.
    pub const PADDED: u8 = 0x8;
    /// Of HEADERS: five octets of priority stand in front.
    pub const PRIORITY: u8 = 0x20;
}

/// The settings that are used here (RFC 9113 §6.5.2).
pub mod setting {
    /// Whether the server may push.
    pub const ENABLE_PUSH: u16 = 2;
    /// How many streams the other side may have at once.
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    /// How much may be sent on a fresh stream.
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    /// How large a payload may be.
    pub const MAX_FRAME_SIZE: u16 = 5;
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type, known or not.
    pub kind: u8,
    /// Its flags, as they are.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// What follows its header.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame of these parts.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload: payload.into(),
        }
    }

    /// DATA; the last of the stream, if it says so.
    #[must_use]
    pub fn data(stream: u32, octets: impl Into<Vec<u8>>, last: bool) -> Self {
        let flags = if last { flag::END_STREAM } else { 0 };
        Self::new(kind::DATA, flags, stream, octets)
    }

    /// DATA with so many octets of padding behind it.
    #[must_use]
    pub fn padded_data(stream: u32, octets: &[u8], padding: u8) -> Self {
        let mut payload = vec![padding];
        payload.extend_from_slice(octets);
        payload.resize(payload.len() + usize::from(padding), 0);
        Self::new(kind::DATA, flag::PADDED, stream, payload)
    }

    /// HEADERS with a whole field block.
    #[must_use]
    pub fn headers(stream: u32, block: impl Into<Vec<u8>>, last: bool) -> Self {
        let flags = flag::END_HEADERS | if last { flag::END_STREAM } else { 0 };
        Self::new(kind::HEADERS, flags, stream, block)
    }

    /// HEADERS and as many CONTINUATION frames as it takes.
    #[must_use]
    pub fn section(stream: u32, block: &[u8], last: bool) -> Vec<Self> {
        let mut pieces: Vec<&[u8]> = block.chunks(MAX_PAYLOAD).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let count = pieces.len();
        let frames = pieces.into_iter().enumerate().map(|(place, piece)| {
            let whole = if place + 1 == count {
                flag::END_HEADERS
            } else {
                0
            };
            match place {
                0 => Self::new(
                    kind::HEADERS,
                    whole | if last { flag::END_STREAM } else { 0 },
                    stream,
                    piece,
                ),
                _ => Self::new(kind::CONTINUATION, whole, stream, piece),
            }
        });
        frames.collect()
    }

    /// RST_STREAM.
    #[must_use]
    pub fn reset(stream: u32, code: ErrorCode) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, code.0.to_be_bytes())
    }

    /// SETTINGS.
    #[must_use]
    pub fn settings(values: &[(u16, u32)]) -> Self {
        let mut payload = Vec::new();
        for (name, value) in values {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        Self::new(kind::SETTINGS, 0, 0, payload)
    }

    /// The answer to SETTINGS.
    #[must_use]
    pub fn settings_ack() -> Self {
        Self::new(kind::SETTINGS, flag::ACK, 0, [])
    }

    /// PING.
    #[must_use]
    pub fn ping(octets: [u8; 8]) -> Self {
        Self::new(kind::PING, 0, 0, octets)
    }

    /// GOAWAY.
    #[must_use]
    pub fn goaway(code: ErrorCode) -> Self {
        let payload = [0_u32.to_be_bytes(), code.0.to_be_bytes()].concat();
        Self::new(kind::GOAWAY, 0, 0, payload)
    }

    /// WINDOW_UPDATE; on stream 0, for the connection.
    #[must_use]
    pub fn window_update(stream: u32, more: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, more.to_be_bytes())
    }

    /// PRIORITY: depends on nothing, with the usual weight.
    #[must_use]
    pub fn priority(stream: u32) -> Self {
        Self::new(kind::PRIORITY, 0, stream, [0, 0, 0, 0, 15])
    }

    /// Whether it has that flag.
    #[must_use]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag == flag
    }

    /// What goes over the wire.
    pub fn encode(&self, octets: &mut Vec<u8>) {
        // No case sends more than a length can say.
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        octets.extend(&length.to_be_bytes()[1..]);
        octets.extend([self.kind, self.flags]);
        octets.extend(self.stream.to_be_bytes());
        octets.extend(&self.payload);
    }
}

/// The settings in a payload; what is left over after the last whole one is not among them.
pub fn settings(payload: &[u8]) -> impl Iterator<Item = (u16, u32)> {
    payload.chunks_exact(6).map(|one| {
        let name = u16::from_be_bytes([one[0], one[1]]);
        let value = u32::from_be_bytes([one[2], one[3], one[4], one[5]]);
        (name, value)
    })
}

/// Four octets as a number, without the reserved bit.
#[must_use]
pub fn number(payload: &[u8]) -> Option<u32> {
    let octets: [u8; 4] = payload.get(..4)?.try_into().ok()?;
    Some(u32::from_be_bytes(octets) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_section_is_continued() {
        let frames = Frame::section(1, &[7; MAX_PAYLOAD + 1], true);
        let seen: Vec<_> = frames.iter().map(|one| (one.kind, one.flags)).collect();
        assert_eq!(
            seen,
            [
                (kind::HEADERS, flag::END_STREAM),
                (kind::CONTINUATION, flag::END_HEADERS)
            ]
        );
    }
}
