//! The subject's access log: which lines it wrote, and what they say.
//!
//! A proxy writes a line when a tunnel has ended, and some only seconds later. So a line is waited for; the
//! log is never read once and believed.

use std::{
    collections::VecDeque,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use regex::Regex;

use crate::subject::written;

pub use line::LogLine;
pub use sought::{Asked, Sought};

mod line;
mod sought;

/// How the control tunnels call themselves. A log that names them names every User-Agent.
pub const CONTROL_AGENT: &str = "connectspec-control";

/// Reads the access log of one subject. Clones read the same log.
#[derive(Clone, Debug)]
pub struct LogReader {
    lines: Arc<Lines>,
    /// The file to follow; lines of a stream come by themselves.
    file: Option<Arc<Mutex<Follower>>>,
    /// Finds what a line says, where that is known.
    pattern: Option<Regex>,
}

/// How often a file is looked at while a line is waited for. Short against a round trip through a proxy and
/// its log buffer, and a look costs one system call of a microsecond. Notifications of the file system
/// would save those, but are counted out to each user in small numbers.
const LOOK_EVERY: Duration = Duration::from_millis(3);

/// The longest line that is kept; the rest of a longer one is dropped. Above any request head that a proxy
/// takes, which a target in a log line cannot exceed.
const LINE_MAX: usize = 64 * 1024;

/// How many lines are kept; the oldest go first. A run writes some thousands.
const LINES_MAX: usize = 50_000;

/// How many octets of lines are kept; the oldest lines go first. Lines that are worth reading have some hundred octets,
/// and those of a run take a few megabytes.
const KEPT_MAX: usize = 32 * 1024 * 1024;

/// How far behind the end of a file reading goes on; what lies between is passed over. More than is kept would be read
/// for nothing, and a sparse file of gigabytes costs its writer nothing.
const BEHIND_MAX: u64 = KEPT_MAX as u64;

impl LogReader {
    /// Follows a file, which need not exist yet. Named groups of the pattern are `source_port`, `status`,
    /// `target` and `client`; a group that is not there, or did not match, stays `None`.
    #[must_use]
    pub fn file(path: PathBuf, pattern: Regex) -> Self {
        let follower = Follower { path, read: 0 };
        Self {
            lines: Arc::default(),
            file: Some(Arc::new(Mutex::new(follower))),
            pattern: Some(pattern),
        }
    }

    /// Follows a file of whose lines nothing is known.
    pub(super) fn unparsed(path: PathBuf) -> Self {
        let follower = Follower { path, read: 0 };
        Self {
            lines: Arc::default(),
            file: Some(Arc::new(Mutex::new(follower))),
            pattern: None,
        }
    }

    /// Reads lines that somebody else pushes.
    pub(super) fn stream(lines: Arc<Lines>, pattern: Regex) -> Self {
        Self {
            lines,
            file: None,
            pattern: Some(pattern),
        }
    }

    /// The named groups of the pattern.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        let pattern = self.pattern.iter();
        let names = pattern.flat_map(Regex::capture_names).flatten();
        names.map(str::to_owned).collect()
    }

    /// All lines so far, the oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.look();
        let store = self.lines.lock();
        store.lines.iter().map(|text| self.parse(text)).collect()
    }

    /// How many lines there are so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.look();
        self.lines.lock().total()
    }

    /// The lines so far that are what is sought.
    #[must_use]
    pub fn lines_of(&self, sought: &Sought) -> Vec<LogLine> {
        self.look();
        let store = self.lines.lock();
        let from = usize::try_from(sought.since.saturating_sub(store.gone)).unwrap_or(usize::MAX);
        let lines = store.lines.iter().skip(from);
        let parsed = lines.map(|text| self.parse(text));
        let agents = store.names_agents;
        parsed.filter(|line| sought.is_in(line, agents)).collect()
    }

    /// Waits for a line that is what is sought. Blocks for `patience` at most.
    #[must_use]
    pub fn wait_for_line_of(&self, sought: &Sought, patience: Duration) -> Option<LogLine> {
        let deadline = Instant::now() + patience;
        self.wait(sought.since, deadline, &|text, agents| {
            Some(self.parse(text)).filter(|line| sought.is_in(line, agents))
        })
    }

    /// The first line so far that `wanted` wants.
    pub fn find(&self, wanted: impl Fn(&LogLine) -> bool) -> Option<LogLine> {
        self.look();
        self.search(&mut 0, &wanted)
    }

    /// Waits for a line that contains `needle`. Blocks for `patience` at most.
    #[must_use]
    pub fn wait_for(&self, needle: &str, patience: Duration) -> Option<LogLine> {
        let deadline = Instant::now() + patience;
        self.wait(0, deadline, &|text, _| {
            text.contains(needle).then(|| self.parse(text))
        })
    }

    /// Waits for a line that `wanted` wants. Blocks for `patience` at most.
    pub fn wait_until(
        &self,
        wanted: impl Fn(&LogLine) -> bool,
        patience: Duration,
    ) -> Option<LogLine> {
        let deadline = Instant::now() + patience;
        self.wait(0, deadline, &|text, _| {
            Some(self.parse(text)).filter(&wanted)
        })
    }

    /// Waits for a line past the first `seen` of all; `wanted` is told whether the log names User-Agents, as far as is known.
    fn wait(&self, mut seen: u64, deadline: Instant, wanted: Wanted<'_>) -> Option<LogLine> {
        loop {
            self.look();
            let store = self.lines.lock();
            if let Some(line) = store.search(&mut seen, wanted) {
                return Some(line);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || store.ended {
                return None;
            }
            let pause = if self.file.is_some() {
                LOOK_EVERY.min(left)
            } else {
                left
            };
            let more = |store: &mut Store| store.total() == seen && !store.ended;
            drop(self.lines.more.wait_timeout_while(store, pause, more));
        }
    }

    fn search(&self, seen: &mut u64, wanted: &dyn Fn(&LogLine) -> bool) -> Option<LogLine> {
        self.lines
            .lock()
            .search(seen, &|text, _| Some(self.parse(text)).filter(wanted))
    }

    /// Takes in what was appended to the file.
    fn look(&self) {
        if let Some(file) = &self.file {
            file.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .read_into(&self.lines);
        }
    }

    fn parse(&self, text: &str) -> LogLine {
        let captures = self
            .pattern
            .as_ref()
            .and_then(|pattern| pattern.captures(text));
        let group = |name: &str| Some(captures.as_ref()?.name(name)?.as_str());
        LogLine {
            text: text.to_owned(),
            source_port: group("source_port").and_then(|port| port.parse().ok()),
            status: group("status").and_then(|status| status.parse().ok()),
            target: group("target").map(str::to_owned),
            client: group("client").map(str::to_owned),
            is_understood: captures.is_some(),
        }
    }
}

/// Whether a line is wanted, and what it says; it is told whether the log names User-Agents.
type Wanted<'a> = &'a dyn Fn(&str, bool) -> Option<LogLine>;

/// The lines of a log, as they come in.
#[derive(Debug, Default)]
pub(super) struct Lines {
    store: Mutex<Store>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Store {
    lines: VecDeque<String>,
    /// How many octets they have.
    kept: usize,
    /// How many lines are gone from the front.
    gone: u64,
    partial: Vec<u8>,
    ended: bool,
    /// Whether a line names the User-Agent of a control tunnel.
    names_agents: bool,
}

impl Lines {
    /// Takes in bytes, and makes lines of them.
    pub(super) fn push(&self, bytes: &[u8]) {
        let mut store = self.lock();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = LINE_MAX - store.partial.len();
            store
                .partial
                .extend_from_slice(&text[..text.len().min(room)]);
            if piece.ends_with(b"\n") {
                store.complete();
            }
        }
        self.more.notify_all();
    }

    /// Says that nothing will come any more, so that nobody waits in vain.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.more.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    fn complete(&mut self) {
        let line = String::from_utf8_lossy(&self.partial);
        let line = line.trim_end_matches('\r').to_owned();
        self.names_agents |= line.contains(CONTROL_AGENT);
        self.kept += line.len();
        self.lines.push_back(line);
        self.partial.clear();
        while self.lines.len() > LINES_MAX || self.kept > KEPT_MAX {
            let Some(oldest) = self.lines.pop_front() else {
                return;
            };
            self.kept -= oldest.len();
            self.gone += 1;
        }
    }

    fn total(&self) -> u64 {
        self.gone + self.lines.len() as u64
    }

    /// Searches the lines past the first `seen` of all.
    fn search(&self, seen: &mut u64, wanted: Wanted<'_>) -> Option<LogLine> {
        let from = usize::try_from(seen.saturating_sub(self.gone)).unwrap_or(usize::MAX);
        *seen = self.total();
        let mut lines = self.lines.iter().skip(from);
        lines.find_map(|text| wanted(text, self.names_agents))
    }
}

/// A file that is read as far as it has grown.
#[derive(Debug)]
struct Follower {
    path: PathBuf,
    read: u64,
}

impl Follower {
    fn read_into(&mut self, lines: &Lines) {
        // Opened anew: the file may be rotated, and may not be there yet.
        let Ok((mut file, length)) = written::open(&self.path) else {
            return;
        };
        if length < self.read {
            self.read = 0;
        }
        self.read = self.read.max(length.saturating_sub(BEHIND_MAX));
        if length == self.read || file.seek(SeekFrom::Start(self.read)).is_err() {
            return;
        }
        let mut buffer = [0; 16 * 1024];
        // No further than it was long: a flood would never be read to its end.
        let mut rest = file.take(length - self.read);
        while let Ok(read @ 1..) = rest.read(&mut buffer) {
            lines.push(&buffer[..read]);
            self.read += read as u64;
        }
    }
}
