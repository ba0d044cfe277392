//! The decision about one target: what httpd would say, and what is left of it when nothing is given that is only
//! maybe meant.

use super::client::{Client, Unknown};
use super::pattern::{Here, Target};
use super::policy::{Decision, Policy};
use super::{Access, Section};
use std::path::Path;

/// A decision, and how users prove who they are where one is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether the client may.
    pub decision: Decision,
    /// What a challenge says.
    pub realm: Option<&'a str>,
    /// Whether users prove it with a password (`AuthType Basic`).
    pub basic: bool,
    /// The file of passwords.
    pub file: Option<&'a Path>,
    /// Whether a user who is known, and not wanted, is told so.
    pub forbid: bool,
}

impl Access {
    /// Whether `client` may connect to `target`.
    ///
    /// # Errors
    ///
    /// What has to be found out about the client first.
    pub fn decide(&self, client: Client<'_>, target: &Target<'_>) -> Result<Verdict<'_>, Unknown> {
        // What httpd would say, and where that differs, what is left when nothing is given that is only maybe meant.
        let (mut httpd, mut here) = (Policy::default(), None);
        for section in self.sections() {
            let Some(fit) = section.pattern.fit(target) else {
                return Ok(Verdict::of(Decision::Denied, &httpd));
            };
            if here.is_some() || fit.is_doubtful() {
                let earlier = here.unwrap_or_else(|| httpd.clone());
                here = Some(applied(earlier, section, fit.here, client)?);
            }
            if fit.as_httpd {
                httpd = httpd.with(&section.rules);
            }
        }
        let theirs = Verdict::of(httpd.decide(client)?, &httpd);
        let Some(here) = here else {
            return Ok(theirs);
        };
        let ours = Verdict::of(here.decide(client)?, &here);
        // Two files of passwords know two sets of users.
        let others = ours.wants_user() && theirs.wants_user() && ours.file != theirs.file;
        Ok(match ours.decision.is_within(theirs.decision) {
            // Only maybe it is said how.
            true if theirs.asks_in_vain() && ours.wants_user() => theirs,
            true if others => Verdict::of(Decision::Denied, &here),
            true => ours,
            false => theirs,
        })
    }
}

/// What is left of `earlier` with `section` on top. One that only maybe fits is left out where it would let in more,
/// or others.
fn applied<'a>(
    earlier: Policy<'a>,
    section: &'a Section,
    here: Here,
    client: Client<'_>,
) -> Result<Policy<'a>, Unknown> {
    if here == Here::No {
        return Ok(earlier);
    }
    let later = earlier.with(&section.rules);
    if here == Here::Surely {
        return Ok(later);
    }
    let (before, after) = (earlier.decide(client)?, later.decide(client)?);
    let wanted = before == Decision::UserWanted && after == Decision::UserWanted;
    if wanted && earlier.auth.file != later.auth.file {
        return Ok(earlier.denying());
    }
    Ok(match after.is_within(before) {
        true => later,
        false => earlier,
    })
}

impl<'a> Verdict<'a> {
    fn of(decision: Decision, policy: &Policy<'a>) -> Self {
        Self {
            decision,
            realm: policy.auth.realm,
            basic: policy.auth.basic == Some(true),
            file: policy.auth.file,
            forbid: policy.auth.forbid,
        }
    }

    /// Whether a user is wanted, and it is not said how one could prove to be it.
    fn asks_in_vain(&self) -> bool {
        let told = self.basic && self.realm.is_some() && self.file.is_some();
        self.wants_user() && !told
    }

    fn wants_user(&self) -> bool {
        self.decision == Decision::UserWanted
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Auth, Facts, Pattern, Require, Rules, Sections, User};
    use super::*;
    use crate::config::environment::Variables;
    use crate::request::Authority;
    use std::sync::Arc;

    /// A decision about a client from `address`; users are vouched for by `/users`.
    fn decide(access: &Access, address: &str, user: Option<&str>, spelled: &str) -> Decision {
        let authority = Authority::parse(spelled.as_bytes()).unwrap();
        let file = Path::new("/users");
        let client = Client {
            address: address.parse().unwrap(),
            local: "192.0.2.1".parse().unwrap(),
            user: user.map(|name| User { name, file }),
            variables: &Variables::default(),
            facts: &Facts::default(),
        };
        let target = Target::new(spelled, &authority);
        access.decide(client, &target).unwrap().decision
    }

    fn section(pattern: Pattern, words: &str) -> Section {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let require = Some(Require::parse(&words, &|_| true).unwrap());
        let auth = Auth {
            basic: Some(true),
            file: Some("/users".into()),
            ..Auth::default()
        };
        let rules = Rules {
            require,
            auth,
            ..Rules::default()
        };
        Section { pattern, rules }
    }

    fn proxies(sections: &[(&str, &str)]) -> Access {
        let section = |&(pattern, words): &(&str, &str)| section(Pattern::proxy(pattern), words);
        let main = Sections {
            proxies: sections.iter().map(section).collect(),
            locations: Vec::new(),
        };
        Access {
            main: Arc::new(main),
            ..Access::default()
        }
    }

    const HERE: &str = "127.0.0.1";
    use Decision::{Denied, Granted, UserWanted};

    #[test]
    fn an_open_proxy_has_to_be_asked_for() {
        let silent = Access::default();
        let from = |access: &Access, address: &str| decide(access, address, None, "a:1");
        assert_eq!(from(&silent, "127.0.0.9"), Granted);
        assert_eq!(from(&silent, "::1"), Granted);
        assert_eq!(from(&silent, "192.0.2.7"), Denied);
        assert!(!silent.speaks());
        let open = proxies(&[("*", "all granted")]);
        assert_eq!(from(&open, "192.0.2.7"), Granted);
        assert!(open.speaks());
    }

    #[test]
    fn the_last_section_that_fits_decides() {
        for (sections, target, expected) in [
            (
                &[("*", "all granted"), ("a.test", "all denied")][..],
                "a.test:1",
                Denied,
            ),
            (
                &[("*", "all granted"), ("a.test", "all denied")],
                "b.test:1",
                Granted,
            ),
            (
                &[("a.test", "all denied"), ("*", "all granted")],
                "a.test:1",
                Granted,
            ),
            (
                &[("*", "all denied"), ("a.test", "all granted")],
                "a.test:1",
                Granted,
            ),
        ] {
            let access = proxies(sections);
            assert_eq!(
                decide(&access, HERE, None, target),
                expected,
                "{sections:?} {target}"
            );
        }
    }

    #[test]
    fn what_fits_only_maybe_takes_away_and_never_gives() {
        for (sections, target, expected) in [
            // The beginning.
            (
                &[("*", "all granted"), ("a.test:1", "all denied")][..],
                "a.test:12",
                Denied,
            ),
            (
                &[("*", "all denied"), ("a.test:1", "all granted")],
                "a.test:12",
                Denied,
            ),
            (
                &[
                    ("*", "all granted"),
                    ("10.1", "all denied"),
                    ("10.1.2", "all granted"),
                ],
                "10.1.2.3:4",
                Denied,
            ),
            (
                &[("*", "all granted"), ("a.te", "valid-user")],
                "a.test:1",
                UserWanted,
            ),
            (
                &[("*", "valid-user"), ("a.te", "all granted")],
                "a.test:1",
                UserWanted,
            ),
            // Another spelling.
            (
                &[("*", "all granted"), ("a.test", "all denied")],
                "A.test.:1",
                Denied,
            ),
            (
                &[("*", "all denied"), ("a.test", "all granted")],
                "A.test:1",
                Denied,
            ),
            (
                &[("*", "all granted"), ("127.0.0.1:*", "all denied")],
                "[::ffff:127.0.0.1]:1",
                Denied,
            ),
            // What follows counts again.
            (
                &[("a.te", "all denied"), ("*", "all granted")],
                "a.test:1",
                Granted,
            ),
        ] {
            let access = proxies(sections);
            assert_eq!(
                decide(&access, HERE, None, target),
                expected,
                "{sections:?} {target}"
            );
        }
    }

    #[test]
    fn the_address_of_a_name_takes_away_and_never_gives() {
        let client = Client {
            address: HERE.parse().unwrap(),
            local: HERE.parse().unwrap(),
            user: None,
            variables: &Variables::default(),
            facts: &Facts::default(),
        };
        let name = Authority::parse(b"a.test:1").unwrap();
        let target = Target::new("a.test:1", &name).at("10.0.0.1:1".parse().unwrap());
        for (sections, expected) in [
            (
                &[("*", "all granted"), ("10.0.0.1:*", "all denied")][..],
                Denied,
            ),
            (
                &[("*", "all denied"), ("10.0.0.1:*", "all granted")],
                Denied,
            ),
            (&[("*", "all denied"), ("*.test:*", "all granted")], Granted),
        ] {
            let access = proxies(sections);
            let said = access.decide(client, &target).unwrap();
            assert_eq!(said.decision, expected, "{sections:?}");
        }
    }

    #[test]
    fn locations_come_after_proxies_and_the_own_after_the_main_ones() {
        let one = |pattern: Pattern, words: &str| vec![section(pattern, words)];
        let (all, some) = (|| Pattern::proxy("*"), || Pattern::location("a.test:*"));
        let main = Sections {
            proxies: one(all(), "all granted"),
            locations: one(some(), "all denied"),
        };
        let own = Sections {
            proxies: one(all(), "local"),
            locations: Vec::new(),
        };
        let mut access = Access {
            main: Arc::new(main),
            own: Arc::new(own),
        };
        let far = "192.0.2.7";
        assert_eq!(decide(&access, HERE, None, "a.test:1"), Denied);
        assert_eq!(decide(&access, HERE, None, "b.test:1"), Granted);
        assert_eq!(decide(&access, far, None, "b.test:1"), Denied);
        Arc::make_mut(&mut access.own).locations = one(some(), "all granted");
        assert_eq!(decide(&access, far, None, "a.test:1"), Granted);
    }

    #[test]
    fn users_are_asked_for_where_they_matter() {
        let access = proxies(&[("*", "user ann bob")]);
        let as_user = |user| decide(&access, HERE, user, "a:1");
        assert_eq!(as_user(None), UserWanted);
        assert_eq!(as_user(Some("ann")), Granted);
        assert_eq!(as_user(Some("eve")), Denied);
    }

    #[test]
    fn another_file_of_passwords_knows_other_users() {
        let mut access = proxies(&[("*", "valid-user"), ("a.te", "valid-user")]);
        let sections = Arc::make_mut(&mut access.main);
        sections.proxies[1].rules.auth.file = Some("/others".into());
        // Asked in vain: who is known to either file is not known to the other.
        assert_eq!(decide(&access, HERE, None, "a.test:1"), Denied);
        assert_eq!(decide(&access, HERE, Some("ann"), "a.test:1"), UserWanted);
        assert_eq!(decide(&access, HERE, Some("ann"), "b.test:1"), Granted);
    }

    #[test]
    fn what_fits_only_maybe_does_not_say_how_users_prove_it() {
        let mut access = proxies(&[("*", "valid-user"), ("a.test", "valid-user")]);
        let sections = Arc::make_mut(&mut access.main);
        sections.proxies[1].rules.auth.realm = Some("x".into());
        let client = Client {
            address: HERE.parse().unwrap(),
            local: HERE.parse().unwrap(),
            user: None,
            variables: &Variables::default(),
            facts: &Facts::default(),
        };
        for (spelled, realm) in [("a.test:1", Some("x")), ("A.test:1", None)] {
            let authority = Authority::parse(spelled.as_bytes()).unwrap();
            let target = Target::new(spelled, &authority);
            let verdict = access.decide(client, &target).unwrap();
            assert_eq!(verdict.decision, UserWanted, "{spelled}");
            assert_eq!(verdict.realm, realm, "{spelled}");
        }
    }
}
