//! Field compression of HTTP/2 (RFC 7541), read by hand.
//!
//! The h2 crate has a decoder of its own, which takes a field that is malformed for an error of the compression, so that one such
//! request ends a connection with all its tunnels. This one knows no meaning: whatever a block says is told, and what may be said
//! is for others to judge. An error here is one of the compression itself, behind which nobody can know the table any more.

mod fixed;
mod huffman;

use std::collections::VecDeque;

/// The largest table that a client may fill: what RFC 9113, section 6.5.2, begins with, and nobody here asks for more.
const TABLE_LARGEST: usize = 4096;
/// What an entry counts besides its octets (RFC 7541, section 4.1).
const ENTRY: usize = 32;

/// A name and its value.
type Line = (Box<[u8]>, Box<[u8]>);

/// The table of one connection.
#[derive(Debug)]
pub struct Decoder {
    /// The newest first.
    entries: VecDeque<Line>,
    size: usize,
    most: usize,
}

/// The block breaks the compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Default for Decoder {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            size: 0,
            most: TABLE_LARGEST,
        }
    }
}

impl Decoder {
    /// Tells names and values of a whole block, in order.
    ///
    /// # Errors
    ///
    /// The block is none.
    pub fn decode(
        &mut self,
        block: &[u8],
        mut tell: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Broken> {
        let mut rest = block;
        let mut at_start = true;
        while let Some(&first) = rest.first() {
            match first {
                0x80.. => {
                    let index = integer(&mut rest, 7)?;
                    let (name, value) = self.entry(index)?;
                    tell(name, value);
                }
                0x40..0x80 => {
                    let (name, value) = self.literal(&mut rest, 6)?;
                    tell(&name, &value);
                    self.insert(name, value);
                }
                0x20..0x40 => {
                    let most = integer(&mut rest, 5)?;
                    // Section 4.2: at the beginning of a block, and no more than was allowed.
                    if !at_start || most > TABLE_LARGEST {
                        return Err(Broken);
                    }
                    self.most = most;
                    self.evict(0);
                    continue;
                }
                0..0x20 => {
                    let (name, value) = self.literal(&mut rest, 4)?;
                    tell(&name, &value);
                }
            }
            at_start = false;
        }
        Ok(())
    }

    fn literal(&self, rest: &mut &[u8], bits: u32) -> Result<Line, Broken> {
        let name = match integer(rest, bits)? {
            0 => string(rest)?,
            index => self.entry(index)?.0.into(),
        };
        Ok((name, string(rest)?))
    }

    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), Broken> {
        let index = index.checked_sub(1).ok_or(Broken)?;
        match fixed::TABLE.get(index) {
            Some((name, value)) => Ok((name.as_bytes(), value.as_bytes())),
            None => {
                let entry = self.entries.get(index - fixed::TABLE.len());
                entry.map(|(name, value)| (&**name, &**value)).ok_or(Broken)
            }
        }
    }

    /// What does not fit empties the table (section 4.4).
    fn insert(&mut self, name: Box<[u8]>, value: Box<[u8]>) {
        let size = name.len() + value.len() + ENTRY;
        self.evict(size);
        if size <= self.most {
            self.size += size;
            self.entries.push_front((name, value));
        }
    }

    /// Makes room for an entry of that size.
    fn evict(&mut self, size: usize) {
        while self.size + size > self.most
            && let Some((name, value)) = self.entries.pop_back()
        {
            self.size -= name.len() + value.len() + ENTRY;
        }
    }
}

/// An integer whose prefix has so many bits (section 5.1).
fn integer(rest: &mut &[u8], bits: u32) -> Result<usize, Broken> {
    let mask = (1_usize << bits) - 1;
    let mut number = usize::from(next(rest)?) & mask;
    if number < mask {
        return Ok(number);
    }
    // Four octets more are beyond every length and index that there can be.
    for shift in [0, 7, 14, 21] {
        let octet = usize::from(next(rest)?);
        number += (octet & 0x7f) << shift;
        if octet < 0x80 {
            return Ok(number);
        }
    }
    Err(Broken)
}

/// A string, coded or not (section 5.2).
fn string(rest: &mut &[u8]) -> Result<Box<[u8]>, Broken> {
    let is_coded = rest.first().ok_or(Broken)? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (octets, behind) = rest.split_at_checked(length).ok_or(Broken)?;
    *rest = behind;
    match is_coded {
        true => huffman::decode(octets).map(Into::into).ok_or(Broken),
        false => Ok(octets.into()),
    }
}

fn next(rest: &mut &[u8]) -> Result<u8, Broken> {
    let (&octet, behind) = rest.split_first().ok_or(Broken)?;
    *rest = behind;
    Ok(octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(decoder: &mut Decoder, block: &[u8]) -> Result<String, Broken> {
        let mut text = String::new();
        decoder.decode(block, |name, value| {
            let text_of = String::from_utf8_lossy;
            for part in [&text_of(name), "=", &text_of(value), ";"] {
                text.push_str(part);
            }
        })?;
        Ok(text)
    }

    /// RFC 7541, appendix C.4: three requests that build on each other.
    #[test]
    fn a_table_grows_with_its_requests() {
        let mut decoder = Decoder::default();
        let first = [
            0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab,
            0x90, 0xf4, 0xff,
        ];
        let all = ":method=GET;:scheme=http;:path=/;:authority=www.example.com;";
        assert_eq!(read(&mut decoder, &first).unwrap(), all);
        assert_eq!(decoder.size, 57);
        let second = [
            0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf,
        ];
        let all = format!("{all}cache-control=no-cache;");
        assert_eq!(read(&mut decoder, &second).unwrap(), all);
        assert_eq!(decoder.size, 110);
        assert_eq!(
            read(&mut decoder, &[0xbe, 0xbf]).unwrap(),
            "cache-control=no-cache;:authority=www.example.com;"
        );
        // Section 4.2: a table of size 0 is empty, and fills again.
        assert_eq!(read(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f]).unwrap(), "");
        assert_eq!(read(&mut decoder, &[0xbe]), Err(Broken));
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let mut decoder = Decoder::default();
        // 64 octets each, so that 64 fit.
        for number in 0..70_u8 {
            let mut block = vec![0x40, 4];
            block.extend_from_slice(&[b'n', b'a', b'm', number]);
            block.push(28);
            block.extend_from_slice(&[b'v'; 28]);
            read(&mut decoder, &block).unwrap();
        }
        assert_eq!((decoder.entries.len(), decoder.size), (64, 4096));
        assert_eq!(*decoder.entries[0].0, *b"namE");
        // One that is larger than the table leaves nothing.
        let mut block = vec![0x40, 1, b'x', 0x7f, 0x81, 0x1f];
        block.extend_from_slice(&[b'y'; 127 + 1 + 31 * 128]);
        read(&mut decoder, &block).unwrap();
        assert_eq!((decoder.entries.len(), decoder.size), (0, 0));
    }

    #[test]
    fn what_breaks_the_compression_is_an_error() {
        for wrong in [
            &[0x80][..],
            &[0xbe],
            &[0x40],
            &[0x40, 1],
            &[0x40, 2, b'x'],
            &[0x40, 1, b'x', 1],
            &[0x00, 0x81, 0x00, 0],
            &[0x3f, 0xe2, 0x1f],
            &[0x82, 0x20],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
            &[0x7f, 0x80, 0x80, 0x80, 0x80, 0x80],
        ] {
            assert_eq!(
                read(&mut Decoder::default(), wrong),
                Err(Broken),
                "{wrong:?}"
            );
        }
        // Names and values are not judged here.
        assert_eq!(
            read(&mut Decoder::default(), &[0, 0, 0, 0, 1, b'A', 1, 0]).unwrap(),
            "=;A=\0;"
        );
    }

    proptest! {
        #[test]
        fn no_block_makes_it_panic_and_the_table_keeps_its_size(
            blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5),
        ) {
            let mut decoder = Decoder::default();
            for block in blocks {
                let _ = read(&mut decoder, &block);
                prop_assert!(decoder.size <= TABLE_LARGEST);
            }
        }
    }
}
