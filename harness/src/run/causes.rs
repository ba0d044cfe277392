//! What follows from what: each fault of a proxy is held against it once.
//!
//! Two things make one fault look like many. A case takes for granted what another one asks: where a proxy breaks that, the
//! violations of the first are its consequences. And many cases may run into one crash. Here, and nowhere else, is decided
//! which violation is the cause; what follows from it becomes *skip*, and names it.
//!
//! A violation is held back until all that its case relies on has a result. What was not asked is no excuse: then the
//! violation stays, and says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    case_id::CaseId,
    run::event::Finished,
    verdict::Verdict,
    wire::transcript::{Leg, Way, What},
};

/// Gathers the results of a run, and lets them go once it is known what they follow from.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Cases of the run that have no result yet.
    awaited: BTreeSet<CaseId>,
    /// Those that have one.
    known: BTreeMap<CaseId, Standing>,
    /// Violations of cases that rely on others, until those have their results.
    held: Vec<Finished>,
    /// Cases of which the proxy died, until the end: any of them may be the gravest.
    deaths: Vec<Finished>,
}

/// What a result says about the cases that rely on it.
#[derive(Clone, Debug)]
enum Standing {
    /// Nothing, or that they may.
    Sound,
    /// The proxy breaks it: the case that this is charged to.
    Broken(CaseId),
}

impl Causes {
    /// For a run that will bring the results of `cases`.
    pub(super) fn new(cases: impl IntoIterator<Item = CaseId>) -> Self {
        Self {
            awaited: cases.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes in a result; gives back those that are decided now.
    pub(super) fn take(&mut self, finished: Finished) -> Vec<Finished> {
        let mut decided = Vec::new();
        let is_a_consequence = finished.follows_from.is_some();
        if finished.death.is_some() && (finished.verdict == Verdict::Fail || is_a_consequence) {
            self.deaths.push(finished);
        } else if is_violated(&finished) && !finished.relies_on.is_empty() {
            self.held.push(finished);
        } else {
            self.let_go(finished, &mut decided);
        }
        self.decide(&mut decided);
        decided
    }

    /// Whether the proxy died of a case.
    pub(super) fn has_a_death(&self) -> bool {
        !self.deaths.is_empty()
    }

    /// Gives back what is still held, once no more results come.
    pub(super) fn rest(mut self) -> Vec<Finished> {
        let mut decided = Vec::new();
        for finished in charged_to_the_gravest(std::mem::take(&mut self.deaths)) {
            self.let_go(finished, &mut decided);
        }
        self.decide(&mut decided);
        // Those whose cases never came, since the run was stopped.
        for finished in std::mem::take(&mut self.held) {
            let finished = self.judged(finished);
            self.let_go(finished, &mut decided);
        }
        decided
    }

    /// Decides about what is held, for as long as one decision brings about another.
    fn decide(&mut self, decided: &mut Vec<Finished>) {
        while let Some(at) = self.held.iter().position(|held| self.is_decidable(held)) {
            let finished = self.held.remove(at);
            let finished = self.judged(finished);
            self.let_go(finished, decided);
        }
    }

    fn is_decidable(&self, held: &Finished) -> bool {
        let mut awaited = self.awaited.iter();
        !awaited.any(|case| held.relies_on.iter().any(|id| id.includes(case)))
    }

    /// The violation as it stands: on its own, or as a consequence.
    fn judged(&self, mut finished: Finished) -> Finished {
        let results = |id: &CaseId| {
            let id = id.clone();
            let known = self.known.iter();
            known.filter(move |(case, _)| id.includes(case))
        };
        let mut broken = finished.relies_on.iter().flat_map(results);
        let cause = broken.find_map(|(_, standing)| match standing {
            Standing::Broken(cause) => Some(cause.clone()),
            Standing::Sound => None,
        });
        if let Some(cause) = cause {
            return following(finished, cause);
        }
        let mut relies_on = finished.relies_on.iter();
        let unasked = relies_on.find(|id| results(id).next().is_none());
        if finished.reason.is_none() {
            finished.reason = unasked.map(|id| format!("relies on {id}, which was not asked"));
        }
        finished
    }

    fn let_go(&mut self, finished: Finished, decided: &mut Vec<Finished>) {
        self.awaited.remove(&finished.case);
        let standing = match &finished.follows_from {
            // A crash says nothing of what the case asks.
            _ if finished.death.is_some() => Standing::Sound,
            Some(cause) => Standing::Broken(cause.clone()),
            None if is_violated(&finished) => Standing::Broken(finished.case.clone()),
            None => Standing::Sound,
        };
        self.known.insert(finished.case.clone(), standing);
        decided.push(finished);
    }
}

fn is_violated(finished: &Finished) -> bool {
    use Verdict::{Fail, Known, Warn};
    matches!(finished.verdict, Fail | Warn | Known)
}

/// The result as a consequence of `cause`; what was seen stays for whoever wants to look.
fn following(mut finished: Finished, cause: CaseId) -> Finished {
    finished.verdict = Verdict::Skip;
    finished.reason = Some(format!("follows from {cause}"));
    finished.follows_from = Some(cause);
    finished
}

/// Of deaths with one mark the gravest case is the cause, of equals the one in which a client said least, since that shows best
/// what it takes, and of those the first in the order of ids: so that two runs say the same, whichever came first.
fn charged_to_the_gravest(mut deaths: Vec<Finished>) -> Vec<Finished> {
    let skipped = |death: &Finished| death.follows_from.is_some();
    deaths.sort_by(|a, b| {
        let gravity = |death: &Finished| {
            let said = said_by_clients(death);
            (skipped(death), death.level, said, death.case.clone())
        };
        gravity(a).cmp(&gravity(b))
    });
    let mut causes: BTreeMap<String, CaseId> = BTreeMap::new();
    deaths
        .into_iter()
        .map(|death| {
            let mark = death.death.clone().unwrap_or_default();
            match causes.get(&mark) {
                Some(cause) => following(death, cause.clone()),
                None => {
                    causes.insert(mark, death.case.clone());
                    death
                }
            }
        })
        .collect()
}

/// How many octets clients sent.
fn said_by_clients(finished: &Finished) -> u64 {
    let sent = finished
        .transcript
        .iter()
        .filter(|event| event.leg == Leg::Client && event.way == Way::Out);
    sent.map(|event| match &event.what {
        What::Data { length, .. } => *length,
        _ => 0,
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        run::{conclude::skipped, plan::Planned},
        verdict::Level,
    };

    fn result(case: &str, relies_on: &[&str], verdict: Verdict) -> Finished {
        let planned = Planned {
            case: std::sync::Arc::new(crate::case::must("It is kept")),
            suite: "suite".to_owned(),
            deviation: None,
        };
        let mut finished = skipped(&planned, "");
        finished.case = case.parse().unwrap();
        finished.relies_on = relies_on.iter().map(|id| id.parse().unwrap()).collect();
        finished.verdict = verdict;
        finished.reason = None;
        finished
    }

    /// What is decided after each of `results`, and at the end: id, verdict, and reason.
    fn decided(results: Vec<Finished>) -> Vec<Vec<String>> {
        let mut causes = Causes::new(results.iter().map(|result| result.case.clone()));
        let mut all: Vec<_> = results.into_iter().map(|one| causes.take(one)).collect();
        all.push(causes.rest());
        let line = |one: Finished| {
            let reason = one.reason.unwrap_or_default();
            format!("{} {} {reason}", one.case, one.verdict)
                .trim_end()
                .to_owned()
        };
        all.into_iter()
            .map(|some| some.into_iter().map(line).collect())
            .collect()
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn a_violation_follows_from_what_its_case_relies_on_once_that_is_known() {
        use Verdict::{Fail, Pass};
        let late = decided(vec![
            result("b/on_rows", &["a/rows"], Fail),
            result("a/rows[one]", &[], Pass),
            result("a/rows[two]", &[], Fail),
        ]);
        let both = [
            "a/rows[two] fail",
            "b/on_rows skip follows from a/rows[two]",
        ];
        assert_eq!(late[0], NOTHING);
        assert_eq!(late[1], ["a/rows[one] pass"]);
        assert_eq!(late[2], both);
        let sound = decided(vec![
            result("a/rows[one]", &[], Pass),
            result("b/on_rows", &["a/rows"], Fail),
            result("c/on_one_row", &["a/rows[one]"], Fail),
        ]);
        assert_eq!(sound[1], ["b/on_rows fail"]);
        assert_eq!(sound[2], ["c/on_one_row fail"]);
    }

    #[test]
    fn only_violations_follow_and_known_ones_are_causes_too() {
        use Verdict::{Blocked, Healed, Info, Known, Pass, Warn};
        let of = |verdict| {
            let results = vec![
                result("a/cause", &[], Known),
                result("b/on_it", &["a/cause"], verdict),
            ];
            decided(results).remove(1).remove(0)
        };
        assert_eq!(of(Warn), "b/on_it skip follows from a/cause");
        assert_eq!(of(Known), "b/on_it skip follows from a/cause");
        for other in [Pass, Info, Healed, Blocked] {
            assert_eq!(of(other), format!("b/on_it {other}"));
        }
    }

    #[test]
    fn what_follows_from_a_consequence_follows_from_its_cause() {
        let chain = decided(vec![
            result("c/last", &["b/second"], Verdict::Fail),
            result("b/second", &["a/first"], Verdict::Fail),
            result("a/first", &[], Verdict::Fail),
        ]);
        assert_eq!(
            chain[2],
            [
                "a/first fail",
                "b/second skip follows from a/first",
                "c/last skip follows from a/first",
            ]
        );
    }

    #[test]
    fn what_was_not_asked_excuses_nothing() {
        let unasked = decided(vec![result("b/alone", &["a/unasked"], Verdict::Fail)]);
        let stands = "b/alone fail relies on a/unasked, which was not asked";
        assert_eq!(unasked[0], [stands]);
        // Nor what never came, since the run was stopped.
        let mut stopped = Causes::new(["a/cause".parse().unwrap()]);
        let held = result("b/on_it", &["a/cause"], Verdict::Fail);
        assert!(stopped.take(held).is_empty());
        assert_eq!(stopped.rest()[0].verdict, Verdict::Fail);
    }

    #[test]
    fn of_many_deaths_with_one_mark_the_gravest_is_the_cause() {
        let died = |case: &str, level: Level, mark: &str| {
            let mut death = result(case, &[], Verdict::Fail);
            death.level = level;
            death.death = Some(mark.to_owned());
            death
        };
        let all = decided(vec![
            died("a/survey", Level::Survey, "m"),
            died("c/demand", Level::Must, "m"),
            died("b/demand", Level::Must, "m"),
            died("d/other", Level::Must, "n"),
            result("e/on_it", &["b/demand"], Verdict::Fail),
        ]);
        assert!(all[..5].iter().all(Vec::is_empty));
        assert_eq!(
            all[5],
            [
                "b/demand fail",
                "c/demand skip follows from b/demand",
                "d/other fail",
                "a/survey skip follows from b/demand",
                // A crash says nothing of what the case asks.
                "e/on_it fail",
            ]
        );
    }
}
