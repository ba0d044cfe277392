//! How a case is called: `suite/sentence[row]`, or `suite@tls/sentence[row]` over another version of HTTP.
//!
//! Ids stand in reports, profiles, baselines and command lines, and are never renamed. What they are made of is read here and
//! nowhere else.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::protocol::{EVERY, Protocol};

/// The id of a case. Ids are ordered as their texts are, which keeps the rows of a case together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseId(Arc<str>);

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no id of a case: one is written suite/sentence, suite/sentence[row] or suite@tls/sentence"
)]
pub struct CaseIdError(String);

impl CaseId {
    /// The id of `sentence` of `suite` over `protocol`; of its `row`, where it is one of a family.
    ///
    /// # Errors
    /// Where a part is not of small letters, digits and `_`; a row may have others than brackets.
    pub fn new(
        suite: &str,
        protocol: Protocol,
        sentence: &str,
        row: Option<&str>,
    ) -> Result<Self, CaseIdError> {
        let version = protocol.suffix().map(|suffix| format!("@{suffix}"));
        let row = row.map(|row| format!("[{row}]"));
        let (version, row) = (version.unwrap_or_default(), row.unwrap_or_default());
        format!("{suite}{version}/{sentence}{row}").parse()
    }

    /// The id of a case that no suite has named yet.
    pub(crate) fn unnamed() -> Self {
        Self("unnamed/unnamed".into())
    }

    /// The suite: `close` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn suite(&self) -> &str {
        self.parts().suite
    }

    /// The version that it names: `tls` of `close@tls/half_close[client]`; `None` for HTTP/1.1 in the clear.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.parts().version
    }

    /// What it is asked over; `None` where its version is none that is known here, as in a report of a later connectspec.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        let version = self.version();
        let mut known = EVERY.iter().copied();
        known.find(|protocol| protocol.suffix() == version)
    }

    /// The sentence: `half_close` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn sentence(&self) -> &str {
        self.parts().sentence
    }

    /// The row: `client` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn row(&self) -> Option<&str> {
        self.parts().row
    }

    /// The suite with its version: `close@tls` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn group(&self) -> &str {
        let end = self.0.find('/').unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// Sentence and row: `half_close[client]` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.get(self.group().len() + 1..).unwrap_or_default()
    }

    /// What the rows of a case share: `close@tls/half_close` of `close@tls/half_close[client]`.
    #[must_use]
    pub fn family(&self) -> &str {
        let end = self.0.find('[').unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// Whether `other` is this case, or one of its rows where this names none.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self == other || self.as_str() == other.family()
    }

    /// The same case over HTTP/1.1 in the clear.
    #[must_use]
    pub fn plain(&self) -> Self {
        self.over(Protocol::Http1)
    }

    /// The same case over `protocol`.
    #[must_use]
    pub fn over(&self, protocol: Protocol) -> Self {
        let (suite, rest) = (self.suite(), &self.0[self.group().len()..]);
        match protocol.suffix() {
            None => Self(format!("{suite}{rest}").into()),
            Some(version) => Self(format!("{suite}@{version}{rest}").into()),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> Parts<'_> {
        // It was read before it became one.
        Parts::of(&self.0).unwrap_or(Parts {
            suite: &self.0,
            version: None,
            sentence: "",
            row: None,
        })
    }
}

/// What an id is made of.
struct Parts<'a> {
    suite: &'a str,
    version: Option<&'a str>,
    sentence: &'a str,
    row: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(id: &'a str) -> Option<Self> {
        let (suite, rest) = id.split_once('/')?;
        let (suite, version) = match suite.split_once('@') {
            Some((suite, version)) => (suite, Some(version)),
            None => (suite, None),
        };
        let (sentence, row) = match rest.split_once('[') {
            Some((sentence, row)) => (sentence, Some(row.strip_suffix(']')?)),
            None => (rest, None),
        };
        let is_word = |word: &str| {
            let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            !word.is_empty() && word.bytes().all(|byte| letter(byte) || byte == b'_')
        };
        let is_row = |row: &str| {
            let odd = |c: char| c.is_control() || matches!(c, '[' | ']');
            !row.is_empty() && !row.contains(odd)
        };
        let mut words = [Some(suite), version, Some(sentence)].into_iter().flatten();
        (words.all(is_word) && row.is_none_or(is_row)).then_some(Self {
            suite,
            version,
            sentence,
            row,
        })
    }
}

impl FromStr for CaseId {
    type Err = CaseIdError;

    fn from_str(text: &str) -> Result<Self, CaseIdError> {
        match Parts::of(text) {
            Some(_) => Ok(Self(text.into())),
            None => Err(CaseIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for CaseId {
    type Error = CaseIdError;

    fn try_from(text: String) -> Result<Self, CaseIdError> {
        text.parse()
    }
}

impl From<CaseId> for String {
    fn from(id: CaseId) -> Self {
        id.as_str().to_owned()
    }
}

impl Borrow<str> for CaseId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for CaseId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for CaseId {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for CaseId {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CaseId {
        text.parse().unwrap()
    }

    #[test]
    fn an_id_has_up_to_four_parts() {
        let id = id("close@tls/half_close[to_the_server]");
        assert_eq!((id.suite(), id.version()), ("close", Some("tls")));
        assert_eq!(id.protocol(), Some(Protocol::Http1Tls));
        assert_eq!(id.sentence(), "half_close");
        assert_eq!(id.row(), Some("to_the_server"));
        assert_eq!(
            (id.group(), id.family()),
            ("close@tls", "close@tls/half_close")
        );
        assert_eq!(id.plain(), "close/half_close[to_the_server]");
    }

    #[test]
    fn a_case_includes_its_rows() {
        assert!(id("a/b").includes(&id("a/b")) && id("a/b").includes(&id("a/b[c]")));
        assert!(id("a/b[c]").includes(&id("a/b[c]")) && !id("a/b[c]").includes(&id("a/b[d]")));
        assert!(!id("a/b").includes(&id("a/bc")) && !id("a/b").includes(&id("a@tls/b[c]")));
    }

    #[test]
    fn http_1_1_in_the_clear_is_not_named() {
        let plain = CaseId::new("close", Protocol::Http1, "half_close", None).unwrap();
        assert_eq!(plain, "close/half_close");
        assert_eq!((plain.version(), plain.row()), (None, None));
        assert_eq!(plain.protocol(), Some(Protocol::Http1));
        assert_eq!(plain.plain(), plain);
        let over_tls = CaseId::new("a", Protocol::Http1Tls, "b", Some("c")).unwrap();
        assert_eq!(over_tls, "a@tls/b[c]");
    }

    #[test]
    fn a_version_of_later_times_is_an_id_all_the_same() {
        assert_eq!(id("close@h9/half_close").protocol(), None);
    }

    #[test]
    fn what_is_no_id_is_said() {
        for text in [
            "", "close", "close/", "/x", "a/b/c", "a/b[c", "a/b[]", "a/b]c", "a@/b", "A/b",
            "a/b c", "a/b[c]d", "a@b@c/d",
        ] {
            let error = text.parse::<CaseId>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no id")), "{error}");
        }
    }

    #[test]
    fn the_rows_of_a_case_and_the_cases_of_a_version_stand_together() {
        let mut ids = ["a_b/x", "a@tls/x", "a/x_y", "a/x[b]", "a/x", "a/x[a]"].map(id);
        ids.sort();
        let texts = ids.each_ref().map(CaseId::as_str);
        assert_eq!(
            texts,
            ["a/x", "a/x[a]", "a/x[b]", "a/x_y", "a@tls/x", "a_b/x"]
        );
    }
}
