//! Known deviations by their reason: one habit of a proxy fails many cases.

use crate::{case_id::CaseId, report::model::Report, verdict::Verdict};

/// A reason, and the cases that it excuses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known<'a> {
    pub(super) reason: &'a str,
    /// How many results.
    pub(super) count: usize,
    /// Their cases, the rows of one together: `suite/case[row, other_row]`.
    pub(super) cases: Vec<String>,
}

/// In the order in which they were met.
pub(super) fn known(report: &Report) -> Vec<Known<'_>> {
    let mut all: Vec<Known<'_>> = Vec::new();
    for result in report.with(Verdict::Known) {
        let reason = result.reason.as_deref().unwrap_or("no reason was given");
        let reason = reason.lines().next().unwrap_or_default();
        match all.iter_mut().find(|known| known.reason == reason) {
            Some(known) => {
                known.count += 1;
                add(&mut known.cases, &result.case);
            }
            None => all.push(Known {
                reason,
                count: 1,
                cases: vec![result.case.to_string()],
            }),
        }
    }
    all
}

/// Adds a case to a list; the rows of one stand together.
pub(super) fn add(cases: &mut Vec<String>, case: &CaseId) {
    let name = case.family();
    if let (Some(row), Some(last)) = (case.row(), cases.last_mut())
        && let Some(rows) = last
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('['))
            .and_then(|rest| rest.strip_suffix(']'))
    {
        *last = format!("{name}[{rows}, {row}]");
        return;
    }
    cases.push(case.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_case_stand_together() {
        let mut cases = vec!["port/bad[a]".to_owned()];
        for case in [
            "port/bad[b]",
            "port/bad[c]",
            "port/worse",
            "port/bad_too[a]",
        ] {
            add(&mut cases, &case.parse().unwrap());
        }
        assert_eq!(
            cases,
            ["port/bad[a, b, c]", "port/worse", "port/bad_too[a]"]
        );
    }
}
