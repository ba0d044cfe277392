//! A network of addresses, as `Require ip` and `NoProxy` write it.

use std::net::{IpAddr, Ipv4Addr};

/// A network by prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.1` (the octets given) or `2001:db8::/32`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, mask) = text
            .split_once('/')
            .map_or((text, None), |(a, m)| (a, Some(m)));
        let Ok(full) = address.parse::<IpAddr>() else {
            return mask.is_none().then(|| Self::from_octets(address))?;
        };
        let most = if full.is_ipv4() { 32 } else { 128 };
        let bits = match mask {
            None => most,
            Some(mask) if mask.contains('.') => prefix_of(mask.parse().ok()?)?,
            Some(bits) => bits.parse().ok()?,
        };
        (bits <= most).then_some(Self {
            address: full,
            bits,
        })
    }

    /// Reads a network of clients (`Require ip`, `Allow from`). Like httpd it takes none that holds every address,
    /// and none of IPv4 addresses in the clothes of IPv6, in which no client comes.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to write instead.
    pub fn of_clients(text: &str) -> Result<Self, String> {
        let invalid = |remedy: &str| format!("ip address '{text}' appears to be invalid{remedy}");
        let network = Self::parse(text).ok_or_else(|| {
            invalid(
                ": write an address, its first octets (10.1), or a network (10.1.0.0/16, 2001:db8::/32)",
            )
        })?;
        match network.address {
            _ if network.bits == 0 => Err(invalid(": write Require all granted")),
            _ if network.is_mapped() => Err(invalid(": write it as an IPv4 address")),
            _ => Ok(network),
        }
    }

    /// How many leading bits its addresses have in common.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether it holds addresses of IPv4 in the clothes of IPv6.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        matches!(self.address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
    }

    /// Whether `address` lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }

    fn from_octets(text: &str) -> Option<Self> {
        let parts = text.strip_suffix('.').unwrap_or(text).split('.');
        let octets: Vec<u8> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let part = |index: usize| octets.get(index).copied().unwrap_or(0);
        let address = IpAddr::from([part(0), part(1), part(2), part(3)]);
        let bits = u8::try_from(octets.len() * 8).ok()?;
        (octets.len() < 4).then_some(Self { address, bits })
    }
}

/// The length of a prefix that is written as a mask.
fn prefix_of(mask: Ipv4Addr) -> Option<u8> {
    let (ones, leading) = (mask.to_bits().count_ones(), mask.to_bits().leading_ones());
    (ones == leading).then(|| u8::try_from(ones).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_lies_in_it() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/255.0.0.0", "10.255.0.1", "11.0.0.1"),
            ("10.1", "10.1.2.3", "10.2.0.0"),
            ("10.1.", "10.1.2.3", "10.2.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
        ] {
            let parsed = Network::parse(network).unwrap();
            assert!(
                parsed.contains(inside.parse().unwrap()),
                "{network} {inside}"
            );
            assert!(
                !parsed.contains(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
        for bad in [
            "",
            "a",
            "10.0.0.0/33",
            "1.2.3.4.5",
            "10.0.0.0/255.0.255.0",
            "::/129",
            "256",
            "10/8",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
