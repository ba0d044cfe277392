//! The thread that listens to a guard and its subject: what they print, and what becomes of them.

use std::{
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};

use crate::subject::{
    log::Lines,
    process::{guard_orders::Report, mark, output::Capture},
    profile::LogSource,
};

/// What the watching thread knows.
#[derive(Debug, Default)]
pub(super) struct Watched {
    state: Mutex<State>,
    changed: Condvar,
    pub(super) output: Mutex<Capture>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    pub(super) pid: Option<i32>,
    pub(super) refused: Option<i32>,
    /// The process in the background that a pid file has named is the subject now.
    pub(super) followed: bool,
    pub(super) exit: Option<ExitStatus>,
    /// No process of the subject is left.
    pub(super) gone: bool,
    /// Somebody has killed the guard.
    pub(super) lost: bool,
    /// The run has ended: nothing is waited for any more.
    pub(super) stopped: bool,
}

impl Watched {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits.
    pub(super) fn stop(&self) {
        self.change(|state| state.stopped = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn wait(&self, patience: Duration, until: impl Fn(&State) -> bool) -> State {
        let state = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| !until(state));
        *state.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The watching thread copies bytes and little else.
const WATCH_STACK: usize = 256 * 1024;

/// Starts the thread that reads what guard and subject say. It ends when both have.
pub(super) fn watch(
    reports: UnixStream,
    mut guard: Child,
    mark: String,
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
        mark,
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
            watcher.watched.change(|state| state.gone = true);
            // It goes on until nobody has orders for it any more.
            let _ = guard.wait();
        })?;
    Ok(watched)
}

/// One read: what a pipe holds at most.
const CHUNK: usize = 64 * 1024;

/// How often a stream is read before the others have their turn: a flood must not hide an exit.
const READS_PER_TURN: usize = 4;

struct Watcher {
    watched: Arc<Watched>,
    /// What the processes of the subject have in their environment.
    mark: String,
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
    /// Until the guard says that nobody is left who could print, or has closed its socket.
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
            mark::kill_all(&self.mark);
            let killed = ExitStatus::from_raw(rustix::process::Signal::KILL.as_raw());
            self.watched.change(|state| {
                state.lost = true;
                state.exit = Some(killed);
            });
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
                Some(Report::Followed(pid)) => self.watched.change(|state| {
                    state.pid = Some(pid);
                    state.followed = true;
                }),
                Some(Report::NotStarted(error)) => {
                    self.watched.change(|state| state.refused = Some(error));
                }
                Some(Report::Exit(status)) => {
                    // Its last words are in the pipes, complete, since it has ended.
                    self.drain();
                    let status = ExitStatus::from_raw(status);
                    self.watched.change(|state| state.exit = Some(status));
                }
                Some(Report::Gone(_)) => self.reports = None,
                None => {}
            }
        }
    }
}
