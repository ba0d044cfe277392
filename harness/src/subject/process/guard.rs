//! The guard: a small program between the harness and a subject, so that no process outlives the harness.
//!
//! A harness that is killed cannot clean up, and a parent-death signal reaches the subject alone, not the
//! workers that it forked. So each subject gets a guard: the same binary as the harness, run again. It is
//! the parent of the subject and adopts whatever the subject leaves behind, and it holds one end of a
//! socket whose other end is in the harness. When that end closes, for whatever reason, or when the
//! subject ends, the guard kills all that is left. The scratch folder of a harness that died goes, too.
//!
//! The guard starts the subject by way of itself, once more: the code between fork and exec cannot be
//! written in safe Rust, but a program that sets its own parent-death signal and then becomes another one
//! can. That signal is for the day when the guard itself is killed.

use std::{
    convert::Infallible,
    env,
    ffi::OsString,
    fs,
    io::{self, BufRead, BufReader},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio, exit},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};

use crate::subject::{
    process::{
        files::raise_file_limit,
        guard_orders::{Order, Report},
        guarding::{ARGUMENT, MARK, Stage},
        keeper,
    },
    written,
};

/// What the guard is called in a list of processes: a `killall` with the harness's name leaves it alive.
const NAME: &std::ffi::CStr = c"subject-guard";

/// How long a subject may take to end by itself when the harness has died. Nobody waits for it any more,
/// but a subject that ends in order also removes its semaphores and sockets.
const ORPHAN_GRACE: Duration = Duration::from_millis(500);

/// The pause between two looks for a pid file. A program that has gone into the background is about to write it.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A number and an end of line, with room for blanks.
const PID_FILE_MAX: u64 = 64;

/// Program that this one could not become.
const NOT_STARTED: i32 = 127;

/// Turns the program into a guard when it was started as one; returns at once when not.
///
/// Every binary that launches subjects calls this before anything else, since it is the harness's own
/// binary that guards them.
pub fn guard_main_if_asked() {
    let mut arguments = env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != ARGUMENT) {
        return;
    }
    let mut next = || arguments.next().unwrap_or_default();
    let stage = next();
    let code = if stage == Stage::Supervise.word() {
        let pid_file = Some(PathBuf::from(next())).filter(|file| !file.as_os_str().is_empty());
        let started = supervise(pid_file.as_deref(), &arguments.collect::<Vec<_>>());
        started.map_or(NOT_STARTED, |()| 0)
    } else if stage == Stage::Keep.word() {
        keeper::main().map_or(NOT_STARTED, |()| 0)
    } else {
        let (parent, program) = (next(), next());
        match become_subject(&parent, &program, arguments) {
            Ok(never) => match never {},
            Err(_) => NOT_STARTED,
        }
    };
    exit(code)
}

fn supervise(pid_file: Option<&Path>, program_and_arguments: &[OsString]) -> io::Result<()> {
    rustix::thread::set_name(NAME)?;
    let harness = harness_end()?;
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own))?;
    let started = Command::new("/proc/self/exe")
        .arg0("connectspec-guard")
        .args([ARGUMENT, Stage::Become.word(), &own.to_string()])
        .args(program_and_arguments)
        .stdin(Stdio::from(OwnedFd::from(harness.try_clone()?)))
        .process_group(0)
        .spawn();
    let child = match started {
        Ok(child) => child,
        Err(error) => {
            Report::NotStarted(error.raw_os_error().unwrap_or_default()).send(&harness);
            return Err(error);
        }
    };
    let pid = Pid::from_child(&child);
    Report::Pid(pid.as_raw_pid()).send(&harness);
    let ward = Arc::new(Ward {
        leader: Mutex::new(Leader::new(pid)),
        ending: Condvar::new(),
    });
    let obeying = Arc::clone(&ward);
    let orders = BufReader::new(harness.try_clone()?);
    let obeyed = thread::spawn(move || obeying.obey(orders));
    // Reaped by its number from now on, as one that it leaves behind is.
    drop(child);
    let mut status = ward.attend(pid, pid_file.is_some())?;
    if let Some(file) = pid_file.filter(|_| status == 0)
        && let Some(daemon) = ward.follow(file, own)
    {
        Report::Followed(daemon.as_raw_pid()).send(&harness);
        status = ward.attend(daemon, false)?;
    }
    Report::Exit(status).send(&harness);
    kill_the_rest(own);
    Report::Gone(0).send(&harness);
    // Until the harness has closed its end: it may still want to read the logs.
    let _ = obeyed.join();
    remove_scratch();
    Ok(())
}

/// Removes the folder in which the guard was started, if it is a scratch folder and the harness has not
/// done so: then it has died.
fn remove_scratch() {
    if let Some(folder) = env::current_dir()
        .ok()
        .filter(|folder| keeper::is_one(folder))
    {
        let _ = fs::remove_dir_all(folder);
    }
}

/// The socket to the harness came as standard input.
fn harness_end() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The subject, as its guard sees it.
struct Ward {
    leader: Mutex<Leader>,
    ending: Condvar,
}

/// The process that is asked to end, and whose end is the subject's.
struct Leader {
    pid: Pid,
    /// Whether it was reaped, after which its process id may belong to somebody else.
    ended: bool,
    /// Whether it is to be gone: then nobody looks for a successor.
    unwanted: bool,
}

impl Leader {
    const fn new(pid: Pid) -> Self {
        Self {
            pid,
            ended: false,
            unwanted: false,
        }
    }
}

impl Ward {
    /// Waits for the leader to end, kills its group unless it may have left the subject in it, and gives its wait status.
    fn attend(&self, pid: Pid, may_leave_a_daemon: bool) -> io::Result<i32> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let ended = loop {
            match rustix::process::waitid(WaitId::Pid(pid), look) {
                Err(rustix::io::Errno::INTR) | Ok(None) => {}
                Err(error) => return Err(error.into()),
                Ok(Some(ended)) => break ended,
            }
        };
        let mut leader = self.lock();
        // While the leader is not reaped, no other group can have got its number.
        if !(may_leave_a_daemon && ended.exit_status() == Some(0)) {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
        let status = reap(pid)?;
        leader.ended = true;
        self.ending.notify_all();
        Ok(status)
    }

    /// The process that the pid file names, once there is one and it is a child of the guard, as orphans are; `None` when
    /// no process is left that could write it, or the subject is to be gone.
    fn follow(&self, file: &Path, own: Pid) -> Option<Pid> {
        loop {
            let known = children_of(own);
            let mut leader = self.lock();
            if known.is_empty() || leader.unwanted {
                return None;
            }
            if let Some(daemon) = written_pid(file).filter(|pid| known.contains(pid)) {
                *leader = Leader::new(daemon);
                return Some(daemon);
            }
            drop(leader);
            thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Carries out what the harness orders; its silence for good is an order, too.
    fn obey(&self, mut orders: impl BufRead) {
        let mut line = String::new();
        while matches!(orders.read_line(&mut line), Ok(1..)) {
            match Order::parse(&line) {
                Some(Order::Signal(number)) => self.signal(Signal::from_named_raw(number)),
                Some(Order::Kill) => self.kill(),
                None => {}
            }
            line.clear();
        }
        self.signal(Some(Signal::TERM));
        let patience = self
            .ending
            .wait_timeout_while(self.lock(), ORPHAN_GRACE, |leader| !leader.ended);
        drop(patience);
        self.kill();
    }

    fn signal(&self, signal: Option<Signal>) {
        let leader = self.lock();
        if let (false, Some(signal)) = (leader.ended, signal) {
            let _ = rustix::process::kill_process(leader.pid, signal);
        }
    }

    fn kill(&self) {
        let mut leader = self.lock();
        leader.unwanted = true;
        if !leader.ended {
            let _ = rustix::process::kill_process_group(leader.pid, Signal::KILL);
            let _ = rustix::process::kill_process(leader.pid, Signal::KILL);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Leader> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait status of a child that has ended.
fn reap(pid: Pid) -> io::Result<i32> {
    loop {
        match rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(status.as_raw()),
            Err(rustix::io::Errno::INTR) | Ok(None) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a pid file says, as far as it is one: a stranger writes it.
fn written_pid(file: &Path) -> Option<Pid> {
    let text = written::last(file, PID_FILE_MAX).ok()?;
    Pid::from_raw(text.trim().parse().ok()?)
}

/// Kills and reaps until this process has no child any more: those that left the subject's group (a
/// daemon's way) have become children of the guard when their parent died.
fn kill_the_rest(own: Pid) {
    loop {
        for child in children_of(own) {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let own_tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let lists: Vec<String> = own_tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .collect();
    if !lists.is_empty() {
        let pids = lists.iter().flat_map(|list| list.split_ascii_whitespace());
        return pids
            .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
            .collect();
    }
    // Kernels that were built without those lists.
    let processes = crate::subject::process::vitals::processes();
    let children = processes
        .iter()
        .filter(|process| process.parent == parent.as_raw_pid());
    children
        .filter_map(|process| Pid::from_raw(process.pid))
        .collect()
}

/// Becomes the subject. Returns only when it cannot.
fn become_subject(
    parent: &OsString,
    program: &OsString,
    arguments: impl Iterator<Item = OsString>,
) -> io::Result<Infallible> {
    let harness = harness_end()?;
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
    // The guard may have died before the signal was asked for.
    let alive = rustix::process::getppid().map(|pid| pid.as_raw_pid().to_string());
    if alive.is_none_or(|alive| *parent != *alive) {
        exit(NOT_STARTED);
    }
    raise_file_limit();
    let error = Command::new(program)
        .args(arguments)
        .env_remove(MARK)
        .stdin(Stdio::null())
        .exec();
    Report::NotStarted(error.raw_os_error().unwrap_or_default()).send(&harness);
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_not_asked_goes_on() {
        guard_main_if_asked();
    }
}
