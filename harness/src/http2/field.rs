//! Field sections: literals are written here, octet by octet; what a proxy says is decoded by loona-hpack.

use std::{borrow::Cow, fmt::Write as _};

/// Names and values, in order, as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Vec<u8>, Vec<u8>)>);

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let field = (name.as_ref().to_vec(), value.as_ref().to_vec());
        self.0.push(field);
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.push(name, value);
        self
    }

    /// Without those of that name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name.as_bytes());
        self
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The values of a name, which is in small letters here.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let of_name = self
            .iter()
            .filter(move |(known, _)| *known == name.as_bytes());
        of_name.map(|(_, value)| value)
    }

    /// The status of a response: the one `:status`, of three digits.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let mut all = self.values(":status");
        let (first, second) = (all.next()?, all.next());
        let digits = first.len() == 3 && first.iter().all(u8::is_ascii_digit);
        match second {
            None if digits => std::str::from_utf8(first).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// Literals without indexing, in this order.
    #[must_use]
    pub fn block(&self) -> Vec<u8> {
        let mut block = Vec::new();
        for (name, value) in self.iter() {
            literal(&mut block, name, value);
        }
        block
    }

    /// For a reader.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut said = String::new();
        for (name, value) in self.iter() {
            if said.len() > SHOWN {
                said.push_str(", …");
                break;
            }
            let separator = if said.is_empty() { "" } else { ", " };
            let _ = write!(said, "{separator}{}: {}", legible(name), legible(value));
        }
        said
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut collected = Self::new();
        for (name, value) in fields {
            collected.push(name, value);
        }
        collected
    }
}

/// A section whose description is longer is cut.
const SHOWN: usize = 512;

/// Octets that stand in one value of a description.
const SHOWN_VALUE: usize = 128;

/// Printable ASCII as it is, everything else as `\xNN`.
fn legible(octets: &[u8]) -> String {
    let mut text = String::new();
    for &octet in octets.iter().take(SHOWN_VALUE) {
        match octet {
            b' '..=b'~' => text.push(char::from(octet)),
            _ => {
                let _ = write!(text, "\\x{octet:02x}");
            }
        }
    }
    if octets.len() > SHOWN_VALUE {
        text.push('…');
    }
    text
}

/// Appends a literal field without indexing, with its name written out (RFC 7541 §6.2.2).
pub fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    string(block, name);
    string(block, value);
}

/// Appends a literal field that the decoder has to remember, with its name written out (RFC 7541 §6.2.1).
pub fn remembered_literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0x40);
    string(block, name);
    string(block, value);
}

/// Appends a field that stands in one of the tables; those that were remembered begin at 62, the latest first (RFC 7541 §6.1).
pub fn indexed(block: &mut Vec<u8>, index: usize) {
    integer(block, 0x80, 7, index);
}

/// A string without Huffman coding (RFC 7541 §5.2).
fn string(block: &mut Vec<u8>, octets: &[u8]) {
    integer(block, 0, 7, octets.len());
    block.extend_from_slice(octets);
}

/// An integer in a prefix of so many bits (RFC 7541 §5.1).
fn integer(block: &mut Vec<u8>, pattern: u8, bits: u32, value: usize) {
    let most = (1_usize << bits) - 1;
    // The casts lose nothing: what is cast is below 256.
    let octet = |value: usize| u8::try_from(value & 0xff).unwrap_or(u8::MAX);
    if value < most {
        block.push(pattern | octet(value));
        return;
    }
    block.push(pattern | octet(most));
    let mut rest = value - most;
    while rest >= 128 {
        block.push(octet(rest % 128) | 128);
        rest /= 128;
    }
    block.push(octet(rest));
}

/// Octets of fields that one section may have once it is decoded: real proxies stay far below it.
pub const SECTION_LIMIT: usize = 64 * 1024;

/// Fields that one section may have.
const FIELDS_LIMIT: usize = 256;

/// What turns blocks of one connection into fields. A block that cannot be decoded leaves nothing to decode the next one with.
pub struct FieldDecoder {
    decoder: loona_hpack::Decoder<'static>,
}

impl FieldDecoder {
    /// For a connection on which nothing was said.
    #[must_use]
    pub fn new() -> Self {
        Self {
            decoder: loona_hpack::Decoder::new(),
        }
    }

    /// The fields of a block.
    ///
    /// # Errors
    /// Why it is none, or that it is larger than any that is taken here.
    pub fn decode(&mut self, block: &[u8]) -> Result<Fields, String> {
        let (mut fields, mut size) = (Fields::new(), 0);
        let keep = |name: Cow<'_, [u8]>, value: Cow<'_, [u8]>| {
            size += name.len() + value.len() + ENTRY;
            if size <= SECTION_LIMIT && fields.0.len() < FIELDS_LIMIT {
                fields.push(name, value);
            } else {
                size = SECTION_LIMIT + 1;
            }
        };
        let decoded = self.decoder.decode_with_cb(block, keep);
        decoded.map_err(|error| format!("a field block that cannot be decoded: {error:?}"))?;
        match size > SECTION_LIMIT {
            true => Err("a field section that is larger than any that is taken".to_owned()),
            false => Ok(fields),
        }
    }
}

/// What an entry counts beside its octets (RFC 7541 §4.1).
const ENTRY: usize = 32;

impl Default for FieldDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for FieldDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FieldDecoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_is_read_by_the_decoder() {
        let long = "v".repeat(20_000);
        let fields: Fields = [
            (":method", "CONNECT"),
            (":authority", "a.example:443"),
            ("x", ""),
            ("long", &long),
        ]
        .into_iter()
        .collect();
        let decoded = FieldDecoder::new().decode(&fields.block()).unwrap();
        assert_eq!(decoded, fields);
    }

    #[test]
    fn what_was_remembered_is_found_by_its_number() {
        let mut block = Vec::new();
        remembered_literal(&mut block, b"a", b"one");
        remembered_literal(&mut block, b"b", b"two");
        let mut decoder = FieldDecoder::new();
        decoder.decode(&block).unwrap();
        let mut again = Vec::new();
        indexed(&mut again, 63);
        indexed(&mut again, 62);
        let fields = decoder.decode(&again).unwrap();
        assert_eq!(fields.describe(), "a: one, b: two");
    }

    #[test]
    fn a_small_block_does_not_become_a_large_section() {
        let mut block = Vec::new();
        remembered_literal(&mut block, b"x", &[b'v'; 4000]);
        for _ in 0..10_000 {
            indexed(&mut block, 62);
        }
        let error = FieldDecoder::new().decode(&block).unwrap_err();
        assert!(error.contains("larger"), "{error}");
    }

    #[test]
    fn a_status_is_one_of_three_digits() {
        let status = |values: &[&str]| {
            let fields: Fields = values.iter().map(|value| (":status", value)).collect();
            fields.status()
        };
        assert_eq!(status(&["200"]), Some(200));
        for odd in [&["20"][..], &["+20"], &["2000"], &["200", "200"], &[]] {
            assert_eq!(status(odd), None, "{odd:?}");
        }
    }
}
