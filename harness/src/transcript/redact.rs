//! Secrets, and where they stand in bytes and text, so that no report shows one.
//!
//! A secret is found as it is, percent-encoded, and inside base64 at any alignment: the password of `user:password`
//! starts in the middle of a base64 group.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::transcript::screen::without_sequences;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// The fewest base64 characters that are looked for inside a longer run. Fewer would be found by chance in any
/// certificate.
const FEWEST_BASE64: usize = 4;

/// What must not be shown.
#[derive(Clone, Default)]
pub struct Secrets {
    needles: Vec<Needle>,
    /// Looks for all of them at once; `None` where there are none.
    search: Option<AhoCorasick>,
}

/// One form of one secret.
#[derive(Clone)]
struct Needle {
    bytes: Vec<u8>,
    /// A part of a base64 run: all of the run has to go.
    inside_base64: bool,
}

impl Secrets {
    /// Each secret in each of its forms; empty ones are no secrets.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut needles: Vec<Needle> = Vec::new();
        for secret in secrets {
            needles.extend(forms(secret.as_ref()));
        }
        needles.sort_by(|a, b| a.bytes.cmp(&b.bytes));
        needles.dedup_by(|a, b| a.bytes == b.bytes && a.inside_base64 == b.inside_base64);
        let search = AhoCorasick::new(needles.iter().map(|needle| &needle.bytes));
        Self {
            // It fails past two thousand million states only, and finds nothing without needles.
            search: search.ok().filter(|_| !needles.is_empty()),
            needles,
        }
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// Where secrets stand, in order and without overlap.
    #[must_use]
    pub fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let Some(search) = &self.search else {
            return Vec::new();
        };
        let found = search.find_overlapping_iter(bytes);
        let places = found.map(|found| match self.needles[found.pattern()].inside_base64 {
            true => widen(bytes, found.range()),
            false => found.range(),
        });
        joined(places.collect())
    }

    /// The text without them, and without sequences for a terminal: whatever a report says of a stranger comes this way.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut from = 0;
        for place in self.places(text.as_bytes()) {
            // Needles are whole UTF-8 strings, so that a place never cuts a character.
            shown.push_str(&text[from..place.start]);
            shown.push_str(REDACTED);
            from = place.end;
        }
        shown.push_str(&text[from..]);
        without_sequences(shown)
    }
}

/// Shows how many there are, and nothing of them.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("needles", &self.needles.len())
            .finish()
    }
}

fn forms(secret: &str) -> Vec<Needle> {
    if secret.is_empty() {
        return Vec::new();
    }
    let whole = |bytes: Vec<u8>| Needle {
        bytes,
        inside_base64: false,
    };
    let mut needles = vec![whole(secret.as_bytes().to_vec())];
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        for keep in [b"-._~".as_slice(), b"-._~!$&'()*+,;=:@"] {
            let encoded = percent_encoded(secret, digits, keep);
            if encoded != secret.as_bytes() {
                needles.push(whole(encoded));
            }
        }
    }
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            let mut padded = vec![0; offset];
            padded.extend(secret.as_bytes());
            let encoded = engine.encode(&padded);
            // Characters that also depend on the octets before and behind the secret are not looked for.
            let start = (offset * 8).div_ceil(6);
            let end = padded.len() * 8 / 6;
            if let Some(inside) = encoded.get(start..end)
                && inside.len() >= FEWEST_BASE64
            {
                needles.push(Needle {
                    bytes: inside.as_bytes().to_vec(),
                    inside_base64: true,
                });
            }
        }
    }
    needles
}

fn percent_encoded(secret: &str, digits: &[u8; 16], keep: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for &octet in secret.as_bytes() {
        if octet.is_ascii_alphanumeric() || keep.contains(&octet) {
            encoded.push(octet);
        } else {
            encoded.push(b'%');
            encoded.push(digits[usize::from(octet >> 4)]);
            encoded.push(digits[usize::from(octet & 15)]);
        }
    }
    encoded
}

fn widen(bytes: &[u8], place: Range<usize>) -> Range<usize> {
    let base64 = |octet: &&u8| octet.is_ascii_alphanumeric() || b"+/-_".contains(octet);
    let before = bytes[..place.start].iter().rev().take_while(base64).count();
    let behind = bytes[place.end..]
        .iter()
        .take_while(|octet| base64(octet) || **octet == b'=')
        .count();
    place.start - before..place.end + behind
}

fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => joined.push(place),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_each_of_its_forms() {
        let secrets = Secrets::new(["s3cret/pass word"]);
        for text in [
            "password=s3cret/pass word.",
            "http://u:s3cret%2Fpass%20word@host",
            "http://u:s3cret%2fpass%20word@host",
            "Basic dXNlcjpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dXNlMTpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dTpzM2NyZXQvcGFzcyB3b3Jk",
            "Basic dXM6czNjcmV0L3Bhc3Mgd29yZA==",
        ] {
            let hidden = secrets.hide(text);
            assert!(hidden.contains(REDACTED), "{hidden}");
            assert!(
                !hidden.contains("cret") && !hidden.contains("dX"),
                "{hidden}"
            );
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let secrets = Secrets::new(["", "abc"]);
        assert_eq!(secrets.hide("ab YWI= grüße"), "ab YWI= grüße");
        assert_eq!(secrets.hide("xabcx"), "x[redacted]x");
        assert!(Secrets::new([""]).is_empty());
    }

    #[test]
    fn overlapping_secrets_become_one_place() {
        let secrets = Secrets::new(["user:pass", "pass:word"]);
        assert_eq!(secrets.hide("-user:pass:word-"), "-[redacted]-");
    }

    #[test]
    fn debug_output_shows_no_secret() {
        assert!(!format!("{:?}", Secrets::new(["hidden"])).contains("hidden"));
    }
}
