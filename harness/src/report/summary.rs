//! What a run means, in one sentence: the same in every report.

use std::collections::BTreeSet;

use crate::{report::Report, verdict::Verdict};

impl Report {
    /// How many different requirements are not kept: the rows of a case, and what it is asked over, share theirs.
    #[must_use]
    pub fn broken_requirements(&self) -> usize {
        let failed = self.with(Verdict::Fail);
        let sentences = failed.map(|result| result.case.plain().family().to_owned());
        sentences.collect::<BTreeSet<_>>().len()
    }

    /// How grave it is, and the rest of a sentence that begins with the subject's name.
    #[must_use]
    pub fn meaning(&self) -> (Verdict, String) {
        if let Some(refused) = &self.run.refused {
            let refused = refused.lines().next().unwrap_or_default();
            return (Verdict::Fail, format!("was not judged: {refused}"));
        }
        let totals = self.totals;
        let mut faults = Vec::new();
        let count = |faults: &mut Vec<String>, count: usize, one: &str, many: &str| {
            if count > 0 {
                faults.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        let broken_requirements = self.broken_requirements();
        count(
            &mut faults,
            broken_requirements,
            "requirement is not kept",
            "requirements are not kept",
        );
        if totals.fail > broken_requirements
            && let Some(said) = faults.last_mut()
        {
            said.push_str(&format!(" ({} results)", totals.fail));
        }
        let healed = "known deviation is healed (take it off the list)";
        let healed_many = "known deviations are healed (take them off the list)";
        count(&mut faults, totals.healed, healed, healed_many);
        let died = "death of the proxy is unexplained";
        count(
            &mut faults,
            self.run.deaths.len(),
            died,
            "deaths of the proxy are unexplained",
        );
        let stale = "listed deviation is stale";
        count(
            &mut faults,
            self.run.stale.len(),
            stale,
            "listed deviations are stale",
        );
        let blocked = "case could not begin";
        count(
            &mut faults,
            totals.blocked,
            blocked,
            "cases could not begin",
        );
        let broken = "case failed in connectspec itself";
        count(
            &mut faults,
            totals.broken,
            broken,
            "cases failed in connectspec itself",
        );
        if self.run.interrupted {
            let done = format!("{} of {} cases", totals.all(), self.run.planned);
            faults.push(format!("the run was interrupted after {done}"));
        }
        if totals.all() == totals.skip {
            return (Verdict::Fail, "was not judged: no case ran".to_owned());
        }
        match (
            faults.is_empty(),
            totals.fail + totals.healed + self.run.stale.len(),
        ) {
            (true, _) if totals.known > 0 => (
                Verdict::Pass,
                "is conformant, but for its known deviations".to_owned(),
            ),
            (true, _) => (
                Verdict::Pass,
                "is conformant in all that was asked".to_owned(),
            ),
            (false, 0) => (
                Verdict::Warn,
                format!("is not judged in full: {}", faults.join(", ")),
            ),
            (false, _) => (
                Verdict::Fail,
                format!("is not conformant: {}", faults.join(", ")),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CaseResult, Totals, sample::report};

    #[test]
    fn rows_and_versions_of_a_case_are_one_requirement() {
        let mut report = report();
        let failed = report.with(Verdict::Fail).next().unwrap().clone();
        let of = |case: &str| CaseResult {
            case: case.parse().unwrap(),
            ..failed.clone()
        };
        report.results = vec![
            of("a/b[one]"),
            of("a/b[two]"),
            of("a@tls/b[one]"),
            of("a/c"),
        ];
        report.totals = Totals::of(&report.results);
        let (_, meaning) = report.meaning();
        assert_eq!(
            meaning,
            "is not conformant: 2 requirements are not kept (4 results)"
        );
        report.results.drain(..3);
        report.totals = Totals::of(&report.results);
        assert_eq!(
            report.meaning().1,
            "is not conformant: 1 requirement is not kept"
        );
    }
}
