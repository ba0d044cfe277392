//! `connectspec run`: judge a proxy.

use std::{io::IsTerminal, path::PathBuf};

use clap::Parser;
use connectspec_harness::{
    case::select::Partition,
    lab::RunEnvironment,
    protocol::Protocol,
    report::{Progress, Report, ReportFold, Reporter, Terminal, format::terminal},
    run::{self, Options, Plan},
    verdict::Level,
};

use crate::{
    cli::{
        Status, Trouble, baseline, lab, reports, shown::Shown, signals, subject::Subject,
        which::Which,
    },
    suites,
};

/// Judge a proxy.
#[derive(Debug, Parser)]
#[command(after_help = super::EXIT_STATUS)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    subject: Subject,
    /// The weakest level that is run: must, httpd, should, practice, may or survey
    #[arg(long, default_value = "survey")]
    level: Level,
    /// Recommendations and good practice count as demands
    #[arg(long)]
    strict: bool,
    /// Run the cases that wait out timers, too
    #[arg(long)]
    slow: bool,
    // Not as a default of clap's: manual pages would name the number of the machine that made them.
    /// How many cases run at the same time [default: 16 for each processor, up to 32]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    jobs: Option<usize>,
    /// A factor on every deadline: 2.0 waits twice as long
    #[arg(long, value_name = "FACTOR", default_value = "1.0", value_parser = factor)]
    patience: f64,
    /// Makes everything random repeatable
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many times each random property is tried
    #[arg(long, value_name = "N", default_value_t = 8)]
    property_tries: u32,
    /// Run a stable share of the cases: 2/5 is the second of five
    #[arg(long, value_name = "I/N")]
    partition: Option<Partition>,
    /// Run each case so many times; one that is flaky is broken
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// End at the first failure
    #[arg(long)]
    fail_fast: bool,
    /// A network of the run's own, where a case takes one: auto, on (or it is an error), or off
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    lab: lab::When,
    /// A file of known deviations
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Rewrite that file: new failures go in, healed ones come out, comments, reasons and order stay
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    #[command(flatten)]
    shown: Shown,
}

/// Runs the cases and says what they found.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let plan = arguments.plan()?;
    if plan.results() == 0 {
        return Err(Trouble::not_judged("no case was left to run"));
    }
    let mut reporters = arguments.shown.reporters()?;
    let report = conduct(plan, &mut reporters)?;
    let Some(path) = arguments
        .baseline
        .as_ref()
        .filter(|_| arguments.update_baseline)
    else {
        return Ok(reports::status(&report));
    };
    if report.run.interrupted || report.run.refused.is_some() {
        super::tell(&format!(
            "{} stays as it was: the run did not come to its end",
            path.display()
        ));
        return Ok(reports::status(&report));
    }
    let (report, said) = baseline::update(path, report)?;
    super::tell(&said);
    Ok(reports::status(&report))
}

/// Judges without a word on stdout: for commands that make something of their own from the report.
pub(super) fn judge_quietly(arguments: &Arguments) -> Result<Report, Trouble> {
    let plan = arguments.plan()?;
    let progress = if std::io::stderr().is_terminal() {
        Progress::bar()
    } else {
        Progress::lines(Box::new(anstream::stderr()))
    };
    let terminal = Terminal::new(std::io::sink(), progress, terminal::Options::default());
    conduct(plan, &mut [Box::new(terminal)])
}

pub(super) fn conduct(plan: Plan, reporters: &mut [Box<dyn Reporter>]) -> Result<Report, Trouble> {
    let stop = signals::stop();
    let mut fold = ReportFold::new();
    run::run(plan, &stop, &mut |event| {
        fold.event(event);
        for reporter in reporters.iter_mut() {
            reporter.event(event);
        }
    });
    let report = fold.report();
    for reporter in reporters.iter_mut() {
        reporter.finish(&report).map_err(reports::could_not)?;
    }
    Ok(report)
}

impl Arguments {
    /// A built-in profile, or one in a file, with the ordinary options.
    pub(super) fn of_profile(name: &str, which: Which) -> Result<Self, Trouble> {
        let words = ["run", "--profile", name];
        let arguments = Self::try_parse_from(words).map_err(Trouble::usage)?;
        let arguments = Self { which, ..arguments };
        arguments.plan()?;
        Ok(arguments)
    }

    /// What is going to run.
    fn plan(&self) -> Result<Plan, Trouble> {
        let (who, again) = self.subject.who(self.which.named())?;
        let catalogue = suites();
        self.which().check(&catalogue)?;
        let mut options = self.options(again)?;
        let plan = Plan::new(&catalogue, who, options.clone());
        options.environment.network = lab::network(self.lab, &plan)?;
        if options.environment.network.is_ok() {
            return Ok(plan);
        }
        let (who, _) = self.subject.who(self.which.named())?;
        Ok(Plan::new(&catalogue, who, options))
    }

    /// Which cases: where nobody says over what, over TLS, too, if that is how a running proxy is reached; and over the first version that a proxy serves which does not serve HTTP/1.1.
    fn which(&self) -> Which {
        let which = self.which.clone();
        if self.subject.is_reached_over_tls() {
            return which.over_unless_said(&[Protocol::Http1, Protocol::Http1Tls]);
        }
        match self.subject.first_protocol() {
            None | Some(Protocol::Http1) => which,
            Some(first) => which.over_unless_said(&[first]),
        }
    }

    fn options(&self, again: String) -> Result<Options, Trouble> {
        let baseline = match &self.baseline {
            None => Vec::new(),
            Some(path) => baseline::read(path, self.update_baseline)?,
        };
        Ok(Options {
            selection: self.which().selection(),
            level: self.level,
            strict: self.strict,
            slow: self.slow,
            jobs: self.jobs.unwrap_or_else(run::plan::default_jobs),
            partition: self.partition,
            repeat: self.repeat,
            fail_fast: self.fail_fast,
            environment: RunEnvironment {
                patience: self.patience,
                seed: self.seed.unwrap_or(1),
                property_tries: self.property_tries,
                bind: self.subject.bind(),
                host: self.subject.host(),
                network: Ok(()),
                addresses: Vec::new(),
            },
            baseline,
            connectspec: env!("CARGO_PKG_VERSION").to_owned(),
            again,
            ..Options::default()
        })
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a whole number, 1 or more".to_owned()),
    }
}

pub(super) fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (0.1..=100.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0.1 to 100".to_owned()),
    }
}
