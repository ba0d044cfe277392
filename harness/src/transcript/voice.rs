//! How one direction of one connection is read aloud: as heads, or as whatever a tunnel carries.

use std::ops::Range;

use memchr::memchr_iter;

use crate::{
    transcript::octets::shown,
    wire::{Event, Leg, What},
};

/// Octets of one piece of a head that are shown. A head that is longer was made long on purpose, and its middle says
/// nothing.
pub(super) const SHOWN_HEAD: usize = 1024;

/// Octets of one piece of anything else that are shown: enough for every greeting that a case sends.
pub(super) const SHOWN_DATA: usize = 96;

/// Octets that are shown of a piece that is no text.
pub(super) const SHOWN_BINARY: usize = 12;

/// How one direction of one connection is read: as heads, or as whatever a tunnel carries.
pub(super) struct Voice {
    in_head: bool,
    /// The last octets of the piece before, where the end of a head may have begun.
    tail: Vec<u8>,
}

impl Voice {
    pub(super) fn of(leg: Leg, outermost: bool) -> Self {
        Self {
            in_head: outermost && matches!(leg, Leg::Client | Leg::Upstream),
            tail: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, bytes: &[u8], hidden: &[Range<usize>]) -> String {
        let mut said: Vec<String> = Vec::new();
        let mut from = 0;
        let mut shortened = false;
        while from < bytes.len() {
            let rest = &bytes[from..];
            self.in_head |= looks_like_a_head(rest);
            let head = self.in_head && !is_binary(rest);
            let length = if head { self.head(rest) } else { rest.len() };
            let most = match (head, is_binary(&rest[..length])) {
                (true, _) => SHOWN_HEAD,
                (false, false) => SHOWN_DATA,
                (false, true) => SHOWN_BINARY,
            };
            let (text, cut) = shown(rest, length, (from, hidden), most, !head);
            shortened |= cut;
            let named = (!head).then(|| tls_record(rest)).flatten();
            shortened |= named.is_some();
            said.push(named.map_or(text, str::to_owned));
            from += length;
        }
        if shortened {
            let digest = blake3::hash(bytes).to_hex();
            said.push(format!("({} bytes{})", bytes.len(), blake3_note(&digest)));
        }
        said.join(" ")
    }

    /// How many of the octets belong to the head that has begun.
    fn head(&mut self, bytes: &[u8]) -> usize {
        let mut seen = std::mem::take(&mut self.tail);
        let before = seen.len();
        seen.extend(bytes);
        let end = memchr_iter(b'\n', &seen).find_map(|at| match &seen[at + 1..] {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        });
        if let Some(end) = end {
            self.in_head = false;
            return end - before;
        }
        self.tail = seen.split_off(seen.len().saturating_sub(2));
        bytes.len()
    }
}

pub(super) fn begins_with_tls(event: &Event) -> bool {
    matches!(&event.what, What::Data { kept, .. } if tls_record(kept).is_some())
}

fn looks_like_a_head(bytes: &[u8]) -> bool {
    let line = bytes.split(|&octet| octet == b'\n').next().unwrap_or(bytes);
    let method = line.iter().take_while(|octet| octet.is_ascii_uppercase());
    let method = method.count();
    line.starts_with(b"HTTP/1.")
        || (method > 0
            && line.get(method) == Some(&b' ')
            && line.windows(6).any(|window| window == b" HTTP/"))
}

/// How much of a piece says what kind of thing it is: some pieces are megabytes.
const LOOKED_AT: usize = 4096;

/// Whether what it begins with is mostly no text.
fn is_binary(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    let odd = bytes
        .iter()
        .filter(|octet| !matches!(octet, b' '..=b'~' | b'\r' | b'\n' | b'\t'))
        .count();
    odd * 3 > bytes.len()
}

/// What a piece is that begins with a TLS record (RFC 8446 §5.1).
fn tls_record(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [20, 3, 0..=4, _, _, ..] => Some("TLS change cipher spec"),
        [21, 3, 0..=4, _, _, ..] => Some("TLS alert"),
        [22, 3, 0..=4, _, _, 1, ..] => Some("TLS ClientHello"),
        [22, 3, 0..=4, _, _, 2, ..] => Some("TLS ServerHello"),
        [22, 3, 0..=4, _, _, ..] => Some("TLS handshake"),
        [23, 3, 0..=4, _, _, ..] => Some("TLS application data"),
        _ => None,
    }
}

pub(super) fn blake3_note(digest: &str) -> String {
    digest
        .get(..12)
        .map_or_else(String::new, |start| format!(", blake3 {start}"))
}
