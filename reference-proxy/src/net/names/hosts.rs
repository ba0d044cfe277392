//! The hosts file.
//!
//! Read here and not by the resolver's crate, for which the names of an address have no order: which one a client has
//! must not depend on chance.

use crate::regular;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// Lists that block a million advertisers are shorter.
const LONGEST: u64 = 64 << 20;

/// What it says.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    by_name: HashMap<String, Vec<IpAddr>>,
    /// The first name of each address.
    by_address: HashMap<IpAddr, String>,
}

impl Hosts {
    /// A file that cannot be read says nothing.
    pub(super) fn read(path: &Path) -> Self {
        let octets = regular::read(path, LONGEST).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&octets))
    }

    /// The addresses of a name, in the order of the file; `None`: it says nothing about it.
    pub(super) fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let name = canonical(name);
        let known = self.by_name.get(&name).cloned();
        // RFC 6761, section 6.3: whatever the file says or not.
        let loopback = || vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        known.or_else(|| (name == "localhost").then(loopback))
    }

    /// The name of an address.
    pub(super) fn name(&self, address: IpAddr) -> Option<&str> {
        self.by_address.get(&address).map(String::as_str)
    }

    fn parse(text: &str) -> Self {
        let mut hosts = Self::default();
        for line in text.lines() {
            let mut words = line
                .split('#')
                .next()
                .unwrap_or_default()
                .split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse::<IpAddr>) else {
                continue;
            };
            for name in words.map(canonical) {
                let first = hosts.by_address.entry(address.to_canonical());
                first.or_insert_with(|| name.clone());
                hosts.by_name.entry(name).or_default().push(address);
            }
        }
        hosts
    }
}

fn canonical(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_all_their_addresses_and_addresses_their_first_name() {
        let hosts = Hosts::parse(
            "# mine\n127.0.0.1 localhost\n192.0.2.1\tOne.test one # two\n2001:db8::1 one\nno.test x\n192.0.2.1 late\n",
        );
        let addresses = |name: &str| {
            let found = hosts.addresses(name).unwrap_or_default();
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(addresses("one.TEST."), ["192.0.2.1"]);
        assert_eq!(addresses("one"), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(addresses("late"), ["192.0.2.1"]);
        assert_eq!(hosts.addresses("two"), None);
        assert_eq!(hosts.addresses("x"), None);
        assert_eq!(hosts.name("192.0.2.1".parse().unwrap()), Some("one.test"));
        let nothing = Hosts::default().addresses("localhost").unwrap();
        assert!(nothing.iter().all(IpAddr::is_loopback) && nothing.len() == 2);
    }
}
