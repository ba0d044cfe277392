//! One field block, and what the crate below gets in its place.

use super::super::letter::{Letter, NAME};
use super::{CONTINUATION, END_HEADERS, END_STREAM, FRAME_LARGEST, HEADERS};
use bytes::BytesMut;
use h2::Reason;

/// The most interim answers before the final one: no window holds them down.
const INTERIM_MOST: usize = 16;
/// `:status` in the fixed table, as the name of a literal that enters no table.
const STATUS: u8 = 8;
/// What stands for a status that is none; the letter says what was said.
const NO_STATUS: [u8; 3] = *b"502";

/// A field block that is not complete.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) ends_stream: bool,
    pub(super) octets: Vec<u8>,
    pub(super) pieces: usize,
}

/// What was said in a block.
#[derive(Debug, Default)]
pub(super) struct Said {
    letter: Letter,
    status: Option<[u8; 3]>,
}

/// Which blocks open something; what stands inside of a stream is the same to everybody.
#[derive(Debug)]
pub(super) enum Opening {
    /// The first one of each stream, of which this is the last.
    Requests {
        /// The last stream that was opened.
        last: u32,
    },
    /// All up to the final answer. So many of them were interim ones.
    Answers {
        /// How many.
        interim: usize,
    },
    /// No more: the answer is there.
    Nothing,
}

impl Said {
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        if name == b":status" {
            self.status = value.try_into().ok();
        }
        self.letter.push(name, value);
    }

    /// The status that the crate below is told. One that ends the stream is final.
    fn status(&self, ends_stream: bool) -> [u8; 3] {
        match self.status {
            Some([b'1', ..]) if ends_stream => NO_STATUS,
            Some(status @ [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']) => status,
            Some(_) | None => NO_STATUS,
        }
    }
}

impl Opening {
    /// The fields that stand for a block, and whether it opens a stream, or is the final answer on one.
    pub(super) fn rewrite(&mut self, block: &Block, said: Said) -> Result<(Vec<u8>, bool), Reason> {
        let mut octets = Vec::new();
        match self {
            Self::Requests { last } if block.stream > *last => {
                *last = block.stream;
                // `:method: CONNECT` and `:authority: a`, by the names of the fixed table.
                octets.extend_from_slice(b"\x02\x07CONNECT\x01\x01a");
            }
            Self::Answers { interim } => {
                let status = said.status(block.ends_stream);
                octets.extend_from_slice(&[STATUS, status.len() as u8]);
                octets.extend_from_slice(&status);
                if status[0] == b'1' {
                    *interim += 1;
                    if *interim > INTERIM_MOST {
                        return Err(Reason::ENHANCE_YOUR_CALM);
                    }
                    literal(&mut octets, &said.letter.into_value());
                    return Ok((octets, false));
                }
                *self = Self::Nothing;
            }
            Self::Requests { .. } | Self::Nothing => {
                literal(&mut octets, b"");
                return Ok((octets, false));
            }
        }
        literal(&mut octets, &said.letter.into_value());
        Ok((octets, true))
    }
}

impl Block {
    /// Writes the frames of these fields behind `to`.
    pub(super) fn write(&self, octets: &[u8], to: &mut BytesMut) {
        let mut kind = HEADERS;
        let mut pieces = octets.chunks(FRAME_LARGEST).peekable();
        while let Some(piece) = pieces.next() {
            let mut flags = match pieces.peek() {
                None => END_HEADERS,
                Some(_) => 0,
            };
            if kind == HEADERS && self.ends_stream {
                flags |= END_STREAM;
            }
            let [_, length @ ..] = (piece.len() as u32).to_be_bytes();
            to.extend_from_slice(&length);
            to.extend_from_slice(&[kind, flags]);
            to.extend_from_slice(&self.stream.to_be_bytes());
            to.extend_from_slice(piece);
            kind = CONTINUATION;
        }
    }
}

/// A literal field that enters no table, under the one name that is used.
fn literal(octets: &mut Vec<u8>, value: &[u8]) {
    octets.extend_from_slice(&[0, NAME.len() as u8]);
    octets.extend_from_slice(NAME.as_bytes());
    match value.len() {
        short @ 0..127 => octets.push(short as u8),
        long => {
            octets.push(127);
            let mut rest = long - 127;
            while rest >= 128 {
                octets.push(rest as u8 | 128);
                rest >>= 7;
            }
            octets.push(rest as u8);
        }
    }
    octets.extend_from_slice(value);
}
