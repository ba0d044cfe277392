//! What the crate below is given to send: octets that are not copied on their way to the socket.
//!
//! It shows what it writes as slices, whoever they belong to. So a piece remembers what it has shown, and whoever is asked to
//! write the slice, which is in the same breath, holds on to that in place of a copy of it.

use bytes::{Buf, Bytes};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::IoSlice;

thread_local! {
    static SHOWN: Cell<Option<Bytes>> = const { Cell::new(None) };
}

/// Octets for a stream, in the parts that they were received in. Frames are made of it when they leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece {
    /// None of them is empty.
    parts: VecDeque<Bytes>,
    length: usize,
}

/// The part of a piece that was shown last, if nobody has asked since.
#[derive(Debug)]
pub(super) struct Shown(Option<Bytes>);

impl Piece {
    /// The first octets of what is held, which are taken off it.
    pub(crate) fn of(held: &mut VecDeque<Bytes>, length: usize) -> Self {
        let mut parts = VecDeque::new();
        let mut left = length;
        while let Some(part) = held.front_mut() {
            if part.len() > left {
                parts.extend((left > 0).then(|| part.split_to(left)));
                return Self { parts, length };
            }
            left -= part.len();
            parts.extend(held.pop_front());
        }
        Self {
            parts,
            length: length - left,
        }
    }
}

impl From<Bytes> for Piece {
    fn from(octets: Bytes) -> Self {
        let length = octets.len();
        let parts = (length > 0).then_some(octets).into_iter().collect();
        Self { parts, length }
    }
}

impl Shown {
    pub(super) fn take() -> Self {
        Self(SHOWN.take())
    }

    /// `octets` themselves, if they belong to it.
    pub(super) fn holding(&self, octets: &[u8]) -> Option<Bytes> {
        let (whole, part) = (self.0.as_ref()?, octets.as_ptr_range());
        let own = whole.as_ptr_range();
        let within = own.start <= part.start && part.end <= own.end;
        within.then(|| whole.slice_ref(octets))
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        self.parts.front().map_or(&[], |part| part)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (Some(first), Some(part)) = (slices.first_mut(), self.parts.front()) else {
            return 0;
        };
        *first = IoSlice::new(part);
        SHOWN.set(Some(part.clone()));
        1
    }

    fn advance(&mut self, mut octets: usize) {
        self.length -= octets;
        while let Some(part) = self.parts.front_mut() {
            if octets < part.len() {
                part.advance(octets);
                return;
            }
            octets -= part.len();
            self.parts.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_known_again_by_any_part_of_it() {
        let mut piece = Piece::from(Bytes::from(vec![7; 100]));
        piece.advance(10);
        let shown = |piece: &Piece| {
            let mut slices = [IoSlice::new(&[]); 2];
            assert_eq!(piece.chunks_vectored(&mut slices), 1);
            Shown::take().holding(&slices[0][20..50])
        };
        let held = shown(&piece).unwrap();
        assert_eq!(
            (held.len(), held.as_ptr()),
            (30, piece.chunk()[20..].as_ptr())
        );
        // It is shown to one who asks, and to nobody behind him.
        assert_eq!(Shown::take().holding(piece.chunk()), None);
    }

    #[test]
    fn a_piece_is_the_beginning_of_what_is_held() {
        let part = |octet: u8| Bytes::from(vec![octet; 10]);
        let all: Vec<u8> = [part(1), part(2), part(3)].concat();
        for length in 0..=all.len() {
            let mut held = VecDeque::from([part(1), part(2), part(3)]);
            let mut piece = Piece::of(&mut held, length);
            assert_eq!(piece.remaining(), length);
            let mut octets = Vec::new();
            // In steps that end within parts and between them.
            while piece.has_remaining() {
                let step = piece.chunk().len().min(4);
                octets.extend_from_slice(&piece.chunk()[..step]);
                piece.advance(step);
            }
            assert!(held.iter().all(|part| !part.is_empty()));
            octets.extend(held.into_iter().flatten());
            assert_eq!(octets, all);
        }
        let mut piece = Piece::of(&mut VecDeque::from([part(1), part(2)]), 20);
        piece.advance(15);
        assert_eq!(piece.chunk(), [2; 5]);
    }

    #[test]
    fn other_octets_are_not_taken_for_it() {
        let (piece, other) = (Piece::from(Bytes::from(vec![7; 100])), vec![7; 100]);
        let mut slices = [IoSlice::new(&[])];
        piece.chunks_vectored(&mut slices);
        let shown = Shown::take();
        assert_eq!(shown.holding(&other), None);
        assert!(shown.holding(piece.chunk()).is_some());
    }
}
