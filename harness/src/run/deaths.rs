//! Of what the subject has died so far in this run, so that one crash costs a few launches, however many cases run into it.
//!
//! A death has a mark: how the process ended, and the line with which it said so. Deaths with one mark have one cause. Once a
//! few cases have been found, each alone, to bring it about, whoever resembles them is not repeated alone any more.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use regex::Regex;

use crate::{case_id::CaseId, verdict::fingerprint};

/// Deaths of one cause, each seen to be brought about by a case alone, after which others of that suite are taken to bring it
/// about, too: one may be a coincidence, and more of them tell nothing new.
const KIN_AFTER: usize = 3;

/// Deaths of one cause in a run after which whatever ran is taken to bring it about: each one costs two launches, and up to
/// as many cases alone as run at the same time.
const ALL_AFTER: usize = 12;

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
    /// The subject has died while cases ran.
    pub(super) fn meet(&self, mark: &str) {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(mark.to_owned()).or_default().met += 1;
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
        let Some(Cause { by, met }) = all.get(mark).filter(|cause| !cause.by.is_empty()) else {
            return Suspicion::Open;
        };
        let alike = |other: &&CaseId| other.suite() == case.suite();
        let kin = by.iter().find(alike).filter(|_| by.len() >= KIN_AFTER);
        // Each time that it serves nobody any more costs many seconds, until that is certain.
        let all_after = if mark == DEAF { KIN_AFTER } else { ALL_AFTER };
        match kin.or_else(|| by.first().filter(|_| *met >= all_after)) {
            Some(cause) => Suspicion::Kin(cause.clone()),
            None => Suspicion::Open,
        }
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
    fn after_three_deaths_of_one_cause_its_kin_are_not_tried_alone() {
        let deaths = Deaths::default();
        for case in ["a/one", "b/one"] {
            deaths.explain("m", &id(case));
        }
        assert_eq!(deaths.suspicion("m", &id("a/two")), Suspicion::Open);
        deaths.explain("m", &id("b/two"));
        assert_eq!(
            deaths.suspicion("m", &id("b@tls/three")),
            Suspicion::Kin(id("b/one"))
        );
        assert_eq!(deaths.suspicion("m", &id("c/one")), Suspicion::Open);
        assert_eq!(deaths.suspicion("n", &id("a/two")), Suspicion::Open);
    }

    #[test]
    fn one_crash_costs_a_bounded_number_of_launches() {
        let deaths = Deaths::default();
        deaths.explain("m", &id("a/one"));
        for _ in 0..ALL_AFTER {
            assert_eq!(deaths.suspicion("m", &id("c/one")), Suspicion::Open);
            deaths.meet("m");
        }
        let kin = Suspicion::Kin(id("a/one"));
        assert_eq!(deaths.suspicion("m", &id("c/one")), kin);
    }
}
