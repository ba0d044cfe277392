//! What it means that no control tunnel comes about: before the cases of a set-up, and while they run.
//!
//! Before, those cases are asked that are about it; the others are blocked, and say by which. While they run, a subject that
//! serves nobody any more is as good as dead: those that may have brought it about are repeated one by one on a fresh process,
//! and the one after which an ordinary tunnel does not come about again is charged with it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    case_id::CaseId,
    lab::{Lab, Running},
    run::{
        first_contact::{control, patient_control},
        group::Group,
        worker,
    },
    verdict::{Finding, Outcome, Verdict},
};

impl Group<'_> {
    /// Asks the cases that are about an ordinary tunnel, and blocks the others.
    pub(super) fn go_on_without_control(&mut self, running: &Arc<Running>, finding: &Finding) {
        let (about_it, others): (Vec<usize>, Vec<usize>) = self
            .waiting
            .drain(..)
            .chain(self.alone.drain(..))
            .partition(|&index| self.cases[index].case.is_about_the_control);
        self.waiting.extend(about_it);
        self.is_controlled = false;
        if !self.waiting.is_empty() {
            self.run_on(running);
        }
        self.settle(Duration::ZERO, running);
        let cause = self.found_by();
        self.release(Ok(()));
        if let Some(process) = running.process() {
            process.stop();
        }
        self.waiting.extend(others);
        let reason = match &cause {
            Some(case) => format!("blocked by {case}: no control tunnel before: {finding}"),
            None => format!("no control tunnel before: {finding}"),
        };
        self.block_for(&reason, cause.as_ref());
    }

    /// The gravest of the violations that were found.
    fn found_by(&self) -> Option<CaseId> {
        let found = self.held_back.iter().map(|(_, finished)| finished);
        let blamed = found.filter(|finished| finished.verdict != Verdict::Info);
        let gravest = blamed.min_by_key(|finished| (finished.level, finished.case.clone()));
        gravest.map(|finished| finished.case.clone())
    }

    /// Whether what has just ended gives reason to ask whether the subject still serves anybody.
    pub(super) fn is_doubted(&self) -> bool {
        let last = self.fresh.back().map(|(_, _, result)| &result.outcome);
        self.is_controlled
            && matches!(
                last,
                Some(Err(Finding::Setup { .. } | Finding::Inconclusive { .. }))
            )
    }

    /// Whether the subject runs, and serves nobody any more. Where it does, what was held back is let go; where it does not, that
    /// is suspected, unless a case ran alone: then the control before it has acquitted all others.
    pub(super) fn is_deaf(&mut self, alone: bool, running: &Arc<Running>) -> bool {
        let world = &self.runner.world;
        let lab = Lab::open(world, running, "control");
        let control = control(&lab, self.setup, world.patience.reply() / 2);
        // Without a fresh process nobody can be charged; and a dead one is charged as dead.
        if control.is_ok() || running.process().is_none() || running.death().is_some() {
            if control.is_ok() {
                self.release(control);
            }
            return false;
        }
        let Err(finding) = patient_control(&self.runner.world, running, self.setup) else {
            return false;
        };
        if running.death().is_some() || self.runner.stop.is_asked() {
            return false;
        }
        self.deaf = Some(finding);
        match alone {
            true => self.release(Ok(())),
            false => self.suspect_those_held_back(),
        }
        // Whoever still waits for an answer of it has its end now.
        if let Some(process) = running.process() {
            process.stop();
        }
        true
    }

    /// The control after all cases, and whether the subject was lost: those that were held back are tried alone then.
    pub(super) fn control_afterwards(&mut self, running: &Arc<Running>) -> (Outcome, bool) {
        let control = self.control(running);
        if control.is_err() && self.is_deaf(false, running) {
            self.charge(false, running);
            return (Ok(()), true);
        }
        (control, false)
    }

    /// Violations since the last control that came about: their cases may have brought it about.
    fn suspect_those_held_back(&mut self) {
        for (index, _) in std::mem::take(&mut self.held_back) {
            let result = worker::Result::without_evidence(Ok(()));
            self.fresh.push_back((Instant::now(), index, result));
        }
    }
}
