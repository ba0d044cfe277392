//! From a level and a conclusion to a verdict: one pure, total match.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::verdict::Conclusion;

/// How much weight a requirement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The specification demands it.
    Must,
    /// What a product does on which others are modelled; asked only of subjects that say they are like it. The word is
    /// the name of the one such product that there are cases about.
    #[serde(rename = "httpd")]
    Product,
    /// The specification recommends it.
    Should,
    /// Good practice in security and operation; no sentence of a specification demands it.
    Practice,
    /// The specification permits it.
    May,
    /// Only observed.
    Survey,
}

impl Level {
    /// Every level, the strictest first.
    pub const ALL: [Self; 6] = [
        Self::Must,
        Self::Product,
        Self::Should,
        Self::Practice,
        Self::May,
        Self::Survey,
    ];

    /// The word for it, as in a report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Product => "httpd",
            Self::Should => "should",
            Self::Practice => "practice",
            Self::May => "may",
            Self::Survey => "survey",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.word() == word)
            .ok_or_else(|| format!("`{word}` is no level; the levels are {}", words(Self::ALL)))
    }
}

fn words(levels: impl IntoIterator<Item = Level>) -> String {
    levels
        .into_iter()
        .map(Level::word)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a case says of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The requirement was kept.
    Pass,
    /// It was broken.
    Fail,
    /// A recommendation was not followed.
    Warn,
    /// An observation; nobody is blamed.
    Info,
    /// Broken, known, and explained in the profile or a baseline.
    Known,
    /// Listed as broken, but it was kept: the list is out of date.
    Healed,
    /// Not judged, with the reason.
    Skip,
    /// The subject could not be brought to the point where the case begins.
    Blocked,
    /// The harness failed.
    Broken,
}

impl Verdict {
    /// Every verdict, in the order of a summary.
    pub const ALL: [Self; 9] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Info,
        Self::Known,
        Self::Healed,
        Self::Skip,
        Self::Blocked,
        Self::Broken,
    ];

    /// The word for it, as in a report.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Known => "known",
            Self::Healed => "healed",
            Self::Skip => "skip",
            Self::Blocked => "blocked",
            Self::Broken => "broken",
        }
    }

    /// Whether a person has to look at it: it is shown with all its evidence.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        matches!(
            self,
            Self::Fail | Self::Warn | Self::Healed | Self::Blocked | Self::Broken
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a conclusion means for a requirement of `level`.
///
/// `strict` turns recommendations and good practice into demands; `listed` says that the subject's profile or a
/// baseline lists the case as a known deviation.
#[must_use]
pub const fn judge(level: Level, conclusion: Conclusion, strict: bool, listed: bool) -> Verdict {
    use {Conclusion as C, Level as L};
    match (conclusion, level, listed) {
        (C::HarnessFailed, ..) => Verdict::Broken,
        (C::SetupMissing, ..) => Verdict::Blocked,
        (C::NeedAbsent | C::Inconclusive, ..) => Verdict::Skip,
        (C::Held, _, true) => Verdict::Healed,
        (C::Violated, _, true) => Verdict::Known,
        (C::Held | C::Violated, L::May | L::Survey, false) => Verdict::Info,
        (C::Held, _, false) => Verdict::Pass,
        (C::Violated, L::Must | L::Product, false) => Verdict::Fail,
        (C::Violated, L::Should | L::Practice, false) if strict => Verdict::Fail,
        (C::Violated, L::Should | L::Practice, false) => Verdict::Warn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_demand_is_a_failure_unless_it_is_known() {
        assert_eq!(
            judge(Level::Must, Conclusion::Violated, false, false),
            Verdict::Fail
        );
        assert_eq!(
            judge(Level::Must, Conclusion::Violated, false, true),
            Verdict::Known
        );
        assert_eq!(
            judge(Level::Must, Conclusion::Held, false, true),
            Verdict::Healed
        );
    }

    #[test]
    fn a_recommendation_fails_only_when_asked_to() {
        for level in [Level::Should, Level::Practice] {
            assert_eq!(
                judge(level, Conclusion::Violated, false, false),
                Verdict::Warn
            );
            assert_eq!(
                judge(level, Conclusion::Violated, true, false),
                Verdict::Fail
            );
        }
    }

    #[test]
    fn a_survey_blames_nobody() {
        for conclusion in [Conclusion::Held, Conclusion::Violated] {
            assert_eq!(judge(Level::Survey, conclusion, true, false), Verdict::Info);
        }
    }

    #[test]
    fn the_harness_is_never_acquitted() {
        for level in Level::ALL {
            for listed in [false, true] {
                let verdict = judge(level, Conclusion::HarnessFailed, false, listed);
                assert_eq!(verdict, Verdict::Broken);
            }
        }
    }

    #[test]
    fn every_word_names_its_level() {
        for level in Level::ALL {
            assert_eq!(level.word().parse(), Ok(level));
        }
    }
}
