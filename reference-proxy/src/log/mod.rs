//! The logs: where lines go, what they say, and that nobody can forge one.
//!
//! A line is one write(2) to a file opened for appending: it is whole, it is there when the writer goes on,
//! and nothing is lost at the end of the process. That is what httpd does without BufferedLogs.

pub mod condition;
pub mod error;
pub mod escape;
pub mod format;
pub mod record;

pub use condition::Condition;
pub use record::{AccessSink, Record};

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogTarget {
    /// Standard error.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

impl LogTarget {
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
        if name.is_empty() {
            return Err("the name of a log is empty".into());
        }
        Ok(Self::File(root.map_or_else(
            || PathBuf::from(name),
            |root| root.join(name),
        )))
    }
}

/// The open logs of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    open: HashMap<LogTarget, Arc<Sink>>,
}

/// One open log.
#[derive(Debug)]
pub struct Sink {
    /// `None` stands for standard error.
    file: Option<File>,
}

impl Sinks {
    /// The open log of `target`.
    ///
    /// # Errors
    ///
    /// What the system says, with the name of the file.
    pub fn open(&mut self, target: &LogTarget) -> io::Result<Arc<Sink>> {
        if let Some(open) = self.open.get(target) {
            return Ok(Arc::clone(open));
        }
        let file = match target {
            LogTarget::Stderr => None,
            LogTarget::File(path) => {
                let named = |error: io::Error| {
                    io::Error::new(
                        error.kind(),
                        format!("could not open log {}: {error}", path.display()),
                    )
                };
                Some(
                    OpenOptions::new()
                        .append(true)
                        .create(true)
                        .open(path)
                        .map_err(named)?,
                )
            }
        };
        let sink = Arc::new(Sink { file });
        self.open.insert(target.clone(), Arc::clone(&sink));
        Ok(sink)
    }
}

impl Sink {
    /// Writes one line; `line` has no line end. A log that cannot be written (disk full) must not stop the
    /// proxy, so the error ends here.
    pub fn write(&self, mut line: String) {
        line.push('\n');
        let _ = match &self.file {
            Some(file) => (&mut &*file).write_all(line.as_bytes()),
            None => io::stderr().write_all(line.as_bytes()),
        };
    }
}
