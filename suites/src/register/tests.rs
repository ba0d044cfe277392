//! The register and the cases agree.

use std::collections::BTreeSet;

use crate::{register::*, suites};

#[test]
fn each_dissent_names_rows_that_exist() {
    let register = Register::built_in().unwrap();
    for dissent in &register.dissents {
        assert!(!dissent.rows.is_empty(), "{}", dissent.text);
        for row in &dissent.rows {
            assert!(register.find(row).is_some(), "there is no row {row}");
        }
    }
}

#[test]
fn ids_are_unique_and_belong_to_a_section() {
    let register = Register::built_in().unwrap();
    let mut seen = BTreeSet::new();
    for row in &register.requirements {
        assert!(seen.insert(&row.id), "{} is there twice", row.id);
        let (_, title) = register.section_of(row);
        assert!(!title.is_empty(), "{} belongs to no section", row.id);
    }
}

#[test]
fn every_row_is_whole() {
    for row in Register::built_in().unwrap().requirements {
        for text in [&row.requirement, &row.experiment] {
            assert!(text.ends_with(['.', '!', '?']), "{}: {text}", row.id);
        }
        assert!(
            row.also.is_none_or(|also| also > row.level),
            "{}: `also` is for the weaker level",
            row.id
        );
        let (documents, sections) = (row.specification.as_slice(), row.section.as_slice());
        assert!(
            sections.is_empty() || sections.len() == documents.len(),
            "{}: a section for each document",
            row.id
        );
    }
}

#[test]
fn each_case_covers_rows_that_exist() {
    let register = Register::built_in().unwrap();
    let mut unknown = Vec::new();
    for case in suites().iter().flat_map(|suite| &suite.cases) {
        for id in case.covers.iter().filter(|id| register.find(id).is_none()) {
            unknown.push(format!("{} covers {id}", case.id));
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// A case that is stricter than what it tests blames a proxy that is right.
#[test]
fn no_case_is_above_what_it_covers() {
    let register = Register::built_in().unwrap();
    let mut above = Vec::new();
    for case in suites().iter().flat_map(|suite| &suite.cases) {
        let rows = case.covers.iter().filter_map(|id| register.find(id));
        // A case about several rows has the level of the strictest.
        let strictest = rows.map(|row| row.level).min();
        if strictest.is_some_and(|level| case.level < level) {
            above.push(format!(
                "{} is {}, {:?} are not",
                case.id, case.level, case.covers
            ));
        }
    }
    assert!(above.is_empty(), "{above:#?}");
}

#[test]
fn what_is_untestable_has_no_case() {
    let catalogue = suites();
    for row in Register::built_in().unwrap().requirements {
        if row.untestable.is_some() {
            let cases = row.cases(&catalogue);
            assert!(cases.is_empty(), "{} has a case: {cases:?}", row.id);
        }
    }
}

#[test]
fn what_is_proven_elsewhere_is_proven_there() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for row in Register::built_in().unwrap().requirements {
        let Some(proof) = &row.proven_by else {
            continue;
        };
        assert!(row.untestable.is_none(), "{}: one or the other", row.id);
        let (file, test) = proof.rsplit_once("::").expect("file::test");
        let text = std::fs::read_to_string(format!("{root}/{file}"))
            .unwrap_or_else(|error| panic!("{}: {file}: {error}", row.id));
        let (function, listed) = (format!("fn {test}() {{"), format!("::{test}\","));
        assert!(
            text.contains(&function) && text.contains(&listed),
            "{}: {file} has no test {test}",
            row.id
        );
    }
}

/// Both ways: a row that has lost its case is missing here, and one that has got a case has to leave the list.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "how many are left is what one wants to see"
)]
fn each_demand_has_a_case_or_a_reason_or_waits_for_one() {
    let catalogue = suites();
    let register = Register::built_in().unwrap();
    let demands = register
        .requirements
        .iter()
        .filter(|row| matches!(row.level, Level::Must | Level::Httpd));
    let open: BTreeSet<_> = demands
        .filter(|row| row.untestable.is_none() && row.proven_by.is_none())
        .filter(|row| row.cases(&catalogue).is_empty())
        .map(|row| row.id.as_str())
        .collect();
    let waiting: BTreeSet<_> = WAITING.iter().copied().collect();
    let lost: Vec<_> = open.difference(&waiting).collect();
    let done: Vec<_> = waiting.difference(&open).collect();
    println!("{} demands wait for a case", waiting.len());
    assert!(lost.is_empty(), "neither a case nor a reason: {lost:?}");
    assert!(
        done.is_empty(),
        "has a case now, take it off WAITING: {done:?}"
    );
}

/// Demands that could be tested and are not yet. It may only become shorter.
const WAITING: &[&str] = &[];
