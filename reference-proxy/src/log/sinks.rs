//! Every log that is open: each target once, whatever the number of servers and reloads that name it.

use super::outlet::Outlet;
use super::sink::Complaints;
use super::writer::Writer;
use super::{LogTarget, Sink};
use crate::log::error::ErrorLog;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long a log that stands still is waited for at the end of the process.
const PATIENCE: Duration = Duration::from_secs(1);

/// The open logs of the process.
///
/// A log stays open for as long as a configuration or a tunnel needs it; when a new configuration names it
/// again, it is the same log with a newly opened file, so that a tunnel keeps no file from before.
#[derive(Debug, Default)]
pub struct Sinks {
    known: Mutex<HashMap<LogTarget, Weak<Sink>>>,
    /// The thread for all files, once there is one.
    files: Mutex<Option<Writer>>,
    complaints: Arc<Complaints>,
}

/// The logs of a configuration that is not yet in force.
#[derive(Debug, Default)]
pub struct Opened {
    sinks: HashMap<LogTarget, Arc<Sink>>,
    /// Logs that were open before, and their newly opened files.
    anew: Vec<(Arc<Sink>, Outlet)>,
}

impl Sinks {
    /// The log of `target`, opened once for each `opened`.
    ///
    /// # Errors
    ///
    /// What the system says, with the name of the file.
    pub fn open(&self, target: &LogTarget, opened: &mut Opened) -> io::Result<Arc<Sink>> {
        if let Some(sink) = opened.sinks.get(target) {
            return Ok(Arc::clone(sink));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(target).and_then(Weak::upgrade);
        let outlet = match (Outlet::open(target), &before) {
            (Ok(outlet), _) => outlet,
            // Root has opened it, and is root no more: lines go on to where they went.
            (Err(error), Some(sink)) if error.kind() == io::ErrorKind::PermissionDenied => {
                sink.complain("could not be opened anew; lines go on to the file that is open");
                opened.sinks.insert(target.clone(), Arc::clone(sink));
                return Ok(Arc::clone(sink));
            }
            (Err(error), _) => return Err(error),
        };
        let sink = if let Some(sink) = before.filter(|sink| sink.regular == outlet.regular) {
            opened.anew.push((Arc::clone(&sink), outlet));
            sink
        } else {
            let writer = if outlet.regular {
                self.writer_of_files()?
            } else {
                Writer::start()?
            };
            let complaints = Arc::clone(&self.complaints);
            Arc::new(Sink::new(target.clone(), outlet, writer, complaints))
        };
        known.insert(target.clone(), Arc::downgrade(&sink));
        known.retain(|_, sink| sink.strong_count() > 0);
        opened.sinks.insert(target.clone(), Arc::clone(&sink));
        Ok(sink)
    }

    /// Opens those logs that nobody but root may put into their folder, as httpd does it: who the process becomes could not.
    /// They stay open for as long as what is handed back. Others are left to that user: root would follow any link in a
    /// folder that is not its own.
    ///
    /// # Errors
    ///
    /// What the system says, with the name of the file.
    pub fn open_those_of_root<'t>(
        &self,
        targets: impl Iterator<Item = &'t LogTarget>,
    ) -> io::Result<Opened> {
        let mut opened = Opened::default();
        for target in targets.filter(|target| target.is_in_roots_folder()) {
            self.open(target, &mut opened)?;
        }
        Ok(opened)
    }

    /// Whether this process may put new files into the places of those that are open, as a rotation needs it.
    ///
    /// # Errors
    ///
    /// The first log for which it may not.
    pub fn can_be_rotated(&self) -> io::Result<()> {
        self.all().iter().try_for_each(|sink| sink.can_be_rotated())
    }

    /// Puts `opened` in force: lines go to the newly opened files, and losses are told to `error_log`.
    pub fn switch(&self, opened: Opened, error_log: &Arc<ErrorLog>) {
        for (sink, outlet) in opened.anew {
            sink.switch(outlet);
        }
        *self
            .complaints
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(error_log));
    }

    /// Waits for logs that are behind, so that what is written next is not dropped; false when one stands still.
    pub fn keep_up(&self) -> bool {
        let mut behind = self.all().into_iter().filter(|sink| sink.is_behind());
        behind.all(|sink| sink.settle(PATIENCE))
    }

    /// Waits until every line is where it belongs, but not for a log that stands still.
    pub fn settle(&self) {
        let all = self.all();
        let moving: Vec<&Arc<Sink>> = all
            .iter()
            .filter(|sink| {
                let settled = sink.settle(PATIENCE);
                let lost = sink.give_up();
                if lost > 0 {
                    sink.complain(&format!("ends here; lines lost: {lost}"));
                }
                settled
            })
            .collect();
        // What was complained about just now.
        for sink in moving {
            sink.settle(PATIENCE);
        }
    }

    fn all(&self) -> Vec<Arc<Sink>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter_map(Weak::upgrade).collect()
    }

    fn writer_of_files(&self) -> io::Result<Writer> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &*files {
            return Ok(writer.clone());
        }
        let writer = Writer::start()?;
        *files = Some(writer.clone());
        Ok(writer)
    }
}
