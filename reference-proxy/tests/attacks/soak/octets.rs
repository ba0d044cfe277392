//! Octets that both sides can make for themselves, so that each one is compared and none is kept.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::Duration;

/// What is made, sent or read at once.
const PIECE: usize = 16 << 10;
/// How long a slow reader rests between two pieces.
const REST: Duration = Duration::from_millis(120);

/// Octets that are random, and the same for the same seed.
pub(super) struct Octets(u64);

impl Octets {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number: xorshift64*.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 8) % limit
    }

    fn fill(&mut self, piece: &mut [u8]) {
        for eight in piece.chunks_mut(8) {
            let octets = self.next().to_le_bytes();
            eight.copy_from_slice(&octets[..eight.len()]);
        }
    }
}

/// How fast a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Full,
    Slow,
}

/// Sends so many octets of `seed`.
pub(super) fn send(to: &mut impl Write, seed: u64, size: u64) {
    let (mut octets, mut piece, mut left) = (Octets::new(seed), [0; PIECE], size);
    while left > 0 {
        let length = left.min(PIECE as u64) as usize;
        octets.fill(&mut piece[..length]);
        to.write_all(&piece[..length])
            .unwrap_or_else(|error| panic!("{error} with {left} of {size} to be sent"));
        left -= length as u64;
    }
    to.flush().unwrap();
}

/// Reads exactly so many octets of `seed`, and then the end.
pub(super) fn receive(from: &mut impl Read, seed: u64, size: u64, pace: Pace) {
    read(from, seed, size, pace);
    let mut more = [0];
    let end = from.read(&mut more);
    assert_eq!(end.ok(), Some(0), "no end behind {size}");
}

/// Reads exactly so many octets of `seed`.
pub(super) fn receive_exactly(from: &mut impl Read, seed: u64, size: u64) {
    read(from, seed, size, Pace::Full);
}

fn read(from: &mut impl Read, seed: u64, size: u64, pace: Pace) {
    // Nobody ever says anything to this one: waiting for it is the rest.
    let quiet = UdpSocket::bind("127.0.0.1:0").unwrap();
    quiet.set_read_timeout(Some(REST)).unwrap();
    let (mut octets, mut left) = (Octets::new(seed), size);
    let (mut expected, mut piece) = ([0; PIECE], [0; PIECE]);
    while left > 0 {
        let length = left.min(PIECE as u64) as usize;
        octets.fill(&mut expected[..length]);
        from.read_exact(&mut piece[..length])
            .unwrap_or_else(|error| panic!("{error} with {left} of {size} to come"));
        assert!(piece[..length] == expected[..length], "other octets");
        left -= length as u64;
        if pace == Pace::Slow {
            quiet.recv(&mut [0]).unwrap_err();
        }
    }
}
