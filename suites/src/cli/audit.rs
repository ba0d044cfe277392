//! `connectspec audit`: prove that a proxy leads to what it is meant to, and to nothing else.

use std::path::PathBuf;

use clap::Parser;
use connectspec_harness::{
    audit::{
        self, Policy,
        read::{OTHERWISE, PolicyError},
    },
    case::{Suite, select::Selection},
    lab::RunEnvironment,
    protocol::Listener,
    run::{Options, Plan},
    setup::Setup,
    subject::{Who, remote::Remote},
};

use crate::{
    cli::{
        Status, Trouble, lab, reports, run,
        running::{Running, quoted},
        shown::Shown,
    },
    subjects,
};

/// What an exit status says of an audit.
const EXIT_STATUS: &str = "\
Exit status:
  0  it leads to what the policy names, and to nothing else that was asked for
  1  it leads to something else, or not to what it should
  2  nothing could be judged, or not all of it: the proxy did not start, there is no network of the audit's own, or nobody said --yes
  3  the command line, or a file that it names, is wrong";

/// Prove that a proxy leads to what it is meant to, and to nothing else.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_STATUS)]
pub(super) struct Arguments {
    /// Which questions: globs over their ids, such as `audit/other_ports*`; none means all
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// A built-in profile, or a profile in a file: it is launched in a network of the audit's own, as its files configure it
    #[arg(
        long,
        value_name = "NAME|FILE",
        conflicts_with = "proxy",
        required_unless_present = "proxy"
    )]
    profile: Option<String>,
    #[command(flatten)]
    running: Running,
    /// Ask a proxy that runs already; without it, what would be asked is only listed
    #[arg(long, requires = "proxy")]
    yes: bool,
    /// What is meant to be reachable, as TOML; without it, every name on port 443, and nothing of this machine or its network
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A factor on every deadline: 2.0 waits twice as long
    #[arg(long, value_name = "FACTOR", default_value = "1.0", value_parser = run::factor)]
    patience: f64,
    #[command(flatten)]
    shown: Shown,
}

/// Asks, and says where the proxy leads.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let policy = arguments.policy()?;
    let plan = match arguments.running.remote()? {
        None => arguments.of_a_profile(&policy)?,
        Some(remote) => {
            let name = remote.name.clone();
            let plan = arguments.of_a_running_one(&policy, remote)?;
            let beforehand = beforehand(&name, &policy, &plan);
            if !arguments.yes {
                super::say(&beforehand);
                return Err(Trouble::not_judged(
                    "nothing was asked: say --yes to ask for these",
                ));
            }
            super::tell(&beforehand);
            plan
        }
    };
    if plan.results() == 0 {
        return Err(Trouble::not_judged("no question was left to ask"));
    }
    let mut reporters = arguments.shown.reporters()?;
    let report = run::conduct(plan, &mut reporters)?;
    Ok(reports::status(&report))
}

/// What a running proxy is going to be asked for.
fn beforehand(name: &str, policy: &Policy, plan: &Plan) -> String {
    let targets = audit::targets_from_outside(policy);
    let targets = targets.filter(|(id, _)| plan.options.selection.means(id));
    let targets: Vec<String> = targets.map(|(_, target)| target).collect();
    let mut text = format!(
        "The proxy {name} is asked to CONNECT to these {} targets; again to one of the policy for each that it refuses, and to 192.0.2.7, where nobody is, for each \
         that it should have refused. Inside a tunnel, nothing is said but a nonce.\n",
        targets.len()
    );
    for target in targets {
        text.push_str("  ");
        text.push_str(&target);
        text.push('\n');
    }
    text
}

impl Arguments {
    fn policy(&self) -> Result<Policy, Trouble> {
        let policy = match &self.policy {
            Some(path) => Policy::load(path),
            None => Policy::parse("the usual policy", OTHERWISE).map_err(PolicyError::from),
        };
        policy.map_err(Trouble::usage)
    }

    fn of_a_profile(&self, policy: &Policy) -> Result<Plan, Trouble> {
        let name = self.profile.as_deref().unwrap_or(subjects::REFERENCE);
        let profile = subjects::profile(name).map_err(Trouble::usage)?;
        let environment = RunEnvironment {
            network: Ok(()),
            addresses: audit::addresses(policy),
            ..self.environment()
        };
        let suite = audit::in_the_lab(policy);
        let who = Who::Profile(Box::new(profile));
        let plan = self.plan(policy, who, suite, environment, audit::setup())?;
        match lab::network(lab::When::On, &plan)? {
            Ok(()) => Ok(plan),
            Err(reason) => Err(Trouble::not_judged(reason)),
        }
    }

    fn of_a_running_one(&self, policy: &Policy, remote: Remote) -> Result<Plan, Trouble> {
        let listener = remote.reached(Listener::Tcp);
        let first = Setup {
            listener,
            ..audit::setup()
        };
        let suite = audit::from_outside(policy, listener);
        let who = Who::Remote(Box::new(remote));
        self.plan(policy, who, suite, self.environment(), first)
    }

    fn environment(&self) -> RunEnvironment {
        RunEnvironment {
            patience: self.patience,
            ..RunEnvironment::default()
        }
    }

    fn plan(
        &self,
        policy: &Policy,
        who: Who,
        suite: Suite,
        environment: RunEnvironment,
        first: Setup,
    ) -> Result<Plan, Trouble> {
        let options = Options {
            selection: self.selection(&suite)?,
            // One after the other: names lead elsewhere from question to question, and some share a listener.
            jobs: 1,
            environment,
            connectspec: env!("CARGO_PKG_VERSION").to_owned(),
            again: self.again(),
            first,
            policy: policy.lines(),
            ..Options::default()
        };
        let mut plan = Plan::new(&[suite], who, options);
        // What the profile lists is about the cases of a run.
        plan.stale.clear();
        Ok(plan)
    }

    fn selection(&self, suite: &Suite) -> Result<Selection, Trouble> {
        let selection = Selection {
            selectors: self.selectors.clone(),
            ..Selection::default()
        };
        let means_none = |one: &&String| {
            let mut ids = suite.cases.iter().map(|case| &case.id);
            !ids.any(|id| selection.means_by(one, id))
        };
        match self.selectors.iter().find(means_none) {
            None => Ok(selection),
            Some(selector) => Err(Trouble::usage(format!(
                "`{selector}` selects no question of this policy; without a selector all are asked, and -v shows their ids"
            ))),
        }
    }

    /// The words that ask again.
    fn again(&self) -> String {
        let profile = self.profile.iter();
        let mut words = vec!["audit".to_owned()];
        words.extend(profile.map(|name| format!("--profile {}", quoted(name))));
        words.extend(self.running.again());
        words.extend(self.yes.then(|| "--yes".to_owned()));
        let policy = self.policy.iter().map(|path| path.display().to_string());
        words.extend(policy.map(|path| format!("--policy {}", quoted(&path))));
        words.join(" ")
    }
}
