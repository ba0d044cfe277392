//! The threads that write: one for all files, one for each log that can stand still.
//!
//! A file never makes its writer wait for somebody else, so that all files share a thread; a pipe that nobody
//! reads holds up its own thread alone.

use super::Sink;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// A line that a writer has in hand needs no more stack than this.
const STACK: usize = 128 << 10;
/// How long a thread that has just written keeps its logs on the list. Lines that come meanwhile wake nobody:
/// when many come, waking up for each would cost more than writing it.
const PAUSE: Duration = Duration::from_millis(5);

/// The list of a thread that writes: logs that have something to write.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    list: Sender<Arc<Sink>>,
}

impl Writer {
    /// Starts a thread, which ends when nobody can put anything on its list any more.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub(super) fn start() -> io::Result<Self> {
        let (list, listed) = channel::<Arc<Sink>>();
        std::thread::Builder::new()
            .name("log".into())
            .stack_size(STACK)
            .spawn(move || write(&listed))?;
        Ok(Self { list })
    }

    /// Puts a log on the list.
    pub(super) fn schedule(&self, sink: Arc<Sink>) {
        // The thread is there as long as somebody holds this list.
        let _ = self.list.send(sink);
    }
}

/// What a log is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More lines wait.
    More,
    /// All lines are written.
    Done,
    /// There was nothing to do, and the log is off the list.
    Off,
}

fn write(listed: &Receiver<Arc<Sink>>) {
    let mut logs = Vec::new();
    loop {
        let pause = match logs.is_empty() {
            true => listed.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => listed.recv_timeout(PAUSE),
        };
        match pause {
            Ok(sink) => logs.push(sink),
            Err(RecvTimeoutError::Timeout) => {}
            // These are the last that know this thread.
            Err(RecvTimeoutError::Disconnected) if logs.is_empty() => return,
            Err(RecvTimeoutError::Disconnected) => {}
        }
        loop {
            logs.extend(listed.try_iter());
            let mut more = false;
            logs.retain(|sink| {
                let progress = sink.advance();
                more |= progress == Progress::More;
                progress != Progress::Off
            });
            if !more {
                break;
            }
        }
    }
}
