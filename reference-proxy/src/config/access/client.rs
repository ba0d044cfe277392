//! What is known of a client, and what a decision still has to find out.

use crate::config::environment::Variables;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A client, as far as a decision may ask.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Where it comes from.
    pub address: IpAddr,
    /// Where it arrived.
    pub local: IpAddr,
    /// Who it is, when valid credentials said so.
    pub user: Option<User<'a>>,
    /// What `SetEnvIf` has set for its request.
    pub variables: &'a Variables,
    /// What was found out about it.
    pub facts: &'a Facts,
}

/// Who a client is.
#[derive(Clone, Copy, Debug)]
pub struct User<'a> {
    /// The name.
    pub name: &'a str,
    /// The file of passwords that vouches for it.
    pub file: &'a Path,
}

/// What takes time to find out, and is found out only where a decision depends on it.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The name of the client's address, if that name has this address.
    pub name: Option<Option<String>>,
    /// The addresses of names.
    pub addresses: HashMap<String, Vec<IpAddr>>,
    /// The groups that the user is in, by the file that says so.
    pub groups: HashMap<PathBuf, Vec<String>>,
}

/// What a decision has to know first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The name of the client's address.
    Name,
    /// The addresses of this name.
    Addresses(String),
    /// The user's groups in this file.
    Groups(PathBuf),
}

impl Client<'_> {
    /// Its address, however it is spelled.
    pub(super) fn canonical(&self) -> IpAddr {
        self.address.to_canonical()
    }

    /// Whether its address has a name that is `domain` or lies in it.
    pub(super) fn is_in(&self, domain: &str) -> Result<bool, Unknown> {
        let name = self.facts.name.as_ref().ok_or(Unknown::Name)?;
        Ok(name.as_ref().is_some_and(|name| ends_in(name, domain)))
    }
}

/// Whether `text` can be the name of a host, or with a dot in front a domain.
pub(super) fn can_be_domain(text: &str) -> bool {
    let label = |label: &str| {
        let known = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        !label.is_empty() && label.bytes().all(known)
    };
    let bare = text.strip_prefix('.').unwrap_or(text);
    // No name ends in a number (RFC 1123, section 2.1): that is half an address.
    let last = bare.rsplit('.').next().unwrap_or_default();
    bare.split('.').all(label) && !last.bytes().all(|c| c.is_ascii_digit())
}

/// Whether `name` is `domain`, or ends in it behind a dot.
fn ends_in(name: &str, domain: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let Some(start) = name.len().checked_sub(domain.len()) else {
        return false;
    };
    let (front, end) = name.as_bytes().split_at(start);
    end.eq_ignore_ascii_case(domain.as_bytes())
        && (front.is_empty() || front.ends_with(b".") || domain.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_everything_can_be_a_name() {
        for name in ["a", "a.test", ".a.test", "3com.test", "a_b", "a-1"] {
            assert!(can_be_domain(name), "{name}");
        }
        for other in [
            "",
            ".",
            "a.",
            "a..b",
            "*",
            "a,b",
            "127.0.0.1-127.0.0.9",
            "1.2",
            "a:1",
            "\u{e9}",
        ] {
            assert!(!can_be_domain(other), "{other}");
        }
    }

    #[test]
    fn domains_end_at_dots() {
        for (name, domain, whether) in [
            ("a.test", "a.test", true),
            ("b.a.test", "a.test", true),
            ("B.A.test.", "a.TEST", true),
            ("b.a.test", ".a.test", true),
            ("a.test", ".a.test", false),
            ("xa.test", "a.test", false),
            ("test", "a.test", false),
            ("a.test", "*.test", false),
        ] {
            assert_eq!(ends_in(name, domain), whether, "{name} {domain}");
        }
    }
}
