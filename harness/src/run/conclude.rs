//! From what a case has shown to its result: judged, and held against the list of known failures.

use crate::{
    run::{event::Finished, plan::Planned, worker},
    transcript::redact::Secrets,
    verdict::{Conclusion, Finding, Verdict, fingerprint, judge},
};

/// The result of a case that does not run.
pub(super) fn skipped(planned: &Planned, reason: &str) -> Finished {
    let result = worker::Result::without_evidence(Err(Finding::absent(reason)));
    finished(planned, result, false, Vec::new())
}

/// What a case has shown, judged and held against what is known of it.
pub(super) fn finished(
    planned: &Planned,
    result: worker::Result,
    strict: bool,
    secrets: Vec<String>,
) -> Finished {
    let case = &planned.case;
    let conclusion = Conclusion::from(&result.outcome);
    let changed = planned
        .deviation
        .as_ref()
        .and_then(|known| known.observed.as_ref());
    let gone = matches!(result.outcome, Err(Finding::Setup { gone: true, .. }));
    let (expected, observed, mut reason) = match result.outcome {
        Ok(()) => (Vec::new(), joined(&result.notes), None),
        Err(Finding::Violation { expected, observed }) => (expected, Some(observed), None),
        Err(Finding::Inconclusive { reason }) => {
            let reason = format!("inconclusive: {reason}");
            (Vec::new(), joined(&result.notes), Some(reason))
        }
        Err(
            Finding::Absent { reason }
            | Finding::Setup { reason, .. }
            | Finding::Harness { reason },
        ) => (Vec::new(), None, Some(reason)),
    };
    // A known failure that shows another face is a new one. Baselines hold what reports show: no secrets.
    let face = || {
        let observed = observed.as_ref()?;
        Some(fingerprint::of(&Secrets::new(&secrets).hide(observed)))
    };
    let violated = conclusion == Conclusion::Violated;
    let listed = planned.deviation.as_ref().is_some_and(|known| {
        if violated {
            changed.is_none_or(|known| Some(fingerprint::of(known)) == face())
        } else {
            !known.sometimes
        }
    });
    let verdict = judge(case.level, conclusion, strict, listed);
    if let Some(known) = &planned.deviation {
        reason = match verdict {
            Verdict::Known => Some(known.why.clone()),
            Verdict::Healed => Some(known.why.clone()),
            Verdict::Pass if known.sometimes => Some(format!("fails now and then: {}", known.why)),
            _ if !listed && violated => {
                changed.map(|was| format!("listed, but it was observed as: {was}"))
            }
            _ => reason,
        };
    }
    Finished {
        case: case.id.clone(),
        title: case.title.clone(),
        suite: planned.suite.clone(),
        level: case.level,
        verdict,
        relies_on: case.relied_on(observed.as_deref()),
        expected,
        observed,
        reason,
        follows_from: None,
        death: None,
        covers: case.covers.clone(),
        cites: case.cites.clone(),
        source: format!("{}:{}", case.source.file(), case.source.line()),
        took: result.took,
        setup: case.setup.describe(),
        transcript: result.transcript,
        left_out: result.left_out,
        key_log: result.key_log,
        servers: result.servers,
        serve: result.served,
        subject_said: None,
        gone,
        secrets,
    }
}

fn joined(notes: &[String]) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join("; "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::case::must;
    use crate::subject::profile::Deviation;
    use crate::subject::profile::parse_baseline;
    use crate::verdict::Outcome;

    fn listed(more: &str) -> Deviation {
        let text = format!("[[deviation]]\ncase = \"suite/case\"\nwhy = \"a race\"\n{more}");
        parse_baseline("known.toml", &text).unwrap().remove(0)
    }

    fn verdict(deviation: Deviation, outcome: Outcome) -> (Verdict, Option<String>) {
        let planned = Planned {
            case: Arc::new(must("It is kept").run(async |_| Ok(()))),
            suite: "suite".to_owned(),
            deviation: Some(deviation),
        };
        let result = worker::Result::without_evidence(outcome);
        let finished = finished(&planned, result, false, Vec::new());
        (finished.verdict, finished.reason)
    }

    fn broken() -> Outcome {
        Err(Finding::violation("this", "that"))
    }

    #[test]
    fn a_known_failure_that_is_none_any_more_is_news() {
        assert_eq!(verdict(listed(""), broken()).0, Verdict::Known);
        assert_eq!(verdict(listed(""), Ok(())).0, Verdict::Healed);
    }

    #[test]
    fn a_race_that_is_not_always_lost_is_known_and_never_healed() {
        let race = || listed("sometimes = true");
        assert_eq!(verdict(race(), broken()).0, Verdict::Known);
        let (held, reason) = verdict(race(), Ok(()));
        assert_eq!(held, Verdict::Pass);
        assert_eq!(reason.as_deref(), Some("fails now and then: a race"));
    }

    #[test]
    fn a_known_failure_with_another_face_is_a_failure() {
        let pinned = || listed("observed = \"something else\"");
        assert_eq!(verdict(pinned(), broken()).0, Verdict::Fail);
    }
}
