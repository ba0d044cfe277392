//! Who is not let in: what clients say that have no good credentials, and how the proxy asks them for some.

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use connectspec_harness::prelude::*;

use crate::cases::words::challenge::{Challenge, challenges};

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cases) enum BadCredentials {
    /// It says nothing.
    Silent,
    /// It knows a user, but not the password.
    WrongPassword,
    /// Its user does not exist.
    UnknownUser,
    /// It knows a user, and the password of another one.
    AnothersPassword,
    /// Its user does not exist, and its password is one.
    StrangerWithPassword,
    /// It speaks of another scheme than Basic.
    OtherScheme,
    /// What it says is no credentials.
    Malformed,
}

/// Each of them.
pub(in crate::cases) const BAD_CREDENTIALS: &[(&str, BadCredentials)] = &[
    ("nothing", BadCredentials::Silent),
    ("wrong_password", BadCredentials::WrongPassword),
    ("unknown_user", BadCredentials::UnknownUser),
    ("other_scheme", BadCredentials::OtherScheme),
    ("malformed", BadCredentials::Malformed),
];

/// Those who know a password, but not whose it is.
pub(in crate::cases) const CONFUSED: &[(&str, BadCredentials)] = &[
    ("password_of_another_user", BadCredentials::AnothersPassword),
    (
        "unknown_user_with_a_password",
        BadCredentials::StrangerWithPassword,
    ),
];

/// Those who say who they are, and are not believed.
pub(in crate::cases) const WRONG: &[(&str, BadCredentials)] = &[
    ("wrong_password", BadCredentials::WrongPassword),
    ("unknown_user", BadCredentials::UnknownUser),
];

/// A user whom nobody knows, of the same length as the ordinary one: a page that repeats the name has the same length.
pub(in crate::cases) fn stranger(lab: &Lab) -> Outcome<&'static str> {
    let known = &lab.credentials()?.username;
    Ok(if known == "mabel" { "edith" } else { "mabel" })
}

impl BadCredentials {
    /// The line by which it wants to be let in.
    pub(in crate::cases) fn line(self, lab: &Lab) -> Outcome<Option<String>> {
        let basic = |user: &str, password: &str| basic(format!("{user}:{password}"));
        Ok(match self {
            Self::Silent => None,
            Self::WrongPassword => Some(basic(&lab.mistaken_user()?.username, &lab.nonce())),
            Self::UnknownUser => Some(basic(stranger(lab)?, &lab.nonce())),
            Self::AnothersPassword => {
                let user = &lab.user(User::Sleeper)?.username;
                Some(basic(user, &lab.credentials()?.password))
            }
            Self::StrangerWithPassword => Some(basic(stranger(lab)?, &lab.credentials()?.password)),
            Self::OtherScheme => Some(format!("Proxy-Authorization: Unheard-Of {}", lab.nonce())),
            Self::Malformed => Some("Proxy-Authorization: Basic %%%".to_owned()),
        })
    }

    /// Its request for `server`.
    pub(in crate::cases) fn request(self, lab: &Lab, server: &Server) -> Outcome<Request> {
        let request = Request::connect(server.authority());
        let line = self.line(lab)?;
        Ok(line.iter().fold(request, Request::field))
    }

    /// The 407 that it gets, and its connection. Where it gets something else, that is for other cases to judge.
    pub(in crate::cases) async fn challenged(self, lab: &Lab) -> Outcome<(Reply, Connection)> {
        let server = lab.server(echo()).await?;
        let request = self.request(lab, &server)?;
        let exchange = lab.client_of_its_own().asks(request).await?;
        let reply = exchange.reply()?.clone();
        if reply.status != 407 {
            let why = format!("it is not asked for credentials: {}", reply.status_line());
            return Err(Finding::inconclusive(why));
        }
        Ok((reply, exchange.connection))
    }

    /// The challenges of the 407 that it gets. Where nobody can read them, that is for another case to judge.
    pub(in crate::cases) async fn challenges(self, lab: &Lab) -> Outcome<Vec<Challenge>> {
        let (reply, _) = self.challenged(lab).await?;
        challenges(reply.values("Proxy-Authenticate"))
            .map_err(|why| Finding::inconclusive(format!("its challenge {why}")))
    }
}

/// The line that carries `pair` as HTTP Basic does.
pub(in crate::cases) fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Proxy-Authorization: Basic {}", BASE64.encode(pair))
}
