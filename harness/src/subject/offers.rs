//! What a subject can be told, as far as its profile's templates can express it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, MapAccess, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
};

use crate::setup::PortRange;

use crate::protocol::{HttpVersion, Listener};

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
    /// The versions of HTTP in which it can ask that one; without a word about them, HTTP/1.1 alone.
    pub upstream_versions: Versions,
    /// Listens on, and connects to, IPv6 addresses.
    pub ipv6: bool,
    /// Resolves names itself.
    pub names: bool,
    /// Can speak TLS on its listener.
    pub tls_listener: bool,
    /// The versions of HTTP that it serves; without a word about them, HTTP/1.1 alone.
    pub versions: Versions,
    /// The path at which it is a gateway to a WebSocket server, for clients that use extended CONNECT (RFC 8441).
    pub websocket: Option<String>,
    /// The timeouts that can be set.
    pub timeouts: Vec<TimeoutKind>,
}

impl Offers {
    /// Whether it can be told to ask an upstream proxy in that version.
    #[must_use]
    pub fn asks_upstream_in(&self, version: HttpVersion) -> bool {
        self.upstream && self.upstream_versions.0.contains(&version)
    }
}

/// The versions of HTTP that a subject serves, or asks in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<HttpVersion>")]
pub struct Versions(pub Vec<HttpVersion>);

impl TryFrom<Vec<HttpVersion>> for Versions {
    type Error = &'static str;

    fn try_from(named: Vec<HttpVersion>) -> Result<Self, &'static str> {
        match named.is_empty() {
            true => Err("no version is named; there are \"http/1.1\", \"h2c\" and \"h2\""),
            false => Ok(Self(named)),
        }
    }
}

impl Versions {
    /// Whether clients of HTTP/1.1 are served, in the clear or over TLS.
    #[must_use]
    pub fn has_http_1(&self) -> bool {
        self.0.contains(&HttpVersion::Http1)
    }

    /// What it listens with where nobody asks for anything else: HTTP/1.1 in the clear, or else the first of them.
    #[must_use]
    pub fn first_listener(&self) -> Listener {
        match self.0.first() {
            Some(HttpVersion::H2c) if !self.has_http_1() => Listener::H2c,
            Some(HttpVersion::H2) if !self.has_http_1() => Listener::H2,
            _ => Listener::Tcp,
        }
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self(vec![HttpVersion::Http1])
    }
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

/// The list in which a subject takes the ports that CONNECT may reach: a word for its kind, or a table of that and of how many
/// entries it has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedPorts {
    /// What its entries are.
    pub kind: PortList,
    /// How many entries it has room for; `None` where they are as many as anybody wants.
    pub most: Option<u16>,
}

/// What the entries of a list of ports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortList {
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

/// The smallest list that a run gets along with: what a case uses at a time, and the port of the subject itself.
const LEAST: u16 = 10;

impl AllowedPorts {
    /// A list of as many entries as anybody wants.
    #[must_use]
    pub const fn of(kind: PortList) -> Self {
        Self { kind, most: None }
    }

    /// Why it cannot hold these ports; `None` where it can.
    #[must_use]
    pub fn lacks_room_for(&self, ranges: &[PortRange]) -> Option<String> {
        let most = self.most?;
        let entries: usize = match self.kind {
            PortList::List => ranges.iter().map(|range| range.ports()).sum(),
            PortList::Ranges => ranges.len(),
        };
        let reason =
            || format!("its list of ports has room for {most} entries, and this takes {entries}");
        (entries > most.into()).then(reason)
    }

    /// How many ports of the harness's it holds, beside that of the subject itself.
    pub(crate) fn ports(&self) -> Option<u16> {
        match self.kind {
            PortList::List => self.most.map(|most| most - 1),
            PortList::Ranges => None,
        }
    }
}

impl<'de> Deserialize<'de> for AllowedPorts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = AllowedPorts;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("\"ranges\", \"list\", or { kind = \"list\", most = 16 }")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<AllowedPorts, E> {
        PortList::deserialize(StrDeserializer::new(word)).map(AllowedPorts::of)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<AllowedPorts, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            kind: PortList,
            most: Option<u16>,
        }
        let Table { kind, most } = Table::deserialize(MapAccessDeserializer::new(table))?;
        match most {
            Some(most) if most < LEAST => Err(A::Error::custom(format!(
                "a list of {most} entries is too short: a run takes {LEAST}; leave `allowed-ports` out, and allow all ports"
            ))),
            most => Ok(AllowedPorts { kind, most }),
        }
    }
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
