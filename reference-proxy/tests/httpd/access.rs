//! Random configurations of who may go where, beside httpd.
//!
//! Of every request either both decide alike, or the reference does not start and its error names a line that its
//! documentation says is refused, or a row of the table of deviations says why the reference denies. It never lets in
//! whom httpd does not.

mod excuses;
mod patterns;
mod rules;
mod sections;
mod targets;
mod variations;

use super::Test;
use super::beside::{MODULES, Refusal};
use super::known;
use super::pair::{Ask, Decision, Home, Running, Who, config_with};
use super::random::{count, runner};
use super::users::{GROUPS, USERS};
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use sections::{Configuration, configuration};
use std::collections::BTreeMap;
use targets::{Ports, ask};

pub(crate) fn trials() -> Vec<Test> {
    vec![("access::configurations", configurations)]
}

/// Differences that are told at once.
const TOLD: usize = 5;
/// Smaller configurations that are tried for each of them.
const SIMPLER: u32 = 40;

fn configurations() {
    let ports = Ports::open();
    let requests = count("CONNECTSPEC_HTTPD_REQUESTS", 10) as usize;
    let configs = count("CONNECTSPEC_HTTPD_CONFIGS", 40);
    let strategy = (configuration(ports), vec(ask(ports), requests..=requests));
    let mut runner = runner(configs);
    let (mut tally, mut differences) = (Tally::default(), Vec::new());
    for _ in 0..configs {
        let mut tree = strategy.new_tree(&mut runner).unwrap();
        let (configuration, asks) = tree.current();
        match hold(&configuration, &asks) {
            Ok(more) => tally.add(&more),
            Err(difference) => differences.push(simplest(&mut tree, difference)),
        }
        if differences.len() == TOLD {
            break;
        }
    }
    tally.print();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    tally.is_telling();
}

/// The difference that is left of the smallest configuration that still has one.
fn simplest(
    tree: &mut impl ValueTree<Value = (Configuration, Vec<Ask>)>,
    mut difference: String,
) -> String {
    let mut go_on = tree.simplify();
    for _ in 0..SIMPLER {
        if !go_on {
            break;
        }
        let (configuration, asks) = tree.current();
        go_on = match hold(&configuration, &asks) {
            Ok(_) => tree.complicate(),
            Err(smaller) => {
                difference = smaller;
                tree.simplify()
            }
        };
    }
    difference
}

/// What became of configurations and requests.
#[derive(Default)]
struct Tally {
    configurations: u32,
    /// Neither takes the configuration.
    wrong: u32,
    /// The reference alone does not, by the name of what it refuses.
    refused: BTreeMap<&'static str, u32>,
    /// Requests about which both decide alike.
    same: BTreeMap<Decision, u32>,
    /// Requests that the reference denies by a row.
    rows: BTreeMap<&'static str, u32>,
}

impl Tally {
    fn add(&mut self, more: &Self) {
        self.configurations += more.configurations;
        self.wrong += more.wrong;
        for (name, number) in &more.refused {
            *self.refused.entry(name).or_default() += number;
        }
        for (decision, number) in &more.same {
            *self.same.entry(*decision).or_default() += number;
        }
        for (name, number) in &more.rows {
            *self.rows.entry(name).or_default() += number;
        }
    }

    #[expect(clippy::print_stdout, reason = "the line that the test is run for")]
    fn print(&self) {
        let Self {
            configurations,
            wrong,
            refused,
            same,
            rows,
        } = self;
        println!(
            "access: {configurations} configurations, {} requests; the same: {same:?}; by rows: {rows:?}; \
             refused by the reference alone: {} {refused:?}; by both: {wrong}",
            same.values().chain(rows.values()).sum::<u32>(),
            refused.values().sum::<u32>(),
        );
    }

    /// That the generator has not drifted into a corner where everything is excused.
    fn is_telling(&self) {
        for row in self.rows.keys().chain(self.refused.keys()) {
            assert!(known::is_documented(row), "{row}");
        }
        let refused: u32 = self.refused.values().sum();
        assert!(refused * 4 < self.configurations, "{refused} refused");
        let same: u32 = self.same.values().sum();
        let rows: u32 = self.rows.values().sum();
        assert!(rows * 6 < same, "{rows} of {same} by a row");
        for decision in [Decision::Tunnel, Decision::Denied, Decision::UserWanted] {
            let number = self.same.get(&decision).copied().unwrap_or_default();
            assert!(number * 50 > same, "{decision:?} {number} times");
        }
    }
}

/// Runs both with it.
fn hold(configuration: &Configuration, asks: &[Ask]) -> Result<Tally, String> {
    let directives = configuration.text();
    let [theirs, ours] =
        [Who::Httpd, Who::Reference].map(|who| home(who, &directives).launch_or_refusal());
    let mut tally = Tally {
        configurations: 1,
        ..Tally::default()
    };
    match (theirs, ours) {
        (Ok(httpd), Ok(reference)) => {
            for ask in asks {
                compare(configuration, [&httpd, &reference], ask, &mut tally)
                    .map_err(|told| format!("{directives}{told}"))?;
            }
        }
        (theirs, Err(said)) => {
            let refusal = Refusal::read(&said, &config_with(MODULES, &directives))
                .map_err(|wrong| format!("{directives}{wrong}"))?;
            if theirs.is_err() {
                tally.wrong = 1;
            } else {
                let name = excuses::of_refusal(&refusal)
                    .ok_or_else(|| format!("{directives}not documented as refused: {said}"))?;
                tally.refused.insert(name, 1);
            }
        }
        (Err(said), Ok(_)) => {
            return Err(format!("{directives}httpd alone does not take it: {said}"));
        }
    }
    Ok(tally)
}

fn home(who: Who, directives: &str) -> Home {
    Home::new(who, &config_with(MODULES, directives))
        .with_file("users", USERS)
        .with_file("groups", GROUPS)
}

fn compare(
    configuration: &Configuration,
    [httpd, reference]: [&Running; 2],
    ask: &Ask,
    tally: &mut Tally,
) -> Result<(), String> {
    let (theirs, ours) = (httpd.decides(ask), reference.decides(ask));
    // Who lets in a name with a dot at its end looks it up, with or without the dot.
    let alike = theirs == ours || ask.target.contains(".:") && theirs.lets_in() && ours.lets_in();
    if alike {
        *tally.same.entry(ours).or_default() += 1;
        return Ok(());
    }
    let excuse = excuses::of_decision(configuration, ask, theirs, ours);
    match excuse.filter(|_| !ours.lets_in()) {
        Some(name) => {
            *tally.rows.entry(name).or_default() += 1;
            Ok(())
        }
        None => Err(format!("{ask:?}\nhttpd: {theirs:?}\nhere:  {ours:?}")),
    }
}
