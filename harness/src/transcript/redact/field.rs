//! Fields that carry credentials: the one place where a secret is looked for however short it is.

use std::ops::Range;

use memchr::memchr_iter;

use crate::transcript::redact::forms::{derived, pair};

/// The end of the names of both fields, `Authorization` and `Proxy-Authorization`.
const NAME: &[u8] = b"authorization:";

/// The words of such fields that hold one of the secrets, or something that is derived from one.
pub(super) fn places(bytes: &[u8], secrets: &[String]) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&bytes[from..]) {
        let begins = from + at + NAME.len();
        let line = bytes[begins..].split(|it| b"\r\n".contains(it)).next();
        let ends = begins + line.map_or(0, <[u8]>::len);
        let mut word = begins;
        for piece in bytes[begins..ends].split(|it| b" \t\"".contains(it)) {
            let tells = secrets.iter().any(|secret| tells(piece, secret));
            if tells {
                places.push(word..word + piece.len());
            }
            word += piece.len() + 1;
        }
        from = ends;
    }
    places
}

fn find(bytes: &[u8]) -> Option<usize> {
    let mut begins = memchr_iter(b':', bytes).filter_map(|at| (at + 1).checked_sub(NAME.len()));
    begins.find(|&at| bytes[at..at + NAME.len()].eq_ignore_ascii_case(NAME))
}

/// Whether a word is the secret or its like, or holds one as HTTP Basic does.
fn tells(word: &[u8], secret: &str) -> bool {
    let Ok(word) = std::str::from_utf8(word) else {
        return false;
    };
    if word.is_empty() {
        return false;
    }
    let alike = |text: &str| {
        let text = text.to_lowercase();
        let all = derived(secret).into_iter().map(|it| it.to_lowercase());
        all.into_iter().any(|it| text == it) || text.contains(&secret.to_lowercase())
    };
    alike(word.trim_end_matches(',')) || pair(word).is_some_and(|(_, password)| alike(&password))
}
