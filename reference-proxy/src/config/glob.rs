//! Patterns with `*`, `?` and `[…]`, as httpd's library reads them.
//!
//! The details are its own: `[!a]` and `[^a]` both negate, a `]` that comes first is a member, a bracket that is
//! never closed is a bracket, and a backslash takes the meaning from what follows.

/// Whether httpd takes `pattern` for one with wildcards: it has a `*`, a `?`, or a pair of brackets.
pub(super) fn is_one(pattern: &str) -> bool {
    let (mut octets, mut open) = (pattern.bytes(), false);
    while let Some(octet) = octets.next() {
        match octet {
            b'*' | b'?' => return true,
            b'\\' => drop(octets.next()),
            b'[' => open = true,
            b']' if open => return true,
            _ => {}
        }
    }
    false
}

/// Whether the whole of `text` fits `pattern`. `text` is in lower case where `any_case` is true, and then fits when
/// either of its cases does.
pub(super) fn fits(pattern: &str, text: &str, any_case: bool) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        let (length, one) = element(&pattern[p..]);
        if length > 0 && (one.takes(text[t]) || any_case && one.takes(text[t].to_ascii_uppercase()))
        {
            p += length;
            t += 1;
            continue;
        }
        let Some((after, from)) = star else {
            return false;
        };
        // The last star takes one octet more.
        star = Some((after, from + 1));
        p = after;
        t = from + 1;
    }
    pattern[p..].iter().all(|&octet| octet == b'*')
}

/// What stands for one octet.
enum One<'a> {
    Any,
    Exactly(u8),
    /// The members of a bracket, and whether they are the ones that do not fit.
    Among(&'a [u8], bool),
}

impl One<'_> {
    fn takes(&self, octet: u8) -> bool {
        match *self {
            Self::Any => true,
            Self::Exactly(own) => own == octet,
            Self::Among(members, negated) => {
                ranges(members).any(|(low, high)| (low..=high).contains(&octet)) != negated
            }
        }
    }
}

/// The first element of `pattern` and its length, which is 0 at its end.
fn element(pattern: &[u8]) -> (usize, One<'_>) {
    match *pattern {
        [] => (0, One::Any),
        [b'?', ..] => (1, One::Any),
        [b'\\', octet, ..] => (2, One::Exactly(octet)),
        [b'[', ref inside @ ..] => bracket(inside).unwrap_or((1, One::Exactly(b'['))),
        [octet, ..] => (1, One::Exactly(octet)),
    }
}

/// What stands behind a `[`, if a `]` closes it.
fn bracket(inside: &[u8]) -> Option<(usize, One<'_>)> {
    let negated = matches!(inside.first(), Some(b'!' | b'^'));
    let members = &inside[usize::from(negated)..];
    let end = members_end(members)?;
    let length = 2 + usize::from(negated) + end;
    Some((length, One::Among(&members[..end], negated)))
}

/// Where the bracket is closed: a `]` that is neither first, nor protected, nor the end of a range.
fn members_end(members: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        if at > 0 && *members.get(at)? == b']' {
            return Some(at);
        }
        at += member(&members[at..])?.0;
    }
}

/// The length of the first member, and the octets that it stands for.
fn member(members: &[u8]) -> Option<(usize, (u8, u8))> {
    let (at, low) = protected(members)?;
    match &members[at..] {
        [b'-', next, ..] if *next != b']' => {
            let (length, high) = protected(&members[at + 1..])?;
            Some((at + 1 + length, (low, high)))
        }
        _ => Some((at, (low, low))),
    }
}

fn protected(octets: &[u8]) -> Option<(usize, u8)> {
    match *octets {
        [b'\\', octet, ..] => Some((2, octet)),
        [b'\\'] | [] => None,
        [octet, ..] => Some((1, octet)),
    }
}

fn ranges(mut members: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    std::iter::from_fn(move || {
        let (length, range) = member(members)?;
        members = &members[length..];
        Some(range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fits_as_in_httpd() {
        for (pattern, text, whether) in [
            ("*", "", true),
            ("*", "a.test:1", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.test:*", "a.test:443", true),
            ("*.test", "a.test:443", false),
            ("a*b*c", "aXXbYYc", true),
            ("[a-c]1", "b1", true),
            ("[a-c]1", "d1", false),
            ("[!a-c]1", "d1", true),
            ("[^a-c]1", "b1", false),
            ("[]a]", "]", true),
            ("[]a]", "a", true),
            ("[a-]", "-", true),
            ("[a\\]b]", "]", true),
            ("[ab", "[ab", true),
            ("[ab*", "[abc", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("\\[::1]:*", "[::1]:443", true),
            ("[::1]:*", "[::1]:443", false),
            ("[::1]:*", "1:443", true),
            ("a\\", "a\\", true),
            ("LOCAL*", "localhost", false),
        ] {
            assert_eq!(fits(pattern, text, false), whether, "{pattern} {text}");
        }
    }

    #[test]
    fn case_is_minded_unless_told() {
        for (pattern, text) in [
            ("LOCAL*", "localhost"),
            ("[A-Z]ocal*", "localhost"),
            ("[!A-Z]ocal*", "localhost"),
        ] {
            assert!(fits(pattern, text, true), "{pattern}");
        }
    }

    #[test]
    fn knows_wildcards() {
        for (pattern, whether) in [
            ("a.test", false),
            ("a*", true),
            ("a?", true),
            ("[a]", true),
            ("[a", false),
            ("a]", false),
            ("\\*\\?", false),
            ("\\[::1]", false),
            ("\\[::1]:*", true),
        ] {
            assert_eq!(is_one(pattern), whether, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in "[a-c*?\\[\\]\\\\!^-]{0,12}", text in "[a-c\\]\\[-]{0,8}") {
            let _ = is_one(&pattern);
            let _ = fits(&pattern, &text, true);
        }

        #[test]
        fn whatever_is_taken_literally_fits_itself(text in "[a-z0-9.:\\[\\]-]{0,20}") {
            let literal: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(fits(&literal, &text, false));
        }
    }
}
