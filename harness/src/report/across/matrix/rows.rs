//! The rows of the matrix: one a requirement, and what each proxy made of it; as Markdown.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    case_id::CaseId,
    report::{
        CaseResult, Report,
        format::markdown::{cell, sign},
    },
    verdict::{Level, Verdict},
};

/// The reports as Markdown: how each proxy fared, requirements by proxies, fingerprints. A family of cases is one row,
/// with the gravest verdict and how often there was one.
#[must_use]
pub fn markdown(reports: &[Report]) -> String {
    let matrix = Matrix::of(reports);
    let names: Vec<String> = reports.iter().map(|report| cell(&column(report))).collect();
    let mut text = String::from("### CONNECT proxies side by side\n\n");

    let verdicts: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|&verdict| reports.iter().any(|report| report.totals.get(verdict) > 0))
        .collect();
    let words = verdicts
        .iter()
        .map(|verdict| format!("{} {verdict}", sign(*verdict)));
    text.push_str(&table_head("proxy", words));
    for (name, report) in names.iter().zip(reports) {
        let counts = verdicts
            .iter()
            .map(|&verdict| report.totals.get(verdict).to_string());
        text.push_str(&table_row(name, counts));
    }
    text.push('\n');

    text.push_str(&table_head("requirement", names.iter().cloned()));
    for (family, rows) in &matrix.families() {
        let title = format!("`{family}`<br>{}", cell(rows[0].title()));
        let cells = (0..reports.len()).map(|subject| {
            let verdicts: Vec<Verdict> = rows
                .iter()
                .filter_map(|row| Some(row.results[subject]?.verdict))
                .collect();
            gravest(&verdicts)
        });
        text.push_str(&table_row(&title, cells));
    }

    let fingerprint = matrix.fingerprint();
    if !fingerprint.is_empty() {
        text.push('\n');
        text.push_str(&table_head("fingerprint", names.iter().cloned()));
        for print in fingerprint {
            let said = print
                .observed
                .iter()
                .map(|said| said.map_or_else(|| "–".to_owned(), cell));
            text.push_str(&table_row(&cell(print.title), said));
        }
    }
    text
}

/// What stands above a column: the proxy, and whether its run did not come to its end.
pub(super) fn column(report: &Report) -> String {
    let name = report.subject.name();
    match report.run.interrupted {
        true => format!("{name} (interrupted)"),
        false => name,
    }
}

fn table_head(first: &str, columns: impl Iterator<Item = String>) -> String {
    let columns: Vec<String> = columns.collect();
    let lines = columns.iter().map(|_| "---".to_owned());
    format!(
        "{}{}",
        table_row(first, columns.iter().cloned()),
        table_row("---", lines)
    )
}

fn table_row(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {first} | {} |\n", cells.join(" | "))
}

/// The gravest of the verdicts of a family, and for how many of its rows it was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gravest {
    pub(super) verdict: Verdict,
    count: usize,
    all: usize,
}

impl Gravest {
    /// What is known to fail comes right behind what fails.
    const ORDER: [Verdict; 9] = [
        Verdict::Fail,
        Verdict::Known,
        Verdict::Broken,
        Verdict::Blocked,
        Verdict::Healed,
        Verdict::Warn,
        Verdict::Pass,
        Verdict::Info,
        Verdict::Skip,
    ];

    /// Of these verdicts; none where there are none.
    pub(super) fn of(verdicts: &[Verdict]) -> Option<Self> {
        let count = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
        let mut order = Self::ORDER.into_iter();
        let verdict = order.find(|&verdict| count(verdict) > 0)?;
        // One that fails and one that is known to fail are two failures.
        let beside = match verdict {
            Verdict::Fail => count(Verdict::Known),
            _ => 0,
        };
        Some(Self {
            verdict,
            count: count(verdict) + beside,
            all: verdicts.len(),
        })
    }

    /// A failure is one, also where somebody has written down that it is known.
    pub(super) const fn tone(self) -> Verdict {
        match self.verdict {
            Verdict::Known => Verdict::Fail,
            verdict => verdict,
        }
    }
}

/// `fail, known 2/3`; without the numbers where there is one row.
impl std::fmt::Display for Gravest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.tone().word())?;
        if self.verdict == Verdict::Known {
            f.write_str(", known")?;
        }
        match self.all {
            1 => Ok(()),
            all => write!(f, " {}/{all}", self.count),
        }
    }
}

/// The cell of a family.
fn gravest(verdicts: &[Verdict]) -> String {
    Gravest::of(verdicts).map_or_else(
        || "–".to_owned(),
        |gravest| format!("{} {gravest}", sign(gravest.tone())),
    )
}

/// Every case that any of the reports has.
pub(super) struct Matrix<'r> {
    pub(super) reports: &'r [Report],
    pub(super) rows: Vec<Row<'r>>,
}

/// One case, and its result in each report that has it.
pub(super) struct Row<'r> {
    pub(super) case: &'r CaseId,
    pub(super) results: Vec<Option<&'r CaseResult>>,
}

/// What each proxy does in one point where it is free to choose.
#[derive(Serialize)]
pub(super) struct Print<'r> {
    pub(super) title: &'r str,
    pub(super) observed: Vec<Option<&'r str>>,
}

impl<'r> Matrix<'r> {
    pub(super) fn of(reports: &'r [Report]) -> Self {
        let by_case: Vec<BTreeMap<&CaseId, &CaseResult>> = reports
            .iter()
            .map(|report| {
                report
                    .results
                    .iter()
                    .map(|result| (&result.case, result))
                    .collect()
            })
            .collect();
        let cases: BTreeSet<&CaseId> = by_case.iter().flat_map(BTreeMap::keys).copied().collect();
        let rows = cases
            .into_iter()
            .map(|case| Row {
                case,
                results: by_case
                    .iter()
                    .map(|results| results.get(case).copied())
                    .collect(),
            })
            .collect();
        Self { reports, rows }
    }

    /// The rows of each family of cases: those that differ only in their brackets.
    pub(super) fn families(&self) -> Vec<(&'r str, &[Row<'r>])> {
        let same = |a: &Row<'r>, b: &Row<'r>| a.case.family() == b.case.family();
        let families = self.rows.chunk_by(same);
        families.map(|rows| (rows[0].case.family(), rows)).collect()
    }

    pub(super) fn fingerprint(&self) -> Vec<Print<'r>> {
        let observed = |result: &Option<&'r CaseResult>| {
            let result = (*result)?;
            let seen = result.level == Level::Survey && result.verdict == Verdict::Info;
            result.observed.as_deref().filter(|_| seen)
        };
        self.rows
            .iter()
            .map(|row| Print {
                title: row.title(),
                observed: row.results.iter().map(observed).collect(),
            })
            .filter(|print| print.observed.iter().any(Option::is_some))
            .collect()
    }
}

impl<'r> Row<'r> {
    /// Any result of the row: what they say of the case itself is the same.
    pub(super) fn any(&self) -> &'r CaseResult {
        let found = self.results.iter().flatten().next();
        found.expect("a row is made from a result")
    }

    pub(super) fn title(&self) -> &'r str {
        &self.any().title
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::across::matrix::page::html;
    use crate::report::format::html::evidence::unpacked;
    use crate::report::sample::report;

    fn two() -> [Report; 2] {
        let apache = report();
        let mut squid = report();
        squid.subject.title = "Squid".to_owned();
        squid.subject.version = Some("6.13".to_owned());
        squid.results.retain(|result| result.case.suite() != "may");
        for result in &mut squid.results {
            if result.verdict == Verdict::Fail {
                result.verdict = Verdict::Pass;
            }
        }
        squid.totals = crate::report::Totals::of(&squid.results);
        [apache, squid]
    }

    #[test]
    fn the_table_has_a_row_for_each_family() {
        let mut reports = two();
        for row in ["plus_sign", "negative"] {
            let mut more = reports[0].with(Verdict::Pass).next().unwrap().clone();
            more.case = format!("target/refuses_a_bad_port[{row}]").parse().unwrap();
            reports[0].results.push(more);
        }
        assert_snapshot!(markdown(&reports), @"
### CONNECT proxies side by side

| proxy | ✅ pass | ❌ fail | ⚠️ warn | ℹ️ info | 📌 known | 🩹 healed | ➖ skip | ⚠️ blocked | ❌ broken |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| Apache httpd 2.4.66 | 1 | 1 | 1 | 2 | 1 | 1 | 2 | 1 | 1 |
| Squid 6.13 | 2 | 0 | 1 | 1 | 1 | 1 | 2 | 1 | 1 |

| requirement | Apache httpd 2.4.66 | Squid 6.13 |
| --- | --- | --- |
| `auth/asks_for_credentials`<br>A request without credentials is asked for them | ⚠️ blocked | ⚠️ blocked |
| `chain/goes_through_the_upstream`<br>The upstream proxy is used | ➖ skip | ➖ skip |
| `chain/refuses_when_the_upstream_refuses`<br>The upstream proxy is used | ➖ skip | ➖ skip |
| `close/half_close_is_passed_on_or_not`<br>What becomes of a half-closed tunnel | ℹ️ info | ℹ️ info |
| `close/the_last_words_arrive`<br>Data sent before a close is delivered before the close | ❌ fail | ✅ pass |
| `host/two_hosts_are_refused`<br>Two Host fields are refused | 🩹 healed | 🩹 healed |
| `may/answers_with_a_body`<br>A 2xx may have a body | ℹ️ info | – |
| `refuse/says_why`<br>A refusal says why | ⚠️ warn | ⚠️ warn |
| `target/refuses_a_bad_port`<br>A tunnel carries every octet | ❌ fail, known 1/3 | ❌ fail, known |
| `tls/exports_the_same_key`<br>Both ends export the same key | ❌ broken | ❌ broken |
| `tunnel/carries_every_octet`<br>A tunnel carries every octet | ✅ pass | ✅ pass |

| fingerprint | Apache httpd 2.4.66 | Squid 6.13 |
| --- | --- | --- |
| What becomes of a half-closed tunnel | the other half stays open | the other half stays open |
");
    }

    #[test]
    fn each_cell_has_its_transcript() {
        let page = html(&two()).unwrap();
        assert!(page.contains("Squid 6.13"));
        assert!(unpacked(&page).contains(r#""text":"\"goodbye\" FIN""#));
        assert!(page.contains("data-differs data-trouble"));
        // What is known to fail, fails.
        assert!(page.contains(r#"<span class="verdict">fail, known</span>"#));
    }

    #[test]
    fn what_a_proxy_says_is_never_markup() {
        let mut reports = two();
        for result in &mut reports[0].results {
            result.observed = Some("</script><script>alert(1)</script>".to_owned());
        }
        let page = html(&reports).unwrap();
        assert!(!page.contains("<script>alert"));
    }

    #[test]
    fn no_report_is_an_empty_table() {
        assert!(html(&[]).is_ok());
        assert!(markdown(&[]).contains("requirement"));
    }
}
