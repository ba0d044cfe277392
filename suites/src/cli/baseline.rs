//! A baseline that is brought up to date: new failures go in, healed ones come out.
//!
//! People write reasons into these files, so nothing else in them changes: comments, order and spelling stay.

use std::{collections::BTreeMap, path::Path};

use connectspec_harness::{
    case_id::CaseId,
    report::{CaseResult, Report, Totals, format::destination::Place},
    subject::profile::{Deviation, parse_baseline},
    verdict::Verdict,
};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::cli::{Trouble, reports};

/// The reason of an entry until a person has found out.
const NOT_EXPLAINED: &str = "not explained yet";

/// The deviations that the file lists; when it is about to be written, it need not be there yet.
pub(super) fn read(path: &Path, may_be_missing: bool) -> Result<Vec<Deviation>, Trouble> {
    let origin = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Err(error) if may_be_missing && error.kind() == std::io::ErrorKind::NotFound => {
            String::new()
        }
        read => read.map_err(|error| {
            Trouble::usage(format!("could not read the baseline {origin}: {error}"))
        })?,
    };
    parse_baseline(&origin, &text).map_err(Trouble::usage)
}

/// What an update did.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// The new text of the file.
    text: String,
    /// How many failures went in.
    added: usize,
    /// How many changed their face.
    changed: usize,
    /// How many came out, since they are no failures any more or name no case.
    removed: usize,
}

/// Rewrites the file at `path`, and gives back the report as it reads with the new baseline.
pub(super) fn update(path: &Path, mut report: Report) -> Result<(Report, String), Trouble> {
    let place = Place::at(path, "baseline").map_err(reports::unusable)?;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let today = jiff::ZonedDateTime::now().date();
    let known = parse_baseline(&path.display().to_string(), &text).map_err(Trouble::usage)?;
    let update = updated(&text, &known, &report, today).map_err(|error| {
        Trouble::usage(format!(
            "could not update the baseline {}: {error}",
            path.display()
        ))
    })?;
    place
        .write(update.text.as_bytes())
        .map_err(reports::could_not)?;
    let listed = |case: &CaseId| known.iter().find(|known| known.is_of(case));
    for result in &mut report.results {
        match result.verdict {
            Verdict::Fail if listed(&result.case).is_none_or(|known| !known.has_expired(today)) => {
                result.verdict = Verdict::Known;
            }
            Verdict::Healed if listed(&result.case).is_some() => result.verdict = Verdict::Pass,
            _ => {}
        }
    }
    report.totals = Totals::of(&report.results);
    report.run.stale.retain(|line| {
        let mut cases = known.iter().flat_map(Deviation::cases);
        !cases.any(|case| *line == names_no_case(&case))
    });
    let said = format!(
        "{}: {} added, {} changed, {} removed",
        path.display(),
        update.added,
        update.changed,
        update.removed
    );
    Ok((report, said))
}

/// As a run says it of an entry whose case has gone.
fn names_no_case(case: &CaseId) -> String {
    format!("the deviation {case} names no case")
}

fn updated(
    text: &str,
    known: &[Deviation],
    report: &Report,
    today: jiff::civil::Date,
) -> Result<Update, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.to_string())?;
    let results: BTreeMap<&CaseId, &CaseResult> = report
        .results
        .iter()
        .map(|result| (&result.case, result))
        .collect();
    let gone = |case: &CaseId| {
        let healed = results
            .get(case)
            .is_some_and(|result| matches!(result.verdict, Verdict::Pass | Verdict::Healed));
        healed || report.run.stale.contains(&names_no_case(case))
    };
    let mut update = Update {
        text: String::new(),
        added: 0,
        changed: 0,
        removed: 0,
    };
    let item = document
        .entry("deviation")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let entries = item
        .as_array_of_tables_mut()
        .ok_or("its entries stand in one array; write each as a [[deviation]] table of its own")?;
    let mut orphans = String::new();
    // From the end, so that the places of the others stay.
    for (index, known) in known.iter().enumerate().rev() {
        if known.cases().all(|case| gone(&case)) {
            if index == 0 {
                orphans = heading(entries.get(0));
            }
            entries.remove(index);
            update.removed += 1;
        } else if let Some(entry) = entries.get_mut(index) {
            update.changed += usize::from(keep_over(entry, known, |case| !gone(case)));
        }
    }
    if let Some(first) = entries.get_mut(0) {
        let prefix = prefix(first);
        first.decor_mut().set_prefix(format!("{orphans}{prefix}"));
        orphans.clear();
    }
    for result in report.with(Verdict::Fail) {
        let listed = known.iter().find(|known| known.is_of(&result.case));
        match listed {
            // An excuse that has run out is for a person to renew.
            Some(known) if known.has_expired(today) => {}
            Some(known) => {
                let of_case = |entry: &&mut Table| {
                    entry.get("case").and_then(Item::as_str) == Some(known.case.as_str())
                };
                let listed = entries.iter_mut().find(of_case);
                if let Some(own) = listed.map(|listed| show_another_face(listed, known, result)) {
                    update.added += usize::from(own.is_some());
                    update.changed += usize::from(own.is_none());
                    entries.extend(own);
                }
            }
            None => {
                let at_the_top = entries.is_empty() && text.trim().is_empty();
                entries.push(entry(result, NOT_EXPLAINED, at_the_top));
                update.added += 1;
            }
        }
    }
    update.text = format!("{orphans}{document}");
    Ok(update)
}

/// Says in an entry what is observed now; over one of several versions, in an entry of its own, which is handed back: over
/// the others the failure still shows the face that is listed.
fn show_another_face(listed: &mut Table, known: &Deviation, result: &CaseResult) -> Option<Table> {
    if known.over.len() > 1 {
        keep_over(listed, known, |case| *case != result.case);
        return Some(entry(result, &known.why, false));
    }
    if let Some(observed) = &result.observed {
        listed["observed"] = value(observed);
    }
    None
}

/// Leaves in `over` what the failure is still known over; whether that changed anything.
fn keep_over(entry: &mut Table, known: &Deviation, stays: impl Fn(&CaseId) -> bool) -> bool {
    let over = known.over.iter();
    let left: Vec<_> = over
        .filter(|&&protocol| stays(&known.case.over(protocol)))
        .map(|protocol| protocol.word())
        .collect();
    let changed = left.len() < known.over.len();
    if changed {
        entry["over"] = value(toml_edit::Array::from_iter(left));
    }
    changed
}

/// What stands at the top of the file belongs to the file, not to the entry below it: all up to the last empty line.
fn heading(first: Option<&Table>) -> String {
    let prefix = first.map(prefix).unwrap_or_default();
    prefix
        .rfind("\n\n")
        .map(|end| prefix[..end + 1].to_owned())
        .unwrap_or_default()
}

fn prefix(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
    prefix.unwrap_or_default().to_owned()
}

fn entry(result: &CaseResult, why: &str, at_the_top: bool) -> Table {
    let mut table = Table::new();
    table
        .decor_mut()
        .set_prefix(if at_the_top { "" } else { "\n" });
    table["case"] = value(result.case.as_str());
    table["why"] = value(why);
    if let Some(observed) = &result.observed {
        table["observed"] = value(observed);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &str = "\
# Known failures of our proxy.

# A bug of the parser.
[[deviation]]
case = 'a/healed'
why  = 'soon mended'

# Nobody minds this one.
[[deviation]]
case = 'b/stays'   # by design
why  = 'it is what it is'
observed = 'a tunnel'
";

    fn result(case: &str, verdict: Verdict, observed: Option<&str>) -> CaseResult {
        let json = serde_json::json!({
            "case": case, "title": case, "level": "must", "verdict": verdict.to_string(), "expected": [],
            "observed": observed, "reason": null, "covers": [], "cites": [], "source": "x.rs:1", "took_ms": 0,
            "setup": "",
        });
        serde_json::from_value(json).unwrap()
    }

    fn update_of(text: &str, results: Vec<CaseResult>) -> Update {
        let report = Report {
            schema: String::new(),
            run: Default::default(),
            subject: Default::default(),
            totals: Totals::of(&results),
            results,
        };
        let known = parse_baseline("b.toml", text).unwrap();
        updated(text, &known, &report, "2026-01-01".parse().unwrap()).unwrap()
    }

    #[test]
    fn comments_reasons_and_order_stay() {
        let update = update_of(
            BASELINE,
            vec![
                result("a/healed", Verdict::Healed, None),
                result("b/stays", Verdict::Known, Some("a tunnel")),
                result("c/new", Verdict::Fail, Some("a \"close\"")),
            ],
        );
        let expected = "\
# Known failures of our proxy.

# Nobody minds this one.
[[deviation]]
case = 'b/stays'   # by design
why  = 'it is what it is'
observed = 'a tunnel'

[[deviation]]
case = \"c/new\"
why = \"not explained yet\"
observed = 'a \"close\"'
";
        assert_eq!(update.text, expected);
        assert_eq!((update.added, update.changed, update.removed), (1, 0, 1));
    }

    #[test]
    fn a_failure_with_another_face_keeps_its_reason() {
        let update = update_of(
            BASELINE,
            vec![result("b/stays", Verdict::Fail, Some("a reset"))],
        );
        assert_eq!(update.text, BASELINE.replace("'a tunnel'", "\"a reset\""));
        assert_eq!((update.added, update.changed, update.removed), (0, 1, 0));
    }

    #[test]
    fn each_version_comes_and_goes_alone() {
        let text = "[[deviation]]\ncase = 'a/b'\nover = ['http/1.1', 'tls']\nwhy = 'it does'\n";
        let update = update_of(
            text,
            vec![
                result("a/b", Verdict::Healed, None),
                result("a@tls/b", Verdict::Known, Some("a reset")),
            ],
        );
        let expected = text.replace("['http/1.1', 'tls']", "[\"tls\"]");
        assert_eq!(update.text, expected);
        assert_eq!((update.added, update.changed, update.removed), (0, 1, 0));
        let both = ["a/b", "a@tls/b"].map(|case| result(case, Verdict::Healed, None));
        assert_eq!(update_of(text, both.into()).text, "");
        let update = update_of(
            text,
            vec![result("a@tls/b", Verdict::Fail, Some("silence"))],
        );
        let expected = text.replace("['http/1.1', 'tls']", "[\"http/1.1\"]")
            + "\n[[deviation]]\ncase = \"a@tls/b\"\nwhy = \"it does\"\nobserved = \"silence\"\n";
        assert_eq!(update.text, expected);
    }

    #[test]
    fn nothing_to_do_changes_nothing_and_the_last_entry_leaves_the_heading() {
        assert_eq!(update_of(BASELINE, vec![]).text, BASELINE);
        let healed = |case| result(case, Verdict::Healed, None);
        let update = update_of(BASELINE, vec![healed("a/healed"), healed("b/stays")]);
        assert_eq!(update.text, "# Known failures of our proxy.\n");
    }

    #[test]
    fn a_new_file_begins_with_its_first_entry() {
        let update = update_of("", vec![result("c/new", Verdict::Fail, None)]);
        assert_eq!(
            update.text,
            "[[deviation]]\ncase = \"c/new\"\nwhy = \"not explained yet\"\n"
        );
    }
}
