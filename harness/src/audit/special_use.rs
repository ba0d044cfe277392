//! Addresses that mean this machine, this network, or nobody's server: what no proxy should dial for a stranger who writes them.
//!
//! The ranges are those of the registries that RFC 6890 describes, and those that carry an address of IPv4 in one of IPv6.

use std::{net::IpAddr, sync::LazyLock};

use crate::audit::Network;

/// A range of addresses with one use.
#[derive(Debug)]
pub(super) struct SpecialUse {
    /// What it is for, for a reader.
    pub(super) what: &'static str,
    /// The range.
    pub(super) range: Network,
    /// How grave it is that a proxy leads there.
    pub(super) weight: Weight,
    /// Addresses of it that are asked for.
    pub(super) examples: Vec<IpAddr>,
}

/// How grave it is that a proxy leads to such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Somebody's machines are there, behind the firewall that the proxy stands beside.
    Inside,
    /// Nobody's, as far as anybody knows: good practice.
    Nowhere,
    /// No listener can be there: that a connection fails says nothing of a rule.
    Unheard,
}

/// The smallest range with a special use that holds `address`.
pub(super) fn range_of(address: IpAddr) -> Option<Network> {
    let mut holding = ALL.iter().filter(|special| special.range.contains(address));
    holding.next().map(|special| special.range)
}

/// Whether somebody can listen at `address`.
pub(super) fn can_be_heard_at(address: IpAddr) -> bool {
    let special = ALL.iter().find(|special| special.range.contains(address));
    let this = matches!(address, IpAddr::V4(address) if address.octets()[0] == 0);
    !this && special.is_none_or(|special| special.weight != Unheard)
}

/// Where a connection to `address` arrives, on this machine.
pub(super) fn arrives(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        // Systems take the address that means none for themselves.
        IpAddr::V4(address) if address.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// Every range, smaller ones before those around them.
pub(super) static ALL: LazyLock<Vec<SpecialUse>> = LazyLock::new(|| {
    let address = |text: &&str| text.parse().expect("the table has addresses");
    ROWS.iter()
        .map(|&(what, range, weight, examples)| SpecialUse {
            what,
            range: range.parse().expect("the table has networks"),
            weight,
            examples: examples.iter().map(address).collect(),
        })
        .collect()
});

use Weight::{Inside, Nowhere, Unheard};

/// What it is for, the range, how grave it is, and addresses of it.
type Row = (&'static str, &'static str, Weight, &'static [&'static str]);

const ROWS: &[Row] = &[
    // RFC 1122, section 3.2.1.3.
    ("this machine", "0.0.0.0/8", Inside, &["0.0.0.0"]),
    (
        "loopback",
        "127.0.0.0/8",
        Inside,
        &["127.0.0.1", "127.77.7.7"],
    ),
    // RFC 1918.
    ("private", "10.0.0.0/8", Inside, &["10.7.7.7"]),
    (
        "private",
        "172.16.0.0/12",
        Inside,
        &["172.16.7.7", "172.31.255.7"],
    ),
    ("private", "192.168.0.0/16", Inside, &["192.168.7.7"]),
    // RFC 6598.
    ("behind a carrier", "100.64.0.0/10", Inside, &["100.64.7.7"]),
    // RFC 3927; clouds hand out credentials at the first of these.
    (
        "link-local",
        "169.254.0.0/16",
        Inside,
        &["169.254.169.254", "169.254.7.7"],
    ),
    // RFC 6890; one cloud hands out credentials at the last of these.
    ("for protocols", "192.0.0.0/24", Inside, &["192.0.0.192"]),
    // RFC 5737.
    ("documentation", "192.0.2.0/24", Nowhere, &["192.0.2.7"]),
    (
        "documentation",
        "198.51.100.0/24",
        Nowhere,
        &["198.51.100.7"],
    ),
    ("documentation", "203.0.113.0/24", Nowhere, &["203.0.113.7"]),
    // RFC 2544.
    ("benchmarks", "198.18.0.0/15", Nowhere, &["198.18.7.7"]),
    // RFC 5771: TCP has no groups.
    ("multicast", "224.0.0.0/4", Unheard, &["224.0.0.7"]),
    (
        "broadcast",
        "255.255.255.255",
        Unheard,
        &["255.255.255.255"],
    ),
    // RFC 1112, section 4.
    ("reserved", "240.0.0.0/4", Nowhere, &["240.7.7.7"]),
    // RFC 4291, sections 2.5.2 and 2.5.3.
    ("this machine", "::", Inside, &["::"]),
    ("loopback", "::1", Inside, &["::1"]),
    // RFC 4291, section 2.5.5.1.
    ("compatible with IPv4", "::/96", Nowhere, &["::10.7.7.7"]),
    // RFC 6052; the address of IPv4 in it is a private one.
    ("NAT64", "64:ff9b::/96", Nowhere, &["64:ff9b::a07:707"]),
    // RFC 8215.
    (
        "NAT64 of one network",
        "64:ff9b:1::/48",
        Nowhere,
        &["64:ff9b:1::a07:707"],
    ),
    // RFC 6666.
    ("discard", "100::/64", Nowhere, &["100::7"]),
    // RFC 4380, with a private address as its client.
    (
        "Teredo",
        "2001::/32",
        Nowhere,
        &["2001:0:a07:707::f5f8:f8f8"],
    ),
    // RFC 5180.
    ("benchmarks", "2001:2::/48", Nowhere, &["2001:2::7"]),
    // RFC 3849 and RFC 9637.
    ("documentation", "2001:db8::/32", Nowhere, &["2001:db8::7"]),
    ("documentation", "3fff::/20", Nowhere, &["3fff::7"]),
    // RFC 3056, with a private address as its router.
    ("6to4", "2002::/16", Nowhere, &["2002:a07:707::7"]),
    // RFC 4193; the first is where clouds hand out credentials.
    (
        "unique local",
        "fc00::/7",
        Inside,
        &["fd00:ec2::254", "fd07:7:7::7"],
    ),
    // RFC 4291, section 2.5.6: a target has no place for the zone that such an address takes.
    ("link-local", "fe80::/10", Unheard, &["fe80::7"]),
    ("multicast", "ff00::/8", Unheard, &["ff02::7"]),
];

/// Addresses of IPv4 that are mapped into IPv6 (RFC 4291, section 2.5.5.2): a connection goes to the one of IPv4.
pub(super) const MAPPED: [&str; 3] = [
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.7.7.7",
];

/// Other words for an address, for whoever compares text: what they mean, and the words.
pub(super) const SPELLINGS: [(&str, &str); 14] = [
    ("127.0.0.1", "localhost"),
    ("127.0.0.1", "LOCALHOST"),
    ("127.0.0.1", "localhost."),
    ("127.0.0.1", "127.1"),
    ("127.0.0.1", "2130706433"),
    ("127.0.0.1", "0x7f000001"),
    ("127.0.0.1", "0177.0.0.1"),
    ("127.0.0.1", "127.0.0.1."),
    ("169.254.169.254", "2852039166"),
    ("169.254.169.254", "0xa9fea9fe"),
    ("169.254.169.254", "0251.0376.0251.0376"),
    ("169.254.169.254", "169.254.43518"),
    ("169.254.169.254", "169.254.169.254."),
    ("10.7.7.7", "0xa.7.7.7"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_lies_in_its_range_first() {
        for special in ALL.iter() {
            for &example in &special.examples {
                assert_eq!(range_of(example), Some(special.range), "{example}");
            }
        }
    }

    #[test]
    fn an_address_of_the_internet_has_no_special_use() {
        for address in [
            "93.184.215.14",
            "11.0.0.1",
            "172.32.0.1",
            "2606:2800:21f::7",
            "1.1.1.1",
        ] {
            assert_eq!(range_of(address.parse().unwrap()), None, "{address}");
        }
    }
}
