//! A plan in, events out.
//!
//! One process of the subject for each distinct set-up, started when its turn comes and shared by the cases of that
//! set-up, which run at the same time. Each case has a thread and a runtime of its own: one that hangs can be left
//! behind, one that panics is caught.

use std::{
    any::Any,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Instant,
};

use crate::run::{Event, Plan, conclude, first_contact, group};
use crate::{
    lab::{Running, Who, World, ports::LETTER_BLOCKS},
    run::event::{End, Start, Subject},
    verdict::Verdict,
};

/// A way to end a run early, from a signal handler's thread for example.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    inner: Arc<StopInner>,
}

#[derive(Default)]
struct StopInner {
    asked: AtomicBool,
    listeners: Mutex<Vec<Listener>>,
}

/// What is done when a run is stopped.
type Listener = Box<dyn Fn() + Send>;

impl std::fmt::Debug for StopInner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl Stop {
    /// Ends the run: no case is begun any more, and those that run are left behind.
    pub fn now(&self) {
        let listeners = self.listeners();
        self.inner.asked.store(true, Ordering::SeqCst);
        listeners.iter().for_each(|listener| listener());
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Does something when the run is stopped, or at once if it was.
    pub(super) fn tell(&self, listener: Listener) {
        let mut listeners = self.listeners();
        if self.is_asked() {
            listener();
        }
        listeners.push(listener);
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.inner
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a plan, and tells `sink` everything that happens, in order. Blocks until the run has ended.
pub fn run(plan: Plan, stop: &Stop, sink: &mut dyn FnMut(&Event)) {
    let began = Instant::now();
    let mut start = start_of(&plan);
    let mut end = End {
        stale: plan.stale.clone(),
        ..End::default()
    };
    let refused = |end: &mut End, start: Start, why: String, sink: &mut dyn FnMut(&Event)| {
        sink(&Event::Started(start));
        end.refused = Some(why);
        end.took = began.elapsed();
        sink(&Event::Ended(end.clone()));
    };
    let world = match World::new(&plan.options.premises, &plan.who) {
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
    sink(&Event::Started(start));
    for (planned, reason) in &plan.skipped {
        sink(&Event::Finished(Box::new(conclude::skipped(
            planned, reason,
        ))));
    }
    let fail_fast = plan.options.fail_fast;
    let events = conduct(plan, &world, stop, first);
    for event in events {
        sink(&event);
        if let Event::Finished(finished) = &event
            && fail_fast
            && finished.verdict == Verdict::Fail
        {
            stop.now();
        }
    }
    if stop.is_asked() {
        world.abandon();
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
        seed: plan.options.premises.seed,
        selectors: plan.options.selectors.clone(),
        partition: plan
            .options
            .partition
            .map(|partition| partition.to_string()),
        secrets: Vec::new(),
    }
}

/// Runs the groups on a few threads, and hands their events over as they come.
fn conduct(
    plan: Plan,
    world: &Arc<World>,
    stop: &Stop,
    first: Option<Running>,
) -> mpsc::Receiver<Event> {
    let (events, received) = mpsc::channel();
    let seats = Arc::new(Seats::new(world.ports.jobs(plan.options.jobs.max(1))));
    let to_wake = Arc::clone(&seats);
    stop.tell(Box::new(move || to_wake.wake()));
    // Large groups first, so that the last one does not run alone.
    let mut groups: Vec<_> = plan.groups.into_iter().collect();
    groups.sort_by_key(|(_, cases)| cases.len());
    let groups = Arc::new(Mutex::new(groups));
    let first = Arc::new(Mutex::new(first));
    // Set-ups that run at the same time: each has a process of the subject, and letters of its own.
    for block in 0..LETTER_BLOCKS {
        let (groups, events) = (Arc::clone(&groups), events.clone());
        let conductor = group::Conductor {
            world: Arc::clone(world),
            who: Arc::clone(&plan.who),
            options: plan.options.clone(),
            seats: Arc::clone(&seats),
            stop: stop.clone(),
            events,
            first: Arc::clone(&first),
            letters: world.ports.letters(block),
        };
        std::thread::spawn(move || {
            loop {
                let next = groups.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some((setup, cases)) = next else { break };
                conductor.conduct(&setup, cases);
            }
        });
    }
    received
}

/// As many cases at the same time as there are seats.
#[derive(Debug)]
pub(crate) struct Seats {
    free: Mutex<usize>,
    freed: Condvar,
}

/// Taken until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
}

impl Seats {
    const fn new(free: usize) -> Self {
        Self {
            free: Mutex::new(free),
            freed: Condvar::new(),
        }
    }

    /// Waits for a seat; none is given any more once the run is stopped.
    pub(super) fn take(self: &Arc<Self>, stop: &Stop) -> Option<Seat> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0 && !stop.is_asked())
            .unwrap_or_else(PoisonError::into_inner);
        if stop.is_asked() {
            return None;
        }
        *free -= 1;
        Some(Seat {
            seats: Arc::clone(self),
        })
    }

    /// Wakes whoever waits, to see that the run is stopped.
    pub(super) fn wake(&self) {
        let _free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        self.freed.notify_all();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self
            .seats
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
        self.seats.freed.notify_one();
    }
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a panic: {}", words.unwrap_or("without a message"))
}
