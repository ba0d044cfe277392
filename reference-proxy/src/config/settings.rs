//! What directives have said so far, before main server and virtual hosts are joined.

use super::access::Sections;
use super::destinations::Destinations;
use super::environment::Rules;
use super::error::Place;
use super::head_time::HeadTime;
use super::idle_lines::IdleLines;
use super::routes::Routes;
use super::{AllowConnect, HostAddress, Listen};
use crate::log::error::{ErrorFormat, Level};
use crate::log::format::Format;
use crate::log::{Condition, LogTarget};
use crate::net::listen::Buffers;
use crate::tls::Versions;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The most warnings that are kept: who does not read a thousand does not read more.
const WARNINGS_MOST: usize = 1000;

/// Settings of the whole process.
#[derive(Clone, Debug, Default)]
pub struct Global {
    /// `Listen`.
    pub listen: Vec<Listen>,
    /// `SendBufferSize` and `ReceiveBufferSize`.
    pub buffers: Buffers,
    /// `MaxRequestWorkers`.
    pub connections_most: Option<usize>,
    /// `GracefulShutdownTimeout`.
    pub drain: Option<Duration>,
    /// `PidFile`.
    pub pid_file: Option<PathBuf>,
    /// `ServerRoot`.
    pub root: Option<PathBuf>,
    /// `User`.
    pub user: Option<String>,
    /// `Group`.
    pub group: Option<String>,
    /// Every module counts as loaded.
    pub every_module: bool,
    /// `LoadModule`, by identifier and by file.
    pub modules: HashSet<String>,
    /// What was accepted and does not do what somebody may expect.
    pub warnings: Vec<String>,
    /// What was accepted and means nothing to a CONNECT proxy.
    pub idle: IdleLines,
    /// `LogFormat` with a nickname.
    pub formats: HashMap<String, Arc<Format>>,
    /// `GlobalLog`.
    pub logs: Vec<LogLine>,
    /// Fields that `RequestHeader … early` changes, and where it does.
    pub early_fields: Vec<(String, Place)>,
    /// The virtual hosts.
    pub hosts: Vec<Host>,
    /// The names that `ProxyBlock` and `<VirtualHost>` look up, and their addresses.
    pub addresses: HashMap<String, Vec<IpAddr>>,
}

/// A `<VirtualHost>` that is not yet joined with the main server.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its addresses.
    pub addresses: Vec<HostAddress>,
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
    /// `ProxySourceAddress`.
    pub source_address: Option<IpAddr>,
    /// `ProxyReceiveBufferSize`; `Some(None)`: as the kernel sees fit.
    pub receive_buffer: Option<Option<usize>>,
    /// `LimitRequestLine`.
    pub line_limit: Option<usize>,
    /// `LimitRequestFieldSize`.
    pub field_limit: Option<usize>,
    /// `LimitRequestFields`.
    pub fields_limit: Option<usize>,
    /// `RequestReadTimeout`.
    pub head_time: Option<HeadTime>,
    /// `CustomLog` and `TransferLog`.
    pub logs: Vec<LogLine>,
    /// `SetEnvIf`, `SetEnv` and their kin.
    pub environment: Rules,
    /// `LogFormat` without a nickname, for `TransferLog`.
    pub transfer_format: Option<Arc<Format>>,
    /// `ErrorLog`.
    pub error_log: Option<LogTarget>,
    /// `ErrorLogFormat`.
    pub error_format: Option<Arc<ErrorFormat>>,
    /// `LogLevel`.
    pub log_level: Option<Level>,
    /// `<Proxy>` and `<Location>`.
    pub sections: Arc<Sections>,
    /// `AllowDestination` and `DenyDestination`.
    pub destinations: Destinations,
    /// `ProxyRemote` and its kin.
    pub routes: Routes,
    /// `Protocols`.
    pub protocols: Vec<String>,
    /// `ProtocolsHonorOrder`.
    pub honor_order: Option<bool>,
    /// `KeepAliveTimeout`.
    pub keep_alive: Option<Duration>,
    /// `H2…`.
    pub http2: Http2Settings,
    /// `SSLEngine`.
    pub tls: Option<bool>,
    /// `SSLCertificateFile`.
    pub certificate: Option<PathBuf>,
    /// `SSLCertificateKeyFile`.
    pub key: Option<PathBuf>,
    /// `SSLCertificateChainFile`.
    pub chain: Option<PathBuf>,
    /// `SSLProxyCACertificateFile`.
    pub proxy_authorities: Option<PathBuf>,
    /// `SSLProtocol`.
    pub tls_versions: Option<Versions>,
}

/// What a server says about HTTP/2; `None` where it says nothing.
#[derive(Clone, Debug, Default)]
pub struct Http2Settings {
    /// `H2Direct`.
    pub direct: Option<bool>,
    /// `H2MaxSessionStreams`.
    pub streams_most: Option<u32>,
    /// `H2WindowSize`.
    pub window: Option<u32>,
    /// `H2MaxDataFrameLen`.
    pub data_most: Option<usize>,
    /// `H2StreamTimeout`.
    pub stream_timeout: Option<Duration>,
}

impl Global {
    /// Notes something that was accepted and does not do what somebody may expect.
    pub fn warn(&mut self, place: &Place, message: &str) {
        match self.warnings.len() {
            WARNINGS_MOST => return self.warnings.push("more warnings are left out".into()),
            0..WARNINGS_MOST => {}
            _ => return,
        }
        self.warnings
            .push(format!("{} line {}: {message}", place.file, place.line));
    }

    /// Notes a line that means nothing to a CONNECT proxy.
    pub fn idle(&mut self, place: &Place, name: &str) {
        self.idle.note(place, name);
    }

    /// All that is to be said to whoever wrote the files.
    #[must_use]
    pub fn every_warning(&self) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        warnings.extend(self.idle.to_warnings());
        warnings
    }

    /// Whether a module of httpd is loaded, by identifier or by source file.
    #[must_use]
    pub fn has(&self, module: &str) -> bool {
        self.every_module || BUILT_IN.contains(&module) || self.modules.contains(module)
    }

    /// Whether the directives of a module are there. A file that loads no MPM is one for an httpd that has one
    /// compiled in, and which one it is nobody can tell.
    #[must_use]
    pub fn brings(&self, module: &str) -> bool {
        let is_mpm = |module: &str| module.starts_with("mpm_");
        self.has(module) || (is_mpm(module) && !self.modules.iter().any(|own| is_mpm(own)))
    }
}

/// The modules that count as compiled in: those of Debian's httpd.
const BUILT_IN: [&str; 18] = [
    "core_module",
    "core.c",
    "http_module",
    "http_core.c",
    "log_config_module",
    "mod_log_config.c",
    "logio_module",
    "mod_logio.c",
    "unixd_module",
    "mod_unixd.c",
    "so_module",
    "mod_so.c",
    "version_module",
    "mod_version.c",
    "watchdog_module",
    "mod_watchdog.c",
    // What httpd does not have.
    "reference_proxy_module",
    "mod_reference_proxy.c",
];

/// One `CustomLog` and its kin.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Where lines go.
    pub target: LogTarget,
    /// What they say.
    pub format: LogFormatName,
    /// Which requests get one; `None`: all.
    pub condition: Option<Condition>,
}

/// Which format a log has.
#[derive(Clone, Debug)]
pub enum LogFormatName {
    /// A nickname, or text when no format has that nickname.
    Text(String),
    /// That of the last `LogFormat` without a nickname.
    Transfer,
}
