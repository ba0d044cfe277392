//! Which addresses a tunnel may lead to: `AllowDestination` and `DenyDestination`, which httpd does not have.
//!
//! Some addresses mean this link, or a service that hands out credentials to whoever reaches it. Those are denied unless
//! they are allowed in words. The rule is for the address that is dialled: for each address of a name, and for the one that
//! another one carries, as those of NAT64 do.

use super::access::Network;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

/// What one server says about addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    /// `AllowDestination`.
    pub allowed: Vec<Network>,
    /// `DenyDestination`.
    pub denied: Vec<Network>,
}

impl Destinations {
    /// Joins what the main server says with what a virtual host says.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.allowed.extend_from_slice(&other.allowed);
        joined.denied.extend_from_slice(&other.denied);
        joined
    }

    /// Whether a tunnel may lead to `address`, and to every address that it carries.
    #[must_use]
    pub fn permit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        std::iter::once(address)
            .chain(carried(address).into_iter().flatten())
            .all(|address| self.permit_one(address))
    }

    /// Of the networks that hold `address`, the smallest decides; of equal ones, one that is denied before one that is
    /// allowed, and both before the defaults.
    fn permit_one(&self, address: IpAddr) -> bool {
        let smallest = |networks: &[Network]| {
            let holding = networks.iter().filter(|network| network.contains(address));
            holding.map(Network::bits).max()
        };
        let (allowed, denied) = (smallest(&self.allowed), smallest(&self.denied));
        let default = smallest(&DENIED);
        allowed > denied && allowed >= default || denied.is_none() && default.is_none()
    }
}

/// Reads a word of either directive: a network, or the name of a range.
///
/// # Errors
///
/// What is neither, and what could be written.
pub fn parse(word: &str) -> Result<Vec<Network>, String> {
    if let Some(known) = networks(word) {
        return Ok(known);
    }
    let network = Network::parse(word).ok_or_else(|| {
        let names: Vec<_> = RANGES.iter().map(|(name, _)| *name).collect();
        format!(
            "'{word}' is neither an address nor a network (10.1.0.0/16, 2001:db8::/32), nor one of: {}",
            names.join(", ")
        )
    })?;
    if network.is_mapped() {
        return Err(format!(
            "'{word}' holds no address that is ever judged: write it as a network of IPv4"
        ));
    }
    Ok(vec![network])
}

/// The networks of a name.
fn networks(name: &str) -> Option<Vec<Network>> {
    let (_, words) = RANGES
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    words.iter().map(|word| Network::parse(word)).collect()
}

/// What is denied without a word.
static DENIED: LazyLock<Vec<Network>> = LazyLock::new(|| {
    let names = ["this-network", "link-local", "metadata", "reserved"];
    names.into_iter().filter_map(networks).flatten().collect()
});

/// The ranges that have a name: RFC 6890, and where clouds answer for credentials.
const RANGES: &[(&str, &[&str])] = &[
    ("all", &["0.0.0.0/0", "::/0"]),
    // RFC 1122, section 3.2.1.3.
    ("this-network", &["0.0.0.0/8", "::"]),
    // RFC 3927; RFC 4291, section 2.5.6.
    ("link-local", &["169.254.0.0/16", "fe80::/10"]),
    // Each of them a machine of its own, so that a network around it does not allow it: AWS and most others, AWS and
    // Google in IPv6, Alibaba, Oracle, Azure.
    (
        "metadata",
        &[
            "169.254.169.254",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
        ],
    ),
    // RFC 1112, section 4.
    ("reserved", &["240.0.0.0/4"]),
    ("loopback", &["127.0.0.0/8", "::1"]),
    // RFC 1918; RFC 4193.
    (
        "private",
        &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    ),
    // RFC 6598.
    ("shared", &["100.64.0.0/10"]),
    // RFC 2544; RFC 5180.
    ("benchmark", &["198.18.0.0/15", "2001:2::/48"]),
    // RFC 5737; RFC 3849 and RFC 9637.
    (
        "documentation",
        &[
            "192.0.2.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "2001:db8::/32",
            "3fff::/20",
        ],
    ),
];

/// The addresses of IPv4 that one of IPv6 carries: packets to it may end there.
fn carried(address: IpAddr) -> [Option<IpAddr>; 2] {
    let IpAddr::V6(address) = address else {
        return [None; 2];
    };
    let octets = address.octets();
    let at = |place: usize| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|next| octets[place + next]);
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        // This machine and nobody: they carry nothing.
        _ if address.is_loopback() || address.is_unspecified() => [None; 2],
        // RFC 4291, section 2.5.5.1; RFC 6052, section 2.1.
        [0, 0, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => [Some(at(12).into()), None],
        // RFC 3056, section 2.
        [0x2002, ..] => [Some(at(2).into()), None],
        // RFC 4380, section 4: a server, and a client whose bits are turned over.
        [0x2001, 0, ..] => {
            let client = Ipv4Addr::from_bits(!at(12).to_bits());
            [Some(at(4).into()), Some(client.into())]
        }
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destinations(allowed: &[&str], denied: &[&str]) -> Destinations {
        let list = |words: &[&str]| words.iter().flat_map(|word| parse(word).unwrap()).collect();
        Destinations {
            allowed: list(allowed),
            denied: list(denied),
        }
    }

    fn permits(destinations: &Destinations, address: &str) -> bool {
        destinations.permit(address.parse().unwrap())
    }

    #[test]
    fn what_has_a_special_use_is_denied_however_it_is_carried() {
        let default = Destinations::default();
        for (address, whether) in [
            ("169.254.169.254", false),
            ("169.254.0.0", false),
            ("169.253.255.255", true),
            ("169.255.0.0", true),
            ("fe80::1", false),
            ("febf::1", false),
            ("fec0::1", true),
            ("fd00:ec2::254", false),
            ("fd00:ec2::253", true),
            ("100.100.100.200", false),
            ("240.0.0.1", false),
            ("239.255.255.255", true),
            ("255.255.255.255", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("::", false),
            ("::ffff:169.254.169.254", false),
            ("::a9fe:a9fe", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b::a00:1", true),
            ("64:ff9b:0:0:1::a9fe:a9fe", true),
            ("2002:a9fe:a9fe::1", false),
            ("2002:a00:1::1", true),
            ("2001:0:a9fe:a9fe::7", false),
            ("2001:0:a00:1:0:0:5601:5601", false),
            ("2001:0:a00:1::5601:5601", false),
            ("2001:db8::a9fe:a9fe", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("10.0.0.1", true),
            ("100.64.0.1", true),
            ("93.184.215.14", true),
        ] {
            assert_eq!(permits(&default, address), whether, "{address}");
        }
    }

    #[test]
    fn the_smallest_network_decides() {
        let own = destinations(&["link-local", "10.1.0.0/16"], &["10.0.0.0/8", "10.1.7.7"]);
        for (address, whether) in [
            ("169.254.7.7", true),
            ("169.254.169.254", false),
            ("10.0.0.1", false),
            ("10.1.0.1", true),
            ("10.1.7.7", false),
            ("64:ff9b::a01:707", false),
            ("64:ff9b::a01:1", true),
            ("240.0.0.1", false),
        ] {
            assert_eq!(permits(&own, address), whether, "{address}");
        }
        let metadata = destinations(&["metadata"], &[]);
        assert!(permits(&metadata, "169.254.169.254"));
        assert!(!permits(&metadata, "169.254.169.253"));
        let both = destinations(&["loopback"], &["loopback"]);
        assert!(!permits(&both, "127.0.0.1"));
        let few = destinations(&["10.0.0.0/8"], &["all"]);
        assert!(permits(&few, "10.0.0.1") && !permits(&few, "93.184.215.14"));
        let examples = destinations(&[], &["documentation"]);
        assert!(!permits(&examples, "192.0.2.7") && !permits(&examples, "2001:db8::7"));
        let everything = destinations(&["all"], &[]);
        assert!(!permits(&everything, "169.254.169.254"));
    }

    #[test]
    fn virtual_hosts_add_to_what_is_said() {
        let main = destinations(&[], &["private"]);
        let joined = main.and(&destinations(&["10.1"], &["loopback"]));
        assert!(!permits(&joined, "127.0.0.1") && !permits(&joined, "10.0.0.1"));
        assert!(permits(&joined, "10.1.0.1"));
    }

    #[test]
    fn words_that_say_nothing_are_errors() {
        for word in ["", "a.test", "10.0.0.0/33", "::ffff:10.0.0.0/104", "privat"] {
            assert!(parse(word).is_err(), "{word}");
        }
        assert!(parse("LoopBack").is_ok());
        assert_eq!(DENIED.len(), 11);
        assert!(RANGES.iter().all(|(name, _)| networks(name).is_some()));
    }
}
