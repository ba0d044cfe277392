//! Networks: an address, and how many of its first bits count.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network, such as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    /// Its first address.
    base: IpAddr,
    /// How many bits its addresses share.
    bits: u8,
}

impl Network {
    /// Whether `address` lies in it. An address of IPv4 that is mapped into IPv6 is the one of IPv4.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        Self::of(address.to_canonical(), self.bits).is_some_and(|other| other == self)
    }

    /// Whether every address of `other` lies in it.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.bits <= other.bits && self.contains(other.base)
    }

    /// An address near its beginning, and one near its end: of a large network neither the very first nor the very last, which
    /// stand for the network and for everybody in it.
    #[must_use]
    pub fn ends(self) -> [IpAddr; 2] {
        let spare = u32::from(self.width() - self.bits).min(2) / 2;
        let first = offset(self.base, i128::from(spare));
        let last = offset(self.last(), -i128::from(spare));
        [
            first.unwrap_or(self.base),
            last.unwrap_or_else(|| self.last()),
        ]
    }

    /// The addresses just outside of it, where there are any.
    pub fn neighbours(self) -> impl Iterator<Item = IpAddr> {
        [offset(self.base, -1), offset(self.last(), 1)]
            .into_iter()
            .flatten()
    }

    /// The network of the first `bits` of `address`; `None` where it has fewer.
    fn of(address: IpAddr, bits: u8) -> Option<Self> {
        let (number, width) = number(address);
        let kept = mask(width, bits)?;
        Some(Self {
            base: address_of(number & kept, width),
            bits,
        })
    }

    fn last(self) -> IpAddr {
        let (number, width) = number(self.base);
        let hosts =
            !mask(width, self.bits).unwrap_or_default() & mask(width, width).unwrap_or_default();
        address_of(number | hosts, width)
    }

    const fn width(self) -> u8 {
        match self.base {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        }
    }
}

/// An address as a number, and how many bits it has.
fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn address_of(number: u128, width: u8) -> IpAddr {
    match width {
        32 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        _ => Ipv6Addr::from_bits(number).into(),
    }
}

/// The first `bits` of `width`; `None` where there are not so many.
fn mask(width: u8, bits: u8) -> Option<u128> {
    let low = width.checked_sub(bits)?;
    let all = u128::MAX.checked_shr(128 - u32::from(width))?;
    Some(all & u128::MAX.checked_shl(u32::from(low)).unwrap_or(0))
}

/// The address so many further on, of the same family.
fn offset(address: IpAddr, by: i128) -> Option<IpAddr> {
    let (number, width) = number(address);
    let moved = number.checked_add_signed(by)?;
    let all = mask(width, width)?;
    (moved <= all).then(|| address_of(moved, width))
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let none =
            || format!("`{text}` is no network; one is written 10.1.0.0/16, fd00::/8 or 192.0.2.7");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| none())?;
        if matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            return Err(format!(
                "`{text}` is an address of IPv4 that is mapped into IPv6; write it as one of IPv4"
            ));
        }
        let (_, width) = number(address);
        let bits = match bits {
            None => width,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(|_| none())?
            }
            Some(_) => return Err(none()),
        };
        let network = Self::of(address, bits).ok_or_else(none)?;
        if network.base != address {
            return Err(format!(
                "`{text}` has bits behind its first {bits}; did you mean `{network}`?"
            ));
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == self.width() {
            return self.base.fmt(f);
        }
        write!(f, "{}/{}", self.base, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_what_shares_its_bits() {
        assert!(network("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.0")));
        assert!(network("0.0.0.0/0").contains(address("203.0.113.9")));
        assert!(!network("0.0.0.0/0").contains(address("::1")));
        assert!(network("::/0").contains(address("fd00::1")));
        assert!(network("10.0.0.0/8").contains(address("::ffff:10.1.2.3")));
        assert!(network("10.0.0.0/8").includes(network("10.1.0.0/16")));
        assert!(!network("10.1.0.0/16").includes(network("10.0.0.0/8")));
    }

    #[test]
    fn its_ends_lie_inside_and_its_neighbours_outside() {
        for text in [
            "10.1.0.0/16",
            "10.1.2.4/31",
            "10.1.2.3",
            "fd00::/8",
            "10.1.2.4/30",
            "0.0.0.0/0",
            "::/0",
        ] {
            let network = network(text);
            assert!(
                network.ends().iter().all(|end| network.contains(*end)),
                "{text}"
            );
            for neighbour in network.neighbours() {
                assert!(!network.contains(neighbour), "{text}: {neighbour}");
            }
        }
        let ends = network("10.1.0.0/16").ends();
        assert_eq!(ends, [address("10.1.0.1"), address("10.1.255.254")]);
        let near: Vec<_> = network("10.1.0.0/16").neighbours().collect();
        assert_eq!(near, [address("10.0.255.255"), address("10.2.0.0")]);
    }

    #[test]
    fn what_is_no_network_says_what_one_is() {
        for text in [
            "10.1",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "fd00::/129",
            "example.test",
            "",
            "::ffff:10.0.0.1",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let error = "10.1.2.3/16".parse::<Network>().unwrap_err();
        assert!(error.ends_with("did you mean `10.1.0.0/16`?"), "{error}");
    }
}
