//! One condition on a client: `Require`, and the sections that combine several.

use super::{Client, Decision, Network};
use crate::config::matches_wildcard;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// `all granted` or `all denied`.
    All(bool),
    /// `<RequireAny>`, and what several lines mean.
    Any(Vec<Self>),
    /// `<RequireAll>`.
    Every(Vec<Self>),
    /// `host`: names of addresses, or the domains that they end in.
    Host(Vec<String>),
    /// `ip`: networks.
    Ip(Vec<Network>),
    /// `local`: loopback addresses, and connections whose two ends have one address.
    Local,
    /// `method`.
    Method(Vec<String>),
    /// `not`, and `<RequireNone>`: it can deny and never grants.
    Not(Box<Self>),
    /// `user`.
    User(Vec<String>),
    /// `valid-user`.
    ValidUser,
}

impl Require {
    /// Reads the words of one `Require`. `has` tells whether a module of httpd is loaded.
    ///
    /// # Errors
    ///
    /// An unknown provider, or words that it cannot read.
    pub fn parse(words: &[String], has: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let Some((provider, arguments)) = words.split_first() else {
            return Err("Require requires at least one argument".into());
        };
        let provider = provider.to_ascii_lowercase();
        let module = match provider.as_str() {
            "ip" | "host" | "local" => "authz_host_module",
            "user" | "valid-user" => "authz_user_module",
            _ => "authz_core_module",
        };
        let unknown = || format!("Unknown Authz provider: {provider}");
        if !has(module) {
            return Err(unknown());
        }
        let lower = || {
            arguments
                .iter()
                .map(|word| word.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        match (provider.as_str(), arguments) {
            ("not", [_, ..]) => {
                Self::parse(arguments, has).map(|require| Self::Not(Box::new(require)))
            }
            ("all", [how]) if how.eq_ignore_ascii_case("granted") => Ok(Self::All(true)),
            ("all", [how]) if how.eq_ignore_ascii_case("denied") => Ok(Self::All(false)),
            ("all", _) => Err("Argument for 'Require all' must be 'granted' or 'denied'".into()),
            ("local", []) => Ok(Self::Local),
            ("valid-user", []) => Ok(Self::ValidUser),
            ("ip", [_, ..]) => arguments
                .iter()
                .map(|word| network(word))
                .collect::<Result<_, _>>()
                .map(Self::Ip),
            ("host", [_, ..]) => Ok(Self::Host(lower())),
            ("user", [_, ..]) => Ok(Self::User(arguments.to_vec())),
            ("method", [_, ..]) => Ok(Self::Method(arguments.to_vec())),
            ("local" | "valid-user", _) => Err(format!("'Require {provider}' takes no arguments")),
            ("ip" | "host" | "user" | "method" | "not", []) => {
                Err(format!("'Require {provider}' requires an argument"))
            }
            _ => Err(unknown()),
        }
    }

    /// What it says about `client`; `None`: nothing, as a `not` that does not apply.
    pub(super) fn decide(&self, client: Client<'_>) -> Option<Decision> {
        let address = client.address.to_canonical();
        let plain = |holds: bool| {
            Some(if holds {
                Decision::Granted
            } else {
                Decision::Denied
            })
        };
        let of_user = |holds: &dyn Fn(&str) -> bool| match client.user {
            None => Some(Decision::UserWanted),
            Some(user) => plain(holds(user)),
        };
        match self {
            Self::All(granted) => plain(*granted),
            Self::Any(any) => strongest(
                any,
                client,
                [Decision::Granted, Decision::UserWanted, Decision::Denied],
            ),
            Self::Every(every) => strongest(
                every,
                client,
                [Decision::Denied, Decision::UserWanted, Decision::Granted],
            ),
            Self::Host(names) => plain(
                client
                    .name
                    .is_some_and(|name| names.iter().any(|own| ends_in(name, own))),
            ),
            Self::Ip(networks) => plain(networks.iter().any(|network| network.contains(address))),
            Self::Local => plain(address.is_loopback() || address == client.local.to_canonical()),
            Self::Method(methods) => plain(methods.iter().any(|method| method == client.method)),
            Self::Not(require) => match require.decide(client)? {
                Decision::Granted => Some(Decision::Denied),
                Decision::Denied => None,
                Decision::UserWanted => Some(Decision::UserWanted),
            },
            Self::User(users) => of_user(&|user| users.iter().any(|own| own == user)),
            Self::ValidUser => of_user(&|_| true),
        }
    }

    /// Whether a `not` stands where it can neither grant nor deny, which httpd calls an error.
    #[must_use]
    pub fn is_hollow(&self) -> bool {
        match self {
            Self::Any(several) => several
                .iter()
                .any(|require| matches!(require, Self::Not(_)) || require.is_hollow()),
            Self::Every(several) => several.iter().any(Self::is_hollow),
            Self::Not(require) => match &**require {
                Self::Any(several) => several
                    .iter()
                    .any(|require| matches!(require, Self::Not(_))),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether it looks at the name of an address.
    pub(super) fn asks_name(&self) -> bool {
        match self {
            Self::Any(several) | Self::Every(several) => several.iter().any(Self::asks_name),
            Self::Not(require) => require.asks_name(),
            require => matches!(require, Self::Host(_)),
        }
    }
}

/// The first of `order` that some condition says.
fn strongest(several: &[Require], client: Client<'_>, order: [Decision; 3]) -> Option<Decision> {
    let said: Vec<Decision> = several
        .iter()
        .filter_map(|require| require.decide(client))
        .collect();
    order.into_iter().find(|decision| said.contains(decision))
}

/// Whether `name` is `own` or lies in the domain `own`, with or without a dot in front.
fn ends_in(name: &str, own: &str) -> bool {
    let domain = own.strip_prefix('.').unwrap_or(own);
    name.eq_ignore_ascii_case(own) || matches_wildcard(&format!("*.{domain}"), name)
}

fn network(word: &str) -> Result<Network, String> {
    Network::parse(word).ok_or_else(|| format!("ip address '{word}' appears to be invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client<'static> {
        Client {
            address: "127.0.0.1".parse().unwrap(),
            local: "127.0.0.1".parse().unwrap(),
            name: Some("a.example.test"),
            user: None,
            method: "CONNECT",
        }
    }

    fn parse(words: &str) -> Result<Require, String> {
        Require::parse(
            &words
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
            &|_| true,
        )
    }

    #[test]
    fn conditions_combine_as_in_httpd() {
        use Decision::{Denied, Granted, UserWanted};
        let (yes, no, user) = (Require::All(true), Require::All(false), Require::ValidUser);
        let not = |require: &Require| Require::Not(Box::new(require.clone()));
        for (require, expected) in [
            (Require::Any(vec![no.clone(), yes.clone()]), Some(Granted)),
            (
                Require::Any(vec![no.clone(), user.clone()]),
                Some(UserWanted),
            ),
            (Require::Any(vec![yes.clone(), user.clone()]), Some(Granted)),
            (
                Require::Every(vec![yes.clone(), user.clone()]),
                Some(UserWanted),
            ),
            (Require::Every(vec![no.clone(), user]), Some(Denied)),
            (Require::Every(vec![yes.clone(), not(&no)]), Some(Granted)),
            (Require::Every(vec![yes.clone(), not(&yes)]), Some(Denied)),
            (Require::Any(vec![not(&no)]), None),
        ] {
            assert_eq!(require.decide(client()), expected, "{require:?}");
        }
    }

    #[test]
    fn reads_every_provider() {
        for (words, holds) in [
            ("local", true),
            ("ip 127.0.0.0/8", true),
            ("ip 10", false),
            ("host example.test", true),
            ("host .example.test", true),
            ("host ample.test", false),
            ("method CONNECT", true),
            ("method GET", false),
        ] {
            let expected = if holds {
                Decision::Granted
            } else {
                Decision::Denied
            };
            assert_eq!(
                parse(words).unwrap().decide(client()),
                Some(expected),
                "{words}"
            );
        }
        for bad in [
            "",
            "nobody",
            "all",
            "all maybe",
            "ip",
            "ip x",
            "local 1",
            "not",
            "valid-user x",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
