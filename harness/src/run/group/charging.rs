//! Whom the death of the subject is charged to.

use std::{
    collections::{HashMap, VecDeque},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::{
    case_id::CaseId,
    lab::Running,
    run::{
        deaths::{DEAF, Suspicion, mark},
        group::{DYING, Group, Message},
        said::{output, said_since},
        worker,
    },
    subject::process::Subject,
    verdict::{Finding, Verdict},
};

impl Group<'_> {
    /// The subject has died while cases were running, or right after them.
    pub(super) fn charge(&mut self, alone: bool, running: &Running) {
        let (death, mark) = match self.deaf.take() {
            Some(finding) => (
                format!("it serves nobody any more: {finding}"),
                DEAF.to_owned(),
            ),
            None => {
                let death = running.death();
                let death = death.unwrap_or_else(|| "in an unknown way".to_owned());
                let mark = mark(&death, &output(running));
                (format!("it ended: {death}"), mark)
            }
        };
        let mut suspects = std::mem::take(&mut self.fresh);
        if running.process().is_some_and(Subject::has_lost_its_guard) {
            return self.charge_nobody(alone, &death, suspects, running);
        }
        let deaths = &self.runner.deaths;
        deaths.meet(&mark, self.launch);
        // Who serves nobody may be busy; that has to be seen once more.
        if alone || suspects.len() == 1 && mark != DEAF {
            self.unexplained.clear();
            for (_, index, result) in suspects {
                deaths.explain(&mark, &self.cases[index].case.id);
                self.charge_to(index, result, (&death, &mark), running);
            }
            // It was one of those that were to be tried alone: the others may run together again, unless there are likely more.
            if !deaths.is_common(&mark) {
                self.waiting.extend(self.alone.drain(..));
            }
            return;
        }
        let all = suspects.len();
        let mut kin = Vec::new();
        suspects.retain(|(_, index, _)| {
            let suspicion = deaths.suspicion(&mark, &self.cases[*index].case.id);
            let Suspicion::Kin(cause) = suspicion else {
                return true;
            };
            kin.push((*index, cause));
            false
        });
        for (index, cause) in kin {
            self.follow(index, cause, &mark, running);
        }
        let rest = suspects.iter().map(|&(_, index, _)| index);
        if suspects.len() < all {
            self.waiting.extend(rest);
        } else {
            // Each once more, alone: so the one that brings it about is found.
            self.alone.extend(rest);
            self.unexplained.push(self.riddle(&death, &suspects));
        }
    }

    /// The subject was taken down from outside, which says nothing about it.
    fn charge_nobody(
        &mut self,
        alone: bool,
        death: &str,
        suspects: VecDeque<(Instant, usize, worker::Result)>,
        running: &Running,
    ) {
        if !alone {
            self.unexplained.push(self.riddle(death, &suspects));
            let all = suspects.into_iter().map(|(_, index, _)| index);
            return self.alone.extend(all);
        }
        for (_, index, mut result) in suspects {
            result.outcome = Err(Finding::harness(death));
            let finished = self.finished(index, result, running);
            self.runner.send(finished);
        }
    }

    /// The subject died of this case.
    fn charge_to(
        &self,
        index: usize,
        mut result: worker::Result,
        (death, mark): (&str, &str),
        running: &Running,
    ) {
        let expected = match mark {
            DEAF => "an ordinary tunnel after it, as before",
            _ => "the proxy goes on running",
        };
        result.outcome = Err(Finding::violation(expected, death));
        let before = result.said_before;
        let mut finished = self.finished(index, result, running);
        // Whatever the case asks, a client that can end the proxy ends everybody's tunnels.
        if finished.verdict != Verdict::Known {
            finished.verdict = Verdict::Fail;
        }
        finished.death = Some(mark.to_owned());
        finished.subject_said = said_since(running, before);
        self.runner.send(finished);
    }

    /// The subject died while this case ran, as it did of others that it resembles.
    fn follow(&self, index: usize, cause: CaseId, mark: &str, running: &Running) {
        let nothing = Err(Finding::absent(format!("follows from {cause}")));
        let result = worker::Result::without_evidence(nothing);
        let mut finished = self.finished(index, result, running);
        finished.death = Some(mark.to_owned());
        finished.follows_from = Some(cause);
        self.runner.send(finished);
    }

    /// What is said of a death if none of the suspects brings it about alone.
    fn riddle(&self, death: &str, suspects: &VecDeque<(Instant, usize, worker::Result)>) -> String {
        let ids: Vec<&str> = suspects
            .iter()
            .map(|&(_, index, _)| self.cases[index].case.id.as_str())
            .collect();
        if ids.is_empty() {
            return format!("the proxy was lost while no case ran: {death}");
        }
        let ids = ids.join(", ");
        format!("the proxy was lost while these ran, and with none of them alone: {death}: {ids}")
    }
}

/// For the threads of cases that were called off to end.
const CALLED_OFF: Duration = Duration::from_secs(30);

/// What the other threads still bring once the subject has died. Its cases end soon, as nobody answers them; those that wait for
/// something else are called off.
pub(super) fn drain(
    messages: &mpsc::Receiver<Message>,
    busy: &mut HashMap<usize, Instant>,
    running: &Running,
) -> Vec<(Instant, usize, worker::Result)> {
    let mut ended = Vec::new();
    let mut limit = DYING;
    while !busy.is_empty() {
        match messages.recv_timeout(limit) {
            Ok(Message::Done(index, result)) => {
                busy.remove(&index);
                ended.push((Instant::now(), index, *result));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if limit == DYING => {
                running.call_off();
                limit = CALLED_OFF;
            }
            Ok(Message::Stop) | Err(_) => break,
        }
    }
    ended
}
