//! Basic authentication of the proxy's users: RFC 7617 on the wire, htpasswd files on disk.
//!
//! As in httpd the file is read for every request, so that a change needs no reload. An unknown user costs
//! as much time as a wrong password, and neither is told from the other.

mod apr1;
pub mod groups;
mod hash;

use crate::regular;
use crate::request::Fields;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io;
use std::path::Path;

/// The largest htpasswd file that is read.
const FILE_LONGEST: u64 = 8 << 20;
/// The longest password that is hashed: the work of some hashes grows with its square.
const PASSWORD_LONGEST: usize = 256;

/// Who a client says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    password: String,
}

impl std::fmt::Debug for Credentials {
    /// Without the password, which must not get into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads `Proxy-Authorization`. Two of them are none: which one counts would be a guess.
    #[must_use]
    pub fn of(fields: &Fields) -> Option<Self> {
        let mut values = fields.all("proxy-authorization");
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        let value = std::str::from_utf8(value).ok()?;
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(token.trim_start_matches(' ')).ok()?).ok()?;
        let (user, password) = pair.split_once(':')?;
        let fits = password.len() <= PASSWORD_LONGEST && !pair.chars().any(char::is_control);
        fits.then(|| Self {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    /// Whether the htpasswd file `path` knows this user with this password. It may take a while.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn are_valid(&self, path: &Path) -> io::Result<bool> {
        let text =
            String::from_utf8(regular::read(path, FILE_LONGEST)?).map_err(io::Error::other)?;
        Ok(self.are_known_to(&text))
    }

    fn are_known_to(&self, text: &str) -> bool {
        let lines = || {
            text.lines()
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once(':'))
        };
        let entry = lines()
            .find(|(user, _)| *user == self.user)
            .map(|(_, rest)| rest);
        // Somebody else's hash keeps an unknown user as busy as a known one.
        let (known, rest) = match entry {
            Some(rest) => (true, rest),
            None => (false, lines().next().map_or("", |(_, rest)| rest)),
        };
        let hash = rest.split(':').next().unwrap_or_default().trim_end();
        hash::verify(hash, &self.password) && known
    }
}

/// The challenge for `realm`, a quoted-string in which quotes and backslashes are protected.
#[must_use]
pub fn challenge(realm: &str) -> String {
    let quoted: String = realm
        .chars()
        .flat_map(|c| {
            matches!(c, '"' | '\\')
                .then_some('\\')
                .into_iter()
                .chain([c])
        })
        .collect();
    format!("Proxy-Authenticate: Basic realm=\"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Lines;

    fn credentials(lines: &str) -> Option<(String, String)> {
        let fields = Fields::parse(Lines::of(lines.as_bytes())).unwrap();
        Credentials::of(&fields).map(|found| (found.user, found.password))
    }

    #[test]
    fn reads_the_scheme_in_any_case_and_spacing() {
        let pair = Some(("user".to_owned(), "pa:ss".to_owned()));
        for value in [
            "Basic dXNlcjpwYTpzcw==",
            "bAsIc dXNlcjpwYTpzcw==",
            "Basic   dXNlcjpwYTpzcw==",
        ] {
            assert_eq!(
                credentials(&format!("Proxy-Authorization: {value}\r\n")),
                pair,
                "{value}"
            );
        }
        for bad in [
            "Basic",
            "Basic !!",
            "Basic dXNlcg==",
            "Digest dXNlcjpwYTpzcw==",
            "Basic AGE6Yg==",
        ] {
            assert_eq!(
                credentials(&format!("Proxy-Authorization: {bad}\r\n")),
                None,
                "{bad}"
            );
        }
        assert_eq!(
            credentials("Authorization: Basic dXNlcjpwYTpzcw==\r\n"),
            None
        );
        let twice = "Proxy-Authorization: Basic dXNlcjpwYTpzcw==\r\n".repeat(2);
        assert_eq!(credentials(&twice), None);
    }

    #[test]
    fn an_unknown_user_is_never_valid() {
        let user = |user: &str| Credentials {
            user: user.into(),
            password: "secret".into(),
        };
        let file = "# staff\nann:$apr1$8sFt66rZ$RFyYqBGEkgJ/5MPvMQVoC.\n";
        assert!(!user("bob").are_known_to(file));
        assert!(!user("").are_known_to(""));
    }

    #[test]
    fn a_realm_is_quoted() {
        assert_eq!(
            challenge("a \"b\""),
            "Proxy-Authenticate: Basic realm=\"a \\\"b\\\"\""
        );
    }
}
