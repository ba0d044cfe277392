//! Names that a subject is told to allow or to deny.
//!
//! A set-up has them before there is a case: so there are some of each kind, numbered, and each case takes one that nobody
//! has taken for long. What a proxy remembers must not answer one case with another's address: a number belongs to an
//! address of the lab, and a name leads to the same one each time.

use std::fmt;

/// Which names a set-up allows or denies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostRules {
    /// Whatever they are called.
    #[default]
    None,
    /// Some are allowed, and no others.
    Allowed,
    /// Some are denied.
    Denied,
    /// Names are allowed with those below them, of which one each is denied.
    Excepted,
}

/// Names of a kind, as many as cases beside each other and one after the other take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostKind {
    /// Allowed by themselves.
    Listed,
    /// Allowed with all that is below them.
    Wide,
    /// Allowed by themselves, and one label is in another script: `bücher`.
    Foreign,
    /// Denied by themselves.
    Denied,
    /// Denied with all that is below them.
    Barred,
    /// Denied by themselves, below a wide one.
    Exception,
    /// Denied by themselves, and one label is in another script.
    ForeignDenied,
}

/// How many there are of each kind: one for each address that servers of the lab may have, and some that lead elsewhere.
const OF_EACH: u32 = FIRST_ELSEWHERE + ELSEWHERE;

/// From which number on names lead elsewhere.
const FIRST_ELSEWHERE: u32 = 128;

/// How many do.
const ELSEWHERE: u32 = 64;

/// The name of the control tunnel where names are listed; it is always allowed.
pub const CONTROL_HOST: &str = "control.test";

/// The label `bücher` as the domain name system has it (RFC 5890, section 2.3.2.1).
pub const FOREIGN_LABEL: &str = "xn--bcher-kva";

/// A line of a list: one name, or many that differ in a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hosts {
    before: String,
    /// What follows the number; `None` where there is none.
    after: Option<String>,
    /// Whether all names below them belong to the list, too.
    pub subdomains: bool,
}

impl HostKind {
    /// The name of that number, which begins anew when all have been taken.
    #[must_use]
    pub fn name(self, number: u32) -> String {
        let (before, after) = self.parts();
        format!("{before}{:03}{after}", number % OF_EACH)
    }

    /// The name of that number among those that lead to no server's address.
    #[must_use]
    pub fn name_elsewhere(self, number: u32) -> String {
        self.name(FIRST_ELSEWHERE + number % ELSEWHERE)
    }

    fn parts(self) -> (String, &'static str) {
        let foreign = |rest: &str| format!("{FOREIGN_LABEL}.{rest}");
        match self {
            Self::Listed => ("listed-".to_owned(), ".test"),
            Self::Wide => ("wide-".to_owned(), ".test"),
            Self::Foreign => (foreign("allowed-"), ".test"),
            Self::Denied => ("denied-".to_owned(), ".test"),
            Self::Barred => ("barred-".to_owned(), ".test"),
            Self::Exception => ("excepted.wide-".to_owned(), ".test"),
            Self::ForeignDenied => (foreign("refused-"), ".test"),
        }
    }

    fn hosts(self) -> Hosts {
        let (before, after) = self.parts();
        Hosts {
            before,
            after: Some(after.to_owned()),
            subdomains: matches!(self, Self::Wide | Self::Barred),
        }
    }
}

impl HostRules {
    /// The names that are allowed; `None`: all of them.
    #[must_use]
    pub fn allowed(self) -> Option<Vec<Hosts>> {
        let kinds: &[HostKind] = match self {
            Self::None | Self::Denied => return None,
            Self::Allowed => &[HostKind::Listed, HostKind::Wide, HostKind::Foreign],
            Self::Excepted => &[HostKind::Wide],
        };
        let listed = kinds.iter().map(|kind| kind.hosts());
        Some(
            std::iter::once(Hosts::one(CONTROL_HOST))
                .chain(listed)
                .collect(),
        )
    }

    /// The names that are denied.
    #[must_use]
    pub fn denied(self) -> Option<Vec<Hosts>> {
        let kinds: &[HostKind] = match self {
            Self::None | Self::Allowed => return None,
            Self::Denied => &[HostKind::Denied, HostKind::Barred, HostKind::ForeignDenied],
            Self::Excepted => &[HostKind::Exception],
        };
        Some(kinds.iter().map(|kind| kind.hosts()).collect())
    }
}

impl Hosts {
    /// That name; with a dot in front, also all that are below it.
    #[must_use]
    pub fn one(name: &str) -> Self {
        Self {
            before: name.trim_start_matches('.').to_owned(),
            after: None,
            subdomains: name.starts_with('.'),
        }
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let most = self.after.as_ref().map_or(1, |_| OF_EACH);
        (0..most).map(|number| match &self.after {
            Some(after) => format!("{}{number:03}{after}", self.before),
            None => self.before.clone(),
        })
    }
}

/// As the shell writes all of them, with a dot in front where those below belong to the list.
impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.subdomains { "." } else { "" };
        match &self.after {
            Some(after) => write!(f, "{dot}{}{{000..{:03}}}{after}", self.before, OF_EACH - 1),
            None => write!(f, "{dot}{}", self.before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_case_gets_is_in_the_list() {
        for (kind, list) in [
            (HostKind::Listed, HostRules::Allowed.allowed()),
            (HostKind::Foreign, HostRules::Allowed.allowed()),
            (HostKind::Wide, HostRules::Excepted.allowed()),
            (HostKind::Barred, HostRules::Denied.denied()),
            (HostKind::ForeignDenied, HostRules::Denied.denied()),
            (HostKind::Exception, HostRules::Excepted.denied()),
        ] {
            let names: Vec<_> = list.iter().flatten().flat_map(Hosts::names).collect();
            for number in [0, 7, 127, 128, 191, 192, 12345] {
                assert!(names.contains(&kind.name(number)), "{kind:?} {number}");
            }
        }
        let below = HostKind::Exception.name(7);
        assert!(below.ends_with(&format!(".{}", HostKind::Wide.name(7))));
    }

    #[test]
    fn the_shell_can_write_all_of_them() {
        assert_eq!(HostKind::Wide.hosts().to_string(), ".wide-{000..191}.test");
        assert_eq!(Hosts::one(".a.test").to_string(), ".a.test");
        assert_eq!(HostKind::Wide.hosts().names().count(), 192);
    }
}
