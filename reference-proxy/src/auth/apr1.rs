//! The hash that `htpasswd -m` writes: MD5 crypt with a magic of its own.
//!
//! The digest comes from a library; this recipe around it is in no well-kept one.

use md5::{Digest, Md5};

const MAGIC: &str = "$apr1$";
/// A salt has at most so many characters.
const SALT_LONGEST: usize = 8;
/// How often the digest is repeated.
const ROUNDS: usize = 1000;
/// The digits of the encoding, six bits each.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether `password` has this hash.
pub(super) fn verify(hash: &str, password: &str) -> bool {
    let Some((salt, encoded)) = hash
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_once('$'))
    else {
        return false;
    };
    if salt.len() > SALT_LONGEST {
        return false;
    }
    let expected = encode(&digest(password.as_bytes(), salt.as_bytes()));
    // Every character is looked at, whatever the first difference.
    let differs = expected
        .bytes()
        .zip(encoded.bytes())
        .fold(0, |differs, (a, b)| differs | (a ^ b));
    expected.len() == encoded.len() && differs == 0
}

fn digest(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner: [u8; 16] = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize()
        .into();
    let mut first = Md5::new()
        .chain_update(password)
        .chain_update(MAGIC)
        .chain_update(salt);
    for start in (0..password.len()).step_by(inner.len()) {
        first.update(&inner[..inner.len().min(password.len() - start)]);
    }
    let mut bits = password.len();
    while bits > 0 {
        // The odd use of the password's first octet is part of the recipe.
        first.update(if bits & 1 == 1 { &[0] } else { &password[..1] });
        bits >>= 1;
    }
    let mut last: [u8; 16] = first.finalize().into();
    for round in 0..ROUNDS {
        let odd = round % 2 == 1;
        let mut next = Md5::new();
        next.update(if odd { password } else { &last[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &last[..] } else { password });
        last = next.finalize().into();
    }
    last
}

/// Twenty-two digits, the octets in an order of their own.
fn encode(digest: &[u8; 16]) -> String {
    const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut text = String::with_capacity(22);
    let mut push = |mut value: u32, digits: usize| {
        for _ in 0..digits {
            text.push(char::from(DIGITS[(value & 63) as usize]));
            value >>= 6;
        }
    };
    for [high, middle, low] in GROUPS.map(|group| group.map(|index| u32::from(digest[index]))) {
        push(high << 16 | middle << 8 | low, 4);
    }
    push(u32::from(digest[11]), 2);
    text
}
