//! One condition on a client: `Require`, and the sections that combine several.

mod words;

use super::client::{Client, Unknown};
use super::{Decision, Network};
use std::path::Path;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Require {
    /// `all granted` or `all denied`, and what does not depend on the client, as `method`.
    All(bool),
    /// `<RequireAny>`, and what several lines mean.
    Any(Vec<Self>),
    /// `env`: variables, one of which is set.
    Env(Vec<String>),
    /// `<RequireAll>`.
    Every(Vec<Self>),
    /// `forward-dns`: names that have the client's address.
    ForwardDns(Vec<String>),
    /// `group`.
    Group(Vec<String>),
    /// `host`: names of addresses, or the domains that they end in.
    Host(Vec<String>),
    /// `ip`: networks.
    Ip(Vec<Network>),
    /// `local`: loopback addresses, and connections whose two ends have one address.
    Local,
    /// `not`, and `<RequireNone>`: it can deny and never grants.
    Not(Box<Self>),
    /// A condition for other methods only (`<Limit GET>`): it says nothing about CONNECT.
    OtherMethods,
    /// `user`.
    User(Vec<String>),
    /// `valid-user`.
    ValidUser,
}

/// What is asked of a condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) client: Client<'a>,
    /// The user, where the file of passwords that is asked here vouches for it.
    pub(super) user: Option<&'a str>,
    /// `AuthGroupFile`.
    pub(super) groups: Option<&'a Path>,
}

impl Require {
    /// What it says about a client; `None`: nothing, as a `not` that does not apply. Conditions are asked in their
    /// order and no further than needed, so that nothing is looked up in vain.
    ///
    /// # Errors
    ///
    /// What has to be found out first.
    pub(super) fn decide(&self, asked: Question<'_>) -> Result<Option<Decision>, Unknown> {
        let address = asked.client.canonical();
        let said = match self {
            Self::All(granted) => plain(*granted),
            Self::Any(several) => return any(several, asked),
            Self::Env(names) => plain(names.iter().any(|name| asked.client.variables.has(name))),
            Self::Every(several) => return every(several, asked),
            Self::ForwardDns(names) => plain(one_has(names, asked.client)?),
            Self::Group(wanted) => match asked.user {
                None => Decision::UserWanted,
                Some(_) => plain(in_group(wanted, asked)?),
            },
            Self::Host(domains) => plain(one_is_in(domains, asked.client)?),
            Self::Ip(networks) => plain(networks.iter().any(|network| network.contains(address))),
            Self::Local => {
                plain(address.is_loopback() || address == asked.client.local.to_canonical())
            }
            Self::Not(require) => {
                // Whoever gives no name is not the one who is kept out.
                let granted = require.decide(asked)? == Some(Decision::Granted);
                return Ok(granted.then_some(Decision::Denied));
            }
            Self::OtherMethods => return Ok(None),
            Self::User(users) => asked.user.map_or(Decision::UserWanted, |user| {
                plain(users.iter().any(|own| own == user))
            }),
            Self::ValidUser => asked.user.map_or(Decision::UserWanted, |_| plain(true)),
        };
        Ok(Some(said))
    }

    /// What is left of it for CONNECT; `None`: nothing.
    #[must_use]
    pub fn for_connect(self) -> Option<Self> {
        let left = |several: Vec<Self>| {
            let left: Vec<Self> = several.into_iter().filter_map(Self::for_connect).collect();
            (!left.is_empty()).then_some(left)
        };
        match self {
            Self::Any(several) => left(several).map(Self::Any),
            Self::Every(several) => left(several).map(Self::Every),
            Self::Not(require) => require.for_connect().map(|left| Self::Not(Box::new(left))),
            Self::OtherMethods => None,
            require => Some(require),
        }
    }
}

fn plain(holds: bool) -> Decision {
    if holds {
        Decision::Granted
    } else {
        Decision::Denied
    }
}

/// The first that grants is enough; else the first that a user could change counts.
fn any(several: &[Require], asked: Question<'_>) -> Result<Option<Decision>, Unknown> {
    let mut said = None;
    for require in several {
        said = match (require.decide(asked)?, said) {
            (Some(Decision::Granted), _) => return Ok(Some(Decision::Granted)),
            (Some(Decision::UserWanted), _) => Some(Decision::UserWanted),
            (now, None) => now,
            (_, earlier) => earlier,
        };
    }
    Ok(said)
}

/// The first that denies is enough; else the first that wants a user counts.
fn every(several: &[Require], asked: Question<'_>) -> Result<Option<Decision>, Unknown> {
    let mut said = None;
    for require in several {
        said = match (require.decide(asked)?, said) {
            (Some(Decision::Denied), _) => return Ok(Some(Decision::Denied)),
            (Some(Decision::UserWanted), _) => Some(Decision::UserWanted),
            (now, None) => now,
            (_, earlier) => earlier,
        };
    }
    Ok(said)
}

fn one_has(names: &[String], client: Client<'_>) -> Result<bool, Unknown> {
    for name in names {
        let Some(addresses) = client.facts.addresses.get(name) else {
            return Err(Unknown::Addresses(name.clone()));
        };
        let own = client.canonical();
        if addresses
            .iter()
            .any(|address| address.to_canonical() == own)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn one_is_in(domains: &[String], client: Client<'_>) -> Result<bool, Unknown> {
    for domain in domains {
        if client.is_in(domain)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Without a file nobody is in a group.
fn in_group(wanted: &[String], asked: Question<'_>) -> Result<bool, Unknown> {
    let Some(file) = asked.groups else {
        return Ok(false);
    };
    let groups = asked.client.facts.groups.get(file);
    let groups = groups.ok_or_else(|| Unknown::Groups(file.to_owned()))?;
    Ok(wanted.iter().any(|group| groups.contains(group)))
}

#[cfg(test)]
mod tests {
    use super::super::client::Facts;
    use super::*;
    use crate::config::environment::Variables;

    static NONE: std::sync::LazyLock<Variables> = std::sync::LazyLock::new(Variables::default);

    fn asked(facts: &Facts) -> Question<'_> {
        let loopback = "127.0.0.1".parse().unwrap();
        let client = Client {
            address: loopback,
            local: loopback,
            user: None,
            variables: &NONE,
            facts,
        };
        Question {
            client,
            user: None,
            groups: Some(Path::new("/groups")),
        }
    }

    fn parse(words: &str) -> Require {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Require::parse(&words, &|_| true).unwrap()
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
            (Require::Every(vec![no.clone(), user.clone()]), Some(Denied)),
            (Require::Every(vec![user.clone(), no.clone()]), Some(Denied)),
            (Require::Every(vec![yes.clone(), not(&no)]), Some(Granted)),
            (Require::Every(vec![yes.clone(), not(&yes)]), Some(Denied)),
            (Require::Every(vec![yes.clone(), not(&user)]), Some(Granted)),
            (Require::Any(vec![not(&no)]), None),
            (Require::Every(vec![]), None),
        ] {
            let facts = Facts::default();
            assert_eq!(require.decide(asked(&facts)), Ok(expected), "{require:?}");
        }
    }

    #[test]
    fn nothing_is_looked_up_in_vain() {
        let facts = Facts::default();
        let decide = |require: Require| require.decide(asked(&facts));
        let (yes, no) = (Require::All(true), Require::All(false));
        let (host, forward) = (parse("host a.test"), parse("forward-dns a.test"));
        let granted = Ok(Some(Decision::Granted));
        let denied = Ok(Some(Decision::Denied));
        assert_eq!(
            decide(Require::Any(vec![yes.clone(), host.clone()])),
            granted
        );
        assert_eq!(
            decide(Require::Every(vec![no.clone(), host.clone()])),
            denied
        );
        assert_eq!(decide(Require::Any(vec![host, yes])), Err(Unknown::Name));
        let addresses = Err(Unknown::Addresses("a.test".into()));
        assert_eq!(decide(Require::Any(vec![forward, no])), addresses);
    }

    #[test]
    fn what_was_found_out_decides() {
        let mut facts = Facts {
            name: Some(Some("a.example.test".into())),
            ..Facts::default()
        };
        let addresses = vec!["::ffff:127.0.0.1".parse().unwrap()];
        facts.addresses.insert("here.test".into(), addresses);
        facts.groups.insert("/groups".into(), vec!["staff".into()]);
        let asked = Question {
            user: Some("ann"),
            ..asked(&facts)
        };
        for (words, holds) in [
            ("local", true),
            ("ip 127.0.0.0/8", true),
            ("ip 10", false),
            ("host example.test", true),
            ("host .example.test", true),
            ("host ample.test", false),
            ("forward-dns here.test", true),
            ("env set", false),
            ("method CONNECT", true),
            ("method GET POST", false),
            ("group staff", true),
            ("group other", false),
            ("user ann", true),
            ("user bob", false),
            ("valid-user", true),
        ] {
            let expected = Ok(Some(plain(holds)));
            assert_eq!(parse(words).decide(asked), expected, "{words}");
        }
        let without = Question {
            groups: None,
            ..asked
        };
        let denied = Ok(Some(Decision::Denied));
        assert_eq!(parse("group staff").decide(without), denied);
    }

    #[test]
    fn what_is_for_other_methods_is_left_out() {
        let other = || Require::OtherMethods;
        let some = Require::Every(vec![other(), Require::Local, Require::Any(vec![other()])]);
        let left = Require::Every(vec![Require::Local]);
        assert_eq!(some.for_connect(), Some(left));
        let none = Require::Any(vec![other(), Require::Not(Box::new(other()))]);
        assert_eq!(none.for_connect(), None);
    }
}
