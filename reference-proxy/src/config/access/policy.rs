//! What sections say, and what is left when the ones that apply are merged.

use super::client::{Client, Unknown};
use super::hosts::{Hosts, Satisfy};
use super::require::{Question, Require};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// What one section says; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `Require`.
    pub require: Option<Require>,
    /// `AuthMerging`.
    pub merging: Option<Merging>,
    /// `Order`, `Allow`, `Deny` and `Satisfy`.
    pub hosts: Option<Hosts>,
    /// `AuthType` and its kin.
    pub auth: Auth,
}

/// How `Require` joins the ones of earlier sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merging {
    /// It takes their place.
    Off,
    /// Both must grant.
    And,
    /// One must grant.
    Or,
}

/// How users prove who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// `AuthType Basic`; false for `None`.
    pub basic: Option<bool>,
    /// `AuthName`.
    pub realm: Option<String>,
    /// `AuthUserFile`.
    pub file: Option<PathBuf>,
    /// `AuthGroupFile`.
    pub groups: Option<PathBuf>,
    /// `AuthzSendForbiddenOnFailure`.
    pub forbid: Option<bool>,
}

/// What sections say about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Granted,
    /// It may not, whoever it is.
    Denied,
    /// It depends on who it is.
    UserWanted,
    /// Users are asked for, and it is not said how or why.
    Unusable,
}

impl Rules {
    /// Whether they say anything at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Decision {
    /// Whether this lets in less than `other`, or the same.
    pub(super) const fn is_within(self, other: Self) -> bool {
        self.rank() <= other.rank()
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Denied | Self::Unusable => 0,
            Self::UserWanted => 1,
            Self::Granted => 2,
        }
    }
}

/// Merged sections.
#[derive(Clone, Debug, Default)]
pub(super) struct Policy<'a> {
    require: Option<Cow<'a, Require>>,
    hosts: Option<&'a Hosts>,
    pub(super) auth: Asked<'a>,
}

/// [`Auth`], merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) basic: Option<bool>,
    pub(super) realm: Option<&'a str>,
    pub(super) file: Option<&'a Path>,
    pub(super) groups: Option<&'a Path>,
    pub(super) forbid: bool,
}

impl<'a> Policy<'a> {
    /// With a later section on top. Like httpd, each kind of line by itself: `Require` as `AuthMerging` says, the
    /// lists of `Allow` and `Deny` all in all, authentication word by word.
    pub(super) fn with(&self, rules: &'a Rules) -> Self {
        let (earlier, auth) = (self.auth, &rules.auth);
        Self {
            require: self.joined(rules),
            hosts: rules.hosts.as_ref().or(self.hosts),
            auth: Asked {
                basic: auth.basic.or(earlier.basic),
                realm: auth.realm.as_deref().or(earlier.realm),
                file: auth.file.as_deref().or(earlier.file),
                groups: auth.groups.as_deref().or(earlier.groups),
                forbid: auth.forbid.unwrap_or(earlier.forbid),
            },
        }
    }

    fn joined(&self, rules: &'a Rules) -> Option<Cow<'a, Require>> {
        let (earlier, later) = (&self.require, rules.require.as_ref().map(Cow::Borrowed));
        let both = |earlier: &Cow<'a, Require>, later: Cow<'a, Require>| {
            vec![earlier.clone().into_owned(), later.into_owned()]
        };
        match (rules.merging, earlier, later) {
            (None, earlier, None) => earlier.clone(),
            (None | Some(Merging::Off), _, later) => later,
            (Some(_), earlier, None) => earlier.clone(),
            (Some(_), None, later) => later,
            (Some(Merging::And), Some(earlier), Some(later)) => {
                Some(Cow::Owned(Require::Every(both(earlier, later))))
            }
            (Some(Merging::Or), Some(earlier), Some(later)) => {
                Some(Cow::Owned(Require::Any(both(earlier, later))))
            }
        }
    }

    /// What it says about a client.
    pub(super) fn decide(&self, client: Client<'_>) -> Result<Decision, Unknown> {
        let admitted = match self.hosts {
            Some(hosts) => hosts.admit(client)?,
            None => None,
        };
        let either = self
            .hosts
            .is_some_and(|hosts| hosts.satisfy == Satisfy::Any);
        match (admitted, either) {
            (Some(true), true) => return Ok(Decision::Granted),
            (Some(false), false) => return Ok(Decision::Denied),
            _ => {}
        }
        match &self.require {
            Some(require) if **require != Require::OtherMethods => {
                let said = require.decide(self.question(client))?;
                Ok(said.unwrap_or(Decision::Denied))
            }
            None if self.auth.basic == Some(true) => Ok(Decision::Unusable),
            _ => match admitted {
                Some(true) => Ok(Decision::Granted),
                // httpd takes "either of both" for granted where there is only one, and that one has denied.
                Some(false) => Ok(Decision::Denied),
                // Nothing is said about anybody.
                None => Ok(Require::Local
                    .decide(self.question(client))?
                    .unwrap_or(Decision::Denied)),
            },
        }
    }

    /// One that denies everybody.
    pub(super) fn denying(&self) -> Self {
        Self {
            require: Some(Cow::Owned(Require::All(false))),
            hosts: None,
            auth: self.auth,
        }
    }

    /// A user counts where the file of passwords is the one that vouches for the user.
    fn question<'q>(&self, client: Client<'q>) -> Question<'q>
    where
        'a: 'q,
    {
        let own = |file: &Path| self.auth.basic == Some(true) && self.auth.file == Some(file);
        let user = client.user.filter(|user| own(user.file));
        Question {
            client,
            user: user.map(|user| user.name),
            groups: self.auth.groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{Facts, User};
    use super::super::hosts::{Order, Origin};
    use super::*;
    use crate::config::environment::Variables;
    use Decision::{Denied, Granted, Unusable, UserWanted};

    fn require(words: &str) -> Rules {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Rules {
            require: Some(Require::parse(&words, &|_| true).unwrap()),
            ..Rules::default()
        }
    }

    /// `Deny from all` or `Allow from all`.
    fn hosts(allowed: bool, satisfy: Satisfy) -> Rules {
        let mut hosts = Hosts {
            order: Order::DenyAllow,
            satisfy,
            ..Hosts::default()
        };
        let list = if allowed {
            &mut hosts.allowed
        } else {
            &mut hosts.denied
        };
        list.push(Origin::All);
        Rules {
            hosts: Some(hosts),
            ..Rules::default()
        }
    }

    fn auth(file: &str) -> Rules {
        let auth = Auth {
            basic: Some(true),
            file: Some(file.into()),
            ..Auth::default()
        };
        Rules {
            auth,
            ..Rules::default()
        }
    }

    /// What is left of the sections says about a client elsewhere, without a user and as one of `/users`.
    fn decide(sections: &[Rules]) -> [Decision; 2] {
        let policy = sections
            .iter()
            .fold(Policy::default(), |policy, rules| policy.with(rules));
        let user = User {
            name: "ann",
            file: Path::new("/users"),
        };
        [None, Some(user)].map(|user| {
            let client = Client {
                address: "192.0.2.7".parse().unwrap(),
                local: "192.0.2.1".parse().unwrap(),
                user,
                variables: &Variables::default(),
                facts: &Facts::default(),
            };
            policy.decide(client).unwrap()
        })
    }

    #[test]
    fn requirements_merge_as_told() {
        let (yes, no) = (require("all granted"), require("all denied"));
        let merging = |merging: Merging, rules: &Rules| Rules {
            merging: Some(merging),
            ..rules.clone()
        };
        let silent = Rules::default();
        use Merging::{And, Off, Or};
        for (first, second, expected) in [
            (&no, yes.clone(), Granted),
            (&yes, no.clone(), Denied),
            (&no, silent.clone(), Denied),
            (&no, merging(Off, &yes), Granted),
            (&no, merging(Or, &yes), Granted),
            (&yes, merging(Or, &no), Granted),
            (&no, merging(And, &yes), Denied),
            (&yes, merging(And, &no), Denied),
            (&yes, merging(And, &yes), Granted),
            (&no, merging(And, &silent), Denied),
            // Nothing is left: this machine only.
            (&yes, merging(Off, &silent), Denied),
        ] {
            assert_eq!(decide(&[first.clone(), second]), [expected; 2]);
        }
    }

    #[test]
    fn hosts_and_requirements_combine_as_told() {
        use Satisfy::{All, Any};
        for (satisfy, allowed, words, expected) in [
            (All, true, "all granted", Granted),
            (All, true, "all denied", Denied),
            (All, false, "all granted", Denied),
            (Any, true, "all denied", Granted),
            (Any, false, "all granted", Granted),
            (Any, false, "all denied", Denied),
        ] {
            let sections = [hosts(allowed, satisfy), require(words)];
            assert_eq!(decide(&sections), [expected; 2], "{satisfy:?} {words}");
        }
        let user = || [auth("/users"), require("valid-user")];
        let with = |rules: Rules| decide(&[&[rules][..], &user()].concat());
        assert_eq!(with(hosts(false, Any)), [UserWanted, Granted]);
        assert_eq!(with(hosts(true, Any)), [Granted; 2]);
        assert_eq!(with(hosts(true, All)), [UserWanted, Granted]);
        assert_eq!(with(hosts(false, All)), [Denied; 2]);
        let neither = Rules {
            hosts: Some(Hosts {
                satisfy: Any,
                ..Hosts::default()
            }),
            ..Rules::default()
        };
        assert_eq!(with(neither), [UserWanted, Granted]);
    }

    #[test]
    fn lists_alone_decide_alone() {
        assert_eq!(decide(&[hosts(true, Satisfy::All)]), [Granted; 2]);
        assert_eq!(decide(&[hosts(false, Satisfy::All)]), [Denied; 2]);
        // httpd would serve everybody here.
        assert_eq!(decide(&[hosts(false, Satisfy::Any)]), [Denied; 2]);
        // A later section's lists replace earlier ones all in all.
        let replaced = [hosts(false, Satisfy::All), hosts(true, Satisfy::All)];
        assert_eq!(decide(&replaced), [Granted; 2]);
    }

    #[test]
    fn users_that_nothing_asks_for_are_a_mistake() {
        assert_eq!(decide(&[auth("/users")]), [Unusable; 2]);
        let other = Rules {
            require: Some(Require::OtherMethods),
            ..Rules::default()
        };
        assert_eq!(decide(&[auth("/users"), other]), [Denied; 2]);
    }

    #[test]
    fn a_user_of_another_file_is_nobody() {
        let asked = decide(&[auth("/others"), require("valid-user")]);
        assert_eq!(asked, [UserWanted; 2]);
    }
}
