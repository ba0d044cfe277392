//! Which cases run against whom, and how.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    case::{
        Case, Suite,
        select::{Partition, Selection},
    },
    case_id::CaseId,
    lab::RunEnvironment,
    setup::Setup,
    subject::{Who, profile::Deviation},
    verdict::Level,
};

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which cases run.
    pub selection: Selection,
    /// The weakest level that is run.
    pub level: Level,
    /// Recommendations and good practice are demands.
    pub strict: bool,
    /// Cases that wait out timers run, too.
    pub slow: bool,
    /// How many cases run at the same time.
    pub jobs: usize,
    /// The share of the cases that runs here.
    pub partition: Option<Partition>,
    /// How many times each case runs.
    pub repeat: u32,
    /// The run ends at the first failure.
    pub fail_fast: bool,
    /// Patience, seed, addresses.
    pub environment: RunEnvironment,
    /// Known deviations beside those of the profile.
    pub baseline: Vec<Deviation>,
    /// The version of the suite.
    pub connectspec: String,
    /// The words that select the subject again on the command line of `connectspec run`; inside `cargo test`, the
    /// command up to the id of a case.
    pub again: String,
    /// The set-up in which the subject is met first, and shown to be a CONNECT proxy where it promises a tunnel.
    pub first: Setup,
    /// For an audit, what is meant to be reachable, in lines; empty for a run of cases.
    pub policy: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            level: Level::Survey,
            strict: false,
            slow: false,
            jobs: default_jobs(),
            partition: None,
            repeat: 1,
            fail_fast: false,
            environment: RunEnvironment::default(),
            baseline: Vec::new(),
            connectspec: env!("CARGO_PKG_VERSION").to_owned(),
            again: String::new(),
            first: Setup::default(),
            policy: Vec::new(),
        }
    }
}

/// Cases wait much and work little, so more of them than processors run at the same time.
#[must_use]
pub fn default_jobs() -> usize {
    std::thread::available_parallelism()
        .map_or(8, |cores| cores.get() * 16)
        .min(32)
}

/// A case that was selected.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// The title of its suite.
    pub suite: String,
    /// Why it is known to be violated.
    pub deviation: Option<Deviation>,
}

impl Planned {
    /// Those of `cases` that run now, the ones that wait in front, and those that run when all others have; all of them now, if it
    /// is their `last` chance.
    pub(super) fn in_turn(cases: Vec<Self>, last: bool) -> (Vec<Self>, Vec<Self>) {
        let runs_now = |planned: &Self| last || !planned.case.after_all_others;
        let (mut now, later): (Vec<_>, _) = cases.into_iter().partition(runs_now);
        now.sort_by_key(|planned| !planned.case.waits);
        (now, later)
    }
}

/// What will run, and what will not.
#[derive(Debug)]
pub struct Plan {
    /// Who is judged.
    pub who: Arc<Who>,
    /// How.
    pub options: Options,
    /// What runs, by set-up: one process of the subject for each.
    pub groups: BTreeMap<Setup, Vec<Planned>>,
    /// What does not run, and why.
    pub skipped: Vec<(Planned, String)>,
    /// Deviations that name no case of these suites, or have expired.
    pub stale: Vec<String>,
}

impl Plan {
    /// Selects from `suites`.
    #[must_use]
    pub fn new(suites: &[Suite], who: impl Into<Arc<Who>>, options: Options) -> Self {
        let who = who.into();
        let deviations = known_deviations(&who, &options);
        let today = jiff::ZonedDateTime::now().date();
        let mut plan = Self {
            groups: BTreeMap::new(),
            skipped: Vec::new(),
            stale: stale(&deviations, suites, today),
            who,
            options,
        };
        for suite in suites {
            for case in &suite.cases {
                if !plan.options.selects(case) {
                    continue;
                }
                let deviation = deviations
                    .iter()
                    .find(|known| known.is_of(&case.id) && !known.has_expired(today))
                    .cloned();
                let planned = Planned {
                    case: Arc::new(case.clone()),
                    suite: suite.title_over(case.protocol),
                    deviation,
                };
                match plan.reason_to_skip(case) {
                    Some(reason) => plan.skipped.push((planned, reason)),
                    None => plan
                        .groups
                        .entry(case.setup.clone())
                        .or_default()
                        .push(planned),
                }
            }
        }
        plan
    }

    /// How many results it will give.
    #[must_use]
    pub fn results(&self) -> usize {
        self.groups.values().map(Vec::len).sum::<usize>() + self.skipped.len()
    }

    /// Every case that will have a result.
    pub(super) fn cases(&self) -> impl Iterator<Item = CaseId> {
        let run = self.groups.values().flatten();
        let skipped = self.skipped.iter().map(|(planned, _)| planned);
        run.chain(skipped).map(|planned| planned.case.id.clone())
    }

    fn reason_to_skip(&self, case: &Case) -> Option<String> {
        let products = case.of.into_iter().chain(case.setup.language());
        if let Some(other) = products.into_iter().find(|&one| !self.who.is_like(one)) {
            return Some(format!(
                "asked only of proxies that are like {}",
                other.title
            ));
        }
        let lacking = case
            .all_needs()
            .into_iter()
            .find(|need| !self.who.offers(*need));
        if let Some(need) = lacking {
            return Some(need.absence().to_owned());
        }
        if let Some(reason) = self.who.cannot_be_in(&case.setup) {
            return Some(reason.into_owned());
        }
        if let (true, Err(reason)) = (case.in_the_lab, &self.options.environment.network) {
            return Some(format!("it takes a network of its own: {reason}"));
        }
        if let (true, Err(reason)) = (case.on_low_ports, &self.options.environment.network)
            && !self.options.environment.has_low_ports()
        {
            return Some(format!(
                "it takes ports below 1024, which root has, or a network of its own: {reason}"
            ));
        }
        (case.slow && !self.options.slow).then(|| "slow; it runs with --slow".to_owned())
    }
}

impl Options {
    fn selects(&self, case: &Case) -> bool {
        self.selection.means(&case.id)
            && case.level <= self.level
            && self
                .partition
                .is_none_or(|partition| partition.contains(&case.id))
    }
}

/// Those of the baseline come first: they say what is known today, the profile what was known when it was written.
fn known_deviations(who: &Who, options: &Options) -> Vec<Deviation> {
    let mut known = options.baseline.clone();
    if let Who::Profile(profile) = who {
        known.extend(profile.deviations.iter().cloned());
    }
    known
}

fn stale(deviations: &[Deviation], suites: &[Suite], today: jiff::civil::Date) -> Vec<String> {
    let living = |id: &CaseId| {
        suites
            .iter()
            .flat_map(|suite| &suite.cases)
            .any(|case| case.id == *id)
    };
    let each = deviations.iter().flat_map(|known| {
        let expired = known.has_expired(today);
        known.cases().map(move |case| (case, expired))
    });
    each.filter_map(|(case, expired)| {
        if !living(&case) {
            Some(format!("the deviation {case} names no case"))
        } else if expired {
            Some(format!("the deviation {case} has expired"))
        } else {
            None
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::must;

    #[test]
    fn cases_that_wait_begin_and_those_that_look_back_come_later() {
        let planned = |case: Case| Planned {
            case: Arc::new(case),
            suite: String::new(),
            deviation: None,
        };
        let titles = |cases: &[Planned]| -> Vec<String> {
            cases.iter().map(|it| it.case.title.clone()).collect()
        };
        let cases = || {
            let plain = ["one", "two"].map(must);
            let others = [must("looks back").after_all_others(), must("waits").waits()];
            plain.into_iter().chain(others).map(planned).collect()
        };
        let (now, later) = Planned::in_turn(cases(), false);
        assert_eq!(titles(&now), ["waits", "one", "two"]);
        assert_eq!(titles(&later), ["looks back"]);
        let (now, later) = Planned::in_turn(cases(), true);
        assert_eq!(titles(&now), ["waits", "one", "two", "looks back"]);
        assert!(later.is_empty());
    }
}
