//! Who may use the proxy: `<Proxy>` sections, their `Require` and their authentication.
//!
//! Without any `Require` httpd serves everybody. This proxy then serves clients of its own machine only:
//! an open proxy has to be asked for in words.

mod network;
mod require;

pub use network::Network;
pub use require::Require;

use std::net::IpAddr;
use std::path::PathBuf;

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
    /// How users prove who they are.
    pub auth: Auth,
}

/// How users prove who they are; `None` where a section says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// `AuthType Basic`; false for `None`.
    pub basic: Option<bool>,
    /// `AuthName`.
    pub realm: Option<String>,
    /// `AuthUserFile`.
    pub file: Option<PathBuf>,
}

/// What is known of a client.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Where it comes from.
    pub address: IpAddr,
    /// Where it arrived.
    pub local: IpAddr,
    /// The name of its address, which resolves to that address; only looked up where [`Access::asks_name`].
    pub name: Option<&'a str>,
    /// Who it is, when valid credentials said so.
    pub user: Option<&'a str>,
    /// The method of its request.
    pub method: &'a str,
}

/// What a section says about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Granted,
    /// It may not, whoever it is.
    Denied,
    /// It depends on who it is.
    UserWanted,
}

impl Access {
    /// Whether `client` may connect to `target`.
    #[must_use]
    pub fn decide(&self, client: Client<'_>, target: &str) -> Decision {
        let require = self
            .applying(target)
            .rev()
            .find_map(|section| section.require.as_ref());
        require
            .unwrap_or(&Require::Local)
            .decide(client)
            .unwrap_or(Decision::Denied)
    }

    /// Whether a decision about `target` may depend on the name of the client's address.
    #[must_use]
    pub fn asks_name(&self, target: &str) -> bool {
        self.applying(target)
            .any(|section| section.require.as_ref().is_some_and(Require::asks_name))
    }

    /// How users prove who they are where `target` is concerned.
    #[must_use]
    pub fn auth(&self, target: &str) -> Auth {
        self.applying(target)
            .fold(Auth::default(), |earlier, section| Auth {
                basic: section.auth.basic.or(earlier.basic),
                realm: section.auth.realm.clone().or(earlier.realm),
                file: section.auth.file.clone().or(earlier.file),
            })
    }

    fn applying(&self, target: &str) -> impl DoubleEndedIterator<Item = &Section> {
        self.sections
            .iter()
            .filter(move |section| super::matches_wildcard(&section.pattern, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Client<'_> {
        Client {
            address: address.parse().unwrap(),
            local: "192.0.2.1".parse().unwrap(),
            name: None,
            user: None,
            method: "CONNECT",
        }
    }

    fn requiring(pattern: &str, words: &str) -> Section {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let require = Require::parse(&words, &|_| true).unwrap();
        Section {
            pattern: pattern.into(),
            require: Some(require),
            auth: Auth::default(),
        }
    }

    #[test]
    fn an_open_proxy_has_to_be_asked_for() {
        let silent = Access::default();
        assert_eq!(silent.decide(from("127.0.0.9"), "a:1"), Decision::Granted);
        assert_eq!(silent.decide(from("::1"), "a:1"), Decision::Granted);
        assert_eq!(silent.decide(from("192.0.2.7"), "a:1"), Decision::Denied);
        let open = Access {
            sections: vec![requiring("*", "all granted")],
        };
        assert_eq!(open.decide(from("192.0.2.7"), "a:1"), Decision::Granted);
    }

    #[test]
    fn the_last_section_that_fits_decides() {
        let sections = vec![
            requiring("*", "all granted"),
            requiring("a.test:*", "all denied"),
        ];
        let access = Access { sections };
        assert_eq!(
            access.decide(from("127.0.0.1"), "a.test:1"),
            Decision::Denied
        );
        assert_eq!(
            access.decide(from("127.0.0.1"), "b.test:1"),
            Decision::Granted
        );
    }

    #[test]
    fn users_are_asked_for_where_they_matter() {
        let access = Access {
            sections: vec![requiring("*", "user ann bob")],
        };
        assert_eq!(
            access.decide(from("127.0.0.1"), "a:1"),
            Decision::UserWanted
        );
        let as_user = |user| Client {
            user: Some(user),
            ..from("127.0.0.1")
        };
        assert_eq!(access.decide(as_user("ann"), "a:1"), Decision::Granted);
        assert_eq!(access.decide(as_user("eve"), "a:1"), Decision::Denied);
    }
}
