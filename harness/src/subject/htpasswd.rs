//! The lines of an htpasswd file, in the apr1 form: the one that httpd and Squid's `basic_ncsa_auth`
//! both read on every system. crypt(3) forms depend on the C library that the subject was built with.

use md5::{Digest, Md5};

use crate::subject::configuration::Credentials;

/// The salt is no secret here: the password is, at most, one that the harness made up for this run.
const SALT: &[u8; 8] = b"connect0";

/// How often the digest is stirred; part of the form.
const ROUNDS: usize = 1000;

/// `user:$apr1$salt$digest` and a newline.
pub(super) fn line(credentials: &Credentials) -> String {
    let digest = apr1(credentials.password.as_bytes(), SALT);
    let salt = String::from_utf8_lossy(SALT);
    format!("{}:$apr1${salt}${digest}\n", credentials.username)
}

/// The MD5-based crypt of FreeBSD with Apache's magic word, as base64 of its own order and alphabet.
fn apr1(password: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut outer = Md5::new();
    outer.update(password);
    outer.update(b"$apr1$");
    outer.update(salt);
    for taken in (0..password.len()).step_by(16) {
        outer.update(&inner[..(password.len() - taken).min(16)]);
    }
    let mut length = password.len();
    while length > 0 {
        // Odd lengths take a zero byte, even ones the password's first: a slip of 1994 that is now the form.
        outer.update(if length & 1 == 1 {
            &[0]
        } else {
            &password[..1]
        });
        length >>= 1;
    }
    let mut digest = outer.finalize();
    for round in 0..ROUNDS {
        let mut stirred = Md5::new();
        let odd = round % 2 == 1;
        stirred.update(if odd { password } else { &digest[..] });
        if round % 3 != 0 {
            stirred.update(salt);
        }
        if round % 7 != 0 {
            stirred.update(password);
        }
        stirred.update(if odd { &digest[..] } else { password });
        digest = stirred.finalize();
    }
    encode(&digest)
}

fn encode(digest: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const TRIPLES: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let mut text = String::with_capacity(22);
    let mut push = |mut bits: u32, characters: usize| {
        for _ in 0..characters {
            text.push(char::from(ALPHABET[(bits & 0x3f) as usize]));
            bits >>= 6;
        }
    };
    for [high, middle, low] in TRIPLES {
        let byte = |index: usize| u32::from(digest[index]);
        push(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    push(u32::from(digest[11]), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_openssl_passwd_apr1() {
        assert_eq!(apr1("".as_bytes(), b"connect0"), "YD7b7piVix2cN.ydVWtwq0");
        assert_eq!(apr1("a".as_bytes(), b"connect0"), "jSEmJ01149p3gBdeFh9Jo/");
        assert_eq!(
            apr1("password".as_bytes(), b"connect0"),
            "YzTpf202OPNKL5Ac5bWJI0"
        );
        assert_eq!(
            apr1("0123456789abcdef".as_bytes(), b"connect0"),
            "mNaW2t2GZXxedAR7MucJx."
        );
        assert_eq!(
            apr1("0123456789abcdefg".as_bytes(), b"connect0"),
            "0vMwpv6n8PG/lJ2oDvhVF."
        );
        assert_eq!(
            apr1(
                "a long one, with \"quotes\" and ümlauts, past two blocks".as_bytes(),
                b"connect0"
            ),
            "51QncM9mqghBivkZrMtai0"
        );
    }

    #[test]
    fn a_line_names_the_user_first() {
        let credentials = Credentials::parse("ann:password").unwrap();
        let line = line(&credentials);
        assert!(
            line.starts_with("ann:$apr1$connect0$") && line.ends_with('\n'),
            "{line}"
        );
    }
}
