//! What the page of a report is filled with: what is broken by its causes, what was not judged, and a line a result.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use crate::{
    report::{
        CaseResult, Report, Totals,
        audit::{Asked, asked},
        cause::{Cause, causes},
        format::html::evidence::{Count, counts},
        model::Run,
    },
    verdict::{Level, Verdict},
};

/// Failures that are all open; past that, the clearest one of each cause is.
const OPEN: usize = 40;

/// The page.
#[derive(Serialize)]
pub(super) struct Page<'r> {
    /// What the page is of.
    brand: &'static str,
    subject: String,
    verdict_word: &'static str,
    tone: Verdict,
    meaning: String,
    run: &'r Run,
    all: usize,
    took: String,
    command: String,
    notices: Vec<&'r str>,
    counts: Vec<Count>,
    levels: Vec<Level>,
    /// Of an audit, each kind of question.
    asked: Vec<Asked<'r>>,
    indexes: Vec<Index<'r>>,
    /// Why cases were not judged, and how many for each reason.
    skipped: Vec<(&'r str, usize)>,
    fingerprint: Vec<&'r CaseResult>,
    suites: Vec<Suite<'r>>,
    /// Packed, for the script.
    data: String,
}

/// What to look at, a line a requirement.
#[derive(Serialize)]
struct Index<'r> {
    title: &'static str,
    causes: Vec<Entry<'r>>,
}

#[derive(Serialize)]
struct Entry<'r> {
    verdict: Verdict,
    word: &'static str,
    title: &'r str,
    family: String,
    level: Level,
    weight: String,
    /// The result that is easiest to read.
    link: &'r str,
    /// What was seen of it; for what is known, why.
    said: Option<&'r str>,
    /// The id and the name of each row; none where there is one alone.
    rows: Vec<(&'r str, &'r str)>,
}

#[derive(Serialize)]
struct Suite<'r> {
    title: &'r str,
    counts: String,
    /// Whether somebody has to look into it.
    open: bool,
    families: Vec<Family<'r>>,
}

/// Results of one case, a row each, or a result alone.
#[derive(Serialize)]
struct Family<'r> {
    case: &'r str,
    title: &'r str,
    level: Level,
    /// Whether there are rows.
    rows: bool,
    open: bool,
    counts: Vec<Count>,
    results: Vec<Line<'r>>,
}

#[derive(Serialize)]
struct Line<'r> {
    case: &'r str,
    /// The name of its row.
    row: Option<&'r str>,
    verdict: Verdict,
    open: bool,
}

impl<'r> Page<'r> {
    pub(super) fn of(report: &'r Report, data: String) -> Self {
        let (tone, meaning) = report.meaning();
        let beside = report.run.deaths.iter().chain(&report.run.stale);
        let refused = report.run.refused.as_deref().into_iter();
        let has = |level: &Level| report.results.iter().any(|result| result.level == *level);
        let survey = |result: &&CaseResult| {
            result.level == Level::Survey
                && result.verdict == Verdict::Info
                && result.observed.is_some()
        };
        let open = open(report);
        let (brand, asked) = match report.is_an_audit() {
            true => ("audit of an HTTP CONNECT proxy", asked(report)),
            false => ("conformance of an HTTP CONNECT proxy", Vec::new()),
        };
        Self {
            brand,
            asked,
            subject: report.subject.name(),
            verdict_word: tone.word(),
            tone,
            meaning,
            run: &report.run,
            all: report.totals.all(),
            took: format!("{:.1?}", Duration::from_millis(report.run.took_ms)),
            command: report.subject.command.join(" "),
            notices: refused.chain(beside.map(String::as_str)).collect(),
            counts: counts(report.totals),
            levels: Level::ALL.into_iter().filter(has).collect(),
            indexes: indexes(report),
            skipped: skipped(report),
            fingerprint: report.results.iter().filter(survey).collect(),
            suites: report
                .results
                .chunk_by(|a, b| a.suite_id() == b.suite_id())
                .map(|results| Suite::of(results, &open))
                .collect(),
            data,
        }
    }
}

/// The gravest first, and what is known at the end.
fn indexes(report: &Report) -> Vec<Index<'_>> {
    let others = [Verdict::Healed, Verdict::Broken, Verdict::Blocked];
    let of = |title, verdicts: &[Verdict]| Index {
        title,
        causes: verdicts
            .iter()
            .flat_map(|verdict| causes(report, &[*verdict]))
            .map(|cause| Entry::of(&cause))
            .collect(),
    };
    let all = [
        of("What is broken", &[Verdict::Fail]),
        of("Also to look at", &others),
        of("Known to fail", &[Verdict::Known]),
    ];
    let there = all.into_iter().filter(|index| !index.causes.is_empty());
    there.collect()
}

impl<'r> Entry<'r> {
    fn of(cause: &Cause<'r>) -> Self {
        let clearest = cause.clearest;
        let rows = cause.results.iter();
        let rows = rows.filter_map(|result| Some((result.case.as_str(), result.case.row()?)));
        let said = match clearest.verdict {
            Verdict::Fail => clearest.observed.as_deref(),
            _ => clearest.reason.as_deref().or(clearest.observed.as_deref()),
        };
        Self {
            verdict: clearest.verdict,
            word: match cause.is_a_crash() {
                true => "died",
                false => clearest.verdict.word(),
            },
            title: &clearest.title,
            family: cause.family.clone(),
            level: clearest.level,
            weight: cause.weight(),
            link: clearest.case.as_str(),
            said,
            rows: rows.collect(),
        }
    }
}

/// Each reason once; what follows from a failure stands with its cause.
fn skipped(report: &Report) -> Vec<(&str, usize)> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in report.with(Verdict::Skip) {
        if result.follows_from.is_none() {
            let reason = result.reason.as_deref().unwrap_or("no reason was given");
            *reasons.entry(reason).or_default() += 1;
        }
    }
    reasons.into_iter().collect()
}

/// The results that are open on the page.
fn open(report: &Report) -> BTreeSet<&str> {
    let blamed = [
        Verdict::Fail,
        Verdict::Healed,
        Verdict::Broken,
        Verdict::Blocked,
    ];
    let all = report.results.iter();
    let all: Vec<_> = all
        .filter(|result| blamed.contains(&result.verdict))
        .collect();
    if all.len() <= OPEN {
        return all.iter().map(|result| result.case.as_str()).collect();
    }
    let clearest = causes(report, &[Verdict::Fail]);
    let clearest = clearest.iter().take(OPEN);
    clearest.map(|cause| cause.clearest.case.as_str()).collect()
}

impl<'r> Suite<'r> {
    fn of(results: &'r [CaseResult], open: &BTreeSet<&str>) -> Self {
        let families: Vec<Family<'r>> = results
            .chunk_by(|a, b| a.case.family() == b.case.family())
            .map(|results| Family::of(results, open))
            .collect();
        Self {
            title: results[0].suite_title(),
            counts: Totals::of(results).to_string(),
            open: families.iter().any(|family| family.open),
            families,
        }
    }
}

impl<'r> Family<'r> {
    fn of(results: &'r [CaseResult], open: &BTreeSet<&str>) -> Self {
        let first = &results[0];
        let lines = results.iter().map(|result| Line {
            case: result.case.as_str(),
            row: result.case.row(),
            verdict: result.verdict,
            open: open.contains(result.case.as_str()),
        });
        let lines: Vec<Line<'r>> = lines.collect();
        Self {
            case: first.case.family(),
            title: &first.title,
            level: first.level,
            rows: first.case.row().is_some(),
            open: lines.iter().any(|line| line.open),
            counts: counts(Totals::of(results)),
            results: lines,
        }
    }
}
