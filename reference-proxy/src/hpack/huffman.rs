//! The Huffman code of RFC 7541, appendix B.
//!
//! It is canonical: of two symbols the one with the shorter code comes first, of two as long the smaller one. So the lengths are the
//! whole table.

/// The bits of the code of each octet, and of the symbol for the end.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11,
    10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8,
    15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5,
    6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21,
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25,
    26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26,
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
/// The symbol for the end, which no string contains.
const END: usize = 256;
const LONGEST: usize = 30;

/// The code, by length.
#[derive(Debug)]
struct Code {
    /// The first code of each length, and where its symbol stands in `symbols`.
    first: [(u32, usize); LONGEST + 1],
    /// How many have that length.
    count: [u32; LONGEST + 1],
    symbols: [u16; 257],
}

static CODE: Code = code();

const fn code() -> Code {
    let mut code = Code {
        first: [(0, 0); LONGEST + 1],
        count: [0; LONGEST + 1],
        symbols: [0; 257],
    };
    let (mut next, mut placed, mut length) = (0, 0, 1);
    while length <= LONGEST {
        next <<= 1;
        code.first[length] = (next, placed);
        let mut symbol = 0;
        while symbol <= END {
            if LENGTHS[symbol] as usize == length {
                code.symbols[placed] = symbol as u16;
                code.count[length] += 1;
                placed += 1;
                next += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    code
}

/// The octets that `coded` stands for; `None`: it is no code.
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    // The shortest code has five bits.
    let mut octets = Vec::with_capacity(coded.len() * 8 / 5);
    let (mut bits, mut length) = (0_u32, 0);
    for octet in coded {
        for at in (0..8).rev() {
            bits = bits << 1 | u32::from(octet >> at & 1);
            length += 1;
            if length > LONGEST {
                return None;
            }
            let (first, place) = CODE.first[length];
            let Some(offset) = bits.checked_sub(first) else {
                continue;
            };
            if offset < CODE.count[length] {
                let symbol = CODE.symbols[place + offset as usize];
                octets.push(u8::try_from(symbol).ok()?);
                (bits, length) = (0, 0);
            }
        }
    }
    // What is left is the beginning of the symbol for the end: ones, and less than an octet of them (section 5.2).
    let padding = length < 8 && bits == (1 << length) - 1;
    padding.then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_whole() {
        // Kraft's sum: every row of bits is the beginning of some code, and no code is the beginning of another.
        let sum: u64 = LENGTHS
            .iter()
            .map(|&length| 1 << (LONGEST - length as usize))
            .sum();
        assert_eq!(sum, 1 << LONGEST);
        // Some of the appendix.
        let of = |symbol: usize| {
            let length = LENGTHS[symbol] as usize;
            let (first, place) = CODE.first[length];
            let at = CODE.symbols[place..]
                .iter()
                .position(|&own| own as usize == symbol);
            first + at.unwrap() as u32
        };
        for (symbol, code) in [
            (b'0' as usize, 0),
            (b' ' as usize, 0x14),
            (0, 0x1ff8),
            (b'~' as usize, 0x1ffd),
            (255, 0x03ff_ffee),
            (22, 0x3fff_fffe),
            (END, 0x3fff_ffff),
        ] {
            assert_eq!(of(symbol), code, "{symbol}");
        }
    }

    #[test]
    fn reads_the_examples_of_the_appendix() {
        let coded = [
            0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
        ];
        assert_eq!(decode(&coded).unwrap(), b"www.example.com");
        assert_eq!(
            decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(),
            b"no-cache"
        );
        assert_eq!(decode(&[]).unwrap(), b"");
    }

    #[test]
    fn wrong_ends_are_none() {
        // Zeros behind a symbol, an octet of ones, and the end itself.
        for wrong in [
            &[0x10][..],
            &[0xff],
            &[0x07, 0xff],
            &[0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
        assert_eq!(decode(&[0x07]).unwrap(), b"0");
    }
}
