//! What a case can need of the subject: one row for each capability, and all that follows from it.
//!
//! The keys of `[offers]` are these rows' keys, what `connectspec profile check` says of an offer is made of them, and
//! the table of `docs/describe-your-proxy.md` is held against them. The values that a key takes are in
//! [`Offers`](crate::subject::offers::Offers), what a set-up makes of them in
//! [`Configuration`](crate::subject::configuration::Configuration).

mod claims;
mod rows;

use std::fmt;

use crate::setup::Setup;
pub use claims::Claims;
pub use rows::Need;
use rows::{ROWS, Row};

impl Need {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The word for it, as `list` prints it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// Why a case is skipped where this is absent.
    #[must_use]
    pub fn absence(self) -> &'static str {
        self.row().absence
    }

    /// The key in `[offers]` that says it; `None` for what is said elsewhere in a profile, or is known without it.
    #[must_use]
    pub fn offer(self) -> Option<Offer> {
        let key = self.row().keys.first().copied()?;
        Offer::all().find(|offer| offer.key == key)
    }

    /// Whether a subject has it, as far as is said of it.
    #[must_use]
    pub fn is_met_by(self, claims: &Claims) -> bool {
        (self.row().claimed)(claims)
    }
}

/// A key of `[offers]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The key.
    pub key: &'static str,
    /// What else it may be called: its name of once.
    pub once: &'static [&'static str],
    /// A value of it, as TOML has it.
    pub example: &'static str,
    /// What that means.
    pub says: &'static str,
    /// The variables of templates that something has to be made of.
    pub variables: Vec<&'static str>,
}

impl Offer {
    /// Every key, in the order of the rows.
    pub fn all() -> impl Iterator<Item = Self> {
        let first = |row: &&Row| !row.example.is_empty();
        ROWS.iter().filter(first).filter_map(|row| {
            let (&key, once) = row.keys.split_first()?;
            let same = ROWS.iter().filter(|other| other.keys.contains(&key));
            let mut variables: Vec<_> = same.flat_map(|row| row.variables).copied().collect();
            variables.dedup();
            Some(Self {
                key,
                once,
                example: row.example,
                says: row.says,
                variables,
            })
        })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Setup {
    /// What it needs of the subject.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let asked = |need: &Need| (need.row().asked)(self);
        Need::ALL.iter().copied().filter(asked).collect()
    }
}

#[cfg(test)]
mod tests;
