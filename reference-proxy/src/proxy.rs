//! A configuration that is ready to serve: logs open, names known.

use crate::config::{Config, Server};
use crate::log::error::{ErrorLog, Level};
use crate::log::{Journal, Opened, Rarely, Record, Sinks};
use crate::net::Descriptors;
use crate::net::dial::Dials;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Passwords that are checked at once: their hashes are made to cost time, and tunnels need some, too.
pub const CHECKS_AT_ONCE: usize = 2;

/// What outlives a reload.
#[derive(Debug)]
pub struct Shared {
    /// The open logs.
    pub sinks: Sinks,
    /// Turns at reading files of users and groups, and at checking passwords.
    pub checking: Arc<Semaphore>,
    /// What every way to a server needs.
    pub dials: Dials,
    /// What there is not enough of.
    pub shortages: Shortages,
    /// How the open files are shared out.
    pub descriptors: Descriptors,
}

/// What can run short, and when that was told last.
#[derive(Debug, Default)]
pub struct Shortages {
    /// Places for connections.
    pub places: Rarely,
    /// Descriptors for those who arrive.
    pub descriptors: Rarely,
    /// Attempts to connect.
    pub attempts: Rarely,
}

impl Shared {
    /// For a process that has so many descriptors.
    #[must_use]
    pub fn new(descriptors: Descriptors) -> Self {
        Self {
            sinks: Sinks::default(),
            checking: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            dials: Dials::new(descriptors),
            shortages: Shortages::default(),
            descriptors,
        }
    }
}

/// What all connections of one configuration share until their tunnels stand.
#[derive(Debug)]
pub struct Proxy {
    /// What was configured.
    pub config: Config,
    /// The addresses on which this process listens.
    pub listening: Vec<SocketAddr>,
    /// What it shares with the configurations before and after it.
    pub shared: Arc<Shared>,
    journals: Vec<Arc<Journal>>,
    /// Newly opened files, until the configuration is in force.
    opened: Option<Opened>,
}

impl Proxy {
    /// Opens the logs.
    ///
    /// # Errors
    ///
    /// A log that cannot be opened.
    pub fn new(config: Config, shared: Arc<Shared>) -> io::Result<Self> {
        let mut opened = Opened::default();
        let journals = config
            .servers()
            .map(|server| Journal::open(server, &shared.sinks, &mut opened).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            listening: Vec::new(),
            shared,
            journals,
            opened: Some(opened),
        })
    }

    /// From now on logs go where this configuration wants them.
    pub fn come_into_force(&mut self) {
        if let Some(opened) = self.opened.take() {
            self.shared.sinks.switch(opened, self.error_log(None));
        }
    }

    /// The end of `record` writes the access lines of `server`.
    pub fn log_to(&self, record: &mut Record, server: &Server) {
        record.journal = self.journals.get(server.index).map(Arc::clone);
    }

    /// Tells the main server's error log that something has run short, at most once a minute.
    pub fn tell(&self, shortage: &Rarely, text: &str) {
        if let Some(times) = shortage.again() {
            let text = format!("{text} ({times} times since this was said last)");
            self.error_log(None).write(Level::Error, None, &text);
        }
    }

    /// The error log of the server that `record` belongs to, or of the main server.
    #[must_use]
    pub fn error_log<'a>(&'a self, record: Option<&'a Record>) -> &'a Arc<ErrorLog> {
        let journal = record.and_then(|record| record.journal.as_ref());
        &journal.unwrap_or(&self.journals[0]).error
    }
}

/// This process's name in `Via`: like no other, so that a request that comes back is known.
pub fn pseudonym() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        // The standard library seeds its hashers from the system's randomness.
        let random = RandomState::new().build_hasher().finish();
        format!("reference-proxy-{random:016x}")
    })
}
