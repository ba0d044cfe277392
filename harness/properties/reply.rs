//! What a proxy answers: no octets make the reader panic, none are lost, and where the network cuts them changes nothing.

use connectspec_harness::{
    client::body::{BodyEnd, Decoder, framing},
    http1::{
        Answer, Reply,
        reply_reader::{Heard, Hearing},
    },
};

/// Whether the input was accepted. Panics where the property does not hold; `cuts` are the lengths of the first pieces.
pub(crate) fn holds(cuts: &[u8], octets: &[u8]) -> bool {
    let whole = heard(&[octets]);
    let pieces = pieces(cuts, octets);
    let cut = heard(&pieces);
    match (&whole.answer, &cut.answer) {
        (Answer::Reply(reply), Answer::Reply(_)) => {
            assert_eq!(whole, cut);
            assert_eq!([heads(reply), whole.rest.clone()].concat(), octets);
            is_read_alike(reply, &pieces_of(&whole.rest, cuts), &whole.rest);
            true
        }
        (
            Answer::Garbage { bytes, why },
            Answer::Garbage {
                bytes: fewer,
                why: same,
            },
        ) => {
            // Once it is clear that this is no answer, nobody waits for more of it.
            assert!(why == same && bytes.starts_with(fewer), "{whole:?} {cut:?}");
            false
        }
        _ => {
            assert_eq!(whole, cut);
            false
        }
    }
}

/// What is heard of these pieces, and then silence. What comes behind the answer is not the reader's.
fn heard(pieces: &[&[u8]]) -> Heard {
    let mut hearing = Hearing::default();
    for (index, piece) in pieces.iter().enumerate() {
        if let Some(mut heard) = hearing.feed(piece) {
            if matches!(heard.answer, Answer::Reply(_)) {
                heard.rest.extend(pieces[index + 1..].concat());
            }
            return heard;
        }
    }
    hearing.ends(Answer::Silence)
}

/// The octets of a reply, with those of the interim ones.
fn heads(reply: &Reply) -> Vec<u8> {
    let interim = reply.interim.iter().map(|interim| &interim.head);
    let heads: Vec<&[u8]> = interim.chain([&reply.head]).map(Vec::as_slice).collect();
    heads.concat()
}

/// A body ends in the same way, with the same content and the same octets behind it, however it is cut.
fn is_read_alike(reply: &Reply, pieces: &[&[u8]], octets: &[u8]) {
    let Ok(framing) = framing(reply) else {
        return;
    };
    let read = |pieces: &[&[u8]]| {
        let mut decoder = Decoder::new(framing);
        let mut rest = Vec::new();
        let end = pieces.iter().try_for_each(|piece| {
            rest.extend_from_slice(decoder.feed(piece)?);
            Ok::<_, BodyEnd>(())
        });
        let is_done = decoder.is_done();
        assert!(is_done || rest.is_empty());
        (decoder.content, decoder.trailers, is_done, rest, end)
    };
    let (whole, cut) = (read(&[octets]), read(pieces));
    assert!(whole.0.len() <= octets.len());
    assert_eq!(whole, cut);
}

fn pieces<'a>(cuts: &[u8], octets: &'a [u8]) -> Vec<&'a [u8]> {
    pieces_of(octets, cuts)
}

fn pieces_of<'a>(mut octets: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &cut in cuts {
        let (piece, rest) = octets.split_at(octets.len().min(cut.into()));
        pieces.push(piece);
        octets = rest;
    }
    pieces.push(octets);
    pieces
}
