//! The logs: where lines go, what they say, and that nobody can forge one.
//!
//! A line is handed to a bounded queue, and a thread that does nothing else writes it (`writer`): a pipe that
//! nobody reads, a disk that is full or a file at its size limit costs lines, which are counted and told, and
//! never holds up a tunnel. In a file there are whole lines or none.

pub mod condition;
pub mod error;
pub mod escape;
pub mod format;
mod journal;
mod outlet;
mod rarely;
pub mod record;
mod sink;
mod sinks;
mod writer;

pub use condition::Condition;
pub use journal::Journal;
pub use rarely::Rarely;
pub use record::{AccessSink, Ends, Record};
pub use sink::Sink;
pub use sinks::{Opened, Sinks};

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

impl LogTarget {
    /// Whether it is a file that only root may make or replace.
    fn is_in_roots_folder(&self) -> bool {
        /// Write permission of the group and of everybody.
        const OTHERS_WRITE: u32 = 0o022;
        let Self::File(path) = self else { return false };
        let folder = path.parent().map(std::fs::metadata);
        folder.and_then(Result::ok).is_some_and(|folder| {
            folder.is_dir() && folder.uid() == 0 && folder.mode() & OTHERS_WRITE == 0
        })
    }

    /// Reads a file name as in `CustomLog`; relative ones are below `root`.
    ///
    /// # Errors
    ///
    /// Programs and syslog, which httpd knows and this proxy does not.
    pub fn parse(name: &str, root: Option<&Path>) -> Result<Self, String> {
        if name.starts_with('|') || name == "syslog" || name.starts_with("syslog:") {
            return Err(format!(
                "'{name}': logs go to files here; rotate them with SIGHUP"
            ));
        }
        match name {
            "" => return Err("the name of a log is empty".into()),
            // Not to be opened anew, which may fail once the process is somebody else.
            "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => return Ok(Self::Stderr),
            "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => return Ok(Self::Stdout),
            _ => {}
        }
        Ok(Self::File(root.map_or_else(
            || PathBuf::from(name),
            |root| root.join(name),
        )))
    }
}

impl std::fmt::Display for LogTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stderr => f.write_str("standard error"),
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
