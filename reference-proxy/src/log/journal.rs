//! The logs of one server of the configuration, and what their lines say of it.

use super::error::ErrorLog;
use super::{AccessSink, Condition, Opened, Sinks};
use crate::config::Server;
use std::io;
use std::sync::Arc;

/// What a record shares with all others of its server.
#[derive(Debug)]
pub struct Journal {
    /// The name of the server (`ServerName`).
    pub name: Option<Arc<str>>,
    /// Its port.
    pub port: u16,
    /// The access logs.
    pub access: Vec<AccessSink>,
    /// The error log.
    pub error: Arc<ErrorLog>,
    /// The request fields that some format names, in lower case.
    pub fields: Vec<String>,
    /// The variables that some format or condition names.
    pub variables: Vec<String>,
}

impl Journal {
    /// Opens the logs of `server`.
    ///
    /// # Errors
    ///
    /// A log that cannot be opened.
    pub fn open(server: &Server, sinks: &Sinks, opened: &mut Opened) -> io::Result<Self> {
        let mut access = Vec::new();
        for log in &server.logs {
            access.push(AccessSink {
                sink: sinks.open(&log.target, opened)?,
                format: Arc::clone(&log.format),
                condition: log.condition.clone(),
            });
        }
        let error = ErrorLog {
            sink: sinks.open(&server.error_log, opened)?,
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
        let default = if server.tls.is_some() { 443 } else { 80 };
        Ok(Self {
            name: server.name.clone(),
            port: server.name_port.unwrap_or(default),
            access,
            error: Arc::new(error),
            fields,
            variables,
        })
    }
}
