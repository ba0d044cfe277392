//! The authority-form target: a host, a colon and a port, and nothing else.
//!
//! One parsed value is what the policy judges and what is dialled, so the two cannot disagree. Hosts are
//! held to what httpd takes, which is less than RFC 3986 allows: letters, digits, `-`, `_` and `.`. A host
//! whose last label is a number must be a plain dotted quad, since resolvers read `127.1`, `0x7f000001` and
//! `017700000001` as addresses that no filter recognises.

use crate::refusal::Refusal;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a tunnel shall lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port; never 0.
    pub port: u16,
}

/// A host, as an address where it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address literal, as IPv4 where it is one.
    Address(IpAddr),
    /// A name, in lower case, without a last dot.
    Name(Box<str>),
}

impl Authority {
    /// Reads `target`.
    ///
    /// # Errors
    ///
    /// 400 for everything but a host and a port of 1 to 65535. RFC 9110, section 9.3.6.
    pub fn parse(target: &[u8]) -> Result<Self, Refusal> {
        let malformed = || Refusal::bad_request("the target of CONNECT is not host:port");
        let target = std::str::from_utf8(target).map_err(|_| malformed())?;
        let (host, port) = match target.strip_prefix('[') {
            Some(rest) => {
                let (inside, after) = rest.split_once(']').ok_or_else(malformed)?;
                let address: Ipv6Addr = inside
                    .parse()
                    .map_err(|_| Refusal::bad_request("the brackets hold no IPv6 address"))?;
                let port = after.strip_prefix(':').ok_or_else(malformed)?;
                // One address has one form, so that no policy is passed in the clothes of IPv6.
                (Host::Address(address.to_canonical()), port)
            }
            None => {
                let (host, port) = target.split_once(':').ok_or_else(malformed)?;
                (
                    Host::parse(host)
                        .ok_or_else(|| Refusal::bad_request("the host is malformed"))?,
                    port,
                )
            }
        };
        let port = self::port(port)
            .ok_or_else(|| Refusal::bad_request("the port is not a number from 1 to 65535"))?;
        Ok(Self { host, port })
    }
}

impl Host {
    /// Reads a host without brackets: a dotted quad or a name.
    #[must_use]
    pub fn parse(host: &str) -> Option<Self> {
        let name = host.strip_suffix('.').unwrap_or(host);
        let last = name.rsplit('.').next().unwrap_or_default();
        if is_number(last) {
            // A trailing dot makes no address: "127.0.0.1." is neither.
            return host
                .parse::<Ipv4Addr>()
                .ok()
                .map(|address| Self::Address(address.into()));
        }
        // RFC 1123, section 2.1: a top-level domain begins with a letter, so that no name looks like an address.
        let below_a_domain = name.contains('.');
        if below_a_domain && !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        // How long a label may be is for the resolver to know: what it cannot hold has no address.
        name.split('.')
            .all(is_label)
            .then(|| Self::Name(name.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn is_label(label: &str) -> bool {
    let mut octets = label.bytes();
    !label.is_empty()
        && octets.all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

/// Whether a resolver may take `label` as a number and the whole host as an address.
fn is_number(label: &str) -> bool {
    let digits = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    let hexadecimal = digits.is_some_and(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
    let decimal = !label.is_empty() && label.bytes().all(|digit| digit.is_ascii_digit());
    hexadecimal || decimal
}

/// A decimal number from 1 to 65535. Leading zeros are legal by grammar and change nothing.
fn port(digits: &str) -> Option<u16> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let port = digits.trim_start_matches('0').parse().ok()?;
    (port != 0).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(target: &str) -> Option<String> {
        Authority::parse(target.as_bytes())
            .ok()
            .map(|authority| authority.to_string())
    }

    #[test]
    fn takes_names_and_addresses() {
        for (target, means) in [
            ("example.test:443", "example.test:443"),
            ("EXAMPLE.test.:443", "example.test:443"),
            ("127.0.0.1:7001", "127.0.0.1:7001"),
            ("127.0.0.1:0007001", "127.0.0.1:7001"),
            ("[::1]:65535", "[::1]:65535"),
            ("[::ffff:127.0.0.1]:1", "127.0.0.1:1"),
            ("[0:0::1]:1", "[::1]:1"),
            ("under_score:1", "under_score:1"),
        ] {
            assert_eq!(parsed(target).as_deref(), Some(means), "{target}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for target in [
            "",
            ":",
            ":443",
            "host",
            "host:",
            "host:0",
            "host:65536",
            "host:4294967739",
            "a.1b:1",
            "a._b:1",
            "host:-1",
            "host:+443",
            "host:18446744073709551616",
            "host:0x1bb",
            "host:443a",
            "host:https",
            "host:443/",
            "host:443?x",
            "host:443#f",
            "u@host:443",
            "u:p@host:443",
            "http://host:443/",
            "/x",
            "*",
            "//host:443",
            "h:1,h:2",
            "h:1,443",
            "h:1:2",
            "::1:443",
            "[::1]",
            "[::1]443",
            "[::1:443",
            "::1]:443",
            "[127.0.0.1]:443",
            "[host]:443",
            "[]:443",
            "[v1.fe80::a]:443",
            "[fe80::1%25lo]:443",
            "[::1%lo]:443",
            "loc%61lhost:443",
            "a..b:443",
            ".a:443",
            "127.1:443",
            "2130706433:443",
            "0x7f000001:443",
            "0177.0.0.1:443",
            "017700000001:443",
            "127.0.0.1.:443",
            "127.0.0.01:443",
            "256.0.0.1:443",
            "0:443",
            "a.0x1f:443",
            "ho\\st:443",
            "ho\"st:443",
            "ho<st:443",
            "h\u{f6}st:443",
            "host:\u{ff14}",
            "host..:1",
            ".:1",
        ] {
            assert_eq!(parsed(target), None, "{target}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_round_trips(name in "[a-z][a-z0-9_-]{0,9}(\\.[a-z][a-z0-9]{0,9}){0,3}", port in 1u16..) {
            let target = format!("{name}:{port}");
            prop_assert_eq!(parsed(&target), Some(target));
        }

        #[test]
        fn only_a_port_in_range_is_taken(port in any::<u64>()) {
            prop_assert_eq!(parsed(&format!("h:{port}")).is_some(), (1..=65535).contains(&port));
        }
    }
}
