//! What is broken, by cause: one fault of a proxy fails many rows of a case, and takes others with it.
//!
//! A cause is a requirement, over whichever version of HTTP it was asked, with the failures of its rows and with what was not
//! judged since it follows from one of them. The gravest comes first, and shows the one result that is easiest to read.

use std::cmp::Reverse;

use crate::{
    report::model::{CaseResult, Report},
    verdict::{Level, Verdict},
};

/// How the observation begins where the proxy died of a case.
const DIED: &str = "it ended: ";

/// A requirement that is not kept.
#[derive(Debug)]
pub(super) struct Cause<'r> {
    /// What its rows share: `close/the_last_words_arrive`.
    pub(super) family: String,
    /// The result that is easiest to read.
    pub(super) clearest: &'r CaseResult,
    /// Every failure of it, by id.
    pub(super) results: Vec<&'r CaseResult>,
    /// What was not judged since it follows from one of those.
    pub(super) follow: Vec<&'r CaseResult>,
}

impl Cause<'_> {
    /// Whether the proxy died of it.
    pub(super) fn is_a_crash(&self) -> bool {
        died(self.clearest)
    }

    /// `2 results, 38 follow from it`.
    pub(super) fn weight(&self) -> String {
        let results = counted(self.results.len(), "result");
        match self.follow.len() {
            0 => results,
            1 => format!("{results}, 1 more follows from it"),
            count => format!("{results}, {count} more follow from it"),
        }
    }
}

/// What has one of these verdicts, by cause, the gravest first.
pub(super) fn causes<'r>(report: &'r Report, verdicts: &[Verdict]) -> Vec<Cause<'r>> {
    let mut causes: Vec<Cause<'r>> = Vec::new();
    let blamed = |result: &&CaseResult| verdicts.contains(&result.verdict);
    for result in report.results.iter().filter(blamed) {
        let family = requirement(result);
        match causes.iter_mut().find(|cause| cause.family == family) {
            Some(cause) => {
                cause.results.push(result);
                if legibility(result) < legibility(cause.clearest) {
                    cause.clearest = result;
                }
            }
            None => causes.push(Cause {
                family,
                clearest: result,
                results: vec![result],
                follow: Vec::new(),
            }),
        }
    }
    for result in &report.results {
        let Some(from) = &result.follows_from else {
            continue;
        };
        let is_of =
            |cause: &&mut Cause<'r>| cause.results.iter().any(|one| from.includes(&one.case));
        if let Some(cause) = causes.iter_mut().find(is_of) {
            cause.follow.push(result);
        }
    }
    // Stable: what weighs the same stays sorted by id.
    causes.sort_by_key(|cause| {
        let weight = cause.results.len() + cause.follow.len();
        (
            Reverse(cause.is_a_crash()),
            rank(cause.clearest.level),
            Reverse(weight),
        )
    });
    causes
}

/// How many requirements there are, and how many are kept: of those that a proxy has to keep, and that were judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demands {
    pub(super) judged: usize,
    pub(super) kept: usize,
}

/// Counts the demands of a report.
pub(super) fn demands(report: &Report) -> Demands {
    let mut families: Vec<(String, bool)> = Vec::new();
    for result in &report.results {
        let kept = match result.verdict {
            Verdict::Pass | Verdict::Healed => true,
            Verdict::Fail | Verdict::Known => false,
            _ => continue,
        };
        if matches!(result.level, Level::Must | Level::Product) {
            families.push((requirement(result), kept));
        }
    }
    // Broken before kept: the first of a family says what it is.
    families.sort();
    families.dedup_by(|later, first| later.0 == first.0);
    Demands {
        judged: families.len(),
        kept: families.iter().filter(|(_, kept)| *kept).count(),
    }
}

/// What the rows of a case share, over every version of HTTP.
pub(super) fn requirement(result: &CaseResult) -> String {
    result.case.plain().family().to_owned()
}

/// Whether the proxy died of it.
pub(super) fn died(result: &CaseResult) -> bool {
    let observed = result.observed.as_deref();
    result.verdict == Verdict::Fail && observed.is_some_and(|seen| seen.starts_with(DIED))
}

/// `1 result`, `2 results`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The less there is to read the better, but for nothing at all; a crash before all.
fn legibility(result: &CaseResult) -> (bool, bool, usize) {
    let length = result.transcript.len();
    (!died(result), length == 0, length)
}

fn rank(level: Level) -> usize {
    let order = Level::ALL.iter().position(|&other| other == level);
    order.unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    /// The failure of the sample as several rows of two cases, one of which takes others with it.
    fn many() -> Report {
        let mut report = report();
        let failed = report.with(Verdict::Fail).next().unwrap().clone();
        let skipped = report.with(Verdict::Skip).next().unwrap().clone();
        let row = |case: &str, steps: usize| {
            let mut row = failed.clone();
            row.case = case.parse().unwrap();
            row.transcript.truncate(steps);
            row
        };
        report.results = vec![
            row("a/alone", 5),
            row("b/many[one]", 5),
            row("b/many[three]", 0),
            row("b/many[two]", 2),
            row("b@tls/many[two]", 4),
        ];
        for number in 0..4 {
            let mut follows = skipped.clone();
            follows.case = format!("c/follows[{number}]").parse().unwrap();
            follows.follows_from = Some("a/alone".parse().unwrap());
            report.results.push(follows);
        }
        report
    }

    #[test]
    fn the_gravest_cause_comes_first_with_its_clearest_result() {
        let mut report = many();
        let shown = |report: &Report| -> Vec<String> {
            causes(report, &[Verdict::Fail])
                .iter()
                .map(|cause| {
                    format!(
                        "{} {}: {}",
                        cause.family,
                        cause.clearest.case,
                        cause.weight()
                    )
                })
                .collect()
        };
        assert_eq!(
            shown(&report),
            [
                "a/alone a/alone: 1 result, 4 more follow from it",
                "b/many b/many[two]: 4 results",
            ]
        );
        // A crash is graver than any number of results.
        report.results[1].observed = Some("it ended: signal 11".to_owned());
        assert_eq!(shown(&report)[0], "b/many b/many[one]: 4 results");
        // And a demand than a recommendation.
        report.results[0].level = Level::Should;
        report.results[1].observed = None;
        assert_eq!(shown(&report)[0], "b/many b/many[two]: 4 results");
    }

    #[test]
    fn a_demand_is_kept_where_every_row_of_it_is() {
        let mut report = many();
        assert_eq!(demands(&report), Demands { judged: 2, kept: 0 });
        report.results[0].verdict = Verdict::Pass;
        for result in &mut report.results[1..3] {
            result.verdict = Verdict::Pass;
        }
        assert_eq!(demands(&report), Demands { judged: 2, kept: 1 });
    }
}
