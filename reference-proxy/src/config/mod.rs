//! What the proxy is told to do: the meaning of a config file or of flags.
//!
//! [`source`] knows the syntax, [`reader`] makes one tree of all files, [`directives`] knows what each line may
//! say, [`build`] applies them, [`join`] joins the main server with its virtual hosts. What comes out is immutable; a reload makes a new one.

pub mod access;
pub mod allow;
pub mod build;
pub mod destinations;
pub mod directives;
pub mod environment;
pub mod error;
pub mod expression;
mod glob;
pub mod head_time;
pub mod http2;
pub mod idle_lines;
pub mod join;
pub mod protocols;
pub mod reader;
pub mod routes;
pub mod settings;
pub mod source;

pub use access::Access;
pub use allow::AllowConnect;
pub use error::ConfigError;
pub use http2::Http2;
pub use protocols::Protocols;

use crate::log::Condition;
use crate::log::LogTarget;
use crate::log::error::{ErrorFormat, Level};
use crate::log::format::Format;
use crate::net::{dial::Origin, listen::Buffers};
use crate::request::{Authority, HeadLimits, Host};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// The server for addresses that no virtual host has.
    pub main: Arc<Server>,
    /// The virtual hosts, in order.
    pub hosts: Vec<VirtualHost>,
    /// What the kernel may hold for each connection that is accepted (`SendBufferSize`, `ReceiveBufferSize`).
    pub buffers: Buffers,
    /// Connections at once (`MaxRequestWorkers`); `None`: as many as the limit of open files allows.
    pub connections_most: Option<usize>,
    /// How long tunnels may last after SIGTERM (`GracefulShutdownTimeout`).
    pub drain: Duration,
    /// Where the process id goes.
    pub pid_file: Option<PathBuf>,
    /// Who the process becomes (`User`).
    pub user: Option<String>,
    /// Which group it becomes (`Group`).
    pub group: Option<String>,
    /// What was accepted and means nothing here, with its place.
    pub warnings: Vec<String>,
}

/// One `Listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    /// The address; the unspecified IPv6 address stands for IPv4, too.
    pub address: SocketAddr,
}

/// `<VirtualHost>`: addresses and the server behind them.
#[derive(Clone, Debug)]
pub struct VirtualHost {
    /// Where its connections arrive.
    pub addresses: Vec<HostAddress>,
    /// What it does.
    pub server: Arc<Server>,
}

/// One address of a `<VirtualHost>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The address; `None` for `*`.
    pub ip: Option<IpAddr>,
    /// The port; `None` for every port.
    pub port: Option<u16>,
}

/// One server's settings, main and virtual host joined.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its place in [`Config::servers`].
    pub index: usize,
    /// `ServerName`, without scheme and port.
    pub name: Option<Arc<str>>,
    /// The port of `ServerName`.
    pub name_port: Option<u16>,
    /// `ServerAlias`, wildcards included.
    pub aliases: Vec<String>,
    /// Whether CONNECT is served at all.
    pub connects: Connects,
    /// The ports it may reach.
    pub allow: AllowConnect,
    /// Who may use it.
    pub access: Access,
    /// Which addresses it may reach.
    pub destinations: destinations::Destinations,
    /// Which way a tunnel takes.
    pub routes: routes::Routes,
    /// Which variables a request gets (`SetEnvIf`, `SetEnv` and their kin).
    pub environment: environment::Rules,
    /// How much head is read.
    pub head: HeadLimits,
    /// How long the head may take.
    pub head_time: head_time::HeadTime,
    /// How long a next hop may take to accept (`ProxyTimeout`, else `Timeout`).
    pub connect_time: Duration,
    /// What connections to servers and upstream proxies begin with (`ProxySourceAddress`, `ProxyReceiveBufferSize`).
    pub origin: Origin,
    /// How long a tunnel may be silent in both directions: the longer of `Timeout` and `ProxyTimeout`.
    pub idle_time: Duration,
    /// Which versions of HTTP it speaks.
    pub protocols: Protocols,
    /// How it speaks HTTP/2.
    pub http2: Http2,
    /// What a TLS handshake with a client needs (`SSLEngine`).
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What one with an upstream proxy needs (`SSLProxyCACertificateFile`).
    pub upstream_tls: Option<Arc<rustls::ClientConfig>>,
    /// The access logs.
    pub logs: Vec<AccessLog>,
    /// The error log.
    pub error_log: LogTarget,
    /// What its lines say.
    pub error_format: Arc<ErrorFormat>,
    /// Up to which level.
    pub log_level: Level,
}

/// Whether CONNECT is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connects {
    /// It is.
    Yes,
    /// `ProxyRequests` is off, or mod_proxy is not loaded.
    ProxyOff,
    /// mod_proxy_connect is not loaded.
    NoModule,
}

/// One `CustomLog`.
#[derive(Clone, Debug)]
pub struct AccessLog {
    /// Where lines go.
    pub target: LogTarget,
    /// What they say.
    pub format: Arc<Format>,
    /// Which requests get one (`env=`); `None`: all.
    pub condition: Option<Condition>,
}

impl Config {
    /// The server for a connection that arrived at `local` and wants to reach `target`.
    ///
    /// As in httpd: the address decides first, exact before `*`; among the virtual hosts of that address
    /// the name of the *target* decides, not the Host field, and the first is the default.
    #[must_use]
    pub fn server(&self, local: SocketAddr, target: Option<&Authority>) -> &Arc<Server> {
        let canonical = local.ip().to_canonical();
        let rank = |host: &VirtualHost| {
            let ranks = host
                .addresses
                .iter()
                .filter_map(|&HostAddress { ip, port }| {
                    let fits = ip.is_none_or(|ip| ip.to_canonical() == canonical)
                        && port.is_none_or(|port| port == local.port());
                    fits.then_some((ip.is_some(), port.is_some()))
                });
            ranks.max()
        };
        let Some(best) = self.hosts.iter().filter_map(rank).max() else {
            return &self.main;
        };
        let mut candidates = self.hosts.iter().filter(|host| rank(host) == Some(best));
        let named = target.and_then(|target| {
            let name = target.host.to_string();
            candidates
                .clone()
                .find(|candidate| candidate.server.is_called(&name))
        });
        named
            .or_else(|| candidates.next())
            .map_or(&self.main, |host| &host.server)
    }

    /// Where all logs go.
    pub fn log_targets(&self) -> impl Iterator<Item = &LogTarget> {
        self.servers().flat_map(|server| {
            let access = server.logs.iter().map(|log| &log.target);
            access.chain(std::iter::once(&server.error_log))
        })
    }

    /// Every server, the main one first.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        std::iter::once(&self.main).chain(self.hosts.iter().map(|host| &host.server))
    }
}

/// What `-S` prints.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "VirtualHost configuration:")?;
        for host in &self.hosts {
            let addresses = host.addresses.iter().map(|HostAddress { ip, port }| {
                let ip = ip.map_or_else(|| "*".to_owned(), |ip| ip.to_string());
                format!(
                    "{ip}:{}",
                    port.map_or_else(|| "*".to_owned(), |port| port.to_string())
                )
            });
            let addresses = addresses.collect::<Vec<_>>().join(" ");
            let name = host.server.name.as_deref().unwrap_or("(no name)");
            writeln!(f, "{addresses} {name} AllowCONNECT {}", host.server.allow)?;
            for alias in &host.server.aliases {
                writeln!(f, "        alias {alias}")?;
            }
        }
        let name = self.main.name.as_deref().unwrap_or("(no name)");
        writeln!(f, "main server {name} AllowCONNECT {}", self.main.allow)
    }
}

impl Server {
    fn is_called(&self, name: &str) -> bool {
        self.name
            .as_deref()
            .is_some_and(|own| canonical(own).eq_ignore_ascii_case(name))
            || self
                .aliases
                .iter()
                .any(|alias| matches_wildcard(&canonical(alias), name))
    }
}

/// A name without its last dot, an address in the form that targets have.
fn canonical(written: &str) -> Cow<'_, str> {
    let inside = written
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inside.unwrap_or(written).parse::<Ipv6Addr>() {
        Ok(address) => Cow::Owned(Host::Address(address.to_canonical()).to_string()),
        Err(_) => Cow::Borrowed(written.strip_suffix('.').unwrap_or(written)),
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters and `?` for one, in any case.
#[must_use]
pub fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c.eq_ignore_ascii_case(&name[n]) => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_have_one_form() {
        for (written, form) in [
            ("a.test.", "a.test"),
            ("*.test.", "*.test"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("::FFFF:7f00:1", "127.0.0.1"),
            ("[0:0::1]", "[::1]"),
            ("::1", "[::1]"),
        ] {
            assert_eq!(canonical(written), form, "{written}");
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*.test", "a.test", true),
            ("*.test", "test", false),
            ("a?c", "ABC", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b", "aXXc", false),
            ("", "a", false),
        ] {
            assert_eq!(matches_wildcard(pattern, name), fits, "{pattern} {name}");
        }
    }
}
