//! From events to a [`Report`].
//!
//! Secrets end here: whatever a report is made of has passed through this fold.

use std::time::Duration;

use crate::{
    report::model::{CaseResult, Report, Run, SCHEMA, Subject, Totals},
    run::{
        Event,
        event::{End, Finished, Start},
    },
    transcript::{
        ciphertext::without_ciphertext, redact::Secrets, screen::without_sequences, steps,
    },
};

/// Gathers events.
#[derive(Clone, Debug, Default)]
pub struct ReportFold {
    start: Option<Start>,
    results: Vec<CaseResult>,
    deaths: Vec<String>,
    gone: bool,
    end: Option<End>,
}

impl ReportFold {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event in.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Started(start) => self.start = Some((**start).clone()),
            Event::Begun { .. } => {}
            Event::Finished(finished) => {
                self.gone |= finished.gone;
                let secrets = self.secrets(finished);
                self.results.push(result(finished, &secrets));
            }
            Event::Died(how) => self.deaths.push(how.clone()),
            Event::Ended(end) => self.end = Some(end.clone()),
        }
    }

    /// What a result must not show: what its own set-up knows, and what belongs to the whole run.
    pub(super) fn secrets(&self, finished: &Finished) -> Secrets {
        let of_the_run = self.start.iter().flat_map(|start| &start.secrets);
        Secrets::new(finished.secrets.iter().chain(of_the_run))
    }

    /// What is known so far. A run whose end was not seen counts as interrupted.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut results = self.results.clone();
        results.sort_by(|a, b| a.case.cmp(&b.case));
        let run = self.run();
        let subject = self.start.as_ref().map(subject).unwrap_or_default();
        Report {
            schema: SCHEMA.to_owned(),
            run,
            subject,
            totals: Totals::of(&results),
            results,
        }
    }

    fn run(&self) -> Run {
        let secrets = self.start.iter().flat_map(|start| &start.secrets);
        let secrets = Secrets::new(secrets);
        let end = self.end.clone().unwrap_or_else(|| End {
            interrupted: true,
            ..End::default()
        });
        let mut run = Run {
            took_ms: milliseconds(end.took),
            interrupted: end.interrupted,
            refused: end.refused.map(|refused| secrets.hide(&refused)),
            deaths: self.deaths.iter().map(|how| secrets.hide(how)).collect(),
            stale: end.stale,
            gone: self.gone,
            ..Run::default()
        };
        if let Some(start) = &self.start {
            run.started = start.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            run.connectspec.clone_from(&start.connectspec);
            run.seed = start.seed;
            run.selectors.clone_from(&start.selection.selectors);
            let over = start.selection.over.iter();
            run.over = over.map(|protocol| protocol.word().to_owned()).collect();
            run.partition.clone_from(&start.partition);
            run.planned = start.results;
            run.policy.clone_from(&start.policy);
        }
        run
    }
}

fn subject(start: &Start) -> Subject {
    let subject = start.subject.clone();
    let secrets = Secrets::new(&start.secrets);
    let hide = |text: &String| secrets.hide(text);
    Subject {
        profile: subject.profile,
        title: without_sequences(subject.title),
        version: subject.version.as_ref().map(hide),
        command: subject.command.iter().map(hide).collect(),
        // Our own words, in which no secret is: it is asked for.
        again: subject.again,
    }
}

fn result(finished: &Finished, secrets: &Secrets) -> CaseResult {
    let hide = |text: &String| secrets.hide(text);
    CaseResult {
        case: finished.case.clone(),
        title: finished.title.clone(),
        suite: finished.suite.clone(),
        level: finished.level,
        verdict: finished.verdict,
        expected: finished.expected.iter().map(hide).collect(),
        observed: finished.observed.as_ref().map(hide),
        reason: finished.reason.as_ref().map(hide),
        relies_on: finished.relies_on.clone(),
        follows_from: finished.follows_from.clone(),
        covers: finished.covers.iter().map(ToString::to_string).collect(),
        cites: finished.cites.iter().map(|cite| cite.url()).collect(),
        citations: finished.cites.iter().map(ToString::to_string).collect(),
        source: finished.source.clone(),
        took_ms: milliseconds(finished.took),
        setup: finished.setup.clone(),
        transcript: without_ciphertext(
            &finished.transcript,
            steps::steps(&finished.transcript, secrets),
        ),
        left_out: finished.left_out,
        subject_said: finished.subject_said.as_ref().map(hide),
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::events;
    use crate::report::sample::report;

    #[test]
    fn results_are_sorted_and_counted() {
        let report = report();
        assert!(report.results.is_sorted_by(|a, b| a.case <= b.case));
        assert_eq!(
            report.totals.to_string(),
            "1 pass, 1 fail, 1 warn, 2 info, 1 known, 1 healed, 2 skip, 1 blocked, 1 broken"
        );
        assert_eq!(report.totals.all(), report.run.planned);
        assert!(!report.run.interrupted);
    }

    #[test]
    fn no_secret_reaches_a_report() {
        let text = serde_json::to_string(&report()).unwrap();
        assert!(!text.contains("sesame-7"));
        assert!(text.contains("for user [redacted]"));
        assert!(text.contains("--password=[redacted]"));
    }

    #[test]
    fn a_refusal_shows_no_secret_either() {
        let mut fold = ReportFold::new();
        fold.event(&events()[0]);
        fold.event(&Event::Ended(End {
            refused: Some("it printed: no user sesame-7".to_owned()),
            ..End::default()
        }));
        let refused = fold.report().run.refused;
        assert_eq!(refused.unwrap(), "it printed: no user [redacted]");
    }

    #[test]
    fn a_run_without_an_end_was_interrupted() {
        let mut fold = ReportFold::new();
        for event in events().iter().take(5) {
            fold.event(event);
        }
        let report = fold.report();
        assert!(report.run.interrupted);
        assert_eq!(report.results.len(), 2);
    }
}
