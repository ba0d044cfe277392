//! # Asking for credentials
//!
//! A proxy that wants to know who asks says so with 407 and a challenge, which is all that a client has to go by: which
//! scheme, which realm, and that it is the proxy who wants to know, not the server.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{
        bad_credentials::{BAD_CREDENTIALS, BadCredentials, CONFUSED},
        challenge::{Challenge, challenges},
    },
    documents::{RFC_7617, RFC_9110, RFC_9112, RFC_9931},
};

/// Every case about being asked for credentials.
pub(crate) fn suite() -> Suite {
    suite! {
        "challenges": "Asking for credentials", include_str!("challenges.rs");
        nobody_gets_in_without_good_credentials,
        missing_credentials_are_asked_for,
        credentials_are_not_asked_for_with_401,
        no_server_is_contacted_before_credentials,
        a_407_has_a_challenge,
        a_407_does_not_challenge_as_a_server_does,
        a_basic_challenge_names_its_realm_in_quotes,
        no_challenge_names_a_parameter_twice,
        a_407_that_says_close_is_followed_by_a_close,
        a_407_does_not_tell_who_exists,
        a_denied_port_without_credentials_is_answered,
    }
}

/// A proxy that is told to ask and does not is an open one.
///
/// Also accepted: any refusal, and a close without an answer. Only this conforms: the set-up lets in known users only.
fn nobody_gets_in_without_good_credentials() -> Family {
    let refused = |&(_, who): &'static (&'static str, BadCredentials)| {
        must("Without good credentials there is no tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .cites(RFC_9110.section("11.7.1"))
            .covers(["H1-AUTH-001", "H1-AUTH-008"])
            .seen_in("3proxy #310", "https://github.com/3proxy/3proxy/issues/310")
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = who.request(lab, &server)?;
                let client = lab.client_of_its_own();
                lab.opens_no_tunnel_from(&client, &request).await?;
                Ok(())
            })
    };
    [each(BAD_CREDENTIALS, refused), each(CONFUSED, refused)].concat()
}

/// A client that has credentials sends them when it is asked, and shows an error to its user when it is told anything else.
///
/// Also accepted: what is said beside, and what becomes of the connection. Any other status, and a close without an answer,
/// go against the recommendation.
fn missing_credentials_are_asked_for() -> Case {
    should("A request without credentials is answered with 407")
        .over(EVERY)
        .cites(RFC_9110.section("11.4"))
        .cites(RFC_9110.section("11.7.1"))
        .covers(["H1-AUTH-001"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = BadCredentials::Silent.request(lab, &server)?;
            let answer = lab.client_of_its_own().asks(request).await?.answer;
            match answer.status() {
                Some(407) => Ok(()),
                Some(200..300) => Err(Finding::inconclusive(format!(
                    "it was not refused: {}",
                    answer.describe()
                ))),
                _ if answer == Answer::Silence => Err(Finding::inconclusive("silence")),
                _ => Err(Finding::violation("status 407", answer.describe())),
            }
        })
}

/// 401 is the word of a server about itself. A client that gets it from a proxy offers its credentials for the server.
///
/// Also accepted: any other refusal, as far as this case goes.
fn credentials_are_not_asked_for_with_401() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        should("A proxy does not ask for credentials with 401")
            .over(EVERY)
            .cites(RFC_9110.section("11.3"))
            .cites(RFC_9110.section("15.5.8"))
            .covers(["H1-AUTH-003"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = who.request(lab, &server)?;
                let exchange = lab.client_of_its_own().asks(request).await?;
                let reply = exchange.reply()?;
                lab.note(reply.status_line());
                reply.expect("any status but 401", |reply| reply.status != 401)
            })
    })
}

/// Whoever may not use the proxy could still use it to knock at doors inside.
///
/// Also accepted: any refusal. A proxy that resolves the target's name first is not seen by this case.
fn no_server_is_contacted_before_credentials() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        should("No server is contacted for a client without good credentials")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .cites(RFC_9110.section("11.7.1"))
            .covers(["H1-AUTH-001"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = who.request(lab, &server)?;
                let answer = lab.client_of_its_own().asks(request).await?.answer;
                if matches!(answer.status(), Some(200..300)) {
                    let why = format!("it was not refused: {}", answer.describe());
                    return Err(Finding::inconclusive(why));
                }
                server.stays_unvisited().await
            })
    })
}

/// A 407 without a challenge tells the client to do something, and not what.
///
/// Also accepted: several challenges, in one line or in several; schemes that nobody knows. Only this conforms for a 407.
fn a_407_has_a_challenge() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        must("A 407 has a Proxy-Authenticate field with a challenge")
            .over(EVERY)
            .cites(RFC_9110.section("15.5.8"))
            .cites(RFC_9110.section("11.7.1"))
            .cites(RFC_9110.section("11.3"))
            .covers(["H1-AUTH-002"])
            .under(credentials())
            .run(async move |lab| {
                let expected = "a Proxy-Authenticate field with at least one challenge";
                let (reply, _) = who.challenged(lab).await?;
                let lines: Vec<_> = reply.values("Proxy-Authenticate").collect();
                let shown = || {
                    let lines = lines.iter().map(|line| String::from_utf8_lossy(line));
                    lines.collect::<Vec<_>>().join("; ")
                };
                match challenges(lines.iter().copied()) {
                    Ok(found) if found.is_empty() => {
                        let observed = format!("{} without a challenge", reply.status_line());
                        Err(Finding::violation(expected, observed))
                    }
                    Ok(found) => {
                        let schemes = found.iter().map(|known| known.scheme.as_str());
                        lab.note(schemes.collect::<Vec<_>>().join(", "));
                        Ok(())
                    }
                    Err(why) => {
                        let observed = format!("its challenge {why}, in: {}", shown());
                        Err(Finding::violation(expected, observed))
                    }
                }
            })
    })
}

/// A client that finds a server's challenge in a proxy's answer has the choice to ignore it, or to give its credentials to
/// the wrong one.
///
/// Also accepted: a 407 with both fields, and one without either, which is for another case to judge.
fn a_407_does_not_challenge_as_a_server_does() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        must("A 407 does not have WWW-Authenticate in place of Proxy-Authenticate")
            .over(EVERY)
            .cites(RFC_9110.section("11.3"))
            .cites(RFC_9110.section("15.5.8"))
            .covers(["H1-AUTH-003"])
            .under(credentials())
            .run(async move |lab| {
                let (reply, _) = who.challenged(lab).await?;
                reply.expect("Proxy-Authenticate", |reply| {
                    reply.has("Proxy-Authenticate") || !reply.has("WWW-Authenticate")
                })
            })
    })
}

/// The realm is what a user is shown, and by what a program knows which password to give.
///
/// Also accepted: any realm, an empty one too; the name of the parameter in any case, and blanks around its `=`. A proxy that
/// does not speak Basic is not judged. Only this conforms: the token form is for recipients to bear, not for senders.
fn a_basic_challenge_names_its_realm_in_quotes() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        must("A Basic challenge has a realm, in quotes")
            .over(EVERY)
            .cites(RFC_7617.section("2"))
            .cites(RFC_9110.section("11.5"))
            .covers(["H1-AUTH-004"])
            .under(credentials())
            .run(async move |lab| {
                let found = basic_challenges(who.challenges(lab).await?)?;
                for challenge in &found {
                    match challenge.parameter("realm") {
                        Some(realm) if realm.is_quoted => lab.note(&realm.value),
                        Some(realm) => {
                            let observed = format!("realm={}", realm.value);
                            return Err(Finding::violation("a realm in quotes", observed));
                        }
                        None => {
                            return Err(Finding::violation("a realm", "a challenge without one"));
                        }
                    }
                }
                Ok(())
            })
    })
}

/// Of two realms, one client takes the first and another the last.
///
/// Also accepted: the same name in two challenges. Only this conforms; names are compared without case.
fn no_challenge_names_a_parameter_twice() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        must("No parameter stands twice in one challenge")
            .over(EVERY)
            .cites(RFC_9110.section("11.2"))
            .covers(["H1-AUTH-021"])
            .under(credentials())
            .run(async move |lab| {
                for challenge in who.challenges(lab).await? {
                    if let Some(name) = challenge.repeated() {
                        let observed = format!("{name} twice in a {} challenge", challenge.scheme);
                        return Err(Finding::violation("each parameter once", observed));
                    }
                }
                Ok(())
            })
    })
}

/// A client that was told of a close sends its credentials on a new connection. Bytes on the old one come from somebody who
/// has not read the answer.
///
/// Also accepted: not to say close, and then either to close or to go on; a close with a reset, or after lingering.
fn a_407_that_says_close_is_followed_by_a_close() -> Family {
    each(BAD_CREDENTIALS, |&(_, who)| {
        must("A 407 that says close is the last answer on its connection")
            .over(EVERY)
            .cites(RFC_9112.section("9.6"))
            .cites(RFC_9931.section("8"))
            .covers(["H1-AUTH-020"])
            .under(credentials())
            .run(async move |lab| {
                let (reply, mut connection) = who.challenged(lab).await?;
                if !reply.lists("Connection", "close") {
                    lab.note("it does not say close");
                    return Ok(());
                }
                connection.body(&reply).await;
                let server = lab.server(echo()).await?;
                match connection.asks(lab.request(&server)).await {
                    // It has waited for a request: what was sent was none to it.
                    Answer::Reply(second) if second.status != 408 => Err(Finding::violation(
                        "the end of the connection",
                        format!("after it, {}", second.status_line()),
                    )),
                    answer @ Answer::Garbage { .. } => Err(Finding::violation(
                        "the end of the connection",
                        answer.describe(),
                    )),
                    answer => {
                        lab.note(format!("it says close; then {}", answer.describe()));
                        Ok(())
                    }
                }
            })
    })
}

/// Names of users are half of what an attacker needs, and the list of a company's employees.
///
/// Also accepted: any answer, as long as both are the same but for dates and marks that differ from answer to answer anyway,
/// and for the name that the client has sent.
fn a_407_does_not_tell_who_exists() -> Case {
    practice("A wrong password and an unknown user get the same answer")
        .over(EVERY)
        .cites(RFC_9110.section("17.16"))
        .covers(["H1-AUTH-019"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut told = Vec::new();
            // The known user twice: what differs between these two answers tells nothing.
            for who in [
                BadCredentials::WrongPassword,
                BadCredentials::WrongPassword,
                BadCredentials::UnknownUser,
            ] {
                let request = who.request(lab, &server)?;
                let mut exchange = lab.client_of_its_own().asks(request).await?;
                let reply = exchange.refusal()?.clone();
                let body = exchange.connection.body(&reply).await.content;
                told.push((reply.status_line(), lines(&reply, &body, &names(lab)?)));
            }
            let [(_, once), (known_status, again), (unknown_status, unknown)] = &told[..] else {
                return Err(Finding::harness("there were three answers"));
            };
            lab.note(known_status);
            if known_status != unknown_status {
                let observed =
                    format!("{known_status} for a known user, {unknown_status} for an unknown one");
                return Err(Finding::violation("the same status", observed));
            }
            if once.len() != again.len() {
                return Err(Finding::inconclusive("its answers differ in length anyway"));
            }
            let steady = once.iter().zip(again).map(|(once, again)| once == again);
            let observed = match unknown.len() == again.len() {
                false => Some(format!(
                    "{} lines instead of {}",
                    unknown.len(),
                    again.len()
                )),
                true => again
                    .iter()
                    .zip(unknown)
                    .zip(steady)
                    .find(|((known, unknown), steady)| *steady && known != unknown)
                    .map(|((known, unknown), _)| {
                        format!("\"{known}\" for a known user, \"{unknown}\" for an unknown one")
                    }),
            };
            observed.map_or(Ok(()), |observed| {
                Err(Finding::violation("the same answer", observed))
            })
        })
}

/// What the client has sent itself.
fn names(lab: &Lab) -> Outcome<[String; 2]> {
    Ok([
        lab.mistaken_user()?.username.clone(),
        crate::cases::words::bad_credentials::stranger(lab)?.to_owned(),
    ])
}

/// The lines of an answer, without `names` and without what changes with the clock.
fn lines(reply: &Reply, body: &[u8], names: &[String]) -> Vec<String> {
    let fields = reply.fields.iter();
    let fields = fields.filter(|(name, _)| !name.eq_ignore_ascii_case("date"));
    let fields = fields.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
    let body = String::from_utf8_lossy(body);
    let body = body.lines().map(ToOwned::to_owned);
    let hidden = |line: String| {
        names
            .iter()
            .fold(line, |line, name| line.replace(name, "(the user)"))
    };
    fields.chain(body).map(hidden).collect()
}

/// Whoever has no credentials could learn from it which ports are open to those who have.
///
/// Also accepted: 407 for both, which tells nothing, and the denial first.
fn a_denied_port_without_credentials_is_answered() -> Case {
    survey("Without credentials, an allowed port and a denied one are answered with")
        .over(EVERY)
        .cites(RFC_9110.section("17.16"))
        .covers(["H1-AUTH-014"])
        .under(credentials())
        .needs([Need::PortList])
        .run(async |lab| {
            let client = lab.client_of_its_own();
            for server in [lab.server(echo()).await?, lab.denied_server(echo()).await?] {
                let request = BadCredentials::Silent.request(lab, &server)?;
                lab.note(client.asks(request).await?.answer.describe());
            }
            Ok(())
        })
}

/// Those of the challenges that are Basic; where there is none, nothing is judged.
fn basic_challenges(found: Vec<Challenge>) -> Outcome<Vec<Challenge>> {
    let basic: Vec<_> = found
        .into_iter()
        .filter(|known| known.is("Basic"))
        .collect();
    if basic.is_empty() {
        return Err(Finding::inconclusive("it has no Basic challenge"));
    }
    Ok(basic)
}
