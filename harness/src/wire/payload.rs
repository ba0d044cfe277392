//! What is sent through a tunnel: a few bytes, or a long stream that is made, and checked, as it passes.

use std::fmt::Write as _;

/// Bytes to send, or to expect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A stream that looks random, and that both ends can make from its seed without keeping it.
    Stream {
        /// What makes this stream differ from others.
        seed: u64,
        /// How many bytes.
        length: u64,
    },
}

/// A stream of `length` bytes that looks random; equal seeds give equal streams.
#[must_use]
pub const fn stream(seed: u64, length: u64) -> Payload {
    Payload::Stream { seed, length }
}

impl Payload {
    /// How many bytes it has.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream { length, .. } => *length,
        }
    }

    /// All of it at once: for what has to stand in one request or one segment.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.length()).unwrap_or(usize::MAX)];
        self.source().next(&mut bytes);
        bytes
    }

    /// For a reader: how many bytes, and which where they are few.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Bytes(bytes) if bytes.len() <= SHOWN => {
                format!("{}, {}", count(bytes.len() as u64), quote(bytes))
            }
            _ => count(self.length()),
        }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        match self {
            Self::Bytes(bytes) => Source::Bytes(bytes),
            Self::Stream { seed, length } => Source::Stream(Generator::new(*seed), *length),
        }
    }
}

/// Payloads up to this length are shown to a reader in full.
const SHOWN: usize = 48;

/// `1 byte`, `7 bytes`.
#[must_use]
pub fn count(bytes: u64) -> String {
    if bytes == 1 {
        "1 byte".to_owned()
    } else {
        format!("{bytes} bytes")
    }
}

/// Bytes in quotes, with escapes for what is not printable ASCII.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in bytes {
        match byte {
            b'\r' => quoted.push_str("\\r"),
            b'\n' => quoted.push_str("\\n"),
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            0x20..=0x7e => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
        }
    }
    quoted.push('"');
    quoted
}

impl From<&[u8]> for Payload {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Payload {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Payload {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Vec<u8>> for Payload {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

impl From<&String> for Payload {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&Self> for Payload {
    fn from(payload: &Self) -> Self {
        payload.clone()
    }
}

/// A payload that is being produced, piece by piece.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Bytes(&'a [u8]),
    Stream(Generator, u64),
}

impl Source<'_> {
    /// Fills the front of `buffer` with what comes next, and says how much that is; 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> usize {
        match self {
            Self::Bytes(bytes) => {
                let taken = bytes.len().min(buffer.len());
                buffer[..taken].copy_from_slice(&bytes[..taken]);
                *bytes = &bytes[taken..];
                taken
            }
            Self::Stream(generator, left) => {
                let taken = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(buffer.len());
                generator.fill(&mut buffer[..taken]);
                *left -= taken as u64;
                taken
            }
        }
    }
}

/// A stream that looks random and is the same for the same seed: the output of blake3, which is made for streams of any length, and
/// faster than any tunnel.
#[derive(Clone, Debug)]
pub struct Generator(blake3::OutputReader);

impl Generator {
    /// Begins a stream; equal seeds give equal streams.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }

    /// The next word.
    pub fn word(&mut self) -> u64 {
        let mut word = [0; 8];
        self.fill(&mut word);
        u64::from_le_bytes(word)
    }

    /// Fills `buffer` with what comes next; how a stream is cut into calls does not change it.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_does_not_depend_on_how_it_is_cut() {
        let mut whole = [0; 1000];
        Generator::new(5).fill(&mut whole);
        for size in [1, 3, 8, 13, 999] {
            let mut cut = Vec::new();
            let payload = stream(5, 1000);
            let mut source = payload.source();
            let mut piece = vec![0; size];
            loop {
                let taken = source.next(&mut piece);
                if taken == 0 {
                    break;
                }
                cut.extend_from_slice(&piece[..taken]);
            }
            assert_eq!(cut, whole, "cut into pieces of {size}");
        }
    }

    #[test]
    fn small_seeds_give_different_streams() {
        assert_ne!(Generator::new(1).word(), Generator::new(2).word());
        assert_ne!(Generator::new(0).word(), Generator::new(1).word());
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        assert_eq!(quote(b"a\"\\\r\n\0\xff"), r#""a\"\\\r\n\x00\xff""#);
    }
}
