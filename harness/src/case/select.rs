//! Which cases: globs over ids, and shares of a run.

use crate::{
    case_id::CaseId,
    protocol::{DEFAULT, Protocol},
};

/// Whether `id` is meant by `selector`.
///
/// A selector is a glob: `*` stands for any characters. One without a slash names a suite; one without brackets also
/// means every row of a family. Only one that names a version with `@` means cases over another version than HTTP/1.1 in
/// the clear.
///
/// ```
/// # use connectspec_harness::case::select::matches;
/// assert!(matches("close", "close/the_last_words_arrive"));
/// assert!(matches("*/refuses_*", "target/refuses_a_bad_port[plus_sign]"));
/// assert!(matches("target/refuses_a_bad_port", "target/refuses_a_bad_port[plus_sign]"));
/// assert!(matches("close@tls", "close@tls/the_last_words_arrive"));
/// assert!(matches("*@tls", "close@tls/the_last_words_arrive"));
/// assert!(!matches("clos", "close/the_last_words_arrive"));
/// assert!(!matches("close", "close@tls/the_last_words_arrive"));
/// assert!(!matches("close@*", "close/the_last_words_arrive"));
/// ```
#[must_use]
pub fn matches(selector: &str, id: impl AsRef<str>) -> bool {
    let id = id.as_ref();
    let family = id.split('[').next().unwrap_or(id);
    let suite = id.split('/').next().unwrap_or(id);
    if selector.contains('@') != suite.contains('@') {
        return false;
    }
    if selector.contains('/') {
        glob(selector, id) || (!selector.contains('[') && glob(selector, family))
    } else {
        glob(selector, suite) || glob(selector, id)
    }
}

/// Which cases somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Globs over ids; none means all.
    pub selectors: Vec<String>,
    /// What the cases run over that no selector names a version for; none means [`DEFAULT`].
    pub over: Vec<Protocol>,
}

impl Selection {
    /// Whether it means the case of this id.
    #[must_use]
    pub fn means(&self, id: &CaseId) -> bool {
        match self.selectors.as_slice() {
            [] => self.is_over(id),
            selectors => selectors.iter().any(|one| self.means_by(one, id)),
        }
    }

    /// Whether `selector`, one of it, means the case of this id: as it is written, where it names a version, and else over
    /// each protocol that is asked for.
    #[must_use]
    pub fn means_by(&self, selector: &str, id: &CaseId) -> bool {
        if selector.contains('@') {
            matches(selector, id)
        } else if self.over.is_empty() {
            // Without a version, and without a word about versions, the plain ones are meant.
            matches(selector, id)
        } else {
            self.is_over(id) && matches(selector, id.plain())
        }
    }

    fn is_over(&self, id: &CaseId) -> bool {
        let over = match self.over.as_slice() {
            [] => DEFAULT,
            over => over,
        };
        id.protocol()
            .is_some_and(|protocol| over.contains(&protocol))
    }
}

/// Whether `text` fits `pattern`, where `*` stands for any characters. Linear in practice: it goes back to the last
/// star only.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// A stable share of the cases: the same id falls into the same share on every machine and in every version that
/// has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Which share, from 1.
    pub share: u32,
    /// Of how many.
    pub of: u32,
}

impl Partition {
    /// Whether `id` belongs to this share.
    #[must_use]
    pub fn contains(self, id: impl AsRef<str>) -> bool {
        let digest = blake3::hash(id.as_ref().as_bytes());
        let first: [u8; 4] = digest.as_bytes()[..4].try_into().unwrap_or_default();
        u32::from_le_bytes(first) % self.of == self.share - 1
    }
}

impl std::str::FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no share; write 2/5 for the second of five");
        let (share, of) = text.split_once('/').ok_or_else(wrong)?;
        let (share, of) = (
            share.parse().map_err(|_| wrong())?,
            of.parse().map_err(|_| wrong())?,
        );
        if (1..=of).contains(&share) {
            Ok(Self { share, of })
        } else {
            Err(wrong())
        }
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.share, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::EVERY;

    #[test]
    fn every_id_is_in_exactly_one_share() {
        for number in 0..200 {
            let id = format!("suite/case_{number}");
            let shares = (1..=5).filter(|&share| Partition { share, of: 5 }.contains(&id));
            assert_eq!(shares.count(), 1);
        }
    }

    #[test]
    fn a_bad_share_says_how_to_write_one() {
        for bad in ["0/5", "6/5", "5", "a/b", "1/0"] {
            assert!(
                bad.parse::<Partition>().unwrap_err().contains("2/5"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_version_is_only_meant_by_whoever_names_it() {
        let [plain, over_tls]: [CaseId; 2] =
            ["close/ends[a]", "close@tls/ends[a]"].map(|id| id.parse().unwrap());
        let selection = |selectors: &[&str], over: &[Protocol]| Selection {
            selectors: selectors.iter().map(|&one| one.to_owned()).collect(),
            over: over.to_vec(),
        };
        let means = |selectors: &[&str], over: &[Protocol]| {
            let selection = selection(selectors, over);
            (selection.means(&plain), selection.means(&over_tls))
        };
        let tls = &[Protocol::Http1Tls];
        for selector in ["close", "*", "*/ends", "close/*", "cl*ds*", "close/ends[a]"] {
            assert_eq!(means(&[selector], &[]), (true, false), "{selector}");
            assert_eq!(means(&[selector], tls), (false, true), "{selector}");
            assert_eq!(means(&[selector], EVERY), (true, true), "{selector}");
        }
        for selector in [
            "close@*",
            "*@tls",
            "close@tls/ends",
            "*@*/ends*",
            "*@tls*ends*",
        ] {
            assert_eq!(means(&[selector], &[]), (false, true), "{selector}");
        }
        assert_eq!(means(&[], &[]), (true, false));
        assert_eq!(means(&[], tls), (false, true));
        assert_eq!(means(&["close", "close@*"], &[]), (true, true));
        assert_eq!(means(&["other"], EVERY), (false, false));
    }

    #[test]
    fn stars_match_anything() {
        assert!(matches("*", "a/b"));
        assert!(matches("a/*c*", "a/bcd[e]"));
        assert!(!matches("a/*x", "a/bcd"));
        assert!(matches("a/b[r*]", "a/b[row]"));
    }
}
