//! A program under guard, as the harness sees it: its output, its end, its orders.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};

use super::{
    capture::Capture,
    guard::{self, Order, Report, Stage},
};
use crate::proxy::{log::Lines, profile::LogSource};

/// What to start.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) guard: &'a Path,
    pub(super) program: &'a Path,
    pub(super) args: &'a [String],
    pub(super) env: &'a [(String, String)],
    pub(super) folder: &'a Path,
    /// The output that is also an access log, line by line.
    pub(super) lines: Option<(LogSource, Arc<Lines>)>,
}

/// A program under guard.
#[derive(Debug)]
pub(super) struct Guarded {
    orders: UnixStream,
    watched: Arc<Watched>,
}

/// How long everything may take to be gone after a KILL. Longer only for processes that hang in the
/// kernel, and waiting for those helps nobody.
const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// How long a guard may take to say that it has started the program: two starts of a program that is in
/// memory already, on a machine that may be very busy.
const GUARD_WITHIN: Duration = Duration::from_secs(20);

/// The watching thread copies bytes and little else.
const WATCH_STACK: usize = 256 * 1024;

/// Variables that would send the subject's own requests through yet another proxy.
const PROXY_VARIABLES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
];

/// Why a program did not start.
#[derive(Debug)]
pub(super) enum StartError {
    /// The guard did not do its part.
    Guard(String),
    /// The system refused to run the program.
    Program(io::Error),
}

impl Guarded {
    /// Starts a program: when this returns, it has its process id.
    pub(super) fn start(start: &Start<'_>) -> Result<Self, StartError> {
        let broken = |error: io::Error| StartError::Guard(error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(broken)?;
        let mut command = Command::new(start.guard);
        command
            .arg0("connectspec-guard")
            .args([guard::ARGUMENT, Stage::Supervise.word()])
            .arg(start.program)
            .args(start.args)
            .current_dir(start.folder)
            .env(guard::MARK, "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in PROXY_VARIABLES {
            command
                .env_remove(variable)
                .env_remove(variable.to_ascii_uppercase());
        }
        command.envs(start.env.iter().map(|(name, value)| (name, value)));
        let guard = command.spawn().map_err(broken)?;
        // The command holds the guard's end of the socket: kept, its closing would go unnoticed.
        drop(command);
        let orders = ours.try_clone().map_err(broken)?;
        let watched = watch(ours, guard, start.lines.clone()).map_err(broken)?;
        let guarded = Self { orders, watched };
        let started = |state: &State| state.pid.is_some() || state.refused.is_some() || state.gone;
        let state = guarded.watched.wait(GUARD_WITHIN, started);
        match (state.refused, state.pid) {
            (Some(error), _) => Err(StartError::Program(io::Error::from_raw_os_error(error))),
            (None, Some(_)) => Ok(guarded),
            (None, None) => Err(StartError::Guard(format!(
                "{} did not answer as a guard",
                start.guard.display()
            ))),
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.watched.lock().pid.unwrap_or_default()
    }

    /// Its wait status, once it has ended.
    pub(super) fn exit_status(&self) -> Option<ExitStatus> {
        self.watched.lock().exit
    }

    /// Why the system refused to run it. Known only after the start: the last step is the guard's.
    pub(super) fn refusal(&self) -> Option<io::Error> {
        self.watched
            .lock()
            .refused
            .map(io::Error::from_raw_os_error)
    }

    pub(super) fn output(&self) -> String {
        self.watched
            .output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .text()
    }

    /// Waits until it has ended; whether it has.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        self.watched
            .wait(patience, |state| state.exit.is_some())
            .exit
            .is_some()
    }

    /// Asks the leader to end. Does not wait.
    pub(super) fn signal(&self, signal: i32) {
        self.order(Order::Signal(signal));
    }

    /// Kills whatever is left of it, and waits until nothing is; whether nothing is.
    pub(super) fn kill(&self) -> bool {
        self.order(Order::Kill);
        self.watched.wait(KILLED_WITHIN, |state| state.gone).gone
    }

    fn order(&self, order: Order) {
        // A guard that is gone has left nothing to give orders to.
        let _ = (&self.orders).write_all(order.line().as_bytes());
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !self.watched.lock().gone {
            self.kill();
        }
    }
}

/// What the watching thread knows.
#[derive(Debug, Default)]
struct Watched {
    state: Mutex<State>,
    changed: Condvar,
    output: Mutex<Capture>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    pid: Option<i32>,
    refused: Option<i32>,
    exit: Option<ExitStatus>,
    /// No process is left, not even the guard.
    gone: bool,
}

impl Watched {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait(&self, patience: Duration, until: impl Fn(&State) -> bool) -> State {
        let state = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| !until(state));
        *state.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Starts the thread that reads what guard and subject say. It ends when both have.
fn watch(
    reports: UnixStream,
    mut guard: Child,
    lines: Option<(LogSource, Arc<Lines>)>,
) -> io::Result<Arc<Watched>> {
    let watched = Arc::new(Watched::default());
    let stream = |pipe: Option<OwnedFd>, source: LogSource| -> io::Result<Stream> {
        let pipe = pipe.map(File::from);
        if let Some(pipe) = &pipe {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let lines = lines.as_ref().filter(|(from, _)| *from == source);
        Ok(Stream {
            pipe,
            lines: lines.map(|(_, lines)| Arc::clone(lines)),
        })
    };
    let mut watcher = Watcher {
        watched: Arc::clone(&watched),
        reports: Some(reports),
        unread: Vec::new(),
        streams: [
            stream(guard.stdout.take().map(OwnedFd::from), LogSource::Stdout)?,
            stream(guard.stderr.take().map(OwnedFd::from), LogSource::Stderr)?,
        ],
        buffer: vec![0; CHUNK],
    };
    thread::Builder::new()
        .name("subject".to_owned())
        .stack_size(WATCH_STACK)
        .spawn(move || {
            watcher.run();
            // It has closed its socket, so that it is about to end.
            let _ = guard.wait();
            watcher.watched.change(|state| state.gone = true);
        })?;
    Ok(watched)
}

/// One read: what a pipe holds at most.
const CHUNK: usize = 64 * 1024;

/// How often a stream is read before the others have their turn: a flood must not hide an exit.
const READS_PER_TURN: usize = 4;

struct Watcher {
    watched: Arc<Watched>,
    reports: Option<UnixStream>,
    unread: Vec<u8>,
    streams: [Stream; 2],
    buffer: Vec<u8>,
}

struct Stream {
    pipe: Option<File>,
    lines: Option<Arc<Lines>>,
}

impl Watcher {
    /// Until the guard has closed its socket: after that nobody is left who could print.
    fn run(&mut self) {
        while let Some(reports) = &self.reports {
            let pipes = self
                .streams
                .iter()
                .filter_map(|stream| stream.pipe.as_ref());
            let mut ready: Vec<PollFd<'_>> = std::iter::once(reports.as_fd())
                .chain(pipes.map(AsFd::as_fd))
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
            if let Err(error) = poll(&mut ready, None)
                && error != rustix::io::Errno::INTR
            {
                break;
            }
            let reported = !ready[0].revents().is_empty();
            self.drain();
            if reported {
                self.hear();
            }
        }
        self.drain();
        let state = *self.watched.lock();
        if let (None, Some(pid)) = (state.exit, state.pid) {
            // The guard was killed. What it guarded has got a signal, but may not have cared.
            let group = rustix::process::Pid::from_raw(pid);
            let _ = group.map(|group| {
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
            });
            let killed = ExitStatus::from_raw(rustix::process::Signal::KILL.as_raw());
            self.watched.change(|state| state.exit = Some(killed));
        }
        for stream in &self.streams {
            if let Some(lines) = &stream.lines {
                lines.end();
            }
        }
    }

    /// Takes in what the pipes hold, in turns.
    fn drain(&mut self) {
        for stream in &mut self.streams {
            for _ in 0..READS_PER_TURN {
                let Some(pipe) = &mut stream.pipe else { break };
                match pipe.read(&mut self.buffer) {
                    Ok(0) => stream.pipe = None,
                    Ok(length) => {
                        let bytes = &self.buffer[..length];
                        let mut output = self
                            .watched
                            .output
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner);
                        output.push(bytes);
                        if let Some(lines) = &stream.lines {
                            lines.push(bytes);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => stream.pipe = None,
                }
            }
        }
    }

    /// Reads reports. What was printed before them has been taken in already.
    fn hear(&mut self) {
        let Some(reports) = &mut self.reports else {
            return;
        };
        let mut bytes = [0; 256];
        match reports.read(&mut bytes) {
            Ok(0) | Err(_) => self.reports = None,
            Ok(length) => self.unread.extend_from_slice(&bytes[..length]),
        }
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            match Report::parse(&String::from_utf8_lossy(&line)) {
                Some(Report::Pid(pid)) => self.watched.change(|state| state.pid = Some(pid)),
                Some(Report::NotStarted(error)) => {
                    self.watched.change(|state| state.refused = Some(error));
                }
                Some(Report::Exit(status)) => {
                    // Its last words are in the pipes, complete, since it has ended.
                    self.drain();
                    let status = ExitStatus::from_raw(status);
                    self.watched.change(|state| state.exit = Some(status));
                }
                None => {}
            }
        }
    }
}

/// The program that guards: this one unless said otherwise.
pub(super) fn guard_program() -> PathBuf {
    let chosen = GUARD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Not its name: the file may have been replaced by a newer build meanwhile.
    chosen.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Lets another program guard the subjects, for programs that cannot call
/// [`guard_main_if_asked`](super::guard_main_if_asked) before anything else, such as plain `#[test]`
/// functions. The program has to call it.
pub fn set_guard(program: impl Into<PathBuf>) {
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(program.into());
}

static GUARD: Mutex<Option<PathBuf>> = Mutex::new(None);
