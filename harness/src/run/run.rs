//! A plan in, events out.
//!
//! One process of the subject for each distinct set-up, started when its turn comes and shared by the cases of that
//! set-up, which run at the same time. Each case has a thread and a runtime of its own: one that hangs can be left
//! behind, one that panics is caught.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};

use crate::{
    lab::{Running, World, ports::PLACEHOLDER_BLOCKS},
    run::{
        Event, JobSlots, Plan,
        causes::Causes,
        conclude,
        deaths::Deaths,
        event::{End, Finished, Start, Subject},
        first_contact, group,
        job_slots::files_for_cases,
        plan::Planned,
    },
    setup::Setup,
    stop::Stop,
    subject::Who,
    verdict::Verdict,
};

/// Runs a plan, and tells `sink` everything that happens, in order. Blocks until the run has ended.
pub fn run(plan: Plan, stop: &Stop, sink: &mut dyn FnMut(&Event)) {
    let began = Instant::now();
    let mut start = start_of(&plan);
    let mut end = End {
        stale: plan.stale.clone(),
        ..End::default()
    };
    let refused = |end: &mut End, start: Start, why: String, sink: &mut dyn FnMut(&Event)| {
        sink(&Event::Started(Box::new(start)));
        // What was waited for when the run was ended says nothing about the proxy.
        end.interrupted = stop.is_asked();
        end.refused = Some(why).filter(|_| !stop.is_asked());
        end.took = began.elapsed();
        sink(&Event::Ended(end.clone()));
    };
    let world = match World::new(&plan.options.environment, &plan.who, stop) {
        Ok(world) => Arc::new(world),
        Err(error) => return refused(&mut end, start, error.to_string(), sink),
    };
    start.secrets = world.secrets(&plan.who);
    let mut first = None;
    if !plan.groups.is_empty() {
        match first_contact::first_contact(&plan, &world) {
            Ok((subject, running)) => {
                start.subject = subject;
                first = Some(running);
            }
            Err(why) => return refused(&mut end, start, why, sink),
        }
    }
    sink(&Event::Started(Box::new(start)));
    let mut causes = Causes::new(plan.cases());
    let fail_fast = plan.options.fail_fast;
    let tell = |finished: Finished, sink: &mut dyn FnMut(&Event)| {
        if fail_fast && finished.verdict == Verdict::Fail {
            stop.now();
        }
        sink(&Event::Finished(Box::new(finished)));
    };
    for (planned, reason) in &plan.skipped {
        for finished in causes.take(conclude::skipped(planned, reason)) {
            tell(finished, sink);
        }
    }
    for event in run_groups(plan, &world, stop, first) {
        match event {
            Event::Finished(finished) => {
                for finished in causes.take(*finished) {
                    tell(finished, sink);
                }
                if fail_fast && causes.has_a_death() {
                    stop.now();
                }
            }
            other => sink(&other),
        }
    }
    for finished in causes.rest() {
        tell(finished, sink);
    }
    end.interrupted = stop.is_asked();
    end.took = began.elapsed();
    sink(&Event::Ended(end));
}

fn start_of(plan: &Plan) -> Start {
    let title = match &*plan.who {
        Who::Profile(profile) => profile.title.clone(),
        Who::Remote(remote) => format!("the proxy at {}", remote.address),
    };
    Start {
        at: jiff::Timestamp::now(),
        connectspec: plan.options.connectspec.clone(),
        subject: Subject {
            profile: plan.who.name().to_owned(),
            title,
            version: None,
            command: Vec::new(),
            again: plan.options.again.clone(),
        },
        results: plan.results(),
        seed: plan.options.environment.seed,
        selection: plan.options.selection.clone(),
        partition: plan
            .options
            .partition
            .map(|partition| partition.to_string()),
        policy: plan.options.policy.clone(),
        secrets: Vec::new(),
        credentials_given: matches!(&*plan.who, Who::Remote(remote) if remote.credentials.is_some()),
    }
}

/// Runs the groups on a few threads, and hands their events over as they come.
fn run_groups(
    plan: Plan,
    world: &Arc<World>,
    stop: &Stop,
    first: Option<Running>,
) -> mpsc::Receiver<Event> {
    let (events, received) = mpsc::channel();
    let slots = Arc::new(JobSlots::new(world.ports.jobs(plan.options.jobs.max(1))));
    let files = Arc::new(JobSlots::new(files_for_cases()));
    for slots in [&slots, &files].map(Arc::clone) {
        stop.tell(Box::new(move || slots.wake()));
    }
    // Large groups first, and before them those whose cases wait, so that the last one does not run alone.
    let mut groups: Vec<_> = plan.groups.into_iter().collect();
    groups.sort_by_key(|(_, cases)| {
        let waits = cases.iter().any(|planned| planned.case.waits);
        (waits, cases.len())
    });
    let groups = Arc::new(Mutex::new(groups));
    let first = Arc::new(Mutex::new(first));
    let deaths = Arc::new(Deaths::default());
    let late = Arc::new(Late::of(usize::from(PLACEHOLDER_BLOCKS)));
    // Set-ups that run at the same time: each has a process of the subject, and placeholders of its own.
    for block in 0..PLACEHOLDER_BLOCKS {
        let (groups, events, late) = (Arc::clone(&groups), events.clone(), Arc::clone(&late));
        let runner = group::GroupRunner {
            world: Arc::clone(world),
            who: Arc::clone(&plan.who),
            options: plan.options.clone(),
            slots: Arc::clone(&slots),
            files: Arc::clone(&files),
            stop: stop.clone(),
            events,
            deaths: Arc::clone(&deaths),
            first: Arc::clone(&first),
            placeholders: world.ports.placeholders(block),
        };
        std::thread::spawn(move || {
            loop {
                let next = groups.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((setup, cases)) = next else { break };
                let for_later = runner.run(&setup, cases, false);
                if !for_later.is_empty() {
                    late.put((setup, for_later));
                }
            }
            for (setup, cases) in late.once_alone() {
                runner.run(&setup, cases, true);
            }
        });
    }
    received
}

/// Cases whose set-up did not start, or that could not begin: each is tried once more, when nothing else runs any more.
#[derive(Debug)]
struct Late {
    groups: Mutex<Vec<(Setup, Vec<Planned>)>>,
    /// Threads that still work on others.
    busy: AtomicUsize,
}

impl Late {
    const fn of(threads: usize) -> Self {
        Self {
            groups: Mutex::new(Vec::new()),
            busy: AtomicUsize::new(threads),
        }
    }

    fn put(&self, group: (Setup, Vec<Planned>)) {
        self.lock().push(group);
    }

    /// For a thread that has nothing else to do: all of them, if it is the last one.
    fn once_alone(&self) -> Vec<(Setup, Vec<Planned>)> {
        match self.busy.fetch_sub(1, Ordering::AcqRel) {
            1 => std::mem::take(&mut *self.lock()),
            _ => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Setup, Vec<Planned>)>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
