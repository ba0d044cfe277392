//! The register and the cases agree.

use std::collections::BTreeSet;

use crate::{register::*, suites};

/// A file that is there, and one that is wrong in a way that no file shows by itself.
fn read(files: &[(&str, &str)]) -> Result<Register, String> {
    let chapter = "prefix = \"CLS\"\ntitle = \"Closing\"\n[CLS-001]\nlevel = \"must\"\nrequirement = \"A.\"\n";
    let files: Vec<_> = [("closing", chapter)]
        .iter()
        .chain(files)
        .copied()
        .collect();
    Register::read(&files)
}

#[test]
fn files_that_do_not_fit_together_are_errors() {
    let one = ("chapters", "chapters = [\"closing\"]");
    let two = ("chapters", "chapters = [\"closing\", \"late\"]");
    let named = |text| ("late", text);
    let again = "prefix = \"CLS\"\ntitle = \"Closing\"\n[CLS-001]\nlevel = \"must\"\nrequirement = \"B.\"\n";
    let other_title = "prefix = \"CLS\"\ntitle = \"Late\"\n";
    let dissent =
        "prefix = \"CLS\"\ntitle = \"Closing\"\n[[dissent]]\nrows = [\"CLS-009\"]\ntext = \"C.\"\n";
    assert_eq!(read(&[one]).unwrap().requirements.len(), 1);
    for (files, words) in [
        (&[][..], "there is no fixtures/register/chapters.toml"),
        (&[two], "lists `late`"),
        (&[one, named("")], "does not list `late`"),
        (&[two, named("")], "fixtures/register/late.toml:1: "),
        (&[two, named(again)], "CLS-001 is there twice"),
        (&[two, named(other_title)], "use one title"),
        (&[two, named(dissent)], "names CLS-009"),
        (
            &[("chapters", "chapters = 1")],
            "fixtures/register/chapters.toml:1: ",
        ),
    ] {
        let error = read(files).unwrap_err();
        assert!(error.contains(words), "{error}");
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

/// A case says itself why it is there and what is done, so that nothing of this may be left beside it.
#[test]
fn what_is_untestable_or_only_sketched_has_no_case() {
    let catalogue = suites();
    for row in Register::built_in().unwrap().requirements {
        let cases = row.cases(&catalogue);
        if row.untestable.is_some() || row.experiment.is_some() {
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
        .filter(|row| matches!(row.level, Level::Must | Level::Product));
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
