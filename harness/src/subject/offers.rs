//! What a subject can be told, as far as its profile's templates can express it.

use serde::Deserialize;

/// What a subject can be told, as far as its profile's templates can express it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Offers {
    /// Which destination ports CONNECT may reach.
    pub allowed_ports: Option<AllowedPorts>,
    /// What it allows when no list is given. `Some` and empty: nothing; `None`: not known.
    pub default_ports: Option<Vec<u16>>,
    /// Which names CONNECT may reach, as far as it can be told.
    pub allowed_hosts: Option<HostLists>,
    /// Which names it may not reach.
    pub denied_hosts: Option<HostLists>,
    /// Takes allowed and denied names at once.
    pub host_exceptions: bool,
    /// Refuses addresses that mean its own machine or network, where it is told to or unless it is told otherwise.
    pub refuses_private: bool,
    /// Takes the list of ports in the words of its own configuration, verbatim.
    pub directive: bool,
    /// Takes lines in the language of its own configuration, which is that of the product that it is like.
    #[serde(alias = "httpd-text")]
    pub config_lines: bool,
    /// Can ask for a user name and a password.
    pub credentials: bool,
    /// Which user names and passwords its configuration can hold.
    pub passwords: Passwords,
    /// Can be told which clients to serve, by their addresses.
    pub clients: bool,
    /// Can go through another proxy.
    pub upstream: bool,
    /// Listens on, and connects to, IPv6 addresses.
    pub ipv6: bool,
    /// Resolves names itself.
    pub names: bool,
    /// Can speak TLS on its listener.
    pub tls_listener: bool,
    /// The timeouts that can be set.
    pub timeouts: Vec<TimeoutKind>,
}

/// Which user names and passwords a subject's configuration can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passwords {
    /// All that HTTP Basic can carry.
    Any,
    /// Words of letters, digits, dots, underscores and hyphens.
    Plain,
    /// Such words, and of one user only: what can be relied on where a profile does not say.
    #[default]
    One,
}

/// In which form a subject takes the ports that CONNECT may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllowedPorts {
    /// Single ports only.
    List,
    /// Single ports, and ranges of them.
    Ranges,
}

/// What a list of names can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostLists {
    /// Names by themselves only.
    Names,
    /// Names, and names with all that is below them.
    Subdomains,
}

/// One of the timeouts that a subject can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeoutKind {
    /// For a server to accept.
    Connect,
    /// For a whole request head.
    Header,
    /// For the next byte in a tunnel.
    Idle,
}
