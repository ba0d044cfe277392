//! A report from a file: no text makes the reader or a format panic, what is accepted is equal once it was written and read
//! again, and what is wrong with another is said with its file and a line that it has.

use std::path::Path;

use connectspec_harness::report::{
    Options, Report, ReportError,
    across::matrix,
    compare,
    format::{html, json, junit, markdown, terminal},
    merge,
};

/// Where the report is said to be.
const FILE: &str = "fuzzed.json";

/// Whether the input was accepted. Panics where the property does not hold.
pub(crate) fn holds(text: &str) -> bool {
    let report = match Report::parse(text, Path::new(FILE)) {
        Ok(report) => report,
        Err(error) => {
            is_placed(&error, text);
            return false;
        }
    };
    let written = json::json(&report).expect("a report can be written");
    let again = Report::parse(&written, Path::new(FILE)).expect("what was written is a report");
    assert_eq!(report, again);

    assert!(!markdown::markdown(&report).is_empty());
    assert!(html::html(&report).expect("a page").contains("</html>"));
    let _ = junit::junit(&report).expect("test suites");
    let mut shown = Vec::new();
    terminal::write(&report, &mut shown, Options::default()).expect("memory can be written to");
    assert!(!shown.is_empty());
    assert_eq!(compare(&report, &report).changes().len(), 0);
    let two = [report, again];
    assert!(!matrix::markdown(&two).is_empty());
    assert!(matrix::html(&two).expect("a page").contains("</html>"));
    let _ = merge(two.map(|report| (FILE.into(), report)).into());
    true
}

fn is_placed(error: &ReportError, text: &str) {
    let ReportError::Malformed {
        path, line, reason, ..
    } = error
    else {
        panic!("not what is wrong: {error}");
    };
    let lines = text.matches('\n').count() + 1;
    assert!(
        path == Path::new(FILE) && (1..=lines).contains(line),
        "{error}"
    );
    assert!(!reason.is_empty(), "{error}");
}
