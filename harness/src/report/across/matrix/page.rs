//! The page of the matrix: what its template is filled with, and what its script is given.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    report::{
        CaseResult, Format, Report, ReportError,
        across::matrix::rows::{Matrix, Print, Row, column},
        evidence::diagram::{Diagram, Row as DiagramRow},
        format::html::{Cite, Count, cites, counts, page},
    },
    verdict::{Level, Verdict},
};

/// The reports as one HTML page that needs nothing else. Each cell opens its transcript.
///
/// # Errors
/// Where the template cannot be rendered.
pub fn html(reports: &[Report]) -> Result<String, ReportError> {
    let matrix = Matrix::of(reports);
    let failed = |reason: String| ReportError::Format {
        format: Format::Html,
        reason,
    };
    let data =
        serde_json::to_string(&Data::of(&matrix)).map_err(|error| failed(error.to_string()))?;
    // Inside a script element, where `</script>` would end it.
    let data = data.replace('<', "\\u003c");
    page("matrix.html", &Page::of(&matrix, data)).map_err(|error| failed(format!("{error:#}")))
}

/// What the page is filled with.
#[derive(Serialize)]
pub(crate) struct Page<'r> {
    connectspec: &'r str,
    subjects: Vec<Column>,
    rows: usize,
    levels: Vec<Level>,
    fingerprint: Vec<Print<'r>>,
    suites: Vec<Suite<'r>>,
    /// JSON for the script.
    data: String,
}

#[derive(Serialize)]
struct Column {
    name: String,
    tone: Verdict,
    meaning: String,
    counts: Vec<Count>,
}

#[derive(Serialize)]
struct Suite<'r> {
    title: &'r str,
    rows: Vec<Line<'r>>,
}

#[derive(Serialize)]
struct Line<'r> {
    case: &'r str,
    title: &'r str,
    level: Level,
    text: String,
    differs: bool,
    trouble: bool,
    cells: Vec<Option<Cell<'r>>>,
}

#[derive(Serialize)]
struct Cell<'r> {
    verdict: Verdict,
    said: &'r str,
}

impl<'r> Page<'r> {
    pub(crate) fn of(matrix: &Matrix<'r>, data: String) -> Self {
        let reports = matrix.reports;
        let subjects = reports.iter().map(|report| {
            let (tone, meaning) = report.meaning();
            Column {
                name: column(report),
                tone,
                meaning,
                counts: counts(report),
            }
        });
        let has = |level: &Level| matrix.rows.iter().any(|row| row.any().level == *level);
        let same_suite = |a: &Row<'_>, b: &Row<'_>| a.any().suite_id() == b.any().suite_id();
        Self {
            connectspec: reports.first().map_or("", |report| &report.run.connectspec),
            subjects: subjects.collect(),
            rows: matrix.rows.len(),
            levels: Level::ALL.into_iter().filter(has).collect(),
            fingerprint: matrix.fingerprint(),
            suites: matrix
                .rows
                .chunk_by(same_suite)
                .map(|rows| Suite {
                    title: rows[0].any().suite_title(),
                    rows: rows.iter().map(Line::of).collect(),
                })
                .collect(),
            data,
        }
    }
}

impl<'r> Line<'r> {
    fn of(row: &Row<'r>) -> Self {
        let any = row.any();
        let verdicts: BTreeSet<Verdict> = row
            .results
            .iter()
            .flatten()
            .map(|result| result.verdict)
            .filter(|verdict| *verdict != Verdict::Skip)
            .collect();
        let said = |result: &&'r CaseResult| -> &'r str {
            let said = result.observed.as_deref().or(result.reason.as_deref());
            said.unwrap_or_default()
        };
        Self {
            case: row.case.as_str(),
            title: row.title(),
            level: any.level,
            text: format!("{} {} {}", row.case, any.title, any.covers.join(" ")).to_lowercase(),
            differs: verdicts.len() > 1,
            trouble: verdicts.iter().any(|verdict| {
                matches!(verdict, Verdict::Known)
                    || verdict.is_trouble() && *verdict != Verdict::Warn
            }),
            cells: row
                .results
                .iter()
                .map(|result| {
                    result.as_ref().map(|result| Cell {
                        verdict: result.verdict,
                        said: said(result),
                    })
                })
                .collect(),
        }
    }
}

/// What the script needs when a cell is pressed.
#[derive(Serialize)]
pub(crate) struct Data<'r> {
    subjects: Vec<String>,
    cases: BTreeMap<&'r str, CaseData<'r>>,
}

#[derive(Serialize)]
struct CaseData<'r> {
    title: &'r str,
    cites: Vec<Cite<'r>>,
    covers: &'r [String],
    source: &'r str,
    results: Vec<Option<ResultData<'r>>>,
}

#[derive(Serialize)]
struct ResultData<'r> {
    verdict: Verdict,
    expected: &'r [String],
    observed: Option<&'r str>,
    reason: Option<&'r str>,
    subject_said: Option<&'r str>,
    again: String,
    rows: Vec<DiagramRow>,
}

impl<'r> Data<'r> {
    pub(crate) fn of(matrix: &Matrix<'r>) -> Self {
        let reports = matrix.reports;
        let result = |(report, result): (&'r Report, &Option<&'r CaseResult>)| {
            let result = (*result)?;
            Some(ResultData {
                verdict: result.verdict,
                expected: &result.expected,
                observed: result.observed.as_deref(),
                reason: result.reason.as_deref(),
                subject_said: result.subject_said.as_deref(),
                again: report.again(result),
                rows: Diagram::of(result).rows,
            })
        };
        let case = |row: &Row<'r>| {
            let any = row.any();
            let data = CaseData {
                title: &any.title,
                cites: cites(any),
                covers: &any.covers,
                source: &any.source,
                results: reports.iter().zip(&row.results).map(result).collect(),
            };
            (row.case.as_str(), data)
        };
        Self {
            subjects: reports.iter().map(column).collect(),
            cases: matrix.rows.iter().map(case).collect(),
        }
    }
}
