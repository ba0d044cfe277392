//! The page of the matrix: what its template is filled with, and what its script is given.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    report::{
        CaseResult, Format, Report, ReportError,
        across::matrix::rows::{Gravest, Matrix, Print, Row, column},
        format::html::{
            evidence::{Count, Evidence, counts, packed},
            page,
        },
    },
    verdict::{Level, Verdict},
};

/// The reports as one HTML page that needs nothing else: a row a requirement. Each cell opens its rows, and each of those
/// its transcript.
///
/// # Errors
/// Where the template cannot be rendered.
pub fn html(reports: &[Report]) -> Result<String, ReportError> {
    let matrix = Matrix::of(reports);
    let failed = |reason: String| ReportError::Format {
        format: Format::Html,
        reason,
    };
    let data = packed(&Data::of(&matrix)).map_err(failed)?;
    page("matrix.html", &Page::of(&matrix, data)).map_err(|error| failed(format!("{error:#}")))
}

/// What the page is filled with.
#[derive(Serialize)]
struct Page<'r> {
    connectspec: &'r str,
    subjects: Vec<Column>,
    /// How many requirements there are, each with all its rows.
    requirements: usize,
    levels: Vec<Level>,
    fingerprint: Vec<Print<'r>>,
    suites: Vec<Suite<'r>>,
    /// Packed, for the script.
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
    id: &'r str,
    /// Whether one of the proxies fails in it.
    trouble: bool,
    families: Vec<Line<'r>>,
}

#[derive(Serialize)]
struct Line<'r> {
    case: &'r str,
    title: &'r str,
    level: Level,
    /// How many rows it has, where it is no case alone.
    rows: Option<usize>,
    differs: bool,
    trouble: bool,
    cells: Vec<Option<Cell<'r>>>,
}

#[derive(Serialize)]
struct Cell<'r> {
    tone: &'static str,
    said: String,
    observed: &'r str,
}

impl<'r> Page<'r> {
    fn of(matrix: &Matrix<'r>, data: String) -> Self {
        let reports = matrix.reports;
        let subjects = reports.iter().map(|report| {
            let (tone, meaning) = report.meaning();
            Column {
                name: column(report),
                tone,
                meaning,
                counts: counts(report.totals),
            }
        });
        let has = |level: &Level| matrix.rows.iter().any(|row| row.any().level == *level);
        let families = matrix.families();
        let same_suite = |a: &(&str, &[Row<'_>]), b: &(&str, &[Row<'_>])| {
            a.1[0].any().suite_id() == b.1[0].any().suite_id()
        };
        let suites = families.chunk_by(same_suite).map(|families| {
            let any = families[0].1[0].any();
            let families: Vec<Line<'r>> = families
                .iter()
                .map(|(case, rows)| Line::of(case, rows))
                .collect();
            Suite {
                title: any.suite_title(),
                id: any.suite_id(),
                trouble: families.iter().any(|line| line.trouble),
                families,
            }
        });
        Self {
            connectspec: reports.first().map_or("", |report| &report.run.connectspec),
            subjects: subjects.collect(),
            requirements: families.len(),
            levels: Level::ALL.into_iter().filter(has).collect(),
            fingerprint: matrix.fingerprint(),
            suites: suites.collect(),
            data,
        }
    }
}

impl<'r> Line<'r> {
    fn of(case: &'r str, rows: &[Row<'r>]) -> Self {
        let differs = |row: &Row<'_>| {
            let verdicts = row.results.iter().flatten().map(|result| result.verdict);
            let verdicts: BTreeSet<Verdict> = verdicts
                .filter(|verdict| *verdict != Verdict::Skip)
                .collect();
            verdicts.len() > 1
        };
        let troubles = |result: &&CaseResult| {
            let verdict = result.verdict;
            verdict == Verdict::Known || verdict.is_trouble() && verdict != Verdict::Warn
        };
        let any = rows[0].any();
        let cells = (0..rows[0].results.len()).map(|subject| Cell::of(rows, subject));
        Self {
            case,
            title: &any.title,
            level: any.level,
            rows: any.case.row().map(|_| rows.len()),
            differs: rows.iter().any(differs),
            trouble: rows
                .iter()
                .any(|row| row.results.iter().flatten().any(troubles)),
            cells: cells.collect(),
        }
    }
}

impl<'r> Cell<'r> {
    fn of(rows: &[Row<'r>], subject: usize) -> Option<Self> {
        let results = rows.iter().filter_map(|row| row.results[subject]);
        let results: Vec<&'r CaseResult> = results.collect();
        let verdicts: Vec<Verdict> = results.iter().map(|result| result.verdict).collect();
        let gravest = Gravest::of(&verdicts)?;
        let shown = results
            .iter()
            .find(|result| result.verdict == gravest.verdict)?;
        let said = shown.observed.as_deref().or(shown.reason.as_deref());
        Some(Self {
            tone: gravest.tone().word(),
            said: gravest.to_string(),
            observed: said.unwrap_or_default(),
        })
    }
}

/// What the script needs when a cell is pressed.
#[derive(Serialize)]
struct Data<'r> {
    subjects: Vec<String>,
    /// By family, in the order of the rows.
    families: BTreeMap<&'r str, Vec<CaseData<'r>>>,
}

#[derive(Serialize)]
struct CaseData<'r> {
    case: &'r str,
    title: &'r str,
    covers: &'r [String],
    results: Vec<Option<Evidence<'r>>>,
}

impl<'r> Data<'r> {
    fn of(matrix: &Matrix<'r>) -> Self {
        let reports = matrix.reports;
        let result = |(report, result): (&'r Report, &Option<&'r CaseResult>)| {
            result.map(|result| Evidence::of(report, result))
        };
        let case = |row: &Row<'r>| {
            let any = row.any();
            CaseData {
                case: row.case.as_str(),
                title: &any.title,
                covers: &any.covers,
                results: reports.iter().zip(&row.results).map(result).collect(),
            }
        };
        let families = matrix.families().into_iter();
        Self {
            subjects: reports.iter().map(column).collect(),
            families: families
                .map(|(family, rows)| (family, rows.iter().map(case).collect()))
                .collect(),
        }
    }
}
