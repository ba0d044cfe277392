//! What the crate below is given to send: octets that are not copied on their way to the socket.
//!
//! It shows what it writes as slices, whoever they belong to. So a piece remembers itself when it is shown, and whoever is asked to
//! write the slice, which is in the same breath, holds on to the piece in place of a copy of it.

use bytes::{Buf, Bytes};
use std::cell::Cell;
use std::io::IoSlice;

thread_local! {
    static SHOWN: Cell<Option<Bytes>> = const { Cell::new(None) };
}

/// Octets for a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece(Bytes);

/// The piece that was shown last, if nobody has asked since.
#[derive(Debug)]
pub(super) struct Shown(Option<Bytes>);

impl Piece {
    pub(crate) const fn new(octets: Bytes) -> Self {
        Self(octets)
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
        self.0.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.0.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let Some(first) = slices.first_mut().filter(|_| !self.0.is_empty()) else {
            return 0;
        };
        *first = IoSlice::new(&self.0);
        SHOWN.set(Some(self.0.clone()));
        1
    }

    fn advance(&mut self, octets: usize) {
        self.0.advance(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_known_again_by_any_part_of_it() {
        let mut piece = Piece::new(Bytes::from(vec![7; 100]));
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
    fn other_octets_are_not_taken_for_it() {
        let (piece, other) = (Piece::new(Bytes::from(vec![7; 100])), vec![7; 100]);
        let mut slices = [IoSlice::new(&[])];
        piece.chunks_vectored(&mut slices);
        let shown = Shown::take();
        assert_eq!(shown.holding(&other), None);
        assert!(shown.holding(piece.chunk()).is_some());
    }
}
