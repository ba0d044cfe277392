//! # Credentials
//!
//! HTTP Basic is a line of text, and what proxies make of it differs in the text: its spaces, its colons, its letters
//! beyond ASCII. Who has the right password gets in, however it is written; and nobody else.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::bad_credentials::{BadCredentials, WRONG, basic},
    documents::{RFC_7617, RFC_9110},
};

/// Every case about good credentials and such as only look like them.
pub(crate) fn suite() -> Suite {
    suite! {
        "credentials": "Credentials", include_str!("credentials.rs");
        right_credentials_open_a_tunnel,
        the_case_of_the_scheme_means_nothing,
        several_spaces_are_as_good_as_one,
        a_tab_behind_the_scheme_is_answered,
        a_password_may_contain_colons,
        letters_beyond_ascii_are_taken_where_that_is_announced,
        other_users_get_in,
        wrong_credentials_are_asked_for_again,
        only_the_whole_password_counts,
        the_time_of_an_answer_tells_who_exists,
        credentials_for_the_server_are_not_for_the_proxy,
        a_right_line_behind_a_wrong_one_is_not_enough,
        two_lines_are_answered,
    }
}

/// Without this, nothing follows from the other cases of this suite.
///
/// Also accepted: to refuse it, for whatever reason the configuration has.
fn right_credentials_open_a_tunnel() -> Case {
    survey("Right credentials open a tunnel, for an everyday client too")
        .over(EVERY)
        .cites(RFC_7617.section("2"))
        .covers(["H1-AUTH-005"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = lab.request(&server);
            lab.lets_in_from(&lab.client_of_its_own(), &request, &server)
                .await?;

            let page = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
            let script = receive_head().then(send(page)).then(close());
            let server = lab.tls_server(script).await?;
            let client = lab.reqwest_client().await?;
            let url = format!("https://{}/", server.authority());
            let (status, _) = client.gets(&url).await?;
            lab.note(format!("yes; its page came with {status}"));
            Ok(())
        })
}

/// How the name of the scheme is written.
const SPELLINGS: &[(&str, &str)] = &[("lower", "basic"), ("upper", "BASIC"), ("mixed", "bAsIc")];

/// Clients write it as they like.
///
/// Also accepted: a refusal by policy says nothing. Only this conforms.
fn the_case_of_the_scheme_means_nothing() -> Family {
    each(SPELLINGS, |&(_, scheme)| {
        must("The name of the scheme is understood in any case")
            .over(EVERY)
            .cites(RFC_9110.section("11.1"))
            .cites(RFC_7617.section("2"))
            .covers(["H1-AUTH-006"])
            .under(credentials())
            .run(async move |lab| {
                let token = lab.credentials()?.token();
                gets_in(lab, format!("Proxy-Authorization: {scheme} {token}")).await
            })
    })
}

/// How many spaces there are.
const SPACES: &[(&str, &str)] = &[("two", "  "), ("five", "     ")];

/// The grammar has one or more of them.
///
/// Also accepted: a refusal by policy says nothing. Only this conforms.
fn several_spaces_are_as_good_as_one() -> Family {
    each(SPACES, |&(_, spaces)| {
        must("Several spaces may stand between the scheme and the credentials")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .covers(["H1-AUTH-007"])
            .under(credentials())
            .run(async move |lab| {
                let token = lab.credentials()?.token();
                gets_in(lab, format!("Proxy-Authorization: Basic{spaces}{token}")).await
            })
    })
}

/// The grammar has no tabs there, and many parsers have.
///
/// Also accepted: a tunnel, and any refusal.
fn a_tab_behind_the_scheme_is_answered() -> Case {
    survey("A tab between the scheme and the credentials is answered with")
        .over(EVERY)
        .cites(RFC_9110.section("11.4"))
        .covers(["H1-AUTH-007"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let line = format!("Proxy-Authorization: Basic\t{}", lab.credentials()?.token());
            let request = Request::connect(server.authority()).field(line);
            let answer = lab.client_of_its_own().asks(request).await?.answer;
            lab.note(answer.describe());
            Ok(())
        })
}

/// Only the name cannot have one. Programs that make passwords use them.
///
/// Also accepted: a refusal by policy says nothing. Only this conforms, where the proxy's configuration can hold such a
/// password.
fn a_password_may_contain_colons() -> Case {
    must("A password may contain colons")
        .over(EVERY)
        .cites(RFC_7617.section("2"))
        .covers(["H1-AUTH-011"])
        .under(credentials())
        .needs([Need::AnyPassword])
        .run(async |lab| {
            let line = lab.user(User::WithColons)?.basic();
            gets_in(lab, format!("Proxy-Authorization: {line}")).await
        })
}

/// A proxy that announces UTF-8 is believed by clients; their users have names in every language.
///
/// Also accepted: not to announce it. Such a proxy is not judged here.
fn letters_beyond_ascii_are_taken_where_that_is_announced() -> Case {
    must("Credentials in UTF-8 are taken where the challenge announces that")
        .over(EVERY)
        .cites(RFC_7617.section("2.1"))
        .covers(["H1-AUTH-012"])
        .under(credentials())
        .needs([Need::AnyPassword])
        .run(async |lab| {
            let announced = BadCredentials::Silent
                .challenges(lab)
                .await?
                .iter()
                .any(|known| {
                    let charset = known.parameter("charset");
                    known.is("Basic")
                        && charset.is_some_and(|it| it.value.eq_ignore_ascii_case("UTF-8"))
                });
            if !announced {
                return Err(Finding::absent("its challenge does not announce UTF-8"));
            }
            let line = lab.user(User::BeyondAscii)?.basic();
            gets_in(lab, format!("Proxy-Authorization: {line}")).await
        })
}

/// Users with other names and passwords than plain ones.
const OTHERS: &[(&str, &str, User)] = &[
    (
        "punctuation",
        "with punctuation in the password",
        User::WithPunctuation,
    ),
    (
        "beyond_ascii",
        "with letters beyond ASCII",
        User::BeyondAscii,
    ),
    (
        "long_password",
        "with a password of 144 letters",
        User::WithLongPassword,
    ),
    (
        "empty_password",
        "with an empty password",
        User::WithoutPassword,
    ),
];

/// What a proxy's configuration can hold, its users may still not be able to say.
///
/// Also accepted: to refuse them; no sentence of a specification says which passwords are good ones.
fn other_users_get_in() -> Family {
    each(OTHERS, |&(_, who, user)| {
        survey(format!("A user {who} gets in"))
            .over(EVERY)
            .cites(RFC_7617.section("2"))
            .covers(["H1-AUTH-005"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let line = format!("Proxy-Authorization: {}", lab.user(user)?.basic());
                let request = Request::connect(server.authority()).field(line);
                let answer = lab.client_of_its_own().asks(request).await?.answer;
                let let_in = matches!(answer.status(), Some(200..300));
                let word = if let_in { "yes" } else { "no" };
                lab.note(format!("{word}: {}", answer.describe()));
                Ok(())
            })
    })
}

/// A user who has mistyped the password is to be asked again, and not to be told that the proxy is forbidden.
///
/// Also accepted: to do so whether or not the user exists. Other statuses, and a close without an answer, go against the
/// recommendation.
fn wrong_credentials_are_asked_for_again() -> Family {
    each(WRONG, |&(_, who)| {
        should("Wrong credentials are answered with 407 again")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .covers(["H1-AUTH-008"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = who.request(lab, &server)?;
                let answer = lab.client_of_its_own().asks(request).await?.answer;
                match answer.status() {
                    Some(407) => Ok(()),
                    Some(200..300) => Err(Finding::inconclusive("it was not refused")),
                    _ if answer == Answer::Silence => Err(Finding::inconclusive("silence")),
                    _ => Err(Finding::violation("status 407", answer.describe())),
                }
            })
    })
}

/// What is made of the right password.
type Change = fn(&str) -> String;

/// Passwords that are nearly right.
const NEARLY: &[(&str, User, Change)] = &[
    ("its_beginning", User::Sleeper, |right| {
        right.chars().take(1).collect()
    }),
    ("all_but_its_last_letter", User::Sleeper, all_but_the_last),
    ("a_letter_more", User::Sleeper, |right| format!("{right}x")),
    ("in_capitals", User::Sleeper, str::to_uppercase),
    ("empty", User::Sleeper, |_| String::new()),
    ("up_to_a_colon", User::Sleeper, |right| format!("{right}:x")),
    (
        "another_end_of_a_long_one",
        User::WithLongPassword,
        |right| format!("{}x", all_but_the_last(right)),
    ),
];

fn all_but_the_last(right: &str) -> String {
    let letters = right.chars().count();
    right.chars().take(letters.saturating_sub(1)).collect()
}

/// Some hashes look at eight letters of a password only, and some at seventy-two; some directories do not mind its case.
///
/// Also accepted: any refusal. A directory that means to be lenient about case lists that as a deviation.
fn only_the_whole_password_counts() -> Family {
    each(NEARLY, |&(_, user, change)| {
        practice("Nearly the right password is not enough")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .covers(["H1-AUTH-008"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let known = match user {
                    User::Sleeper => lab.varied_user()?,
                    user => lab.user(user)?,
                };
                let nearly = change(&known.password);
                if nearly == known.password {
                    return Err(Finding::absent("it is the password itself"));
                }
                let line = basic(format!("{}:{nearly}", known.username));
                let request = Request::connect(server.authority()).field(line);
                let client = lab.client_of_its_own();
                lab.opens_no_tunnel_from(&client, &request).await?;
                Ok(())
            })
    })
}

/// A proxy that hashes a password only where there is a user to compare it with answers faster where there is none.
///
/// Also accepted: anything; one measurement proves little.
fn the_time_of_an_answer_tells_who_exists() -> Case {
    survey("A wrong password and an unknown user are answered in times that are")
        .over(EVERY)
        .cites(RFC_9110.section("17.16"))
        .covers(["H1-AUTH-008"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut times = Vec::new();
            for &(_, who) in WRONG {
                let mut connection = lab.client_of_its_own().dial().await?;
                let request = who.request(lab, &server)?;
                let began = std::time::Instant::now();
                connection.asks(request).await;
                times.push(began.elapsed());
            }
            let (Some(longer), Some(shorter)) = (times.iter().max(), times.iter().min()) else {
                return Err(Finding::harness("nothing was measured"));
            };
            let alike = *longer < *shorter * 10;
            lab.note(if alike { "alike" } else { "ten times apart" });
            Ok(())
        })
}

/// Credentials for a server pass through many hands, and those for a proxy are for the proxy alone. One that takes the former
/// for the latter lets in whoever has seen them.
///
/// Also accepted: 407 or any other refusal.
fn credentials_for_the_server_are_not_for_the_proxy() -> Case {
    practice("Authorization is not taken for Proxy-Authorization")
        .over(EVERY)
        .cites(RFC_9110.section("11.6.2"))
        .cites(RFC_9110.section("11.7.2"))
        .covers(["H1-AUTH-010"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let line = format!("Authorization: {}", lab.credentials()?.basic());
            let request = Request::connect(server.authority()).field(line);
            let client = lab.client_of_its_own();
            lab.opens_no_tunnel_from(&client, &request).await?;
            Ok(())
        })
}

/// Two programs that read one request, and each another of its lines, disagree about who asks.
///
/// Also accepted: any refusal.
fn a_right_line_behind_a_wrong_one_is_not_enough() -> Case {
    practice("A line with right credentials after one with wrong ones opens no tunnel")
        .over(EVERY)
        .cites(RFC_9110.section("5.3"))
        .covers(["H1-AUTH-013"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let request = BadCredentials::WrongPassword.request(lab, &server)?;
            let good = format!("Proxy-Authorization: {}", lab.credentials()?.basic());
            let client = lab.client_of_its_own();
            lab.opens_no_tunnel_from(&client, &request.field(good))
                .await?;
            Ok(())
        })
}

/// What stands after a line with right credentials.
const SECOND: &[(&str, &str, bool)] = &[
    ("the_same_again", "the same again", true),
    ("wrong_ones", "wrong ones", false),
];

/// The field has one value, so that a second line is a mistake; which is how proxies treat it tells what they do with lines.
///
/// Also accepted: a tunnel, and any refusal.
fn two_lines_are_answered() -> Family {
    each(SECOND, |&(_, what, right)| {
        survey(format!(
            "A second line of credentials, {what}, is answered with"
        ))
        .over(EVERY)
        .cites(RFC_9110.section("5.3"))
        .covers(["H1-AUTH-013"])
        .under(credentials())
        .run(async move |lab| {
            let server = lab.server(echo()).await?;
            let good = format!("Proxy-Authorization: {}", lab.credentials()?.basic());
            let second = match right {
                true => Some(good.clone()),
                false => BadCredentials::WrongPassword.line(lab)?,
            };
            let request = Request::connect(server.authority()).field(good);
            let request = second.iter().fold(request, Request::field);
            let answer = lab.client_of_its_own().asks(request).await?.answer;
            lab.note(answer.describe());
            Ok(())
        })
    })
}

/// A request with this line gets a tunnel.
async fn gets_in(lab: &Lab, line: String) -> Outcome {
    let server = lab.server(echo()).await?;
    let request = Request::connect(server.authority()).field(line);
    let client = lab.client_of_its_own();
    lab.lets_in_from(&client, &request, &server).await
}
