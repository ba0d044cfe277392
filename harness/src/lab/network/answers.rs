//! What the name server says of a name.

use std::net::IpAddr;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Those of these addresses that are of the family that was asked for, in this order.
    Addresses(Vec<IpAddr>),
    /// That the name is an alias of an alias, so many times, and then those addresses: all in one answer, as a recursive
    /// server gives it.
    Aliases(u8, Vec<IpAddr>),
    /// That the name is an alias of one that is an alias of the name.
    Loop,
    /// That there is no such name (NXDOMAIN).
    NoSuchName,
    /// That it could not find out (SERVFAIL).
    Failure,
    /// Nothing at all.
    Silence,
    /// To a question in reverse, that the address has this name.
    Called(String),
    /// Over UDP, that the answer is too long for it; over TCP, these addresses.
    Truncated(Vec<IpAddr>),
}

/// The answers to one question after the other, each for as long as a resolver asks the same.
///
/// Questions for addresses of IPv4 and of IPv6 are counted apart: a look-up asks both. The last answer is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers(Vec<Says>);

impl Answers {
    /// The same to every question.
    #[must_use]
    pub fn always(says: Says) -> Self {
        Self(vec![says])
    }

    /// These addresses to every question.
    #[must_use]
    pub fn addresses(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self::always(Says::Addresses(addresses.into_iter().collect()))
    }

    /// Then this one, to all questions after the ones before.
    #[must_use]
    pub fn then(mut self, says: Says) -> Self {
        self.0.push(says);
        self
    }

    /// The first address of all.
    pub(super) fn first_address(&self) -> Option<IpAddr> {
        self.0.iter().find_map(|says| match says {
            Says::Addresses(addresses)
            | Says::Aliases(_, addresses)
            | Says::Truncated(addresses) => addresses.first().copied(),
            _ => None,
        })
    }

    /// The answer to the question of that number, from 0.
    pub(super) fn to(&self, number: usize) -> Says {
        let last = self.0.len() - 1;
        self.0[number.min(last)].clone()
    }
}
