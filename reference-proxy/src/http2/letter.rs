//! A field section on its way through the crate below: everything that a client said, in one field that nobody can find fault with.

use crate::request::Section;

/// Octets of all fields of one request together, as RFC 9113, section 6.5.2, counts them.
pub(crate) const SECTION_LONGEST: usize = 64 << 10;
/// What a line counts besides its octets.
const LINE: usize = 32;
/// The name of that field.
pub(crate) const NAME: &str = "f";
/// What it says of a section that is too long.
const TOO_LONG: &[u8] = b"%";
/// Stands behind each name and each value.
const BEHIND: u8 = b' ';

/// A section that is being written.
#[derive(Debug, Default)]
pub(crate) struct Letter {
    octets: Vec<u8>,
    size: usize,
}

impl Letter {
    pub(crate) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.size = self.size.saturating_add(name.len() + value.len() + LINE);
        if self.size > SECTION_LONGEST {
            self.octets = Vec::new();
            return;
        }
        for part in [name, value] {
            for &octet in part {
                match octet {
                    b'!'..=b'~' if octet != b'%' => self.octets.push(octet),
                    _ => self
                        .octets
                        .extend_from_slice(format!("%{octet:02x}").as_bytes()),
                }
            }
            self.octets.push(BEHIND);
        }
    }

    pub(crate) fn into_value(self) -> Vec<u8> {
        match self.size {
            0..=SECTION_LONGEST => self.octets,
            _ => TOO_LONG.to_vec(),
        }
    }
}

/// Reads it again; `None`: the section was too long.
pub(crate) fn read(value: &[u8]) -> Option<Section> {
    if value == TOO_LONG {
        return None;
    }
    let mut section = Section::default();
    let mut parts = value.split(|&octet| octet == BEHIND).map(plain);
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        section.push(&name, &value);
    }
    Some(section)
}

fn plain(part: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        let hex = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
        match (octet, rest) {
            (b'%', [high, low, behind @ ..]) => {
                octets.push(hex(*high) << 4 | hex(*low));
                rest = behind;
            }
            _ => octets.push(octet),
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            lines in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..20), proptest::collection::vec(any::<u8>(), 0..40)), 0..9),
        ) {
            let mut letter = Letter::default();
            for (name, value) in &lines {
                letter.push(name, value);
            }
            let value = letter.into_value();
            prop_assert!(http::HeaderValue::from_bytes(&value).is_ok());
            let section = read(&value).unwrap();
            let back: Vec<_> = section.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
            prop_assert_eq!(back, lines);
        }
    }

    #[test]
    fn what_is_too_long_is_known_as_such() {
        let mut letter = Letter::default();
        letter.push(b"x", &vec![b'a'; SECTION_LONGEST - LINE - 1]);
        assert!(letter.into_value().len() > SECTION_LONGEST - 100);
        let mut letter = Letter::default();
        for _ in 0..=SECTION_LONGEST / (LINE + 2) {
            letter.push(b"x", b"y");
        }
        assert!(read(&letter.into_value()).is_none());
    }
}
