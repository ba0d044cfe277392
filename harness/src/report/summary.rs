//! What a run means, in one sentence: the same in every report.

use crate::{report::Report, verdict::Verdict};

impl Report {
    /// How grave it is, and the rest of a sentence that begins with the subject's name.
    #[must_use]
    pub fn meaning(&self) -> (Verdict, String) {
        if let Some(refused) = &self.run.refused {
            let refused = refused.lines().next().unwrap_or_default();
            return (Verdict::Fail, format!("was not judged: {refused}"));
        }
        let totals = self.totals;
        let mut faults = Vec::new();
        let mut count = |count: usize, one: &str, many: &str| {
            if count > 0 {
                faults.push(format!("{count} {}", if count == 1 { one } else { many }));
            }
        };
        count(
            totals.fail,
            "requirement is not kept",
            "requirements are not kept",
        );
        let healed = "known deviation is healed (take it off the list)";
        let healed_many = "known deviations are healed (take them off the list)";
        count(totals.healed, healed, healed_many);
        let died = "death of the proxy is unexplained";
        count(
            self.run.deaths.len(),
            died,
            "deaths of the proxy are unexplained",
        );
        let stale = "listed deviation is stale";
        count(self.run.stale.len(), stale, "listed deviations are stale");
        let blocked = "case could not begin";
        count(totals.blocked, blocked, "cases could not begin");
        let broken = "case failed in connectspec itself";
        count(totals.broken, broken, "cases failed in connectspec itself");
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
