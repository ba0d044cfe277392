//! Of what the subject has died so far in this run, so that one crash costs a few launches, however many cases run into it.
//!
//! A death has a mark: how the process ended, and the line with which it said so. Deaths with one mark have one cause. Once a
//! few rows of a case have been found, each alone, to bring it about, its other rows are not repeated alone any more; and once
//! its launches have cost half a minute, nobody is. Until then, whoever ran beside the one that brought it about is judged.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use regex::Regex;

use crate::{case_id::CaseId, verdict::fingerprint};

/// Deaths of one cause, each seen to be brought about by a case alone, after which other rows of that case are taken to bring it
/// about, too, and the cases beside them run one by one: one may be a coincidence, and more of them tell nothing new.
const KIN_AFTER: usize = 3;

/// What launches after deaths of one cause may cost before whatever ran is taken to bring it about: each case that does costs
/// one of them.
const SPENT: Duration = Duration::from_secs(30);

/// The mark of a subject that runs, and serves nobody any more.
pub(super) const DEAF: &str = "it serves nobody any more";

/// How runtimes begin the line that says of what a program dies. What stands in front differs: threads, times, levels.
static LAST_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:panicked at|panic: |fatal error: |terminate called|[Aa]ssertion|AddressSanitizer|(?:\w+\.)*\w+(?:Error|Exception)\b).*",
    )
    .expect("the pattern is a constant")
});

/// The deaths of a run. Its groups share it.
#[derive(Debug, Default)]
pub(super) struct Deaths {
    /// By mark.
    of: Mutex<BTreeMap<String, Cause>>,
}

#[derive(Debug, Default)]
struct Cause {
    /// The cases that brought it about alone, in that order.
    by: Vec<CaseId>,
    /// How often it was met.
    met: usize,
    /// What the launches of those that died so have cost.
    spent: Duration,
}

/// What was running when the subject died.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Nobody in particular.
    Open,
    /// It resembles a case that brings this death about.
    Kin(CaseId),
}

impl Deaths {
    /// The subject has died while cases ran; to launch it had taken so long.
    pub(super) fn meet(&self, mark: &str, launch: Duration) {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let cause = all.entry(mark.to_owned()).or_default();
        cause.met += 1;
        cause.spent += launch;
    }

    /// Whether so many cases bring this death about that those beside them had better run one by one.
    pub(super) fn is_common(&self, mark: &str) -> bool {
        let all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let cause = all.get(mark);
        cause.is_some_and(|cause| cause.by.len() >= KIN_AFTER && !cause.is_spent(mark))
    }

    /// It has died of this case alone.
    pub(super) fn explain(&self, mark: &str, case: &CaseId) {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(mark.to_owned())
            .or_default()
            .by
            .push(case.clone());
    }

    /// Whether a case that ran then has to be repeated alone.
    pub(super) fn suspicion(&self, mark: &str, case: &CaseId) -> Suspicion {
        let all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(cause) = all.get(mark).filter(|cause| !cause.by.is_empty()) else {
            return Suspicion::Open;
        };
        let rows = |other: &&CaseId| other.plain().family() == case.plain().family();
        let kin = cause.by.iter().filter(rows).nth(KIN_AFTER - 1);
        match kin.or_else(|| cause.by.first().filter(|_| cause.is_spent(mark))) {
            Some(cause) => Suspicion::Kin(cause.clone()),
            None => Suspicion::Open,
        }
    }
}

impl Cause {
    fn is_spent(&self, mark: &str) -> bool {
        // Each time that it serves nobody any more costs many seconds, until that is certain.
        self.spent >= SPENT || mark == DEAF && self.met >= KIN_AFTER
    }
}

/// What deaths of one cause have in common: how the process ended, and its last word, where its runtime has one.
pub(super) fn mark(death: &str, output: &str) -> String {
    let word = output
        .lines()
        .rev()
        .find_map(|line| LAST_WORD.find(line))
        .map(|word| fingerprint::of(word.as_str()));
    format!("{death}: {}", word.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CaseId {
        text.parse().unwrap()
    }

    #[test]
    fn deaths_at_one_place_have_one_mark() {
        let said = |thread: &str, place: &str| {
            format!(
                "listening\nthread '{thread}' panicked at {place}:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n"
            )
        };
        let mark = |thread, place| mark("exit status: 101", &said(thread, place));
        assert_eq!(mark("a", "src/main.rs:7:9"), mark("b", "src/main.rs:7:9"));
        assert_ne!(mark("a", "src/main.rs:7:9"), mark("a", "src/main.rs:8:9"));
    }

    #[test]
    fn a_death_without_a_word_is_marked_by_how_the_process_ended() {
        assert_eq!(mark("signal: 11", "GET /\n"), mark("signal: 11", ""));
        assert_ne!(mark("signal: 11", ""), mark("signal: 6", ""));
    }

    #[test]
    fn after_three_rows_of_a_case_its_others_are_not_tried_alone() {
        let deaths = Deaths::default();
        for case in ["a/one[x]", "b/one[x]", "b/one[y]", "b/two"] {
            deaths.explain("m", &id(case));
        }
        assert_eq!(deaths.suspicion("m", &id("b/one[z]")), Suspicion::Open);
        deaths.explain("m", &id("b@tls/one[x]"));
        let kin = Suspicion::Kin(id("b@tls/one[x]"));
        assert_eq!(deaths.suspicion("m", &id("b/one[z]")), kin);
        assert_eq!(deaths.suspicion("m", &id("b/three")), Suspicion::Open);
        assert_eq!(deaths.suspicion("n", &id("b/one[z]")), Suspicion::Open);
    }

    #[test]
    fn what_one_crash_costs_has_a_bound() {
        let deaths = Deaths::default();
        let launch = SPENT / 4;
        for case in ["a/one", "a/two", "a/three"] {
            deaths.meet("m", launch);
            deaths.explain("m", &id(case));
        }
        assert!(deaths.is_common("m") && !deaths.is_common("n"));
        assert_eq!(deaths.suspicion("m", &id("c/one")), Suspicion::Open);
        deaths.meet("m", launch);
        let kin = Suspicion::Kin(id("a/one"));
        assert_eq!(deaths.suspicion("m", &id("c/one")), kin);
        assert!(!deaths.is_common("m"));
    }

    #[test]
    fn who_serves_nobody_is_not_asked_about_for_long() {
        let deaths = Deaths::default();
        deaths.explain(DEAF, &id("a/one"));
        for _ in 0..KIN_AFTER {
            assert_eq!(deaths.suspicion(DEAF, &id("c/one")), Suspicion::Open);
            deaths.meet(DEAF, Duration::ZERO);
        }
        let kin = Suspicion::Kin(id("a/one"));
        assert_eq!(deaths.suspicion(DEAF, &id("c/one")), kin);
    }
}
