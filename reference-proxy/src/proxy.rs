//! A configuration that is ready to serve: logs open, names known.

use crate::config::{Config, Server};
use crate::log::error::ErrorLog;
use crate::log::{AccessSink, Condition, Record, Sinks};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Passwords that are checked at once: their hashes are made to cost time, and tunnels need some, too.
const HASHES_AT_ONCE: usize = 2;

/// What all connections of one configuration share.
#[derive(Debug)]
pub struct Proxy {
    /// What was configured.
    pub config: Config,
    /// The addresses on which this process listens.
    pub listening: Vec<SocketAddr>,
    /// Turns at checking passwords.
    pub hashing: Semaphore,
    logs: Vec<Logs>,
}

/// The logs of one server.
#[derive(Debug)]
struct Logs {
    access: Vec<AccessSink>,
    error: ErrorLog,
    /// The request fields that some format names, in lower case.
    fields: Vec<String>,
    /// The variables that some format or condition names.
    variables: Vec<String>,
}

impl Proxy {
    /// Opens the logs.
    ///
    /// # Errors
    ///
    /// A log that cannot be opened.
    pub fn new(config: Config) -> io::Result<Self> {
        let mut sinks = Sinks::default();
        let logs = config
            .servers()
            .map(|server| Logs::open(server, &mut sinks))
            .collect::<Result<_, _>>()?;
        let listening = Vec::new();
        Ok(Self {
            config,
            listening,
            hashing: Semaphore::new(HASHES_AT_ONCE),
            logs,
        })
    }

    /// The request fields that the logs of `server` name.
    #[must_use]
    pub fn logged_fields(&self, server: &Server) -> &[String] {
        self.logs.get(server.index).map_or(&[], |logs| &logs.fields)
    }

    /// The variables that the logs of `server` name.
    #[must_use]
    pub fn logged_variables(&self, server: &Server) -> &[String] {
        self.logs
            .get(server.index)
            .map_or(&[], |logs| &logs.variables)
    }

    /// The end of `record` writes the access lines of `server`.
    pub fn log_to(&self, record: &mut Record, server: &Server) {
        record.server_name.clone_from(&server.name);
        let default = if server.tls.is_some() { 443 } else { 80 };
        record.server_port = server.name_port.unwrap_or(default);
        record.server_index = server.index;
        record.log_to(self.logs.get(server.index).map_or(&[], |logs| &logs.access));
    }

    /// The error log of the server that `record` belongs to, or of the main server.
    #[must_use]
    pub fn error_log(&self, record: Option<&Record>) -> &ErrorLog {
        &self.logs[record.map_or(0, |record| record.server_index)].error
    }
}

impl Logs {
    fn open(server: &Server, sinks: &mut Sinks) -> io::Result<Self> {
        let mut access = Vec::new();
        for log in &server.logs {
            access.push(AccessSink {
                sink: sinks.open(&log.target)?,
                format: Arc::clone(&log.format),
                condition: log.condition.clone(),
            });
        }
        let error = ErrorLog {
            sink: sinks.open(&server.error_log)?,
            format: Arc::clone(&server.error_format),
            level: server.log_level,
        };
        let named = access.iter().flat_map(|log| log.format.request_fields());
        let mut fields: Vec<String> = named
            .chain(error.format.request_fields())
            .map(str::to_owned)
            .collect();
        fields.sort_unstable();
        fields.dedup();
        let conditions = access.iter().filter_map(|log| log.condition.as_ref());
        let variables = access
            .iter()
            .flat_map(|log| log.format.variables())
            .chain(conditions.map(Condition::variable))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            access,
            error,
            fields,
            variables,
        })
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
