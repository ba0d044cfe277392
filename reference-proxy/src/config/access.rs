//! Who may use the proxy: `<Proxy>` sections and their `Require`.
//!
//! Without any `Require` httpd serves everybody. This proxy then serves clients of its own machine only:
//! an open proxy has to be asked for in words.

use std::net::IpAddr;

/// The sections that may apply to a request, in order.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Later ones take precedence.
    pub sections: Vec<Section>,
}

/// One `<Proxy>`.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which targets it is about, with wildcards.
    pub pattern: String,
    /// What it requires; `None` when it says nothing.
    pub require: Option<Require>,
}

/// A condition on a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// `all granted` or `all denied`.
    All(bool),
    /// `ip`: networks.
    Ip(Vec<Network>),
    /// `local`: loopback addresses, and connections whose two ends have one address.
    Local,
    /// `<RequireAny>`, and what several lines mean.
    Any(Vec<Self>),
    /// `<RequireAll>`.
    Every(Vec<Self>),
    /// `<RequireNone>`, and `not`.
    Not(Box<Self>),
}

/// A network by prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// What is known of a client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Where it comes from.
    pub address: IpAddr,
    /// Where it arrived.
    pub local: IpAddr,
}

impl Access {
    /// Whether `client` may connect to `target`.
    #[must_use]
    pub fn allows(&self, client: Client, target: &str) -> bool {
        let applies = |section: &&Section| {
            section.require.is_some() && super::matches_wildcard(&section.pattern, target)
        };
        let require = self
            .sections
            .iter()
            .rev()
            .find(applies)
            .and_then(|section| section.require.as_ref());
        require.unwrap_or(&Require::Local).holds(client)
    }
}

impl Require {
    fn holds(&self, client: Client) -> bool {
        let address = client.address.to_canonical();
        match self {
            Self::All(granted) => *granted,
            Self::Ip(networks) => networks.iter().any(|network| network.contains(address)),
            Self::Local => address.is_loopback() || address == client.local.to_canonical(),
            Self::Any(any) => any.iter().any(|require| require.holds(client)),
            Self::Every(every) => every.iter().all(|require| require.holds(client)),
            Self::Not(require) => !require.holds(client),
        }
    }

    /// Reads the words of one `Require`.
    ///
    /// # Errors
    ///
    /// An unknown provider or a malformed address.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        match lower.as_slice() {
            ["not", ..] => Self::parse(&words[1..]).map(|require| Self::Not(Box::new(require))),
            ["all", "granted"] => Ok(Self::All(true)),
            ["all", "denied"] => Ok(Self::All(false)),
            ["local"] => Ok(Self::Local),
            ["ip", first, rest @ ..] => std::iter::once(first)
                .chain(rest)
                .map(|word| {
                    Network::parse(word)
                        .ok_or_else(|| format!("ip address '{word}' appears to be invalid"))
                })
                .collect::<Result<_, _>>()
                .map(Self::Ip),
            _ => Err(format!(
                "Unknown Authz provider: {}",
                lower.first().unwrap_or(&"")
            )),
        }
    }
}

impl Network {
    /// Reads `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.1` (the octets given) or `2001:db8::/32`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, mask) = text
            .split_once('/')
            .map_or((text, None), |(a, m)| (a, Some(m)));
        let Ok(full) = address.parse::<IpAddr>() else {
            let octets: Vec<u8> = address
                .trim_end_matches('.')
                .split('.')
                .map(|part| part.parse().ok())
                .collect::<Option<_>>()?;
            let fits = octets.len() < 4 && mask.is_none();
            let part = |index: usize| octets.get(index).copied().unwrap_or(0);
            let address = IpAddr::from([part(0), part(1), part(2), part(3)]);
            return fits.then_some(Self {
                address,
                bits: u8::try_from(octets.len() * 8).ok()?,
            });
        };
        let most = if full.is_ipv4() { 32 } else { 128 };
        let bits = match mask {
            None => most,
            Some(mask) if mask.contains('.') => {
                let mask: std::net::Ipv4Addr = mask.parse().ok()?;
                let ones = mask.to_bits().leading_ones();
                (mask.to_bits().count_ones() == ones).then_some(u8::try_from(ones).ok()?)?
            }
            Some(bits) => bits.parse().ok()?,
        };
        (bits <= most).then_some(Self {
            address: full,
            bits,
        })
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Client {
        Client {
            address: address.parse().unwrap(),
            local: "192.0.2.1".parse().unwrap(),
        }
    }

    #[test]
    fn an_open_proxy_has_to_be_asked_for() {
        let silent = Access::default();
        assert!(silent.allows(from("127.0.0.9"), "a:1") && silent.allows(from("::1"), "a:1"));
        assert!(!silent.allows(from("192.0.2.7"), "a:1"));
        let section = Section {
            pattern: "*".into(),
            require: Some(Require::All(true)),
        };
        assert!(
            Access {
                sections: vec![section]
            }
            .allows(from("192.0.2.7"), "a:1")
        );
    }

    #[test]
    fn networks() {
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
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
