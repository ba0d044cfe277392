//! The cases of one set-up, against one process of the subject.
//!
//! A control tunnel is proven before and after: if it does not come about, the cases are blocked, not failed. A subject
//! that dies is started again, and those cases that were running are repeated one by one: a crash is charged to the
//! case that brings it about.

mod charging;
mod controls;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use crate::{
    case_id::CaseId,
    lab::{Lab, Running, World},
    run::{
        JobSlots,
        conclude::finished,
        deaths::Deaths,
        event::{Event, Finished},
        first_contact::control,
        job_slots::files_of,
        plan::{Options, Planned},
        said::said_of,
        worker,
    },
    setup::{PortPlaceholders, Setup},
    stop::Stop,
    subject::Who,
    verdict::{Conclusion, Finding, Outcome, Verdict},
};

/// What the threads of a group tell it.
#[derive(Debug)]
pub(super) enum Message {
    /// A case has ended.
    Done(usize, Box<worker::Result>),
    /// The run ends.
    Stop,
}

/// From the cause of a crash to the end of the process: far longer than that takes, also on a busy machine.
const DYING: Duration = Duration::from_millis(250);

/// Cases of one set-up that are given a second chance when they could not begin: more of them are no accident.
const STARVED: usize = 16;

/// Conducts groups, one after the other.
#[derive(Debug)]
pub(super) struct GroupRunner {
    pub(super) world: Arc<World>,
    pub(super) who: Arc<Who>,
    pub(super) options: Options,
    pub(super) slots: Arc<JobSlots>,
    /// Files that cases may have open.
    pub(super) files: Arc<JobSlots>,
    pub(super) stop: Stop,
    pub(super) events: mpsc::Sender<Event>,
    /// Of what the subject has died so far, in whatever set-up.
    pub(super) deaths: Arc<Deaths>,
    /// The process that first contact was made with, for the group that wants it.
    pub(super) first: Arc<Mutex<Option<Running>>>,
    /// What the placeholders of its set-ups stand for.
    pub(super) placeholders: PortPlaceholders,
}

impl GroupRunner {
    /// Runs the cases of one set-up. Those come back for which the subject did not start, or which could not begin beside
    /// others, and those that run after all others, unless this is their `last` chance: then each runs alone.
    pub(super) fn run(&self, setup: &Setup, cases: Vec<Planned>, last: bool) -> Vec<Planned> {
        let (cases, for_later) = Planned::in_turn(cases, last);
        if cases.is_empty() || self.stop.is_asked() {
            return for_later;
        }
        let mut group = Group {
            runner: self,
            setup,
            cases,
            waiting: VecDeque::new(),
            alone: VecDeque::new(),
            fresh: VecDeque::new(),
            held_back: Vec::new(),
            unexplained: Vec::new(),
            is_last_chance: last,
            for_later,
            deaf: None,
            launch: Duration::ZERO,
            is_controlled: false,
        };
        let all = (0..group.cases.len()).collect();
        match last {
            true => group.alone = all,
            false => group.waiting = all,
        }
        let first = (*setup == self.options.first)
            .then(|| {
                self.first
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take()
            })
            .flatten();
        group.run(first);
        group.for_later
    }
}

/// The cases of one set-up.
struct Group<'a> {
    runner: &'a GroupRunner,
    setup: &'a Setup,
    cases: Vec<Planned>,
    /// Not begun yet.
    waiting: VecDeque<usize>,
    /// To be repeated one by one, since the subject died while they ran.
    alone: VecDeque<usize>,
    /// Ended a moment ago, and not concluded: the subject may be dying of one of them.
    fresh: VecDeque<(Instant, usize, worker::Result)>,
    /// How the subject died, and while which cases ran, until one of them is found to bring it about.
    unexplained: Vec<String>,
    /// Violations, and whose they are, until a control has shown that the subject still works.
    held_back: Vec<(usize, Finished)>,
    /// How the subject was lost that still runs, until that is charged.
    deaf: Option<Finding>,
    /// How long it took to launch the subject that runs now.
    launch: Duration,
    /// Whether a control tunnel has come about, so that one that does not later on says something.
    is_controlled: bool,
    /// Whether nobody tries again what does not start or begin.
    is_last_chance: bool,
    /// Cases that the subject did not start for, or that could not begin: once more, when nothing else runs.
    for_later: Vec<Planned>,
}

impl Group<'_> {
    /// Runs all cases, with as many processes of the subject as it takes.
    fn run(&mut self, first: Option<Running>) {
        self.run_all(first);
        for death in self.unexplained.drain(..) {
            // Nobody listens when the run was stopped.
            let _ = self.runner.events.send(Event::Died(death));
        }
    }

    fn run_all(&mut self, first: Option<Running>) {
        let mut next = first;
        while !self.waiting.is_empty() || !self.alone.is_empty() {
            let began = Instant::now();
            let started = match next.take() {
                Some(running) => Ok(running),
                None => self.start(),
            };
            let running = match started {
                Ok(running) => Arc::new(running),
                // The run has ended, not the proxy failed.
                Err(_) if self.runner.stop.is_asked() => return,
                Err(_) if !self.is_last_chance => {
                    let rest = self.alone.drain(..).chain(self.waiting.drain(..));
                    let rest = rest.map(|index| self.cases[index].clone());
                    self.for_later.extend(rest);
                    return;
                }
                Err(reason) => return self.block_the_rest(&reason),
            };
            if let Err(finding) = self.control(&running) {
                if self.runner.stop.is_asked() {
                    return;
                }
                return self.go_on_without_control(&running, &finding);
            }
            self.is_controlled = true;
            self.launch = began.elapsed();
            let mut charged = self.run_on(&running);
            let stopped = self.runner.stop.is_asked();
            let mut control = Ok(());
            if !stopped && running.death().is_none() {
                let lost;
                (control, lost) = self.control_afterwards(&running);
                charged |= lost;
            }
            if !stopped && running.death().is_some() {
                if !charged {
                    self.charge(false, &running);
                }
                control = Ok(());
            }
            self.settle(Duration::ZERO, &running);
            self.release(control);
            match running.process() {
                Some(process) if stopped => process.abandon(),
                Some(process) => drop(process.stop()),
                None => {}
            }
            if stopped {
                return;
            }
        }
    }

    fn start(&self) -> Result<Running, String> {
        let runner = self.runner;
        Running::start(&runner.world, &runner.who, self.setup, runner.placeholders)
            .map_err(|error| error.to_string())
    }

    fn control(&self, running: &Arc<Running>) -> Outcome {
        let lab = Lab::open(&self.runner.world, running, "control");
        control(&lab, self.setup, self.runner.world.patience.reply())
    }

    /// Runs cases until all are done, the subject has died, or the run is stopped; true when a death was charged.
    fn run_on(&mut self, running: &Arc<Running>) -> bool {
        let (told, messages) = mpsc::channel();
        let to_stop = told.clone();
        // Nobody listens any more once the group is done.
        self.runner
            .stop
            .tell(Box::new(move || drop(to_stop.send(Message::Stop))));
        let mut busy: HashMap<usize, Instant> = HashMap::new();
        let one_by_one = self.setup.names_ports();
        let limit =
            self.runner.world.patience.case().mul_f64(1.5) * self.runner.options.repeat.max(1);
        loop {
            let alone = !self.alone.is_empty();
            while busy.is_empty() || !(one_by_one || alone) {
                let queue = if alone {
                    &mut self.alone
                } else {
                    &mut self.waiting
                };
                let Some(index) = queue.pop_front() else {
                    break;
                };
                if !self.begin(index, running, told.clone()) {
                    return false;
                }
                busy.insert(index, Instant::now());
            }
            let Some(oldest) = busy.values().min() else {
                return false;
            };
            let patience = (*oldest + limit).saturating_duration_since(Instant::now());
            match messages.recv_timeout(patience.max(Duration::from_millis(1))) {
                Ok(Message::Done(index, result)) => {
                    busy.remove(&index);
                    self.fresh.push_back((Instant::now(), index, *result));
                    // Alone, a case has to be the one of which the subject dies, also a moment later.
                    let deaf = (alone || self.is_doubted()) && self.is_deaf(alone, running);
                    if deaf || running.death().is_some() {
                        self.fresh
                            .extend(charging::drain(&messages, &mut busy, running));
                        self.charge(alone, running);
                        return true;
                    }
                    self.settle(if alone { Duration::ZERO } else { DYING }, running);
                }
                Ok(Message::Stop) => return false,
                Err(_) => self.leave_behind(&mut busy, limit, running),
            }
        }
    }

    /// Begins a case on a thread of its own; false once the run is stopped.
    fn begin(&self, index: usize, running: &Arc<Running>, told: mpsc::Sender<Message>) -> bool {
        let planned = self.cases[index].clone();
        let runner = self.runner;
        let files = runner.files.take(files_of(&planned.case), &runner.stop);
        let slot = runner.slots.take(1, &runner.stop);
        let (Some(files), Some(slot)) = (files, slot) else {
            return false;
        };
        let case = planned.case.id.clone();
        let _ = runner.events.send(Event::Begun { case });
        let (world, running) = (Arc::clone(&runner.world), Arc::clone(running));
        let repeat = runner.options.repeat;
        let stop = runner.stop.clone();
        std::thread::spawn(move || {
            let result = worker::perform(&planned, &world, &running, repeat, &stop);
            drop(running);
            drop((slot, files));
            // Nobody listens when the run was stopped.
            let _ = told.send(Message::Done(index, Box::new(result)));
        });
        true
    }

    /// Concludes what has ended so long ago that the subject would have died of it by now.
    fn settle(&mut self, age: Duration, running: &Running) {
        while self
            .fresh
            .front()
            .is_some_and(|(ended, ..)| ended.elapsed() >= age)
        {
            let Some((_, index, result)) = self.fresh.pop_front() else {
                return;
            };
            self.conclude(index, result, running);
        }
    }

    fn conclude(&mut self, index: usize, result: worker::Result, running: &Running) {
        // A subject of one thread may have been busy with another case.
        let starved = matches!(result.outcome, Err(Finding::Setup { .. }));
        if starved && !self.is_last_chance && self.for_later.len() < STARVED {
            return self.for_later.push(self.cases[index].clone());
        }
        let violated = Conclusion::from(&result.outcome) == Conclusion::Violated;
        let before = result.said_before;
        let mut finished = self.finished(index, result, running);
        if violated {
            let Finished {
                transcript,
                servers,
                ..
            } = &finished;
            finished.subject_said = said_of(running, before, transcript, servers);
            self.held_back.push((index, finished));
        } else {
            self.runner.send(finished);
        }
    }

    /// Cases that neither ended nor noticed that their time was up.
    fn leave_behind(&self, busy: &mut HashMap<usize, Instant>, limit: Duration, running: &Running) {
        let late: Vec<usize> = busy
            .iter()
            .filter(|(_, began)| began.elapsed() >= limit)
            .map(|(&index, _)| index)
            .collect();
        for index in late {
            busy.remove(&index);
            let reason = format!("it did not end within {limit:?} and was left behind");
            let result = worker::Result::without_evidence(Err(Finding::harness(reason)));
            let finished = self.finished(index, result, running);
            self.runner.send(finished);
        }
    }

    /// Lets go of what was held back: as it is if the control tunnel afterwards works, else blocked.
    fn release(&mut self, control: Outcome) {
        for (_, mut finished) in self.held_back.drain(..) {
            if let Err(finding) = &control
                && finished.verdict != Verdict::Broken
            {
                finished.verdict = Verdict::Blocked;
                finished.reason = Some(format!("no control tunnel afterwards: {finding}"));
            }
            self.runner.send(finished);
        }
    }

    fn block_the_rest(&mut self, reason: &str) {
        self.block_for(reason, None);
    }

    /// Blocks what has not run, for what another case is about.
    fn block_for(&mut self, reason: &str, cause: Option<&CaseId>) {
        let rest: Vec<usize> = self.alone.drain(..).chain(self.waiting.drain(..)).collect();
        for index in rest {
            let planned = &self.cases[index];
            let outcome = Err(Finding::setup(reason));
            let result = worker::Result::without_evidence(outcome);
            let secrets = self.runner.world.secrets(&self.runner.who);
            let mut finished = finished(planned, result, self.runner.options.strict, secrets);
            finished.follows_from = cause.cloned();
            self.runner.send(finished);
        }
    }

    fn finished(&self, index: usize, result: worker::Result, running: &Running) -> Finished {
        let strict = self.runner.options.strict;
        let mut finished = finished(&self.cases[index], result, strict, running.secrets());
        finished.serve = finished.serve.or_else(|| running.serve());
        finished
    }
}

impl GroupRunner {
    fn send(&self, finished: Finished) {
        // Nobody listens when the run was stopped.
        let _ = self.events.send(Event::Finished(Box::new(finished)));
    }
}
