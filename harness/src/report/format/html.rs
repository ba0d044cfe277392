//! The report for people: one HTML file that needs nothing else, from nowhere.
//!
//! Everything that came from the wire is escaped, and a content security policy of the page itself forbids whatever an
//! octet too many might ask for. Without its script the page shows every result; the script only filters.

use std::time::Duration;

use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde,
};
use serde::Serialize;

use crate::{
    report::{CaseResult, Format, Report, ReportError, evidence::diagram::Diagram, model::Run},
    verdict::{Level, Verdict},
};

/// The report as an HTML page.
///
/// # Errors
/// Where the template cannot be rendered.
pub fn html(report: &Report) -> Result<String, ReportError> {
    page("report.html", &Page::of(report)).map_err(|error| ReportError::Format {
        format: Format::Html,
        reason: format!("{error:#}"),
    })
}

/// Fills the template of that name.
pub(crate) fn page(name: &str, values: &impl Serialize) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.add_filter("breakable", breakable);
    for (name, source) in [
        ("report.html", include_str!("page/report.html")),
        ("diagram.html", include_str!("page/diagram.html")),
        ("style.css", include_str!("page/style.css")),
        ("report.js", include_str!("page/report.js")),
        ("matrix.html", include_str!("page/matrix.html")),
        ("matrix.css", include_str!("page/matrix.css")),
        ("matrix.js", include_str!("page/matrix.js")),
    ] {
        environment.add_template(name, source)?;
    }
    environment.get_template(name)?.render(Serde(values))
}

#[derive(Serialize)]
struct Page<'r> {
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
    trouble: usize,
    index: Vec<Entry<'r>>,
    fingerprint: Vec<&'r CaseResult>,
    suites: Vec<Suite<'r>>,
}

/// How many results of a verdict there are.
#[derive(Serialize)]
pub(crate) struct Count {
    verdict: Verdict,
    count: usize,
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
    results: Vec<Item<'r>>,
}

/// What to look at: a verdict of a case, with the rows that have it.
#[derive(Serialize)]
struct Entry<'r> {
    verdict: Verdict,
    title: &'r str,
    case: &'r str,
    /// The id and the name of each row; none where the case has no rows.
    rows: Vec<(&'r str, &'r str)>,
}

/// A result with what the page adds to it.
#[derive(Serialize)]
struct Item<'r> {
    case: &'r str,
    /// The name of its row.
    row: Option<&'r str>,
    title: &'r str,
    level: Level,
    verdict: Verdict,
    expected: &'r [String],
    observed: &'r Option<String>,
    reason: &'r Option<String>,
    covers: &'r [String],
    source: &'r str,
    took_ms: u64,
    setup: &'r str,
    subject_said: &'r Option<String>,
    cites: Vec<Cite<'r>>,
    diagram: Diagram,
    again: String,
    /// What the text filter looks in.
    text: String,
    open: bool,
}

/// A citation; without a link where that is none that a page should follow.
#[derive(Serialize)]
pub(crate) struct Cite<'r> {
    name: &'r str,
    url: Option<&'r str>,
}

impl<'r> Page<'r> {
    fn of(report: &'r Report) -> Self {
        let (tone, meaning) = report.meaning();
        let beside = report.run.deaths.iter().chain(&report.run.stale);
        let levels = Level::ALL.into_iter();
        let has = |level: &Level| report.results.iter().any(|result| result.level == *level);
        let trouble = [
            Verdict::Fail,
            Verdict::Healed,
            Verdict::Broken,
            Verdict::Blocked,
        ];
        let survey = |result: &&CaseResult| {
            result.level == Level::Survey
                && result.verdict == Verdict::Info
                && result.observed.is_some()
        };
        Self {
            subject: report.subject.name(),
            verdict_word: tone.word(),
            tone,
            meaning,
            run: &report.run,
            all: report.totals.all(),
            took: format!("{:.1?}", Duration::from_millis(report.run.took_ms)),
            command: report.subject.command.join(" "),
            notices: report
                .run
                .refused
                .as_deref()
                .into_iter()
                .chain(beside.map(String::as_str))
                .collect(),
            counts: counts(report),
            levels: levels.filter(has).collect(),
            trouble: trouble
                .into_iter()
                .map(|verdict| report.totals.get(verdict))
                .sum(),
            index: trouble
                .into_iter()
                .flat_map(|verdict| Entry::of(report, verdict))
                .collect(),
            fingerprint: report.results.iter().filter(survey).collect(),
            suites: report
                .results
                .chunk_by(|a, b| a.suite_id() == b.suite_id())
                .map(|results| Suite::of(report, results))
                .collect(),
        }
    }
}

impl<'r> Suite<'r> {
    fn of(report: &'r Report, results: &'r [CaseResult]) -> Self {
        Self {
            title: results[0].suite_title(),
            counts: crate::report::Totals::of(results).to_string(),
            open: results.iter().any(has_to_be_read),
            families: results
                .chunk_by(|a, b| a.case.family() == b.case.family())
                .map(|results| Family::of(report, results))
                .collect(),
        }
    }
}

impl<'r> Family<'r> {
    fn of(report: &'r Report, results: &'r [CaseResult]) -> Self {
        let first = &results[0];
        Self {
            case: first.case.family(),
            title: &first.title,
            level: first.level,
            rows: first.case.row().is_some(),
            results: results
                .iter()
                .map(|result| Item::of(report, result))
                .collect(),
        }
    }
}

impl<'r> Entry<'r> {
    fn of(report: &'r Report, verdict: Verdict) -> Vec<Self> {
        let mut entries: Vec<Self> = Vec::new();
        for result in report.with(verdict) {
            let case = result.case.family();
            let row = result.case.row().map(|row| (result.case.as_str(), row));
            match entries.last_mut() {
                Some(last) if last.case == case => last.rows.extend(row),
                _ => entries.push(Self {
                    verdict,
                    title: &result.title,
                    case,
                    rows: row.into_iter().collect(),
                }),
            }
        }
        entries
    }
}

/// Whether somebody has to look into it.
const fn has_to_be_read(result: &CaseResult) -> bool {
    matches!(
        result.verdict,
        Verdict::Fail | Verdict::Healed | Verdict::Broken | Verdict::Blocked
    )
}

/// An id that is broken between its words, if it has to be.
fn breakable(id: String) -> Value {
    let escaped = id
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let broken = escaped.replace('_', "_<wbr>").replace("[", "<wbr>[");
    Value::from_safe_string(broken.replacen('/', "/<wbr>", 1))
}

impl<'r> Item<'r> {
    fn of(report: &'r Report, result: &'r CaseResult) -> Self {
        let observed = result.observed.as_deref().unwrap_or_default();
        let covers = result.covers.join(" ");
        let text = format!("{} {} {covers} {observed}", result.case, result.title);
        Self {
            case: result.case.as_str(),
            row: result.case.row(),
            title: &result.title,
            level: result.level,
            verdict: result.verdict,
            expected: &result.expected,
            observed: &result.observed,
            reason: &result.reason,
            covers: &result.covers,
            source: &result.source,
            took_ms: result.took_ms,
            setup: &result.setup,
            subject_said: &result.subject_said,
            cites: cites(result),
            diagram: Diagram::of(result),
            again: report.again(result),
            text: text.to_lowercase(),
            open: has_to_be_read(result),
        }
    }
}

/// The verdicts that there are, and how often.
pub(crate) fn counts(report: &Report) -> Vec<Count> {
    let counts = Verdict::ALL.into_iter().map(|verdict| Count {
        verdict,
        count: report.totals.get(verdict),
    });
    counts.filter(|count| count.count > 0).collect()
}

pub(crate) fn cites(result: &CaseResult) -> Vec<Cite<'_>> {
    let names = result
        .citations
        .iter()
        .chain(result.cites.iter().skip(result.citations.len()));
    let safe = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    names
        .zip(&result.cites)
        .map(|(name, url)| Cite {
            name,
            url: Some(url).filter(safe).map(String::as_str),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;

    #[test]
    fn every_result_and_its_transcript_is_on_the_page() {
        let report = report();
        let page = html(&report).unwrap();
        for result in &report.results {
            assert!(page.contains(&result.title), "{}", result.title);
        }
        assert!(page.contains("HTTP&#x2f;1.1\u{a0}⏎\nHost: 127.0.0.1:40123\u{a0}⏎\n⏎"));
        assert!(page.contains("href=\"#close&#x2f;the_last_words_arrive\""));
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let page = html(&report()).unwrap();
        for outside in ["src=", "@import", "url(http", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn what_a_proxy_says_is_never_markup() {
        let mut report = report();
        for result in &mut report.results {
            result.observed = Some("<script>alert(1)</script>".to_owned());
            result.subject_said = Some("</pre><img src=x>".to_owned());
            result.cites = vec!["javascript:alert(1)".to_owned()];
            for step in &mut result.transcript {
                step.text = "\"><script>alert(1)</script>".to_owned();
            }
        }
        let page = html(&report).unwrap();
        for bad in ["<script>alert", "<img", "href=\"javascript"] {
            assert!(!page.contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_run_that_was_refused_says_why() {
        let mut report = report();
        report.results.clear();
        report.totals = crate::report::Totals::default();
        report.run.refused = Some("it exited before it listened".to_owned());
        let page = html(&report).unwrap();
        assert!(page.contains("it exited before it listened"));
        assert!(!page.contains("Every result"));
    }
}
