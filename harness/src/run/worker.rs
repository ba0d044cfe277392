//! One case on a thread of its own.

use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    lab::{Lab, Running, World},
    run::plan::Planned,
    stop::Stop,
    subject::process::Subject,
    verdict::{Conclusion, Finding, Outcome},
    wire,
};

/// What one case brought.
#[derive(Debug)]
pub(super) struct Result {
    pub(super) outcome: Outcome,
    pub(super) notes: Vec<String>,
    pub(super) took: Duration,
    pub(super) transcript: Vec<wire::Event>,
    pub(super) left_out: u64,
    pub(super) key_log: String,
    pub(super) servers: Vec<SocketAddr>,
    pub(super) served: Option<String>,
    /// How much the subject had printed when the case began.
    pub(super) said_before: u64,
}

impl Result {
    /// For a case that did not run.
    pub(super) fn without_evidence(outcome: Outcome) -> Self {
        let (notes, transcript) = (Vec::new(), Vec::new());
        Self {
            outcome,
            notes,
            took: Duration::ZERO,
            transcript,
            left_out: 0,
            key_log: String::new(),
            servers: Vec::new(),
            served: None,
            said_before: 0,
        }
    }
}

/// Performs a case `repeat` times; the result is the first that differs from the one before, or the last.
pub(super) fn perform(
    planned: &Planned,
    world: &Arc<World>,
    running: &Arc<Running>,
    repeat: u32,
    stop: &Stop,
) -> Result {
    let began = Instant::now();
    let first = once(planned, world, running, 0);
    let conclusion = Conclusion::from(&first.outcome);
    for time in 1..repeat {
        if stop.is_asked() {
            break;
        }
        let mut next = once(planned, world, running, time);
        if Conclusion::from(&next.outcome) != conclusion {
            let said = |outcome: &Outcome| match outcome {
                Ok(()) => "held".to_owned(),
                Err(finding) => finding.to_string(),
            };
            let reason = format!(
                "it is flaky: {time} times \"{}\", then \"{}\"",
                said(&first.outcome),
                said(&next.outcome)
            );
            next.outcome = Err(Finding::harness(reason));
            return next;
        }
    }
    Result {
        took: began.elapsed() / repeat.max(1),
        ..first
    }
}

fn once(planned: &Planned, world: &Arc<World>, running: &Arc<Running>, time: u32) -> Result {
    let began = Instant::now();
    let lab = Lab::open(world, running, planned.case.id.as_str()).for_the(time);
    let transcript = lab.transcript().clone();
    let said_before = running.process().map(Subject::output_length);
    let outcome = catch_unwind(AssertUnwindSafe(|| drive(planned, &lab, running)));
    let outcome = outcome
        .unwrap_or_else(|panic| Err(Finding::harness(crate::verdict::said(&*panic))))
        // A case that fails since one of its servers panicked is the harness's fault, whatever it says itself.
        .and_then(|()| lab.servers_are_sound())
        .or_else(|finding| lab.servers_are_sound().and(Err(finding)));
    lab.keep_odd_frames(planned.case.id.as_str());
    Result {
        outcome,
        notes: lab.notes(),
        took: began.elapsed(),
        transcript: transcript.events(),
        left_out: transcript.left_out(),
        key_log: transcript.key_log(),
        servers: transcript.servers(),
        served: transcript.served(),
        said_before: said_before.unwrap_or_default(),
    }
}

fn drive(planned: &Planned, lab: &Lab, running: &Running) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build()
        .map_err(|error| Finding::harness(format!("could not make a runtime: {error}")))?;
    let limit = lab.patience().case();
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = tokio::time::timeout(limit, planned.case.perform(lab)) => {
                outcome.unwrap_or_else(|_| {
                    let late = format!("the case did not come to an end within {limit:?}");
                    Err(Finding::inconclusive(late))
                })
            }
            () = running.is_called_off() => {
                Err(Finding::inconclusive("the proxy died before it came to an end"))
            }
        }
    });
    // Listeners go with the runtime, before the lab gives their ports back.
    runtime.shutdown_background();
    outcome
}
