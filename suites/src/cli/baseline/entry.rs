//! One entry of a baseline: what becomes of it, and how a new one is written.
//!
//! Rows of one case that fail with the same face share an entry, and so a reason: whoever explains thirty rows one by one
//! explains none.

use connectspec_harness::{
    case_id::CaseId, report::CaseResult, subject::profile::Deviation, verdict::fingerprint,
};
use toml_edit::{Array, Table, value};

/// What a run says of a case that is listed.
pub(super) enum Now<'r> {
    /// It is no failure any more, or no case.
    Gone,
    /// It fails, but not as it did.
    Another(&'r CaseResult),
    /// It fails as it is listed, or was not asked.
    Same,
}

/// What becomes of an entry.
pub(super) struct Fate<'r> {
    /// The cases that it goes on to excuse.
    pub(super) stays: Vec<CaseId>,
    /// What is observed of all of those now, where that has changed.
    face: Option<&'r str>,
    /// Those whose failure needs an entry of its own.
    pub(super) others: Vec<&'r CaseResult>,
}

impl<'r> Fate<'r> {
    /// The entry keeps those that fail as they did; where none does, those that fail as the first of them does now.
    pub(super) fn of(known: &Deviation, now: impl Fn(&CaseId) -> Now<'r>) -> Self {
        let mut fate = Self {
            stays: Vec::new(),
            face: None,
            others: Vec::new(),
        };
        for case in known.cases() {
            match now(&case) {
                Now::Gone => {}
                Now::Same => fate.stays.push(case),
                Now::Another(result) => fate.others.push(result),
            }
        }
        if let (true, Some(first)) = (fate.stays.is_empty(), fate.others.first().copied()) {
            let (alike, others) = fate
                .others
                .iter()
                .partition(|other| same_face(first, other));
            let alike: Vec<&CaseResult> = alike;
            fate.others = others;
            fate.face = first.observed.as_deref();
            fate.stays = alike.iter().map(|result| result.case.clone()).collect();
        }
        fate
    }

    /// Writes it into the entry; whether that changed anything.
    pub(super) fn write(&self, entry: &mut Table, known: &Deviation) -> bool {
        let mut changed = false;
        if let Some(face) = self.face {
            entry["observed"] = value(face);
            changed = true;
        }
        if self.stays.len() < known.over.len() {
            let over = known.over.iter();
            let left = over.filter(|&&protocol| self.stays.contains(&known.case.over(protocol)));
            entry["over"] = value(Array::from_iter(left.map(|protocol| protocol.word())));
            changed = true;
        }
        if self.stays.len() < known.rows.len() {
            entry["rows"] = value(Array::from_iter(self.stays.iter().filter_map(CaseId::row)));
            changed = true;
        }
        changed
    }
}

/// Entries for these failures: one for each case, and each way in which rows of it fail.
pub(super) fn own_entries(results: &[&CaseResult], why: &str) -> Vec<Table> {
    let mut groups: Vec<Vec<&CaseResult>> = Vec::new();
    for &result in results {
        let alike = groups.iter_mut().find(|group| {
            let first = group[0];
            result.case.row().is_some()
                && first.case.family() == result.case.family()
                && same_face(first, result)
        });
        match alike {
            Some(group) => group.push(result),
            None => groups.push(vec![result]),
        }
    }
    groups.iter().map(|group| entry(group, why)).collect()
}

fn entry(results: &[&CaseResult], why: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    if let [result] = results {
        table["case"] = value(result.case.as_str());
    } else {
        table["case"] = value(results[0].case.family());
        let rows = results.iter().filter_map(|result| result.case.row());
        table["rows"] = value(Array::from_iter(rows));
    }
    table["why"] = value(why);
    if let Some(observed) = &results[0].observed {
        table["observed"] = value(observed);
    }
    table
}

fn same_face(one: &CaseResult, other: &CaseResult) -> bool {
    let face = |result: &CaseResult| result.observed.as_deref().map(fingerprint::of);
    face(one) == face(other)
}
