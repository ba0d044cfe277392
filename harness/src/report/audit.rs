//! What an audit means: where the proxy leads that it should not, where it does not lead that it should, and what nobody knows.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::Serialize;

use crate::{
    audit::About,
    case_id::CaseId,
    report::{CaseResult, Report},
    verdict::Verdict,
};

impl Report {
    /// Whether it is one of an audit, and not of a run of cases.
    #[must_use]
    pub const fn is_an_audit(&self) -> bool {
        !self.run.policy.is_empty()
    }
}

/// How grave it is, and the rest of a sentence that begins with the subject's name; `others` is what is wrong beside the targets.
pub(super) fn meaning(report: &Report, others: Vec<String>) -> (Verdict, String) {
    let (lost, leaks): (Vec<_>, Vec<_>) = report
        .with(Verdict::Fail)
        .partition(|result| is_meant(result));
    let targets = |count: usize| format!("{count} target{}", if count == 1 { "" } else { "s" });
    let mut faults = Vec::new();
    if !leaks.is_empty() {
        faults.push(format!(
            "it leads to {} that it should not",
            targets(leaks.len())
        ));
    }
    if !lost.is_empty() {
        faults.push(format!(
            "it does not lead to {} that it should",
            targets(lost.len())
        ));
    }
    let red = !faults.is_empty();
    faults.extend(others);
    let untold = match report.totals.skip {
        0 => String::new(),
        1 => "; 1 question remains open".to_owned(),
        count => format!("; {count} questions remain open"),
    };
    let all = report.totals.all();
    match (red, faults.is_empty()) {
        (true, _) => (
            Verdict::Fail,
            format!("does not keep the policy: {}{untold}", faults.join(", ")),
        ),
        (false, false) => (
            Verdict::Warn,
            format!("was not asked in full: {}{untold}", faults.join(", ")),
        ),
        (false, true) if report.totals.warn > 0 => (
            Verdict::Warn,
            format!(
                "keeps the policy where it matters, and leads to {} of no good use{untold}",
                targets(report.totals.warn)
            ),
        ),
        (false, true) => (
            Verdict::Pass,
            format!(
                "leads to what the policy names and to nothing else, in {} of {all} questions{untold}",
                all - report.totals.skip
            ),
        ),
    }
}

/// Whether a result is about something that is meant to be reached.
fn is_meant(result: &CaseResult) -> bool {
    result.case.sentence() == About::Meant.sentence()
}

/// What was asked about one thing.
#[derive(Serialize)]
pub(super) struct Asked<'a> {
    /// What it is about.
    pub(super) title: &'a str,
    /// How many times it was asked.
    pub(super) all: usize,
    /// How many times it came out as it is meant.
    pub(super) as_meant: usize,
    /// What the proxy said where it did, and how many times.
    pub(super) said: Vec<(&'a str, usize)>,
    /// The gravest of what came out.
    pub(super) tone: Verdict,
    /// What did not come out as it is meant, the gravest first.
    pub(super) others: Vec<Other<'a>>,
}

/// A question that did not come out as it is meant.
#[derive(Serialize)]
pub(super) struct Other<'a> {
    /// Its id.
    case: &'a CaseId,
    /// The target, with what tells it from others.
    pub(super) target: String,
    /// What came out.
    pub(super) verdict: Verdict,
    /// What was seen, or why nothing could be told.
    pub(super) said: &'a str,
}

/// What was asked, what is meant to be reached first.
pub(super) fn asked(report: &Report) -> Vec<Asked<'_>> {
    let mut by_sentence: BTreeMap<(bool, &str), Vec<&CaseResult>> = BTreeMap::new();
    for result in &report.results {
        let key = (!is_meant(result), result.case.sentence());
        by_sentence.entry(key).or_default().push(result);
    }
    let all = by_sentence.values();
    all.map(|results| Asked::of(results)).collect()
}

impl<'a> Asked<'a> {
    /// Of results about one thing, of which there are some.
    fn of(results: &[&'a CaseResult]) -> Self {
        let (kept, mut others): (Vec<_>, Vec<_>) = results
            .iter()
            .copied()
            .partition(|result| result.verdict == Verdict::Pass);
        let mut said: BTreeMap<&str, usize> = BTreeMap::new();
        for result in &kept {
            // Why it was asked is noted first, and then what the client was told.
            let seen = result.observed.as_deref().unwrap_or("nothing");
            let words = seen.split_once("; ").map_or(seen, |(_, words)| words);
            *said.entry(words).or_default() += 1;
        }
        let mut said: Vec<_> = said.into_iter().collect();
        said.sort_by_key(|&(_, count)| Reverse(count));
        others.sort_by_key(|result| gravity(result.verdict));
        Self {
            title: &results[0].title,
            all: results.len(),
            as_meant: kept.len(),
            said,
            tone: others.first().map_or(Verdict::Pass, |first| first.verdict),
            others: others.into_iter().map(Other::of).collect(),
        }
    }
}

impl<'a> Other<'a> {
    fn of(result: &'a CaseResult) -> Self {
        let said = match result.verdict {
            Verdict::Fail | Verdict::Warn => &result.observed,
            _ => &result.reason,
        };
        Self {
            case: &result.case,
            target: target_of(result.case.row().unwrap_or_default()),
            verdict: result.verdict,
            said: said.as_deref().unwrap_or_default(),
        }
    }
}

/// A row as a client writes its target: an id has no room for the brackets around an address of IPv6.
fn target_of(row: &str) -> String {
    let (target, rest) = row.split_at(row.find(' ').unwrap_or(row.len()));
    match target.rsplit_once(':') {
        Some((host, port)) if host.contains(':') => format!("[{host}]:{port}{rest}"),
        _ => row.to_owned(),
    }
}

/// The gravest is the least.
fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Skip => 3,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_its_brackets_back() {
        for (row, target) in [
            ("::1:443", "[::1]:443"),
            ("fd00:ec2::254:8000", "[fd00:ec2::254]:8000"),
            ("127.0.0.1:443", "127.0.0.1:443"),
            (
                "a.test:443 leads to fd00:ec2::254",
                "a.test:443 leads to fd00:ec2::254",
            ),
            ("everything", "everything"),
        ] {
            assert_eq!(target_of(row), target);
        }
    }
}
