//! The model read back, and what a run is worth.

use insta::assert_snapshot;

use super::*;
use crate::report::sample::report;

#[test]
fn a_report_reads_back_as_it_was_written() {
    let report = report();
    let text = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(Report::parse(&text, Path::new("x.json")).unwrap(), report);
}

#[test]
fn what_is_no_report_is_refused_with_its_place() {
    let error = |text: &str| {
        Report::parse(text, Path::new("a.json"))
            .unwrap_err()
            .to_string()
    };
    assert_snapshot!(error("{\n  \"schema\": 1\n}"), @"understand the report a.json at line 2, column 13: invalid type: integer `1`, expected a string; give a file that `connectspec run --report json=FILE` wrote");
    assert_snapshot!(error(""), @"understand the report a.json at line 1, column 0: EOF while parsing a value; give a file that `connectspec run --report json=FILE` wrote");
    let text = serde_json::to_string(&report()).unwrap();
    assert_snapshot!(error(&text.replace(SCHEMA, "connectspec.report/2")), @"understand the report a.json at line 1, column 1: its schema is `connectspec.report/2`, not `connectspec.report/1`; use the version of connectspec that wrote it");
    let missing = Report::read(Path::new("/nowhere/a.json")).unwrap_err();
    assert_snapshot!(missing, @"read the report /nowhere/a.json: No such file or directory (os error 2)");
}

#[test]
fn the_exit_status_is_never_0_when_nothing_was_judged() {
    let mut report = report();
    assert_eq!(report.exit_status(), 1);
    report
        .results
        .retain(|result| result.verdict == Verdict::Skip);
    report.totals = Totals::of(&report.results);
    assert_eq!(report.exit_status(), 2);
    report.totals = Totals::default();
    assert_eq!(report.exit_status(), 2);
    report.totals.pass = 1;
    assert_eq!(report.exit_status(), 0);
    report.run.refused = Some("it did not start".to_owned());
    assert_eq!(report.exit_status(), 2);
}

#[test]
fn a_family_row_is_quoted_for_the_shell() {
    let report = report();
    let again: Vec<String> = report
        .results
        .iter()
        .map(|result| report.again(result))
        .collect();
    assert!(again.contains(
        &"connectspec run --profile apache 'target/refuses_a_bad_port[past_65535]'".to_owned()
    ));
    assert!(
        again.contains(&"connectspec run --profile apache close/the_last_words_arrive".to_owned())
    );
}
