//! What lasts of an observation: the part that is the same in the next run.
//!
//! An observation names ports, addresses and times that no two runs share. Whether a failure still has the face that
//! was written down, or whether two reports differ, must not depend on them.

use std::sync::LazyLock;

use regex::Regex;

/// An address, a nonce, a time, or a number so long that it is a port or a count of octets; and random bytes that
/// arrived in the place of others.
static PASSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"wrong byte at offset \d+: "(?:[^"\\]|\\.)*" instead of "(?:[^"\\]|\\.)*"|nonce-[0-9a-f]+|\b\d+(?:\.\d+){3}\b|\d+(?:\.\d+)? ?(?:ms|µs)\b|\d{4,}"#)
        .expect("the pattern is a constant")
});

/// `observed` with `#` for whatever differs from run to run.
#[must_use]
pub fn of(observed: &str) -> String {
    PASSING.replace_all(observed, "#").into_owned()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn ports_addresses_nonces_and_times_do_not_last() {
        let observed = "a tunnel to 127.231.53.68:25390 after 12.5 ms, with nonce-db68b88f3807727c";
        assert_eq!(of(observed), "a tunnel to #:# after #, with #");
    }

    #[test]
    fn random_bytes_do_not_last() {
        let one = r#"a wrong byte at offset 0: "_z\x18\"" instead of "\x0bMT""#;
        let two = r#"a wrong byte at offset 417: "n" instead of "\xe9\\""#;
        assert_eq!(of(one), of(two));
        assert_eq!(of(one), "a #");
    }

    #[test]
    fn statuses_and_small_counts_last() {
        let observed = "HTTP/1.1 403 Forbidden, 7 of 65 octets";
        assert_eq!(of(observed), observed);
    }
}
