//! The report of a run as data: the contract that the JSON report keeps.
//!
//! Fields are only ever added, and readers skip those that they do not know; what would break a reader gets a new
//! [`SCHEMA`]. Results are sorted by the id of their case, so that two reports differ only where the runs did.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    case_id::CaseId,
    report::{ReportError, foreign},
    transcript::steps::Step,
    verdict::{Level, Verdict},
};

/// The name and version of the contract.
pub const SCHEMA: &str = "connectspec.report/1";

/// All that a run found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// How the run went.
    pub run: Run,
    /// Who was judged.
    pub subject: Subject,
    /// How many results of each verdict.
    pub totals: Totals,
    /// Every result, sorted by the id of its case.
    pub results: Vec<CaseResult>,
}

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it began: RFC 3339, in UTC.
    pub started: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The version of connectspec.
    pub connectspec: String,
    /// What makes everything random repeatable.
    pub seed: u64,
    /// The selectors as given; empty means all.
    pub selectors: Vec<String>,
    /// What those ran over that no selector names a version for: the words of `--over`; empty where nobody said so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<String>,
    /// `2/5`: the second of five shares.
    pub partition: Option<String>,
    /// For an audit, what is meant to be reachable, in lines; empty for a run of cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<String>,
    /// How many results were to come; more than there are where the run was interrupted.
    #[serde(default)]
    pub planned: usize,
    /// Whether the run ended before every case had its verdict.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Why nothing could be judged: the subject did not start, or is no working CONNECT proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// How the subject died where no case alone brings it about, and which cases ran then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deaths: Vec<String>,
    /// Listed deviations that name no case, or have expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<String>,
    /// Whether nobody listened any more where the proxy was; what a report says of it stands in its results.
    #[serde(skip)]
    pub gone: bool,
}

/// The proxy that was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The name of its profile, or the address of a proxy that was already running.
    pub profile: String,
    /// What people call it.
    pub title: String,
    /// As it says itself.
    pub version: Option<String>,
    /// How it is launched; empty for one that was already running.
    pub command: Vec<String>,
    /// The words that select it again on the command line of `connectspec run`, empty for the default subject; or those of an
    /// audit, with that word in front; or a whole command of cargo, up to the id of a case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub again: String,
}

/// How many results of each verdict there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field is the verdict of its name")]
pub struct Totals {
    pub pass: usize,
    pub fail: usize,
    pub warn: usize,
    pub info: usize,
    pub known: usize,
    pub healed: usize,
    pub skip: usize,
    pub blocked: usize,
    pub broken: usize,
}

/// What was found for one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The id of the case.
    pub case: CaseId,
    /// The requirement.
    pub title: String,
    /// The title of its suite.
    #[serde(default)]
    pub suite: String,
    /// How much weight it has.
    pub level: Level,
    /// What was found.
    pub verdict: Verdict,
    /// For a violation: each outcome that would have been right.
    pub expected: Vec<String>,
    /// What was seen.
    pub observed: Option<String>,
    /// Why there is no judgement; for a known deviation, its reason.
    pub reason: Option<String>,
    /// Cases without which it says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relies_on: Vec<CaseId>,
    /// The violated case of which this result is a consequence; it is not held against the proxy a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows_from: Option<CaseId>,
    /// The rows of the register that it covers.
    pub covers: Vec<String>,
    /// Links to where the requirement stands.
    pub cites: Vec<String>,
    /// What these links are called, in the same order: `RFC 9110 §9.3.6`.
    #[serde(default)]
    pub citations: Vec<String>,
    /// The file and line of the case.
    pub source: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What the subject was configured to.
    pub setup: String,
    /// What passed on both legs, without secrets.
    #[serde(default)]
    pub transcript: Vec<Step>,
    /// Events that the transcript did not keep.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// The end of what the subject itself printed or logged, where that helps to understand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_said: Option<String>,
}

impl Report {
    /// Reads the JSON report at `path`.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no report.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let text = std::fs::read_to_string(path).map_err(|source| ReportError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the JSON report in `text`, which came from `path`.
    ///
    /// # Errors
    /// Where it is no report.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ReportError> {
        let malformed = |line, column, reason: String, remedy: &str| ReportError::Malformed {
            path: path.to_owned(),
            line,
            column,
            reason,
            remedy: remedy.to_owned(),
        };
        let report: Self = foreign::parse(text).map_err(|error| {
            let text = error.to_string();
            // The place is said once, in front.
            let reason = text
                .rsplit_once(" at line ")
                .map_or(&*text, |parts| parts.0);
            let remedy = "give a file that `connectspec run --report json=FILE` wrote";
            malformed(error.line(), error.column(), reason.to_owned(), remedy)
        })?;
        if report.schema != SCHEMA {
            let reason = format!("its schema is `{}`, not `{SCHEMA}`", report.schema);
            let remedy = "use the version of connectspec that wrote it";
            return Err(malformed(1, 1, reason, remedy));
        }
        Ok(report)
    }

    /// The exit status that the run deserves: 0 conformant; 1 a case failed or healed, or a listed deviation is stale;
    /// 2 the subject could not be judged, it died and nobody knows of what, a case was broken, or nothing ran. Never 0 when no
    /// case ran.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let totals = self.totals;
        if totals.fail + totals.healed > 0 || !self.run.stale.is_empty() {
            1
        } else if self.run.refused.is_some()
            || self.run.interrupted
            || !self.run.deaths.is_empty()
            || totals.broken > 0
            || totals.blocked > 0
            || totals.all() == totals.skip
        {
            2
        } else {
            0
        }
    }

    /// The command that repeats just this case.
    #[must_use]
    pub fn again(&self, result: &CaseResult) -> String {
        self.again_as(result.case.as_str())
    }

    /// The command that repeats the cases that a selector means: the id of a case, or what its rows share.
    pub(super) fn again_as(&self, selector: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.@".contains(c);
        let quote = ["'", ""][usize::from(selector.chars().all(plain))];
        let case = format!("{quote}{selector}{quote}");
        let tool = match self.subject.again.split(' ').next() {
            Some("cargo") => "",
            Some("audit") => "connectspec",
            _ => "connectspec run",
        };
        [tool, &self.subject.again, &case]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The results that have a verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CaseResult> {
        self.results
            .iter()
            .filter(move |result| result.verdict == verdict)
    }
}

impl Subject {
    /// What people call it, with its version where that is known.
    #[must_use]
    pub fn name(&self) -> String {
        let title = if self.title.is_empty() {
            &self.profile
        } else {
            &self.title
        };
        match &self.version {
            Some(version) => format!("{title} {version}"),
            None => title.clone(),
        }
    }
}

impl CaseResult {
    /// The first part of the id of its case: its suite, and what that is asked over.
    #[must_use]
    pub fn suite_id(&self) -> &str {
        self.case.group()
    }

    /// The title of its suite, or where the report has none, what stands for it in ids.
    #[must_use]
    pub fn suite_title(&self) -> &str {
        if self.suite.is_empty() {
            self.suite_id()
        } else {
            &self.suite
        }
    }
}

impl Totals {
    /// Counts `results`.
    #[must_use]
    pub fn of(results: &[CaseResult]) -> Self {
        let mut totals = Self::default();
        for result in results {
            *totals.slot(result.verdict) += 1;
        }
        totals
    }

    /// How many results have this verdict.
    #[must_use]
    pub fn get(mut self, verdict: Verdict) -> usize {
        *self.slot(verdict)
    }

    /// How many results there are.
    #[must_use]
    pub fn all(self) -> usize {
        Verdict::ALL
            .into_iter()
            .map(|verdict| self.get(verdict))
            .sum()
    }

    fn slot(&mut self, verdict: Verdict) -> &mut usize {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Info => &mut self.info,
            Verdict::Known => &mut self.known,
            Verdict::Healed => &mut self.healed,
            Verdict::Skip => &mut self.skip,
            Verdict::Blocked => &mut self.blocked,
            Verdict::Broken => &mut self.broken,
        }
    }
}

/// `71 pass, 2 fail`: the verdicts that there are.
impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = Verdict::ALL
            .into_iter()
            .filter(|&verdict| self.get(verdict) > 0)
            .map(|verdict| format!("{} {verdict}", self.get(verdict)))
            .collect();
        if counts.is_empty() {
            return f.write_str("no results");
        }
        f.write_str(&counts.join(", "))
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
