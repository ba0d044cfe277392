//! A program under guard, as the harness sees it: its output, its end, its orders.

use std::{
    io::{self, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    stop::Stop,
    subject::{
        log::Lines,
        process::{
            guard_orders::Order,
            guarding::{self, Stage},
            mark,
            output::Capture,
            watch::{State, Watched, watch},
        },
        profile::LogSource,
    },
};

/// What to start.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) guard: &'a Path,
    pub(super) program: &'a Path,
    pub(super) args: &'a [String],
    pub(super) env: &'a [(String, String)],
    pub(super) folder: &'a Path,
    /// Where a program that goes into the background writes its process id.
    pub(super) pid_file: Option<&'a str>,
    /// The output that is also an access log, line by line.
    pub(super) lines: Option<(LogSource, Arc<Lines>)>,
    /// Ends the waits for it, though not the program.
    pub(super) stop: &'a Stop,
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

/// Variables that would send the subject's own requests through yet another proxy.
const PROXY_VARIABLES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
];

/// The variable in which the credentials of a running proxy may be given. No subject gets to see it.
pub const CREDENTIALS_VARIABLE: &str = "CONNECTSPEC_CREDENTIALS";

/// Why a program did not start.
#[derive(Debug)]
pub(super) enum StartError {
    /// The guard did not do its part.
    Guard(String),
    /// The system refused to run the program.
    Program(io::Error),
    /// Nobody wants it any more.
    Stopped,
}

impl Guarded {
    /// Starts a program: when this returns, it has its process id.
    pub(super) fn start(start: &Start<'_>) -> Result<Self, StartError> {
        let broken = |error: io::Error| StartError::Guard(error.to_string());
        let (ours, theirs) = UnixStream::pair().map_err(broken)?;
        let mark = mark::new();
        let mut command = Command::new(start.guard);
        command
            .arg0("connectspec-guard")
            .args([guarding::ARGUMENT, Stage::Supervise.word()])
            .arg(start.pid_file.unwrap_or_default())
            .arg(start.program)
            .args(start.args)
            .current_dir(start.folder)
            .env(guarding::MARK, "1")
            .env(mark::VARIABLE, &mark)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in PROXY_VARIABLES {
            command
                .env_remove(variable)
                .env_remove(variable.to_ascii_uppercase());
        }
        command.env_remove(CREDENTIALS_VARIABLE);
        command.envs(start.env.iter().map(|(name, value)| (name, value)));
        let guard = command.spawn().map_err(broken)?;
        // The command holds the guard's end of the socket: kept, its closing would go unnoticed.
        drop(command);
        let orders = ours.try_clone().map_err(broken)?;
        let watched = watch(ours, guard, mark, start.lines.clone()).map_err(broken)?;
        let watching = Arc::downgrade(&watched);
        start.stop.tell(Box::new(move || {
            if let Some(watched) = watching.upgrade() {
                watched.stop();
            }
        }));
        let guarded = Self { orders, watched };
        let started = |state: &State| {
            state.pid.is_some() || state.refused.is_some() || state.gone || state.stopped
        };
        let state = guarded.watched.wait(GUARD_WITHIN, started);
        match (state.refused, state.pid) {
            (Some(error), _) => Err(StartError::Program(io::Error::from_raw_os_error(error))),
            (None, Some(_)) => Ok(guarded),
            (None, None) if state.stopped => Err(StartError::Stopped),
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

    /// What it printed.
    pub(super) fn output(&self) -> MutexGuard<'_, Capture> {
        let output = self.watched.output.lock();
        output.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody has killed its guard.
    pub(super) fn is_lost(&self) -> bool {
        self.watched.lock().lost
    }

    /// Waits until it has ended; whether it has.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        self.watched
            .wait(patience, |state| state.exit.is_some())
            .exit
            .is_some()
    }

    /// Waits until it has ended or nobody wants to wait any more; whether that is so.
    pub(super) fn wait_unless_stopped(&self, patience: Duration) -> bool {
        let state = self
            .watched
            .wait(patience, |state| state.exit.is_some() || state.stopped);
        state.exit.is_some() || state.stopped
    }

    /// Waits until a pid file has named the subject, it has ended, or nobody wants to wait any more; whether it was named.
    pub(super) fn wait_until_followed(&self, patience: Duration) -> bool {
        self.watched
            .wait(patience, |state| {
                state.followed || state.exit.is_some() || state.stopped
            })
            .followed
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
