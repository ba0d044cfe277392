//! Which way a tunnel takes: `ProxyBlock`, `ProxyRemote`, `NoProxy`, `ProxyVia`.

use super::access::Network;
use crate::request::{Authority, Host};
use std::net::{IpAddr, ToSocketAddrs};

/// What one server says about the way.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// `ProxyBlock`, in lower case.
    pub blocked: Vec<String>,
    /// The addresses that those words have as names, when the config is read: as in httpd, blocking a name
    /// blocks its addresses.
    pub blocked_addresses: Vec<IpAddr>,
    /// `ProxyRemote`, in order.
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

/// One `ProxyRemote`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The host of the targets that it is for, or `*`.
    pub selector: String,
    /// The upstream proxy.
    pub proxy: Authority,
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

    /// The upstream proxy for `target`; `None`: directly.
    #[must_use]
    pub fn remote(&self, target: &Authority) -> Option<&Remote> {
        if self.direct.iter().any(|direct| direct.covers(&target.host)) {
            return None;
        }
        let host = target.host.to_string();
        self.remotes
            .iter()
            .find(|remote| remote.selector == "*" || remote.selector.eq_ignore_ascii_case(&host))
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

    /// Adds a word of `ProxyBlock`. A name that has no address now is blocked as a name only.
    pub fn block(&mut self, word: &str) {
        self.blocked.push(word.to_ascii_lowercase());
        let found = if word == "*" {
            None
        } else {
            (word, 0).to_socket_addrs().ok()
        };
        self.blocked_addresses.extend(
            found
                .into_iter()
                .flatten()
                .map(|address| address.ip().to_canonical()),
        );
    }
}

impl Remote {
    /// Reads a selector and a URL.
    ///
    /// # Errors
    ///
    /// Anything but `http://HOST:PORT`.
    pub fn parse(selector: &str, url: &str) -> Result<Self, String> {
        let wrong = || format!("ProxyRemote: '{url}' is not http://HOST:PORT");
        let rest = url
            .split_once("://")
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("http"));
        let authority = rest.ok_or_else(wrong)?.1.trim_end_matches('/');
        let proxy = Authority::parse(authority.as_bytes()).map_err(|_| wrong())?;
        Ok(Self {
            selector: selector.to_owned(),
            proxy,
        })
    }
}

impl Direct {
    /// Reads a word of `NoProxy`.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match Network::parse(word) {
            Some(network) => Self::Network(network),
            None if word.starts_with('.') => Self::Domain(word.to_ascii_lowercase()),
            None => Self::Name(word.trim_end_matches('.').to_ascii_lowercase()),
        }
    }

    fn covers(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Network(network), Host::Address(address)) => {
                network.contains(address.to_canonical())
            }
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
            remotes: vec![Remote::parse("*", "http://127.0.0.1:3128").unwrap()],
            direct: ["10.0.0.0/8", ".in.test", "one.test"]
                .map(Direct::parse)
                .into(),
            ..Routes::default()
        };
        for (to, through) in [
            ("10.1.2.3:1", false),
            ("11.1.2.3:1", true),
            ("a.in.test:1", false),
            ("in.test:1", true),
            ("ONE.test:1", false),
            ("two.one.test:1", true),
            ("[::ffff:10.0.0.1]:1", false),
        ] {
            assert_eq!(routes.remote(&target(to)).is_some(), through, "{to}");
        }
    }

    #[test]
    fn the_selector_is_a_host() {
        let one = |selector: &str| Routes {
            remotes: vec![Remote::parse(selector, "http://127.0.0.1:3128/").unwrap()],
            ..Routes::default()
        };
        assert!(one("127.0.0.1").remote(&target("127.0.0.1:1")).is_some());
        assert!(one("127.0.0.1").remote(&target("localhost:1")).is_none());
        assert!(one("https").remote(&target("localhost:1")).is_none());
        for bad in [
            "https://a:1",
            "http://a",
            "http://u@a:1",
            "a:1",
            "http://a:1/x",
        ] {
            assert!(Remote::parse("*", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn blocks_words_and_addresses() {
        let blocking = |words: &[&str]| {
            let mut routes = Routes::default();
            words.iter().for_each(|word| routes.block(word));
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
    }
}
