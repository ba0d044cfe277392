//! What clients of a proxy are meant to reach. Whatever it does not name is meant to be refused.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{
    audit::{Network, special_use},
    setup::PortRange,
};

/// What is meant to be reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Where it was read, as messages name it.
    pub origin: String,
    /// What may be reached.
    pub allow: Vec<Rule>,
    /// What may not, though a rule of [`Policy::allow`] names it.
    pub deny: Vec<Rule>,
    /// Whether a name that is allowed one by one may lead to an address with a special use, such as a private one.
    pub names_lead_anywhere: bool,
}

/// Some targets: the names or addresses, on the ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Names as a client writes them.
    pub names: Vec<NamePattern>,
    /// Addresses as a client writes them.
    pub networks: Vec<Network>,
    /// On which ports; of a rule that denies, none means all.
    pub ports: Vec<PortRange>,
}

/// Which names are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// This one.
    One(String),
    /// Those below this one, at every depth, and not itself: `*.example.org`.
    Below(String),
    /// Every one, and every address of the Internet: `*`.
    Any,
}

impl Policy {
    /// Whether a client is meant to reach `port` of a name, where it leads to an ordinary address of the Internet.
    #[must_use]
    pub fn allows_name(&self, name: &str, port: u16) -> bool {
        let has = |rule: &Rule| rule.names.iter().any(|pattern| pattern.means(name));
        let denies = |rule: &&Rule| has(rule) && rule.denies_port(port);
        !self.deny.iter().any(|rule| denies(&rule))
            && self
                .allow
                .iter()
                .any(|rule| has(rule) && rule.has_port(port))
    }

    /// Whether the policy names this very name, and no pattern that means it.
    pub(super) fn names_one(&self, name: &str, port: u16) -> bool {
        let one =
            |pattern: &NamePattern| matches!(pattern, NamePattern::One(_)) && pattern.means(name);
        self.allow
            .iter()
            .any(|rule| rule.has_port(port) && rule.names.iter().any(one))
    }

    /// Whether a client is meant to reach `port` of an address that it writes as one.
    ///
    /// An address with a special use is meant only by a network of that use, or a smaller one: `0.0.0.0/0` is the Internet, and
    /// opens no private network.
    #[must_use]
    pub fn allows_address(&self, address: IpAddr, port: u16) -> bool {
        !self.denies_address(address, port)
            && self
                .allow
                .iter()
                .any(|rule| rule.has_port(port) && rule.opens(address))
    }

    /// Whether a rule denies it in words.
    #[must_use]
    pub fn denies_address(&self, address: IpAddr, port: u16) -> bool {
        let holds = |rule: &Rule| {
            let anything = rule.names.contains(&NamePattern::Any);
            anything
                || rule
                    .networks
                    .iter()
                    .any(|network| network.contains(address))
        };
        self.deny
            .iter()
            .any(|rule| holds(rule) && rule.denies_port(port))
    }

    /// What it says, in lines for a reader.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.allow.iter().map(ToString::to_string).collect();
        lines.extend(self.deny.iter().map(|rule| format!("not {rule}")));
        lines.push("nothing else, and no address with a special use that is not named".to_owned());
        if self.names_lead_anywhere {
            lines
                .push("where a name that is named one by one leads is its owner's word".to_owned());
        }
        lines
    }

    /// Some ports that are open somewhere: of each rule the first, and that of TLS where it is among them.
    #[must_use]
    pub fn sample_ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.allow.iter().filter_map(Rule::sample_port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.truncate(SAMPLE_PORTS);
        ports
    }
}

/// Ports on which everything with a special use is tried: a proxy that decides by the port has few lists.
const SAMPLE_PORTS: usize = 3;

/// The port that programs most often ask a proxy for.
const TLS: u16 = 443;

impl Rule {
    /// Whether it is for `port`.
    #[must_use]
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.iter().any(|range| range.contains(port))
    }

    fn denies_port(&self, port: u16) -> bool {
        self.ports.is_empty() || self.has_port(port)
    }

    /// A port that it is for.
    #[must_use]
    pub fn sample_port(&self) -> Option<u16> {
        match self.has_port(TLS) {
            true => Some(TLS),
            false => self.ports.first().map(|range| range.first),
        }
    }

    /// Whether it names an address, written as one.
    fn opens(&self, address: IpAddr) -> bool {
        let anything = self.names.contains(&NamePattern::Any);
        match special_use::range_of(address) {
            None => {
                anything
                    || self
                        .networks
                        .iter()
                        .any(|network| network.contains(address))
            }
            Some(range) => {
                let mut inside = self
                    .networks
                    .iter()
                    .filter(|network| range.includes(**network));
                inside.any(|network| network.contains(address))
            }
        }
    }
}

impl NamePattern {
    /// Whether it means `name`; letter case and a dot behind decide nothing.
    #[must_use]
    pub fn means(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        match self {
            Self::One(one) => *one == name,
            Self::Below(parent) => name
                .strip_suffix(parent.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
            Self::Any => true,
        }
    }

    /// A name that it means, with `label` where it leaves one open.
    #[must_use]
    pub fn name(&self, label: &str) -> String {
        match self {
            Self::One(name) => name.clone(),
            Self::Below(parent) => format!("{label}.{parent}"),
            Self::Any => format!("{label}.test"),
        }
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.parse::<Network>().is_ok() {
            return Err(format!("`{text}` is an address; write it under `networks`"));
        }
        if let Some(parent) = text.strip_prefix('.') {
            return Err(format!(
                "`{text}` begins with a dot, which proxies read in two ways; write `*.{parent}` for the names below it, and `{parent}` for itself"
            ));
        }
        let (parent, below) = match text.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (text, false),
        };
        let label = |label: &str| {
            let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len()) && label.chars().all(letter)
        };
        if parent.len() > 253 || !parent.split('.').all(label) {
            return Err(format!(
                "`{text}` is no name; one is written registry.example.org, *.example.org for those below it, or * for all. Write it without port and scheme, and other scripts as `xn--`"
            ));
        }
        let parent = parent.to_ascii_lowercase();
        Ok(if below {
            Self::Below(parent)
        } else {
            Self::One(parent)
        })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(name) => f.write_str(name),
            Self::Below(parent) => write!(f, "*.{parent}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// `registry.example.org, 10.1.0.0/16 on 443 8443`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.iter().map(ToString::to_string);
        let networks = self.networks.iter().map(ToString::to_string);
        let hosts: Vec<String> = names.chain(networks).collect();
        let hosts = if hosts.is_empty() {
            "*".to_owned()
        } else {
            hosts.join(", ")
        };
        let ports: Vec<String> = self.ports.iter().map(ToString::to_string).collect();
        match ports.is_empty() {
            true => write!(f, "{hosts} on every port"),
            false => write!(f, "{hosts} on {}", ports.join(" ")),
        }
    }
}
