//! Reading the configuration anew, in a thread of its own: the process listens to signals all the while.

use crate::config::{Config, ConfigError};
use crate::proxy::{Proxy, Shared};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How long reading may take before the process stops waiting for it.
const LONGEST: Duration = Duration::from_secs(60);

/// How the configuration is read.
pub type Read = dyn Fn() -> Result<Config, ConfigError> + Send + Sync;

/// The reload that is under way, if one is.
pub(super) struct Reloads {
    read: Arc<Read>,
    shared: Arc<Shared>,
    running: Option<Running>,
    /// The thread of a reload that nobody waits for any longer, or of the one under way.
    thread: Option<JoinHandle<()>>,
    /// Somebody has asked for one more meanwhile.
    again: bool,
}

struct Running {
    outcome: oneshot::Receiver<Result<Proxy, String>>,
    deadline: Instant,
}

impl Reloads {
    pub(super) fn new(read: Arc<Read>, shared: Arc<Shared>) -> Self {
        Self {
            read,
            shared,
            running: None,
            thread: None,
            again: false,
        }
    }

    /// Starts reading, or remembers to do so when what is under way is done.
    ///
    /// # Errors
    ///
    /// There is no thread for it.
    pub(super) fn ask(&mut self) -> Result<(), String> {
        if self.running.is_some() {
            self.again = true;
            return Ok(());
        }
        if self
            .thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
        {
            return Err("an earlier reload still reads its configuration".into());
        }
        let (read, shared) = (Arc::clone(&self.read), Arc::clone(&self.shared));
        let (sender, outcome) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("reload".into())
            .spawn(move || {
                let proxy = read()
                    .map_err(|error| error.to_string())
                    .and_then(|config| {
                        Proxy::new(config, shared).map_err(|error| error.to_string())
                    });
                // Nobody listens any more when the process ends or has waited for too long.
                let _ = sender.send(proxy);
            })
            .map_err(|error| error.to_string())?;
        self.thread = Some(thread);
        let deadline = Instant::now() + LONGEST;
        self.running = Some(Running { outcome, deadline });
        Ok(())
    }

    /// What the reload under way has come to; it never ends while there is none.
    pub(super) async fn done(&mut self) -> Result<Proxy, String> {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        let outcome = timeout_at(running.deadline, &mut running.outcome).await;
        self.running = None;
        if outcome.is_ok() {
            // It has said what it had to say; that it has ended as well may take it a moment.
            self.thread = None;
        }
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("reading the configuration has failed".into()),
            Err(_) => Err(format!(
                "reading the configuration takes longer than {} s",
                LONGEST.as_secs()
            )),
        }
    }

    /// Whether one more was asked for while the last was under way.
    pub(super) fn wanted_again(&mut self) -> bool {
        std::mem::take(&mut self.again)
    }
}
