//! `Order`, `Allow` and `Deny`: which clients may, as httpd 2.2 had it and mod_access_compat has it.

use super::Network;
use super::client::{Client, Unknown, can_be_domain};

/// What the lines of one section say about the host that a client is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    /// `Order`.
    pub order: Order,
    /// `Allow from`.
    pub allowed: Vec<Origin>,
    /// `Deny from`.
    pub denied: Vec<Origin>,
    /// `Satisfy`.
    pub satisfy: Satisfy,
}

/// Which of both lists has the last word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// `deny,allow`: who is on no list may.
    #[default]
    DenyAllow,
    /// `allow,deny`: who is on no list may not.
    AllowDeny,
    /// `mutual-failure`: who is allowed and not denied.
    MutualFailure,
}

/// What is needed where there is `Require` as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Satisfy {
    /// Both.
    #[default]
    All,
    /// Either.
    Any,
}

/// One word behind `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `all`.
    All,
    /// A network or an address.
    Ip(Network),
    /// The name of a host, or the domain that it ends in.
    Host(String),
    /// `env=NAME`: requests for which it is set; and with `!` in front, those for which it is not.
    Variable(String, bool),
}

impl Hosts {
    /// Whether these lists admit a client; `None`: there are none, so that they say nothing about anybody.
    ///
    /// # Errors
    ///
    /// What has to be found out first.
    pub(super) fn admit(&self, client: Client<'_>) -> Result<Option<bool>, Unknown> {
        let admitted = match self.order {
            Order::DenyAllow => named(&self.allowed, client)? || !named(&self.denied, client)?,
            Order::AllowDeny | Order::MutualFailure => {
                named(&self.allowed, client)? && !named(&self.denied, client)?
            }
        };
        Ok((!self.are_silent()).then_some(admitted))
    }

    /// Whether they say nothing about anybody. An open proxy has to be asked for in words, and `Order deny,allow`
    /// alone names nobody.
    #[must_use]
    pub fn are_silent(&self) -> bool {
        let unnamed = self.allowed.is_empty() && self.denied.is_empty();
        unnamed && self.order == Order::DenyAllow
    }
}

impl Order {
    /// Reads the word behind `Order`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "deny,allow" => Some(Self::DenyAllow),
            "allow,deny" => Some(Self::AllowDeny),
            "mutual-failure" => Some(Self::MutualFailure),
            _ => None,
        }
    }
}

impl Origin {
    /// Reads a word behind `from`.
    ///
    /// # Errors
    ///
    /// A network that is none, and what can be the name of no host: httpd takes `*` and `127.*` for
    /// names, and then denies nobody.
    pub fn parse(word: &str) -> Result<Self, String> {
        let lower = word.to_ascii_lowercase();
        if lower == "all" {
            return Ok(Self::All);
        }
        if lower.starts_with("env=") {
            let name = &word["env=".len()..];
            return Ok(match name.strip_prefix('!') {
                Some(name) => Self::Variable(name.to_owned(), false),
                None => Self::Variable(name.to_owned(), true),
            });
        }
        let numeric =
            word.contains([':', '/']) || word.bytes().all(|c| c.is_ascii_digit() || c == b'.');
        if numeric {
            return Network::of_clients(word).map(Self::Ip);
        }
        if !can_be_domain(&lower) {
            return Err(format!(
                "'{word}' can be the name of no host, so that httpd would never find it: write all, an address, a \
                 network or a name, with blanks between them"
            ));
        }
        Ok(Self::Host(lower))
    }
}

fn named(list: &[Origin], client: Client<'_>) -> Result<bool, Unknown> {
    for from in list {
        let is = match from {
            Origin::All => true,
            Origin::Ip(network) => network.contains(client.canonical()),
            Origin::Host(domain) => client.is_in(domain)?,
            Origin::Variable(name, set) => client.variables.has(name) == *set,
        };
        if is {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::client::Facts;
    use super::*;
    use crate::config::environment::Variables;

    fn hosts(order: &str, allowed: &[&str], denied: &[&str]) -> Hosts {
        let list = |words: &[&str]| {
            words
                .iter()
                .map(|word| Origin::parse(word).unwrap())
                .collect()
        };
        Hosts {
            order: Order::parse(order).unwrap(),
            allowed: list(allowed),
            denied: list(denied),
            satisfy: Satisfy::All,
        }
    }

    fn admit(hosts: &Hosts, name: Option<Option<&str>>) -> Result<Option<bool>, Unknown> {
        let facts = Facts {
            name: name.map(|name| name.map(str::to_owned)),
            ..Facts::default()
        };
        let address = "127.0.0.1".parse().unwrap();
        hosts.admit(Client {
            address,
            local: address,
            user: None,
            variables: &Variables::default(),
            facts: &facts,
        })
    }

    #[test]
    fn orders_mean_what_they_mean_to_httpd() {
        let (none, all, own, other) = (&[][..], &["all"][..], &["127"][..], &["10.0.0.0/8"][..]);
        for (order, allowed, denied, expected) in [
            ("deny,allow", none, none, None),
            ("deny,allow", all, none, Some(true)),
            ("deny,allow", none, all, Some(false)),
            ("deny,allow", own, all, Some(true)),
            ("deny,allow", other, all, Some(false)),
            ("deny,allow", none, other, Some(true)),
            ("Allow,Deny", none, none, Some(false)),
            ("Allow,Deny", all, none, Some(true)),
            ("Allow,Deny", all, own, Some(false)),
            ("Allow,Deny", all, other, Some(true)),
            ("Allow,Deny", own, all, Some(false)),
            ("mutual-failure", none, none, Some(false)),
            ("mutual-failure", own, none, Some(true)),
            ("mutual-failure", own, own, Some(false)),
            ("deny,allow", none, &["env=x"], Some(true)),
            ("deny,allow", none, &["env=!x"], Some(false)),
        ] {
            let said = admit(&hosts(order, allowed, denied), None);
            assert_eq!(said, Ok(expected), "{order} {allowed:?} {denied:?}");
        }
    }

    #[test]
    fn names_are_looked_up_where_they_decide() {
        let hosts = hosts("deny,allow", &["127"], &["bad.test"]);
        assert_eq!(admit(&hosts, None), Ok(Some(true)));
        let hosts = self::hosts("deny,allow", &[], &["bad.test"]);
        assert_eq!(admit(&hosts, None), Err(Unknown::Name));
        assert_eq!(admit(&hosts, Some(Some("a.bad.test"))), Ok(Some(false)));
        assert_eq!(admit(&hosts, Some(Some("abad.test"))), Ok(Some(true)));
        assert_eq!(admit(&hosts, Some(None)), Ok(Some(true)));
    }

    #[test]
    fn words_that_would_never_be_found_are_errors() {
        for word in [
            "*",
            "127.*",
            "127.0.0.1,10.0.0.1",
            "127.0.0.1-127.0.0.9",
            "a.test.",
            "",
            "10/8",
            "127.0.0.1/0",
            "256.1.1.1",
            "::ffff:1.2.3.4",
            "127.0.0.1:80",
        ] {
            assert!(Origin::parse(word).is_err(), "{word}");
        }
        assert_eq!(Origin::parse("A.test"), Ok(Origin::Host("a.test".into())));
        assert_eq!(Origin::parse("ALL"), Ok(Origin::All));
        for (word, set) in [("env=In", true), ("ENV=!In", false)] {
            let variable = Origin::Variable("In".into(), set);
            assert_eq!(Origin::parse(word), Ok(variable));
        }
    }
}
