//! Whom set-ups with credentials know: one user whom every subject can express, and others at the edges of what HTTP
//! Basic can carry. One process knows them all.

use crate::subject::configuration::Credentials;

/// A user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// With a plain name and password.
    Ordinary,
    /// Whose right password no case ever gives. Proxies remember what they think of a user, and a wrong password that was
    /// given in one case must not cost another its tunnel.
    Sleeper,
    /// With colons in the password.
    WithColons,
    /// With spaces and punctuation in the password.
    WithPunctuation,
    /// With letters beyond ASCII in name and password; both are in Unicode's form NFC.
    BeyondAscii,
    /// With a password as long as programs make them, of plain letters.
    WithLongPassword,
    /// With an empty password.
    WithoutPassword,
}

/// Twice what some password hashes look at, and as long as programs make passwords.
const LONG: usize = 144;

impl User {
    /// All but the ordinary one.
    pub(crate) const OTHERS: [Self; 6] = [
        Self::Sleeper,
        Self::WithColons,
        Self::WithPunctuation,
        Self::BeyondAscii,
        Self::WithLongPassword,
        Self::WithoutPassword,
    ];

    /// The name and the password; that differs from run to run, as far as `seed` does.
    pub(crate) fn credentials(self, seed: u64) -> Credentials {
        let (username, password) = match self {
            Self::Ordinary => ("alice", format!("wonderland-{seed:x}")),
            Self::Sleeper => ("mouse", format!("treacle-{seed:x}")),
            Self::WithColons => ("carol", format!("won:der::land-{seed:x}:")),
            Self::WithPunctuation => ("peter", format!("w%6f nder\"land'\\{seed:x}&+/=?")),
            Self::BeyondAscii => (
                "j\u{fc}rgen",
                format!("w\u{fc}nderl\u{e4}nd-\u{20ac}-{seed:x}"),
            ),
            Self::WithLongPassword => (
                "lewis",
                format!("{:w<LONG$}", format!("wonderland-{seed:x}-")),
            ),
            Self::WithoutPassword => ("nobody", String::new()),
        };
        Credentials {
            username: username.to_owned(),
            password,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ordinary_user_can_be_expressed_everywhere() {
        assert!(User::Ordinary.credentials(u64::MAX).is_plain());
        assert!(User::Sleeper.credentials(u64::MAX).is_plain());
        assert!(User::WithLongPassword.credentials(1).is_plain());
        let odd = [
            User::WithColons,
            User::WithPunctuation,
            User::BeyondAscii,
            User::WithoutPassword,
        ];
        assert!(!odd.iter().any(|user| user.credentials(1).is_plain()));
    }

    #[test]
    fn names_differ() {
        let mut names: Vec<_> = User::OTHERS
            .iter()
            .map(|user| user.credentials(1).username)
            .collect();
        names.push(User::Ordinary.credentials(1).username);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), User::OTHERS.len() + 1);
    }
}
