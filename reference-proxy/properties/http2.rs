//! What a client of HTTP/2 sends, or an upstream proxy, in two pieces: the pieces change nothing, what comes through is frames, and what a field block says
//! is taken only where it prints as what it means.

use connectspec_reference_proxy::hpack::Decoder;
use connectspec_reference_proxy::http2::{Oversight, Screen};
use connectspec_reference_proxy::request::{Authority, HeadLimits, Request, Section};
use std::sync::Arc;

/// The octets in front of the first frame.
const PREFACE: usize = 24;

/// Whether the input was accepted. Panics where the property does not hold; `cut` is where the second piece begins.
pub(crate) fn holds(cut: u8, octets: &[u8]) -> bool {
    let behind = octets.get(PREFACE..).unwrap_or_default();
    comes_through(Screen::of_answers, 0, cut, behind);
    comes_through(Screen::new, PREFACE, cut, octets);
    takes(octets.get(PREFACE + 9..).unwrap_or_default())
}

/// What one kind of screen makes of it; so many octets stand before the first frame.
fn comes_through(screen: fn(Arc<Oversight>) -> Screen, before: usize, cut: u8, octets: &[u8]) {
    let whole = through(screen, &[octets]);
    let (first, second) = octets.split_at(octets.len().min(cut.into()));
    let pieces = through(screen, &[first, second]);
    assert_eq!(whole.1, pieces.1);
    if !whole.1 {
        assert_eq!(whole.0, pieces.0);
    }
    let mut rest = whole.0.get(before..).unwrap_or_default();
    // The last frame may go on behind the input.
    while let [a, b, c, kind, flags, _, _, _, _, payload @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let there = length.min(payload.len());
        if *kind == 1 && flags & 4 != 0 && length == there {
            let read = Decoder::default().decode(&payload[..there], |_, _| {});
            assert_eq!(read, Ok(()), "what is written is no field block");
        }
        rest = &payload[there..];
    }
}

/// What comes through a screen, and whether the connection is over.
fn through(screen: fn(Arc<Oversight>) -> Screen, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut screen = screen(Arc::new(Oversight::default()));
    let mut through = Vec::new();
    for piece in pieces {
        if piece.is_empty() || screen.is_over() {
            continue;
        }
        let passed = screen.sort(piece);
        through.extend_from_slice(&piece[..passed]);
        while let Some(ready) = screen.ready(1000) {
            through.extend_from_slice(&ready);
        }
    }
    (through, screen.is_over())
}

/// Whether a field block is a request for a tunnel.
fn takes(block: &[u8]) -> bool {
    let limits = HeadLimits {
        line: 200,
        field: 200,
        fields: 10,
    };
    let mut section = Section::default();
    let read = Decoder::default().decode(block, |name, value| section.push(name, value));
    if read.is_ok()
        && let Ok(Request {
            authority: Some(authority),
            ..
        }) = Request::of_stream(&section, &limits)
    {
        assert_ne!(authority.port, 0);
        let printed = authority.to_string();
        assert_eq!(Authority::parse(printed.as_bytes()).ok(), Some(authority));
        return true;
    }
    false
}
