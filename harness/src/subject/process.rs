//! A subject that the harness launched: its own process group, its own folder, watched until it is gone.
//!
//! *The harness survives the subject.* One that hangs, floods, crashes or never starts costs the caller an
//! error with what it printed, never more. *Children die with the harness*, also when it is killed: see
//! [`guard_main_if_asked`].

mod check;
mod child;
mod error;
mod files;
mod guard;
mod guard_orders;
mod guarding;
mod keeper;
mod mark;
mod output;
mod prepared;
mod program;
pub mod readiness;
mod scratch;
pub mod vitals;
mod watch;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    stop::Stop,
    subject::{
        configuration::Configuration,
        log::{Lines, LogReader},
        process::{
            child::Guarded,
            prepared::{Prepared, ensure_free},
            program::version,
            scratch::Scratch,
            vitals::{Vitals, is_ending, leave_spare_files},
        },
        profile::{LogSource, Profile, StopSignal},
        written,
    },
};
pub use check::{CHECK_WITHIN, CheckOutcome};
pub use child::CREDENTIALS_VARIABLE;
pub use error::LaunchError;
pub(crate) use files::{files_to_be_had, raise_file_limit};
pub use guard::guard_main_if_asked;
pub use guarding::set_guard;

/// Finds the program of a profile, without launching it.
///
/// # Errors
/// When it is not there; the error says how to install it.
pub fn find(profile: &Profile) -> Result<PathBuf, LaunchError> {
    let here = profile
        .folder
        .as_ref()
        .map(|here| here.to_string_lossy().into_owned());
    let program = profile
        .launch
        .program
        .render(&minijinja::context! { here => here })?;
    program::find_program(&program, profile)
}

/// A proxy that the harness launched. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Subject {
    address: SocketAddr,
    command: Vec<String>,
    // Dropped when its processes are gone, but before the guard is: that one would remove it, too.
    scratch: Scratch,
    guarded: Guarded,
    stop: (StopSignal, Duration),
    /// The end of the run that it belongs to.
    run: Stop,
    version: Option<VersionQuery>,
    log: Option<LogReader>,
    errors: LogReader,
    stopped: Mutex<Option<Stopped>>,
}

/// How a subject ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The leader's wait status, when it is known.
    pub status: Option<ExitStatus>,
    /// Whether it had to be killed, since the signal did not end it in time.
    pub killed: bool,
    /// Whether it had ended by itself before it was asked to.
    pub early: bool,
}

#[derive(Debug)]
struct VersionQuery {
    program: PathBuf,
    args: Vec<String>,
    pattern: regex::Regex,
}

impl Subject {
    /// Launches the proxy of a profile, and waits until it accepts connections. Blocks.
    ///
    /// # Errors
    /// When the program is missing, ends, or does not listen in time; when its port is taken; when a
    /// template cannot be rendered. Nothing is left running then.
    pub fn launch(profile: &Profile, configuration: &Configuration) -> Result<Self, LaunchError> {
        Self::launch_until(profile, configuration, &Stop::default())
    }

    /// As [`Subject::launch`], for a run that may be ended: then nothing is waited for any more, and it gets little time
    /// to end in order.
    ///
    /// # Errors
    /// As those of [`Subject::launch`], and when the run is ended meanwhile.
    pub fn launch_until(
        profile: &Profile,
        configuration: &Configuration,
        run: &Stop,
    ) -> Result<Self, LaunchError> {
        let prepared = Prepared::new(profile, configuration)?;
        let args = prepared.render(&profile.launch.args)?;
        ensure_free(configuration.listen)?;
        let log = profile.access_log.as_ref().map(|log| match log.from {
            LogSource::File => {
                let reader = LogReader::file(prepared.scratch.access_log(), log.pattern.clone());
                (reader, None)
            }
            stream @ (LogSource::Stdout | LogSource::Stderr) => {
                let lines = Arc::new(Lines::default());
                let reader = LogReader::stream(Arc::clone(&lines), log.pattern.clone());
                (reader, Some((stream, lines)))
            }
        });
        let (log, lines) = log.map_or((None, None), |(reader, lines)| (Some(reader), lines));
        let pid_file = prepared.pid_file.clone();
        let guarded = prepared.launch(&args, lines, pid_file.as_deref(), run)?;
        let version = profile.launch.version.as_ref().map(|asked| {
            Ok::<_, LaunchError>(VersionQuery {
                program: prepared.program.clone(),
                args: prepared.render(&asked.args)?,
                pattern: asked.pattern.clone(),
            })
        });
        let subject = Self {
            address: configuration.listen,
            command: prepared.command(&args),
            guarded,
            stop: (profile.launch.stop_signal, profile.launch.stop_within),
            run: run.clone(),
            version: version.transpose()?,
            log,
            errors: LogReader::unparsed(prepared.scratch.error_log()),
            stopped: Mutex::new(None),
            scratch: prepared.scratch,
        };
        let within = profile.launch.ready_within;
        subject.ready(within)?;
        if let Some(file) = pid_file {
            subject.follow(file, within)?;
        }
        Ok(subject)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The program and its arguments.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        self.command.clone()
    }

    /// What the program says its version is. Asked once for each program; blocks then.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let query = self.version.as_ref()?;
        version(&query.program, &query.args, &query.pattern, &self.run)
    }

    /// Whether its leader still runs. Once a connection was closed by the leader's end, this is `false`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.exit_status().is_none() && !is_ending(self.guarded.pid())
    }

    /// How its leader ended. Known a moment after [`Subject::is_alive`] has become `false`; see
    /// [`Subject::wait`].
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.guarded.exit_status()
    }

    /// Waits until its leader has ended. Blocks for `patience` at most.
    pub fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        self.guarded.wait(patience);
        self.exit_status()
    }

    /// Whether its guard was killed by somebody else: then it was taken down, and has not ended by itself.
    #[must_use]
    pub fn has_lost_its_guard(&self) -> bool {
        self.guarded.is_lost()
    }

    /// The process id of its leader, which is also the number of its process group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.guarded.pid().unsigned_abs()
    }

    /// Its folder, which goes when the subject goes.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Its access log, when its profile says that it writes one. The reader can be cloned and kept.
    #[must_use]
    pub fn access_log(&self) -> Option<&LogReader> {
        self.log.as_ref()
    }

    /// What it wrote into the file that the template variable `error_log` names.
    #[must_use]
    pub fn error_log(&self) -> &LogReader {
        &self.errors
    }

    /// What it printed so far on stdout and stderr: the beginning and the end, when it is much.
    #[must_use]
    pub fn output(&self) -> String {
        self.guarded.output().text()
    }

    /// How many bytes it printed so far.
    #[must_use]
    pub fn output_length(&self) -> u64 {
        self.guarded.output().length()
    }

    /// What it printed after its first `length` bytes, as far as it is kept.
    #[must_use]
    pub fn output_since(&self, length: u64) -> String {
        self.guarded.output().text_since(length)
    }

    /// All that it has written so far: each file in the folder of its logs, by name, and what it printed.
    #[must_use]
    pub fn writings(&self) -> Vec<(String, String)> {
        let mut writings = self.scratch.written_logs();
        writings.push(("stdout and stderr".to_owned(), self.output()));
        writings
    }

    /// What it holds and has used so far, summed over all its processes.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        Vitals::of(self.guarded.pid())
    }

    /// Leaves each of its processes room for only so many files beside those that it has open.
    ///
    /// # Errors
    /// What the system said.
    pub fn leave_spare_files(&self, spare: usize) -> std::io::Result<()> {
        leave_spare_files(self.guarded.pid(), spare)
    }

    /// Whether it has a say in how it ends: what is killed has none.
    #[must_use]
    pub fn is_asked_to_stop(&self) -> bool {
        !matches!(self.stop.0, StopSignal::Kill)
    }

    /// Asks it to end and does not wait, so that several can end at the same time; then call
    /// [`Subject::stop`].
    pub fn begin_to_stop(&self) {
        self.guarded.signal(signal(self.stop.0).as_raw());
    }

    /// Asks it to end, and kills what is left of it when it does not end in time. Blocks until no process
    /// of it is left. Calling it again only gives the same answer.
    pub fn stop(&self) -> Stopped {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped.get_or_insert_with(|| {
            let early = !self.is_alive();
            if !early {
                self.begin_to_stop();
            }
            self.guarded.wait_unless_stopped(self.stop.1);
            let rest = if self.run.is_asked() {
                HURRIED
            } else {
                Duration::ZERO
            };
            let killed = !self.guarded.wait(rest);
            self.guarded.kill();
            Stopped {
                status: self.exit_status(),
                killed,
                early,
            }
        })
    }

    /// Stops it and removes its folder, while somebody may still hold on to it: for a run that ends early.
    pub fn abandon(&self) {
        self.stop();
        // What cannot be removed now goes when this is dropped.
        let _ = std::fs::remove_dir_all(self.scratch.path());
    }

    /// Waits until it accepts connections.
    fn ready(&self, within: Duration) -> Result<(), LaunchError> {
        let ended = |pause| self.guarded.wait_unless_stopped(pause);
        if readiness::wait(self.address, within, ended) {
            return Ok(());
        }
        if self.run.is_asked() {
            return Err(LaunchError::Stopped);
        }
        let command = self.command.join(" ");
        if let Some(cause) = self.guarded.refusal() {
            return Err(LaunchError::NotRun {
                program: PathBuf::from(&self.command[0]),
                cause,
            });
        }
        let status = self.exit_status();
        let output = self.last_words();
        match status {
            Some(status) => Err(LaunchError::ExitedAtOnce {
                command,
                status,
                output,
            }),
            None => Err(LaunchError::NeverListened {
                command,
                address: self.address,
                within,
                output,
            }),
        }
    }

    /// Waits until the pid file has named the process that listens.
    fn follow(&self, file: String, within: Duration) -> Result<(), LaunchError> {
        if self.guarded.wait_until_followed(within) {
            return Ok(());
        }
        if self.run.is_asked() {
            return Err(LaunchError::Stopped);
        }
        Err(LaunchError::NoPidFile {
            command: self.command.join(" "),
            file: PathBuf::from(file),
            output: self.last_words(),
        })
    }

    /// What it printed, and what it wrote to its error log instead.
    fn last_words(&self) -> String {
        let logged = written::last(&self.scratch.error_log(), LOGGED_MAX).unwrap_or_default();
        format!("{}\n{logged}", self.output())
    }
}

/// How long it may take to end when the run was ended: enough for one that ends in order, and nobody waits for it.
const HURRIED: Duration = Duration::from_millis(500);

/// How much of an error log is shown when a launch fails.
const LOGGED_MAX: u64 = 8 * 1024;

impl Drop for Subject {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal(signal: StopSignal) -> rustix::process::Signal {
    use rustix::process::Signal;
    match signal {
        StopSignal::Hup => Signal::HUP,
        StopSignal::Int => Signal::INT,
        StopSignal::Kill => Signal::KILL,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Term => Signal::TERM,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Usr2 => Signal::USR2,
    }
}
