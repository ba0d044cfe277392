//! Two reports side by side: what got worse, what got better, what is new and what is gone.
//!
//! Works between two versions of one proxy, and between two proxies: a case is known by its id, and nothing else of the
//! two runs has to agree.

use std::{collections::BTreeMap, fmt};

use crate::{
    report::{
        CaseResult, Report,
        format::markdown::{cell, plain},
    },
    verdict::{Level, Verdict, fingerprint},
};

/// What changed between two reports.
#[derive(Debug)]
pub struct Comparison<'r> {
    before: &'r Report,
    after: &'r Report,
    changes: Vec<Change<'r>>,
}

/// One case that is not what it was.
#[derive(Clone, Copy, Debug)]
pub struct Change<'r> {
    /// Which way.
    pub kind: Kind,
    /// What was found before; `None` where the case is new.
    pub before: Option<&'r CaseResult>,
    /// What is found now; `None` where the case is gone.
    pub after: Option<&'r CaseResult>,
}

/// Which way a case changed. In the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A graver verdict.
    Worse,
    /// A better one.
    Better,
    /// Neither, but something else was seen, or it is no longer judged.
    Other,
    /// Only the second report has it.
    New,
    /// Only the first report has it.
    Gone,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Worse,
        Self::Better,
        Self::Other,
        Self::New,
        Self::Gone,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Other => "different",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

/// Compares two reports.
#[must_use]
pub fn compare<'r>(before: &'r Report, after: &'r Report) -> Comparison<'r> {
    let by_case = |report: &'r Report| -> BTreeMap<&'r str, &'r CaseResult> {
        report
            .results
            .iter()
            .map(|result| (result.case.as_str(), result))
            .collect()
    };
    let (old, new) = (by_case(before), by_case(after));
    let mut cases: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    cases.sort_unstable();
    cases.dedup();
    let mut changes: Vec<Change<'r>> = cases
        .into_iter()
        .filter_map(|case| {
            let (before, after) = (old.get(case).copied(), new.get(case).copied());
            let kind = kind(before, after)?;
            Some(Change {
                kind,
                before,
                after,
            })
        })
        .collect();
    // Stable: within a kind they stay sorted by id.
    changes.sort_by_key(|change| change.kind);
    Comparison {
        before,
        after,
        changes,
    }
}

fn kind(before: Option<&CaseResult>, after: Option<&CaseResult>) -> Option<Kind> {
    let (before, after) = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => return Some(Kind::New),
        (Some(_), None) => return Some(Kind::Gone),
        (Some(before), Some(after)) => (before, after),
    };
    match (gravity(before.verdict), gravity(after.verdict)) {
        (Some(old), Some(new)) if new > old => Some(Kind::Worse),
        (Some(old), Some(new)) if new < old => Some(Kind::Better),
        // A case that was not judged before is a finding now.
        (None, Some(new)) if new > 0 => Some(Kind::Worse),
        (None, None) => None,
        (None, Some(_)) | (Some(_), None) => Some(Kind::Other),
        // Both are as they should be: what a passing proxy says is its own affair.
        (Some(0), Some(0)) if [before, after].iter().all(|it| it.level != Level::Survey) => None,
        (Some(_), Some(_)) => {
            let same = before.verdict == after.verdict && face(before) == face(after);
            (!same).then_some(Kind::Other)
        }
    }
}

/// What was observed, without what differs from run to run.
fn face(result: &CaseResult) -> String {
    fingerprint::of(result.observed.as_deref().unwrap_or_default())
}

/// How grave a verdict is; `None` where nothing was judged and nothing went wrong.
const fn gravity(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Pass | Verdict::Info | Verdict::Healed => Some(0),
        Verdict::Warn => Some(1),
        Verdict::Known => Some(2),
        Verdict::Fail => Some(3),
        Verdict::Blocked | Verdict::Broken => Some(4),
        Verdict::Skip => None,
    }
}

impl<'r> Comparison<'r> {
    /// Every change, the worse first.
    #[must_use]
    pub fn changes(&self) -> &[Change<'r>] {
        &self.changes
    }

    /// The exit status: 1 where something got worse, or a new case fails; else 0. What is gone is shown, and no fault.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        let red = |change: &Change<'_>| match (change.kind, change.after) {
            (Kind::Worse, _) => true,
            (Kind::New, Some(after)) => gravity(after.verdict) >= Some(3),
            _ => false,
        };
        u8::from(self.changes.iter().any(red))
    }

    /// `2 worse, 1 better`, or that nothing changed.
    #[must_use]
    pub fn sum(&self) -> String {
        let count = |kind| {
            self.changes
                .iter()
                .filter(|change| change.kind == kind)
                .count()
        };
        let counts: Vec<String> = Kind::ALL
            .into_iter()
            .filter(|&kind| count(kind) > 0)
            .map(|kind| format!("{} {}", count(kind), kind.word()))
            .collect();
        if counts.is_empty() {
            let count = self.after.results.len();
            let results = if count == 1 { "result" } else { "results" };
            format!("no change in {count} {results}")
        } else {
            counts.join(", ")
        }
    }

    /// The comparison as Markdown: one table, the worse first.
    #[must_use]
    pub fn markdown(&self) -> String {
        let [before, after] = self.names();
        let mut text = format!(
            "### {} → {}: {}\n\n",
            plain(&before),
            plain(&after),
            self.sum()
        );
        if self.changes.is_empty() {
            return text;
        }
        text.push_str("| | case | before | after | observed now |\n|---|---|---|---|---|\n");
        for change in &self.changes {
            let row = [
                change.kind.word().to_owned(),
                format!("`{}`<br>{}", change.case(), cell(change.title())),
                verdict(change.before),
                verdict(change.after),
                cell(&said(change.after)),
            ];
            text.push_str("| ");
            text.push_str(&row.join(" | "));
            text.push_str(" |\n");
        }
        text
    }

    fn names(&self) -> [String; 2] {
        let (before, after) = (self.before.subject.name(), self.after.subject.name());
        if before != after {
            return [before, after];
        }
        // The same proxy twice: when is all that tells the runs apart.
        [&self.before, &self.after].map(|report| format!("{before} ({})", report.run.started))
    }
}

/// The comparison as text: a line for each change, what was seen below it.
impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.names();
        writeln!(f, "before  {before}")?;
        writeln!(f, "after   {after}")?;
        for change in &self.changes {
            writeln!(f)?;
            writeln!(
                f,
                "{:<9}  {}   {}",
                change.kind.word(),
                change.case(),
                change.title()
            )?;
            for (when, result) in [("before", change.before), ("after", change.after)] {
                if let Some(result) = result {
                    let said = said(Some(result));
                    let gap = if said.is_empty() { "" } else { ": " };
                    writeln!(f, "           {when:<6}  {}{gap}{said}", result.verdict)?;
                }
            }
        }
        writeln!(f)?;
        writeln!(f, "{}", self.sum())
    }
}

impl Change<'_> {
    fn case(&self) -> &str {
        self.after
            .or(self.before)
            .map_or("", |result| result.case.as_str())
    }

    fn title(&self) -> &str {
        self.after
            .or(self.before)
            .map_or("", |result| &result.title)
    }
}

fn verdict(result: Option<&CaseResult>) -> String {
    result.map_or_else(|| "–".to_owned(), |result| result.verdict.to_string())
}

/// What a result says in one line.
fn said(result: Option<&CaseResult>) -> String {
    let said = result.and_then(|result| result.observed.as_deref().or(result.reason.as_deref()));
    said.unwrap_or_default()
        .lines()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    fn changed() -> (Report, Report) {
        let before = report();
        let mut after = report();
        after.subject.version = Some("2.4.67".to_owned());
        for result in &mut after.results {
            match (result.case.as_str(), result.verdict) {
                (_, Verdict::Fail) => {
                    result.verdict = Verdict::Pass;
                    result.observed = None;
                }
                (_, Verdict::Pass) => {
                    result.verdict = Verdict::Fail;
                    result.observed = Some("64 of 65 octets".to_owned());
                }
                ("close/half_close_is_passed_on_or_not", _) => {
                    result.observed = Some("both halves end".to_owned());
                }
                ("may/answers_with_a_body", _) => {
                    result.case = "may/has_a_new_name".parse().unwrap();
                }
                _ => {}
            }
        }
        (before, after)
    }

    #[test]
    fn each_change_has_its_kind() {
        let (before, after) = changed();
        let comparison = compare(&before, &after);
        assert_snapshot!(comparison, @"
before  Apache httpd 2.4.66
after   Apache httpd 2.4.67

worse      tunnel/carries_every_octet   A tunnel carries every octet
           before  pass
           after   fail: 64 of 65 octets

better     close/the_last_words_arrive   Data sent before a close is delivered before the close
           before  fail: the end after 0 bytes
           after   pass

different  close/half_close_is_passed_on_or_not   What becomes of a half-closed tunnel
           before  info: the other half stays open
           after   info: both halves end

new        may/has_a_new_name   A 2xx may have a body
           after   info

gone       may/answers_with_a_body   A 2xx may have a body
           before  info

1 worse, 1 better, 1 different, 1 new, 1 gone
");
        assert_snapshot!(comparison.markdown(), @"
### Apache httpd 2.4.66 → Apache httpd 2.4.67: 1 worse, 1 better, 1 different, 1 new, 1 gone

| | case | before | after | observed now |
|---|---|---|---|---|
| worse | `tunnel/carries_every_octet`<br>A tunnel carries every octet | pass | fail | 64 of 65 octets |
| better | `close/the_last_words_arrive`<br>Data sent before a close is delivered before the close | fail | pass |  |
| different | `close/half_close_is_passed_on_or_not`<br>What becomes of a half-closed tunnel | info | info | both halves end |
| new | `may/has_a_new_name`<br>A 2xx may have a body | – | info |  |
| gone | `may/answers_with_a_body`<br>A 2xx may have a body | info | – |  |
");
        assert_eq!(comparison.exit_status(), 1);
    }

    #[test]
    fn a_report_does_not_differ_from_itself() {
        let report = report();
        let comparison = compare(&report, &report);
        assert!(comparison.changes().is_empty());
        assert_eq!(comparison.exit_status(), 0);
        assert_eq!(comparison.sum(), "no change in 11 results");
    }

    #[test]
    fn a_port_that_differs_is_no_change() {
        let (mut before, mut after) = (report(), report());
        before.results[0].observed = Some("a tunnel to 127.0.0.1:20123, 7 bytes".to_owned());
        after.results[0].observed = Some("a tunnel to 127.0.0.1:31007, 7 bytes".to_owned());
        assert!(compare(&before, &after).changes().is_empty());
        after.results[0].observed = Some("a tunnel to 127.0.0.1:31007, 8 bytes".to_owned());
        assert_eq!(compare(&before, &after).changes().len(), 1);
    }

    #[test]
    fn what_got_better_is_no_fault() {
        let (before, after) = changed();
        let mut mended = after;
        mended
            .results
            .retain(|result| result.verdict != Verdict::Fail);
        assert_eq!(compare(&before, &mended).exit_status(), 0);
    }

    #[test]
    fn a_finding_where_nothing_was_judged_is_worse() {
        let before = report();
        let mut after = report();
        let mut results = after.results.iter_mut();
        let skipped = results.find(|result| result.verdict == Verdict::Skip);
        skipped.unwrap().verdict = Verdict::Fail;
        assert_eq!(compare(&before, &after).exit_status(), 1);
        // And the other way round it is only no longer judged.
        let comparison = compare(&after, &before);
        assert_eq!(comparison.exit_status(), 0);
        assert_eq!(comparison.sum(), "1 different");
    }
}
