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
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

mod entry;

use entry::{Fate, Now, own_entries};

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
    // Each with what it becomes, from the end, so that the places of the others stay.
    let mut new: Vec<Table> = Vec::new();
    for (index, known) in known.iter().enumerate().rev() {
        let expired = known.has_expired(today);
        let fate = Fate::of(known, |case| match results.get(case) {
            _ if gone(case) => Now::Gone,
            // An excuse that has run out is for a person to renew.
            Some(result) if result.verdict == Verdict::Fail && !expired => Now::Another(result),
            _ => Now::Same,
        });
        if fate.stays.is_empty() {
            if index == 0 {
                orphans = heading(entries.get(0));
            }
            entries.remove(index);
            update.removed += 1;
        } else if let Some(entry) = entries.get_mut(index) {
            update.changed += usize::from(fate.write(entry, known));
        }
        new.splice(0..0, own_entries(&fate.others, &known.why));
    }
    if let Some(first) = entries.get_mut(0) {
        let prefix = prefix(first);
        first.decor_mut().set_prefix(format!("{orphans}{prefix}"));
        orphans.clear();
    }
    let listed = |result: &&CaseResult| known.iter().any(|known| known.is_of(&result.case));
    let unlisted: Vec<&CaseResult> = report
        .with(Verdict::Fail)
        .filter(|result| !listed(result))
        .collect();
    new.extend(own_entries(&unlisted, NOT_EXPLAINED));
    update.added += new.len();
    if let Some(first) = new.first_mut()
        && entries.is_empty()
        && text.trim().is_empty()
    {
        first.decor_mut().set_prefix("");
    }
    entries.extend(new);
    update.text = format!("{orphans}{document}");
    Ok(update)
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

#[cfg(test)]
mod tests;
