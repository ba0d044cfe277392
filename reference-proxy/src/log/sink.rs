//! One log as those see it who write to it: a bounded queue.

use super::LogTarget;
use super::error::{ErrorLog, Level};
use super::outlet::Outlet;
use super::writer::{Progress, Writer};
use rustix::fs::Access;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// Octets of lines that may wait: more than the lines of every tunnel of a full proxy.
const QUEUE_MOST: usize = 16 << 20;
/// What an empty queue may keep of its memory.
const KEPT_MOST: usize = 16 << 10;

/// Where losses are told: the error log of the main server, once there is one.
pub(super) type Complaints = RwLock<Option<Arc<ErrorLog>>>;

/// One open log.
#[derive(Debug)]
pub struct Sink {
    target: LogTarget,
    /// It writes to a regular file.
    pub(super) regular: bool,
    queue: Mutex<Queue>,
    /// Something was written, or given up.
    moved: Condvar,
    writer: Writer,
    complaints: Arc<Complaints>,
}

#[derive(Debug)]
struct Queue {
    /// Whole lines that nobody has taken yet.
    lines: Vec<u8>,
    /// How many they are.
    count: u64,
    /// `None` while the writer has it.
    hand: Option<Hand>,
    /// Octets and lines in the hand.
    in_hand: (usize, u64),
    /// What takes the outlet's place as soon as the writer is done with it.
    next: Option<Outlet>,
    /// The log is on the writer's list, or the writer is busy with it.
    scheduled: bool,
    /// Lines that were dropped and not yet told.
    lost: u64,
    /// That it takes nothing was told.
    told: bool,
    /// How often something has moved.
    moves: u64,
}

/// What the writer works with.
#[derive(Debug)]
struct Hand {
    outlet: Outlet,
    lines: Vec<u8>,
    written: usize,
    /// Lines that are not written yet.
    left: u64,
}

impl Sink {
    pub(super) fn new(
        target: LogTarget,
        outlet: Outlet,
        writer: Writer,
        complaints: Arc<Complaints>,
    ) -> Self {
        let regular = outlet.regular;
        let hand = Hand {
            outlet,
            lines: Vec::new(),
            written: 0,
            left: 0,
        };
        let queue = Queue {
            lines: Vec::new(),
            count: 0,
            hand: Some(hand),
            in_hand: (0, 0),
            next: None,
            scheduled: false,
            lost: 0,
            told: false,
            moves: 0,
        };
        Self {
            target,
            regular,
            queue: Mutex::new(queue),
            moved: Condvar::new(),
            writer,
            complaints,
        }
    }

    pub(super) fn can_be_rotated(&self) -> std::io::Result<()> {
        let LogTarget::File(path) = &self.target else {
            return Ok(());
        };
        let folder = path.parent().filter(|_| self.regular);
        let may = folder.map_or(Ok(()), |folder| {
            rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)
        });
        may.map_err(|error| {
            let error = std::io::Error::from(error);
            std::io::Error::new(
                error.kind(),
                format!("could not rotate log {}: {error}", path.display()),
            )
        })
    }

    /// Hands one line over; `line` has no line end. It never waits: when too many lines wait, this one is
    /// dropped and counted.
    pub fn write(self: &Arc<Self>, line: &str) {
        let mut queue = self.queue();
        if queue.waiting() + line.len() >= QUEUE_MOST {
            queue.lost += 1;
            if !std::mem::replace(&mut queue.told, true) {
                drop(queue);
                self.complain("stands still; lines are dropped until it moves again");
            }
            return;
        }
        queue.lines.extend_from_slice(line.as_bytes());
        queue.lines.push(b'\n');
        // A format may have line ends in it.
        let ends = line.bytes().filter(|octet| *octet == b'\n').count();
        queue.count += 1 + ends as u64;
        self.schedule(queue);
    }

    /// From now on lines go to `outlet`, those that wait as well.
    pub(super) fn switch(self: &Arc<Self>, outlet: Outlet) {
        let mut queue = self.queue();
        queue.next = Some(outlet);
        self.schedule(queue);
    }

    /// Whether so much waits that lines may soon be dropped.
    pub(super) fn is_behind(&self) -> bool {
        self.queue().waiting() > QUEUE_MOST / 4
    }

    /// Waits until nothing waits; false when nothing has moved for as long as `patience`.
    pub(super) fn settle(&self, patience: Duration) -> bool {
        let mut queue = self.queue();
        while queue.has_work() {
            let before = queue.moves;
            let waited = self
                .moved
                .wait_timeout_while(queue, patience, |queue| {
                    queue.has_work() && queue.moves == before
                })
                .unwrap_or_else(PoisonError::into_inner);
            queue = waited.0;
            if waited.1.timed_out() {
                return false;
            }
        }
        true
    }

    /// How many lines are lost for good at the end of the process, when nobody waits any longer for those that
    /// are still in the queue. Lines that were told of are left out.
    pub(super) fn give_up(&self) -> u64 {
        let mut queue = self.queue();
        queue.count + queue.in_hand.1 + std::mem::take(&mut queue.lost)
    }

    /// Moves some lines to where they belong; for the writer.
    pub(super) fn advance(self: &Arc<Self>) -> Progress {
        let Some(mut hand) = self.take_hand() else {
            return Progress::Off;
        };
        let written = hand.outlet.write(&hand.lines[hand.written..]);
        hand.advance(written.octets);

        let mut queue = self.queue();
        if written.error.is_some() {
            queue.lost += hand.left;
        }
        if written.error.is_some() || hand.rest().is_empty() {
            hand.clear();
        }
        if written.octets > 0 || written.error.is_some() {
            queue.moves += 1;
        }
        queue.hold(hand);
        // Nobody else knows this log any more, and it takes nothing.
        if written.octets == 0 && Arc::strong_count(self) == 1 {
            return Progress::Off;
        }
        let done = !queue.has_work();
        let complaint = match written.error {
            Some(error) if !std::mem::replace(&mut queue.told, true) => Some(format!(
                "takes nothing ({error}); lines are dropped until it moves again"
            )),
            None if done && written.octets > 0 => {
                queue.told = false;
                let lost = std::mem::take(&mut queue.lost);
                (lost > 0).then(|| format!("moves again; lines lost: {lost}"))
            }
            Some(_) | None => None,
        };
        drop(queue);
        self.moved.notify_all();
        if let Some(complaint) = complaint {
            self.complain(&complaint);
        }
        if done { Progress::Done } else { Progress::More }
    }

    /// What there is to write; `None` when there is nothing.
    fn take_hand(&self) -> Option<Hand> {
        let mut queue = self.queue();
        let next = queue.next.take();
        let mut hand = queue.hand.take()?;
        if let Some(next) = next {
            hand.outlet = next;
        }
        if hand.rest().is_empty() {
            hand.clear();
            std::mem::swap(&mut hand.lines, &mut queue.lines);
            hand.left = std::mem::take(&mut queue.count);
        }
        if hand.rest().is_empty() {
            queue.hold(hand);
            queue.scheduled = false;
            drop(queue);
            self.moved.notify_all();
            return None;
        }
        queue.in_hand = (hand.rest().len(), hand.left);
        Some(hand)
    }

    fn schedule(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        if !std::mem::replace(&mut queue.scheduled, true) {
            drop(queue);
            self.writer.schedule(Arc::clone(self));
        }
    }

    /// Tells the error log what became of this log.
    pub(super) fn complain(&self, what: &str) {
        let complaints = self
            .complaints
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error_log) = &*complaints {
            error_log.write(Level::Error, None, &format!("log {} {what}", self.target));
        }
    }

    /// A writer that has panicked leaves a queue that is still one.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The writer gives back what it had.
    fn hold(&mut self, hand: Hand) {
        self.in_hand = (hand.rest().len(), hand.left);
        self.hand = Some(hand);
    }

    /// Whether there is something to write, or another file to write to.
    const fn has_work(&self) -> bool {
        self.waiting() > 0 || self.next.is_some()
    }

    /// Octets that wait, in the hand or not.
    const fn waiting(&self) -> usize {
        self.lines.len() + self.in_hand.0
    }
}

impl Hand {
    fn rest(&self) -> &[u8] {
        &self.lines[self.written..]
    }

    fn advance(&mut self, octets: usize) {
        let done = &self.lines[self.written..self.written + octets];
        self.left -= done.iter().filter(|&&octet| octet == b'\n').count() as u64;
        self.written += octets;
    }

    fn clear(&mut self) {
        self.written = 0;
        self.left = 0;
        self.lines.clear();
        if self.lines.capacity() > KEPT_MOST {
            self.lines = Vec::new();
        }
    }
}
