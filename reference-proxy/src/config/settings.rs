//! What directives have said so far, before main server and virtual hosts are joined.

use super::access::Section;
use super::{AllowConnect, Listen};
use crate::log::LogTarget;
use crate::log::format::Format;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Settings of the whole process.
#[derive(Clone, Debug, Default)]
pub struct Global {
    /// `Listen`.
    pub listen: Vec<Listen>,
    /// `MaxRequestWorkers`.
    pub connections_most: Option<usize>,
    /// `GracefulShutdownTimeout`.
    pub drain: Option<Duration>,
    /// `PidFile`.
    pub pid_file: Option<PathBuf>,
    /// `ServerRoot`.
    pub root: Option<PathBuf>,
    /// `LoadModule`, by identifier and by file.
    pub modules: HashSet<String>,
    /// What was accepted and means nothing here.
    pub warnings: Vec<String>,
    /// `LogFormat` with a nickname.
    pub formats: HashMap<String, Arc<Format>>,
    /// The virtual hosts.
    pub hosts: Vec<Host>,
}

/// A `<VirtualHost>` that is not yet joined with the main server.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its addresses.
    pub addresses: Vec<(Option<IpAddr>, Option<u16>)>,
    /// What it says itself.
    pub settings: Settings,
}

/// Settings of one server; `None` where it says nothing.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `ServerName`.
    pub name: Option<String>,
    /// The port in `ServerName`.
    pub name_port: Option<u16>,
    /// `ServerAlias`.
    pub aliases: Vec<String>,
    /// `ProxyRequests`.
    pub proxy_requests: Option<bool>,
    /// `AllowCONNECT`.
    pub allow: Option<AllowConnect>,
    /// `Timeout`.
    pub timeout: Option<Duration>,
    /// `ProxyTimeout`.
    pub proxy_timeout: Option<Duration>,
    /// `LimitRequestLine`.
    pub line_limit: Option<usize>,
    /// `LimitRequestFieldSize`.
    pub field_limit: Option<usize>,
    /// `LimitRequestFields`.
    pub fields_limit: Option<usize>,
    /// `RequestReadTimeout`.
    pub head_time: Option<Duration>,
    /// `CustomLog` and `TransferLog`.
    pub logs: Vec<(LogTarget, LogFormatName)>,
    /// `LogFormat` without a nickname, for `TransferLog`.
    pub transfer_format: Option<Arc<Format>>,
    /// `ErrorLog`.
    pub error_log: Option<LogTarget>,
    /// `<Proxy>`.
    pub sections: Vec<Section>,
}

/// Which format a log has.
#[derive(Clone, Debug)]
pub enum LogFormatName {
    /// A nickname, or text when no format has that nickname.
    Text(String),
    /// That of the last `LogFormat` without a nickname.
    Transfer,
}
