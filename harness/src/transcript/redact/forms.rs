//! What a secret looks like to whoever does not read it out: each form that it, or something derived from it, takes in bytes.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// The fewest base64 characters that are looked for inside a longer run. Fewer would be found by chance in any
/// certificate.
const FEWEST_BASE64: usize = 4;

/// Secrets of fewer characters stand in too many places that have nothing to do with them.
const SHORT: usize = 8;

/// Secrets of letters alone are words up to that length: `authorization` is one, and to take it out of every sentence would
/// tell it.
const WORD: usize = 16;

/// One form of one secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needle {
    pub(super) bytes: Vec<u8>,
    /// A part of a base64 run: all of the run has to go.
    pub(super) inside_base64: bool,
}

/// Whether it is short or common, so that it is looked for where credentials stand, and nowhere else.
pub(super) fn is_weak(secret: &str) -> bool {
    let letters = |c: char| c.is_alphabetic() || c == '-';
    let length = secret.chars().count();
    length < SHORT || (length < WORD && secret.chars().all(letters))
}

/// What is made of a secret by those who try what is nearly right, and by those who are lenient.
pub(super) fn derived(secret: &str) -> Vec<String> {
    let mut shortened = secret.chars();
    let mut all = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        secret.chars().skip(1).collect(),
    ];
    shortened.next_back();
    all.push(shortened.collect());
    all.retain(|secret| !secret.is_empty());
    all
}

/// Every form of a secret that is neither short nor common.
pub(super) fn everywhere(secret: &str) -> Vec<Needle> {
    derived(secret).iter().flat_map(|it| encoded(it)).collect()
}

/// The forms of a user with a short or common password that are so long, or so clear, that they stand for nothing else.
pub(super) fn with_user(user: &str, password: &str) -> Vec<Needle> {
    let mut needles = vec![
        whole(format!("{user}:{password}").into_bytes()),
        // In a URI.
        whole(format!(":{password}@").into_bytes()),
    ];
    for password in derived(password) {
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let token = engine.encode(format!("{user}:{password}"));
            if token.len() >= SHORT {
                needles.push(Needle {
                    bytes: token.into_bytes(),
                    inside_base64: true,
                });
            }
        }
    }
    needles
}

/// A token of HTTP Basic as user and password.
pub(super) fn pair(token: &str) -> Option<(String, String)> {
    let token = token.trim_end_matches('=');
    let engines = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    let octets = engines.iter().find_map(|it| it.decode(token).ok())?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn whole(bytes: Vec<u8>) -> Needle {
    Needle {
        bytes,
        inside_base64: false,
    }
}

fn encoded(secret: &str) -> Vec<Needle> {
    let mut needles = vec![whole(secret.as_bytes().to_vec())];
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        for keep in [b"-._~".as_slice(), b"-._~!$&'()*+,;=:@"] {
            let encoded = percent_encoded(secret, digits, keep);
            if encoded != secret.as_bytes() {
                needles.push(whole(encoded));
            }
        }
    }
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for offset in 0..3 {
            let mut padded = vec![0; offset];
            padded.extend(secret.as_bytes());
            let encoded = engine.encode(&padded);
            // Characters that also depend on the octets before and behind the secret are not looked for.
            let start = (offset * 8).div_ceil(6);
            let end = padded.len() * 8 / 6;
            if let Some(inside) = encoded.get(start..end)
                && inside.len() >= FEWEST_BASE64
            {
                needles.push(Needle {
                    bytes: inside.as_bytes().to_vec(),
                    inside_base64: true,
                });
            }
        }
    }
    needles
}

fn percent_encoded(secret: &str, digits: &[u8; 16], keep: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for &octet in secret.as_bytes() {
        if octet.is_ascii_alphanumeric() || keep.contains(&octet) {
            encoded.push(octet);
        } else {
            encoded.push(b'%');
            encoded.push(digits[usize::from(octet >> 4)]);
            encoded.push(digits[usize::from(octet & 15)]);
        }
    }
    encoded
}
