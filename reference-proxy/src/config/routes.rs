//! Which way a tunnel takes: `ProxyBlock`, `ProxyRemote`, `NoProxy`, `ProxyVia`.

mod remote;

pub use remote::{Credentials, Remote, Speaks};

use super::access::Network;
use super::environment::TooSlow;
use crate::request::{Authority, Host};
use std::net::IpAddr;

/// What one server says about the way.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// `ProxyBlock`, in lower case.
    pub blocked: Vec<String>,
    /// The addresses that those words have as names, when the config is read: as in httpd, blocking a name
    /// blocks its addresses.
    pub blocked_addresses: Vec<IpAddr>,
    /// `ProxyRemote` and `ProxyRemoteMatch`, in order.
    pub remotes: Vec<Remote>,
    /// `NoProxy`.
    pub direct: Vec<Direct>,
    /// `ProxyVia`.
    pub via: Option<Via>,
}

/// What happens to `Via` in requests to an upstream proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// This proxy's entry is added all the same: RFC 9110, section 7.6.3, demands it of every proxy.
    #[default]
    Off,
    /// The entry is added.
    On,
    /// The entry says which version of this program it is.
    Full,
    /// The client's entries are taken out; this proxy's is added, since loops could not be seen without it.
    Block,
}

/// One word of `NoProxy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direct {
    /// `.example.test`: names that end so.
    Domain(String),
    /// `10.0.0.0/8`, `10.1`, `10.1.2.3`.
    Network(Network),
    /// `host.example.test`.
    Name(String),
}

impl Routes {
    /// Joins what the main server says with what a virtual host says.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.blocked.extend_from_slice(&other.blocked);
        joined
            .blocked_addresses
            .extend_from_slice(&other.blocked_addresses);
        joined.remotes.extend_from_slice(&other.remotes);
        joined.direct.extend_from_slice(&other.direct);
        joined.via = other.via.or(self.via);
        joined
    }

    /// The upstream proxy for `target`, which the client spelled so; `None`: directly. Where there is one, it is still to
    /// be asked whether the target [`Self::goes_directly`].
    ///
    /// # Errors
    ///
    /// It took too long to find out.
    pub fn remote(&self, target: &Authority, spelled: &str) -> Result<Option<&Remote>, TooSlow> {
        for remote in &self.remotes {
            if remote.covers(target, spelled)? {
                return Ok(Some(remote));
            }
        }
        Ok(None)
    }

    /// Whether `NoProxy` names networks: then it covers names whose addresses lie in one.
    #[must_use]
    pub fn asks_addresses(&self) -> bool {
        let is_network = |direct: &Direct| matches!(direct, Direct::Network(_));
        self.direct.iter().any(is_network)
    }

    /// Whether `NoProxy` covers the host, which has these addresses when it is a name.
    #[must_use]
    pub fn goes_directly(&self, host: &Host, addresses: &[IpAddr]) -> bool {
        self.direct
            .iter()
            .any(|direct| direct.covers(host, addresses))
    }

    /// Whether `ProxyBlock` forbids the host by what it is called: a word blocks every host that contains
    /// it, `*` every host.
    #[must_use]
    pub fn blocks(&self, host: &Host) -> bool {
        if let Host::Address(address) = host
            && self.blocks_address(*address)
        {
            return true;
        }
        let name = host.to_string();
        self.blocked
            .iter()
            .any(|word| word.starts_with('*') || name.contains(word.as_str()))
    }

    /// Whether this is an address that `ProxyBlock` names, by itself or by a name, however it is spelled.
    #[must_use]
    pub fn blocks_address(&self, address: IpAddr) -> bool {
        self.blocked_addresses.contains(&address.to_canonical())
    }

    /// Adds a word of `ProxyBlock`, which has these addresses. A name that has none now is blocked as a name only.
    pub fn block(&mut self, word: &str, addresses: &[IpAddr]) {
        // The canonical name of a target has no last dot, and a word that has one would block nothing.
        let name = match word.trim_end_matches('.') {
            "" => word,
            name => name,
        };
        self.blocked.push(name.to_ascii_lowercase());
        let addresses = addresses.iter().map(IpAddr::to_canonical);
        self.blocked_addresses.extend(addresses);
    }
}

impl Direct {
    /// Reads a word of `NoProxy`.
    ///
    /// # Errors
    ///
    /// What could only be a network and is none to httpd.
    pub fn parse(word: &str) -> Result<Self, String> {
        Ok(match Network::parse(word) {
            _ if word.contains('/') && Self::is_odd(word) => {
                return Err(format!(
                    "NoProxy: '{word}' is no network: write ADDRESS/BITS"
                ));
            }
            Some(network) => Self::Network(network),
            None if word.starts_with('.') => Self::Domain(word.to_ascii_lowercase()),
            None => Self::Name(word.trim_end_matches('.').to_ascii_lowercase()),
        })
    }

    /// Whether what stands behind the slash is no length of a prefix; httpd then takes the whole for a part of a name.
    fn is_odd(word: &str) -> bool {
        let bits = word.rsplit('/').next().unwrap_or_default();
        Network::parse(word).is_none() || !bits.bytes().all(|digit| digit.is_ascii_digit())
    }

    fn covers(&self, host: &Host, addresses: &[IpAddr]) -> bool {
        match (self, host) {
            (Self::Network(network), Host::Address(address)) => {
                network.contains(address.to_canonical())
            }
            (Self::Network(network), Host::Name(_)) => addresses
                .iter()
                .any(|address| network.contains(address.to_canonical())),
            (Self::Domain(domain), Host::Name(name)) => name.ends_with(domain.as_str()),
            (Self::Name(own), Host::Name(name)) => **own == **name,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Authority {
        Authority::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn goes_directly_where_told() {
        let routes = Routes {
            remotes: vec![Remote::parse(&["*".into(), "http://127.0.0.1:3128".into()]).unwrap()],
            direct: ["10.0.0.0/8", ".in.test", "one.test"]
                .map(|word| Direct::parse(word).unwrap())
                .into(),
            ..Routes::default()
        };
        let inside = ["192.0.2.1", "10.0.0.1"].map(|address| address.parse().unwrap());
        for (to, addresses, directly) in [
            ("10.1.2.3:1", &[][..], true),
            ("11.1.2.3:1", &[], false),
            ("a.in.test:1", &[], true),
            ("in.test:1", &[], false),
            ("ONE.test:1", &[], true),
            ("two.one.test:1", &[], false),
            ("two.one.test:1", &inside, true),
            ("two.one.test:1", &inside[..1], false),
            ("[::ffff:10.0.0.1]:1", &[], true),
        ] {
            let target = target(to);
            assert!(routes.remote(&target, to).unwrap().is_some(), "{to}");
            assert_eq!(
                routes.goes_directly(&target.host, addresses),
                directly,
                "{to}"
            );
        }
        assert!(routes.asks_addresses());
        for odd in ["10.0.0.0/255.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "a/b"] {
            assert!(
                Direct::parse(odd).unwrap_err().contains("is no network"),
                "{odd}"
            );
        }
    }

    #[test]
    fn blocks_words_and_addresses() {
        let blocking = |words: &[&str]| {
            let mut routes = Routes::default();
            let known = crate::net::names::all(words.iter().map(|&word| word.to_owned()).collect());
            words
                .iter()
                .for_each(|word| routes.block(word, known.get(*word).map_or(&[], Vec::as_slice)));
            routes
        };
        let routes = blocking(&["BAD", "192.0.2.1", "localhost"]);
        for (host, blocked) in [
            ("very-bad.test:1", true),
            ("good.test:1", false),
            ("192.0.2.1:1", true),
            ("[::ffff:192.0.2.1]:1", true),
            ("127.0.0.1:1", true),
            ("127.0.0.2:1", false),
        ] {
            assert_eq!(routes.blocks(&target(host).host), blocked, "{host}");
        }
        assert!(blocking(&["*"]).blocks(&target("a:1").host));
        let dotted = blocking(&["bad.test.", "LOCALHOST."]);
        for host in ["bad.test:1", "bad.test.:1", "localhost:1", "LocalHost.:1"] {
            assert!(dotted.blocks(&target(host).host), "{host}");
        }
    }
}
