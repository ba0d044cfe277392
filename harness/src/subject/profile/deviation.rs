//! Deviations: failures that are known and explained.

use crate::subject::profile::{ProfileError, decode};

/// A known, explained failure of one proxy in one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The id of the case.
    pub case: String,
    /// Why it fails, as seen in a transcript.
    pub why: String,
    /// Where more is to be read.
    pub see: Option<String>,
    /// The day after which the excuse has run out.
    pub until: Option<jiff::civil::Date>,
    /// What was observed when it was written down.
    pub observed: Option<String>,
    /// Whether chance decides, as in a race that the proxy does not always lose: then it is no news when it holds.
    pub sometimes: bool,
}

impl Deviation {
    /// Whether the excuse has run out on that day.
    #[must_use]
    pub fn has_expired(&self, today: jiff::civil::Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// Reads a baseline: a file that holds `[[deviation]]` tables and nothing else.
///
/// # Errors
/// The first mistake in it.
pub fn parse_baseline(origin: &str, text: &str) -> Result<Vec<Deviation>, ProfileError> {
    decode::baseline(origin, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &str = "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nuntil = '2027-06-30'\n";

    #[test]
    fn a_baseline_is_read() {
        let deviations = parse_baseline("b.toml", BASELINE).unwrap();
        assert_eq!(deviations[0].case, "a/b");
        let day = |text: &str| text.parse().unwrap();
        assert!(!deviations[0].has_expired(day("2027-06-30")));
        assert!(deviations[0].has_expired(day("2027-07-01")));
    }

    #[test]
    fn mistakes_in_a_baseline_are_named() {
        for (text, message) in [
            (
                "name = 'x'\n",
                "b.toml:1:1: unknown key `name` at the top; the keys are: deviation",
            ),
            (
                "[[deviation]]\ncase = 'a/b'\nwy = 'w'\n",
                "b.toml:3:1: unknown key `wy` in [deviation]; did you mean `why`?",
            ),
            (
                "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nuntil = 'June'\n",
                "b.toml:4:9: `June` is no date; write it like \"2027-06-30\"",
            ),
            (
                &format!("{BASELINE}\n{BASELINE}"),
                "b.toml:7:8: `a/b` has a deviation already; keep one of them",
            ),
        ] {
            assert_eq!(
                parse_baseline("b.toml", text).unwrap_err().to_string(),
                message
            );
        }
    }
}
