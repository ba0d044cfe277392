//! What comes through a screen, however it arrives.

use super::super::letter::{self, NAME};
use super::*;
use proptest::prelude::*;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    octets.extend_from_slice(&[kind, flags]);
    octets.extend_from_slice(&stream.to_be_bytes());
    octets.extend_from_slice(payload);
    octets
}

/// What comes through, when it arrives in pieces of these lengths.
fn screened(octets: &[u8], lengths: &[usize]) -> (Vec<u8>, Option<Reason>) {
    let oversight = Arc::new(Oversight::default());
    let mut screen = Screen::new(Arc::clone(&oversight));
    let (mut through, mut rest) = (Vec::new(), octets);
    let mut lengths = lengths.iter().copied().chain(std::iter::repeat(usize::MAX));
    while !rest.is_empty() && !screen.is_over() {
        let length = lengths.next().unwrap_or(1).clamp(1, rest.len());
        let (piece, behind) = rest.split_at(length);
        rest = behind;
        let passed = screen.sort(piece);
        through.extend_from_slice(&piece[..passed]);
        while let Some(ready) = screen.ready(7) {
            through.extend_from_slice(&ready);
        }
    }
    (through, oversight.violation())
}

#[test]
fn answers_are_rewritten_up_to_the_final_one() {
    let oversight = Arc::new(Oversight::default());
    let mut screen = Screen::of_answers(Arc::clone(&oversight));
    let said = [
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, b"\x08\x03103\x00\x01x\x01y"),
        frame(HEADERS, END_HEADERS, 1, b"\x88"),
        frame(DATA, 0, 1, b"hello"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x01x\x01y"),
    ];
    let expected = [
        frame(4, 0, 0, &[]),
        frame(
            HEADERS,
            END_HEADERS,
            1,
            b"\x08\x03103\x00\x01f\x10:status 103 x y ",
        ),
        frame(
            HEADERS,
            END_HEADERS,
            1,
            b"\x08\x03200\x00\x01f\x0c:status 200 ",
        ),
        frame(DATA, 0, 1, b"hello"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x01f\x00"),
    ];
    let mut through = Vec::new();
    for octets in said {
        let passed = screen.sort(&octets);
        through.extend_from_slice(&octets[..passed]);
        while let Some(ready) = screen.ready(usize::MAX) {
            through.extend_from_slice(&ready);
        }
    }
    assert_eq!(through, expected.concat());
    // Trailers are no end of a tunnel.
    assert!(!oversight.has_ended(1) && oversight.violation().is_none());

    let mut screen = Screen::of_answers(Arc::clone(&oversight));
    screen.sort(&frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x88"));
    assert!(oversight.has_ended(1));
    // What ends a stream is no interim answer, whatever it says, and what says nothing is no answer.
    for (block, flags) in [
        (&b"\x08\x03103"[..], END_HEADERS | END_STREAM),
        (b"\x08\x0220", END_HEADERS),
        (b"\x08\x03600", END_HEADERS),
        (b"\x00\x01x\x01y", END_HEADERS),
    ] {
        let mut screen = Screen::of_answers(Arc::default());
        screen.sort(&frame(HEADERS, flags, 1, block));
        let ready = screen.ready(usize::MAX).unwrap_or_default();
        assert!(ready[9..].starts_with(b"\x08\x03502"), "{block:?}");
    }
}

/// A connection with all that passes and all that is rewritten.
fn conversation() -> Vec<u8> {
    let block = b"\x02\x07CONNECT\x41\x05a:443";
    let mut padded = vec![3, 0, 0, 0, 0, 1];
    padded.extend_from_slice(block);
    padded.extend_from_slice(&[0; 3]);
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, &padded),
        frame(DATA, 0, 1, &[]),
        frame(0, 0, 1, &[7; 300]),
        frame(HEADERS, END_STREAM, 3, &block[..4]),
        frame(CONTINUATION, 0, 3, &[]),
        frame(CONTINUATION, END_HEADERS, 3, &block[4..]),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0, 1, b'x', 1, b'y']),
        frame(6, 0, 0, &[1; 8]),
        frame(0xfa, 0xff, 5, b"unknown"),
        // The entry that the first block has made.
        frame(HEADERS, END_HEADERS, 5, b"\x02\x03GET\xbe"),
        frame(0, 1, 1, &[]),
    ]
    .concat()
}

fn expected() -> Vec<u8> {
    let asked = |method: &str| {
        let value = format!(":method {method} :authority a:443 ");
        let mut block = b"\x02\x07CONNECT\x01\x01a\x00\x01f".to_vec();
        block.push(value.len() as u8);
        block.extend_from_slice(value.as_bytes());
        block
    };
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &asked("CONNECT")),
        frame(0, 0, 1, &[7; 300]),
        frame(HEADERS, END_HEADERS | END_STREAM, 3, &asked("CONNECT")),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x00\x01f\x00"),
        frame(6, 0, 0, &[1; 8]),
        frame(0xfa, 0xff, 5, b"unknown"),
        frame(HEADERS, END_HEADERS, 5, &asked("GET")),
        frame(0, 1, 1, &[]),
    ]
    .concat()
}

#[test]
fn blocks_are_rewritten_and_all_else_passes() {
    assert_eq!(screened(&conversation(), &[]), (expected(), None));
    let one_by_one = vec![1; conversation().len()];
    assert_eq!(screened(&conversation(), &one_by_one), (expected(), None));
}

/// A block that fills several frames again.
#[test]
fn a_long_block_stays_whole() {
    let mut block = b"\x02\x07CONNECT\x01\x05a:443".to_vec();
    for _ in 0..15 {
        block.extend_from_slice(b"\x00\x01x\x7f\xa1\x1e");
        block.extend_from_slice(&[b'y'; 127 + 0x21 + 30 * 128]);
    }
    let mut pieces = block.chunks(FRAME_LARGEST);
    let mut octets = vec![0; PREFACE];
    octets.extend(frame(HEADERS, 0, 1, pieces.next().unwrap()));
    for piece in pieces {
        octets.extend(frame(CONTINUATION, 0, 1, piece));
    }
    octets.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
    let (through, violation) = screened(&octets, &[]);
    assert_eq!(violation, None);
    let mut rest = &through[PREFACE..];
    let mut whole = Vec::new();
    while let Some(head) = Head::read(rest) {
        assert!(head.length <= FRAME_LARGEST);
        whole.extend_from_slice(&rest[HEAD..HEAD + head.length]);
        rest = &rest[HEAD + head.length..];
        assert_eq!(head.flags == END_HEADERS, rest.is_empty());
    }
    let mut section = None;
    let read = Decoder::default().decode(&whole, |name, value| {
        if name == NAME.as_bytes() {
            section = letter::read(value);
        }
    });
    assert_eq!(read, Ok(()));
    assert_eq!(
        section
            .unwrap()
            .iter()
            .filter(|(name, _)| *name == b"x")
            .count(),
        15
    );
}

#[test]
fn what_breaks_a_block_is_noted() {
    for (frames, reason) in [
        (frame(CONTINUATION, 0, 1, &[]), Reason::PROTOCOL_ERROR),
        (
            [frame(HEADERS, 0, 1, &[]), frame(6, 0, 0, &[0; 8])].concat(),
            Reason::PROTOCOL_ERROR,
        ),
        (
            [frame(HEADERS, 0, 1, &[]), frame(CONTINUATION, 0, 3, &[])].concat(),
            Reason::PROTOCOL_ERROR,
        ),
        (
            [
                frame(HEADERS, 0, 1, &[]),
                frame(HEADERS, END_HEADERS, 3, &[]),
            ]
            .concat(),
            Reason::PROTOCOL_ERROR,
        ),
        (
            frame(HEADERS, END_HEADERS | PADDED, 1, &[9, 0]),
            Reason::PROTOCOL_ERROR,
        ),
        (
            frame(HEADERS, END_HEADERS | PADDED, 1, &[]),
            Reason::FRAME_SIZE_ERROR,
        ),
        (
            frame(HEADERS, END_HEADERS | PRIORITY, 1, &[0; 4]),
            Reason::FRAME_SIZE_ERROR,
        ),
        (
            frame(HEADERS, END_HEADERS, 1, &[0x80]),
            Reason::COMPRESSION_ERROR,
        ),
        (
            frame(HEADERS, 0, 1, &[0; FRAME_LARGEST + 1]),
            Reason::FRAME_SIZE_ERROR,
        ),
        (
            [
                vec![frame(HEADERS, 0, 1, &[])],
                vec![frame(CONTINUATION, 0, 1, &[]); 2000],
            ]
            .concat()
            .concat(),
            Reason::ENHANCE_YOUR_CALM,
        ),
        (
            [
                vec![frame(HEADERS, 0, 1, &[])],
                vec![frame(CONTINUATION, 0, 1, &[0; 10_000]); 20],
            ]
            .concat()
            .concat(),
            Reason::ENHANCE_YOUR_CALM,
        ),
    ] {
        let octets = [vec![0; PREFACE], frames].concat();
        assert_eq!(
            screened(&octets, &[]).1,
            Some(reason),
            "{:?}",
            &octets[PREFACE..].iter().take(20).collect::<Vec<_>>()
        );
    }
}

proptest! {
    #[test]
    fn pieces_change_nothing(lengths in proptest::collection::vec(1_usize..40, 0..60)) {
        prop_assert_eq!(screened(&conversation(), &lengths), (expected(), None));
    }

    #[test]
    fn no_octets_make_it_panic(
        frames in proptest::collection::vec(
            (prop_oneof![Just(0_u8), Just(1), Just(9), any::<u8>()], any::<u8>(), 0_u32..9, proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
        lengths in proptest::collection::vec(1_usize..90, 0..20),
    ) {
        let frames = frames.iter().map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload));
        let octets = [vec![0; PREFACE], frames.collect::<Vec<_>>().concat()].concat();
        let whole = screened(&octets, &[]);
        let pieces = screened(&octets, &lengths);
        prop_assert_eq!(whole.1, pieces.1);
        if whole.1.is_none() {
            prop_assert_eq!(whole.0, pieces.0);
        }
    }
}
