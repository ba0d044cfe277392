//! A mistake in a text that somebody wrote: which file, which place, and what would have been right.
//!
//! Profiles and templates are written by people who meet this project for the first time. A message
//! that only says what is wrong sends them to the documentation; one that names the nearest right
//! word usually does not.

use std::{fmt, ops::Range};

/// One mistake, at one place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The file, as the user named it.
    pub origin: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1; absent where only the line is known.
    pub column: Option<usize>,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// What to do about it, as a lowercase fragment.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake at a byte range of `text`.
    pub(crate) fn at(origin: &str, text: &str, span: &Range<usize>, message: String) -> Self {
        let (line, column) = place(text, span.start);
        Self {
            origin: origin.to_owned(),
            line,
            column: Some(column),
            message,
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.origin, self.line)?;
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// How alike two words must be (0 to 1) before one is offered in place of the other. Lower, and
/// unrelated words are offered; higher, and two slips in a short word already go unexplained.
const LIKENESS_MIN: f64 = 0.55;

/// "did you mean …?" with the candidate that is most like `word`, when one is like it at all.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(word, candidate),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Line and column, both from 1, of a byte offset.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_word_only_when_it_is_near() {
        let words = ["program", "args", "listen"];
        assert_eq!(
            did_you_mean("prgram", words).as_deref(),
            Some("did you mean `program`?")
        );
        assert_eq!(
            did_you_mean("lisen", words).as_deref(),
            Some("did you mean `listen`?")
        );
        assert_eq!(did_you_mean("certificate", words), None);
    }

    #[test]
    fn counts_lines_and_columns_from_one() {
        assert_eq!(place("ab\ncd", 0), (1, 1));
        assert_eq!(place("ab\ncd", 4), (2, 2));
        assert_eq!(place("é\n", 99), (2, 1), "past the end is the end");
    }
}
