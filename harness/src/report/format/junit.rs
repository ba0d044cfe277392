//! The report for continuous integration: JUnit XML, as GitHub, GitLab and Jenkins show it.
//!
//! What has to be looked at is a failure (`fail`, `healed`) or an error (`blocked`, `broken`), with the whole evidence
//! in its text; what nobody has to act on (`known`, `skip`) is skipped with its reason.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::{
    report::{CaseResult, Format, Report, ReportError, evidence::failure},
    verdict::Verdict,
};

/// The report as JUnit XML, one suite for each suite of cases.
///
/// # Errors
/// Where it cannot be put into XML.
pub fn junit(report: &Report) -> Result<String, ReportError> {
    let mut document = quick_junit::Report::new(format!("connectspec: {}", report.subject.name()));
    document.set_time(Duration::from_millis(report.run.took_ms));
    // Sorted by id, so that the results of one suite are beside each other.
    for results in report.results.chunk_by(|a, b| a.suite_id() == b.suite_id()) {
        let mut suite = TestSuite::new(results[0].suite_id());
        suite.set_time(Duration::from_millis(
            results.iter().map(|result| result.took_ms).sum(),
        ));
        suite.add_property(Property::new("title", results[0].suite.as_str()));
        suite.add_property(Property::new("subject", report.subject.name()));
        suite.add_property(Property::new("seed", report.run.seed.to_string()));
        suite.add_test_cases(results.iter().map(|result| case(report, result)));
        document.add_test_suite(suite);
    }
    let faults = faults_of_the_run(report);
    if !faults.is_empty() {
        let mut suite = TestSuite::new("run");
        suite.add_test_cases(faults);
        document.add_test_suite(suite);
    }
    let text = document.to_string().map_err(|error| ReportError::Format {
        format: Format::Junit,
        reason: error.to_string(),
    })?;
    Ok(without_root_skipped(&text))
}

/// The schema by which Jenkins' xUnit plugin judges a file has no `skipped` on its root, only on its suites.
fn without_root_skipped(text: &str) -> String {
    let Some(start) = text.find("<testsuites ") else {
        return text.to_owned();
    };
    let end = text[start..]
        .find('>')
        .map_or(text.len(), |end| start + end);
    let attributes = text[start..end].split(' ');
    let kept: Vec<&str> = attributes
        .filter(|attribute| !attribute.starts_with("skipped=\""))
        .collect();
    format!("{}{}{}", &text[..start], kept.join(" "), &text[end..])
}

/// What went wrong beside the cases, so that nobody takes a run that judged nothing for a clean one.
fn faults_of_the_run(report: &Report) -> Vec<TestCase> {
    let run = &report.run;
    let fault = |name: &str, kind, message: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(name).set_message(message);
        let mut case = TestCase::new(name, status);
        case.set_classname("connectspec.run");
        case
    };
    let mut faults = Vec::new();
    if let Some(refused) = &run.refused {
        faults.push(fault("refused", NonSuccessKind::Error, refused));
    }
    if run.interrupted {
        let count = report.results.len();
        let message = format!(
            "the run was interrupted: {count} of {} results",
            run.planned
        );
        faults.push(fault("interrupted", NonSuccessKind::Error, &message));
    }
    for death in &run.deaths {
        faults.push(fault("died", NonSuccessKind::Error, death));
    }
    for stale in &run.stale {
        faults.push(fault("stale", NonSuccessKind::Failure, stale));
    }
    faults
}

fn case(report: &Report, result: &CaseResult) -> TestCase {
    let name = result.case.name();
    let evidence = failure::block(report, result);
    let mut status = match result.verdict {
        Verdict::Pass | Verdict::Warn | Verdict::Info => TestCaseStatus::success(),
        Verdict::Known | Verdict::Skip => TestCaseStatus::skipped(),
        Verdict::Fail | Verdict::Healed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Blocked | Verdict::Broken => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if result.verdict != Verdict::Pass {
        // Without effect on a success, which has no room for them.
        status.set_type(format!("{} {}", result.verdict, result.level));
        status.set_message(message(result));
    }
    let shown_as_output = matches!(result.verdict, Verdict::Warn | Verdict::Info);
    if matches!(
        result.verdict,
        Verdict::Fail | Verdict::Healed | Verdict::Blocked | Verdict::Broken
    ) {
        status.set_description(evidence.as_str());
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("connectspec.{}", result.suite_id()));
    case.set_time(Duration::from_millis(result.took_ms));
    if shown_as_output {
        case.set_system_out(evidence);
    }
    case
}

/// One line that says it all.
fn message(result: &CaseResult) -> String {
    let reason = result.reason.as_deref();
    match (result.verdict, &result.observed) {
        (Verdict::Fail, Some(observed)) => format!(
            "{}: expected {}; observed {observed}",
            result.title,
            result.expected.join(", or ")
        ),
        (Verdict::Healed, _) => format!(
            "{}: listed as a known deviation, but it holds ({})",
            result.title,
            reason.unwrap_or("no reason was given")
        ),
        (_, observed) => match reason.or(observed.as_deref()) {
            Some(said) => format!("{}: {said}", result.title),
            None => result.title.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    #[test]
    fn every_verdict_has_its_place() {
        assert_snapshot!(junit(&report()).unwrap());
    }

    #[test]
    fn a_run_without_results_is_an_error() {
        let mut report = report();
        report.results.clear();
        report.run.refused = Some("it did not start".to_owned());
        assert!(junit(&report).unwrap().contains(r#"errors="1""#));
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        let mut report = report();
        report.results[0].title = "a\u{0}\u{1b}[1mb".to_owned();
        let text = junit(&report).unwrap();
        assert!(!text.contains('\u{0}') && !text.contains('\u{1b}'));
    }
}
