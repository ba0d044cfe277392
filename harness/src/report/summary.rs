//! What a run means, in one sentence: the same in every report.

use crate::{
    report::{
        Report, audit,
        cause::{causes, counted, demands, died},
    },
    verdict::Verdict,
};

impl Report {
    /// How grave it is, and the rest of a sentence that begins with the subject's name.
    #[must_use]
    pub fn meaning(&self) -> (Verdict, String) {
        if let Some(refused) = &self.run.refused {
            let refused = refused.lines().next().unwrap_or_default();
            return (Verdict::Fail, format!("was not judged: {refused}"));
        }
        let totals = self.totals;
        if totals.all() == totals.skip {
            return (Verdict::Fail, "was not judged: no case ran".to_owned());
        }
        if self.is_an_audit() {
            return audit::meaning(self, self.beside_failures());
        }
        let faults = self.faults();
        let red = totals.fail + totals.healed + self.run.stale.len();
        match (faults.is_empty(), red) {
            (true, _) if totals.known > 0 => (Verdict::Known, self.known_alone()),
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

    /// Where nothing fails but what is listed: how much that is, so that nobody takes it for nothing.
    fn known_alone(&self) -> String {
        let demands = demands(self);
        let known = causes(self, &[Verdict::Known]).len();
        let (kept, judged) = (demands.kept, demands.judged);
        let deviations = counted(known, "known deviation");
        let results = counted(self.totals.known, "result");
        format!("keeps {kept} of {judged} demands; {deviations} ({results}), none new")
    }

    /// What is wrong, the gravest first.
    fn faults(&self) -> Vec<String> {
        let totals = self.totals;
        let mut faults = Vec::new();
        let crashes = self.results.iter().filter(|result| died(result)).count();
        if crashes > 0 {
            faults.push(format!("it died of {}", counted(crashes, "case")));
        }
        let broken = causes(self, &[Verdict::Fail]).len();
        let results = match totals.fail {
            fail if fail == broken => String::new(),
            fail => format!(" ({fail} results)"),
        };
        count(
            &mut faults,
            broken,
            &format!("requirement is not kept{results}"),
            &format!("requirements are not kept{results}"),
        );
        let healed = "known deviation is healed (take it off the list)";
        let healed_many = "known deviations are healed (take them off the list)";
        count(&mut faults, totals.healed, healed, healed_many);
        faults.extend(self.beside_failures());
        faults
    }

    /// What is wrong beside what the subject fails: deaths that nobody explains, lists that are out of date, and what was not judged.
    fn beside_failures(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let died = "death of the proxy is unexplained";
        let deaths = self.run.deaths.len();
        count(
            &mut faults,
            deaths,
            died,
            "deaths of the proxy are unexplained",
        );
        let stale = "listed deviation is stale";
        let stale_many = "listed deviations are stale";
        count(&mut faults, self.run.stale.len(), stale, stale_many);
        let blocked = "case could not begin";
        count(
            &mut faults,
            self.totals.blocked,
            blocked,
            "cases could not begin",
        );
        let broken = "case failed in connectspec itself";
        let broken_many = "cases failed in connectspec itself";
        count(&mut faults, self.totals.broken, broken, broken_many);
        if self.run.interrupted {
            let done = format!("{} of {} cases", self.totals.all(), self.run.planned);
            faults.push(format!("the run was interrupted after {done}"));
        }
        faults
    }
}

/// Adds how many there are, if there are any.
fn count(faults: &mut Vec<String>, count: usize, one: &str, many: &str) {
    if count > 0 {
        faults.push(format!("{count} {}", if count == 1 { one } else { many }));
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
