//! # Who may go where
//!
//! What is no credentials opens nothing; and good ones open only what their user may have, and only for the request that
//! carries them.

mod let_in;

use connectspec_harness::prelude::*;

use crate::{
    cases::access::admission::let_in::{
        a_client_that_the_rule_leaves_out_is_refused, a_client_that_the_rule_names_is_served,
        a_password_does_not_end_at_a_zero_byte, nobody_passes_for_another_client,
        right_credentials_are_let_in,
    },
    cases::words::bad_credentials::basic,
    documents::{RFC_7617, RFC_9110},
};

/// Every case about what credentials are good for, and what is none.
pub(crate) fn suite() -> Suite {
    suite! {
        "admission": "Who may go where", concat!(include_str!("admission.rs"), include_str!("admission/let_in.rs"));
        right_credentials_are_let_in,
        a_password_does_not_end_at_a_zero_byte,
        malformed_credentials_open_no_tunnel,
        malformed_credentials_are_refused_and_do_no_harm,
        a_known_user_may_not_go_everywhere,
        a_known_user_is_told_about_a_denied_port,
        credentials_are_good_for_one_request,
        asking_again_lets_nobody_in,
        credentials_are_not_remembered_for_an_address,
        a_client_that_the_rule_names_is_served,
        a_client_that_the_rule_leaves_out_is_refused,
        nobody_passes_for_another_client,
    }
}

/// What stands in the place of credentials; it is given the right user and password.
type Written = fn(&str, &str) -> String;

/// What is no credentials, and has no right password in it.
const MALFORMED: &[(&str, Written)] = &[
    ("empty_field", |_, _| "Proxy-Authorization:".to_owned()),
    ("scheme_alone", |_, _| {
        "Proxy-Authorization: Basic".to_owned()
    }),
    ("empty_token", |_, _| {
        "Proxy-Authorization: Basic ".to_owned()
    }),
    ("not_base64", |_, _| {
        "Proxy-Authorization: Basic !!!!".to_owned()
    }),
    ("cut_base64", |_, _| {
        "Proxy-Authorization: Basic A".to_owned()
    }),
    ("padding_alone", |_, _| {
        "Proxy-Authorization: Basic ====".to_owned()
    }),
    ("no_colon", |user, _| basic(user)),
    ("colon_alone", |_, _| basic(":")),
    ("user_alone", |user, _| basic(format!("{user}:"))),
    ("bytes_of_no_encoding", |_, _| basic(b"\xff\xfe:\xff\xc0")),
    ("parameters", |user, _| {
        format!("Proxy-Authorization: Basic username=\"{user}\"")
    }),
    ("not_encoded", |_, _| {
        "Proxy-Authorization: Basic a:b".to_owned()
    }),
    ("sixty_kilobytes", |_, _| {
        format!("Proxy-Authorization: Basic {}", "QUFB".repeat(15 * 1024))
    }),
    ("a_zero_byte_first", |_, _| basic(b"\0:\0")),
];

/// What has the right password in it, and more than that.
const MORE_THAN_RIGHT: &[(&str, Written)] = &[("a_zero_byte_behind", |user, password| {
    basic(format!("{user}:{password}\0x"))
})];

/// A decoder that gives up half-way leaves something behind, and an empty string equals another.
///
/// Also accepted: any refusal, and a close without an answer. Only this conforms: none of these has a password in it.
fn malformed_credentials_open_no_tunnel() -> Family {
    each(MALFORMED, |&(_, written)| {
        must("What is no credentials opens no tunnel")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .cites(RFC_9110.section("11.7.1"))
            .covers(["H1-AUTH-001", "H1-AUTH-009"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = with(lab, &server, written)?;
                let client = lab.client_of_its_own();
                lab.opens_no_tunnel_from(&client, &request).await?;
                Ok(())
            })
    })
}

/// A proxy that stumbles over a line of credentials stumbles before it knows anybody.
///
/// Also accepted: to ask again, to call the request bad or its header section too large, to forbid it, and to close without
/// an answer, which a reset may make of any of these.
fn malformed_credentials_are_refused_and_do_no_harm() -> Family {
    let refused = |&(_, written): &'static (&'static str, Written)| {
        should("What is no credentials is refused as the client's mistake, and the next client is served")
            .over(EVERY)
            .cites(RFC_9110.section("11.4"))
            .cites(RFC_9110.section("5.4"))
            .cites(RFC_7617.section("2"))
            .covers(["H1-AUTH-009"])
            .under(credentials())
            .run(async move |lab| {
                let server = lab.server(echo()).await?;
                let request = with(lab, &server, written)?;
                let answer = lab.client_of_its_own().asks(request).await?.answer;
                let expected = ["status 407, 400, 431 or 403", "a close without an answer"];
                match &answer {
                    Answer::Reply(reply) if [400, 403, 407, 413, 431].contains(&reply.status) => {}
                    Answer::Closed | Answer::Reset => {}
                    Answer::Reply(reply) if reply.status == 401 => {
                        let why = format!("{} is for another case to judge", reply.status_line());
                        return Err(Finding::inconclusive(why));
                    }
                    Answer::Silence => return Err(Finding::inconclusive("silence")),
                    other => return Err(Finding::none_of(expected, other.describe())),
                }
                lab.note(answer.describe());
                let client = lab.client();
                let next = client.asks(lab.request(&server)).await?;
                if matches!(next.answer.status(), Some(200..300)) {
                    return Ok(());
                }
                let observed = next.answer.describe();
                Err(Finding::violation("a tunnel for the next client", observed))
            })
    };
    [each(MALFORMED, refused), each(MORE_THAN_RIGHT, refused)].concat()
}

/// A password is no key to every port.
///
/// Also accepted: any refusal. Only this conforms where there is a list.
fn a_known_user_may_not_go_everywhere() -> Case {
    must("A port that is not on the list stays closed to known users")
        .over(EVERY)
        .cites(RFC_9110.section("11.4"))
        .cites(RFC_9110.section("15.5.4"))
        .covers(["POL-005", "H1-AUTH-015"])
        .under(credentials())
        .needs([Need::PortList])
        .run(async |lab| {
            let server = lab.denied_server(echo()).await?;
            let request = lab.request(&server);
            let client = lab.client_of_its_own();
            lab.refuses_from(&client, &request).await?;
            Ok(())
        })
}

/// A client that is asked for credentials again believes that it has forgotten its password.
///
/// Also accepted: any refusal; 403 says most.
fn a_known_user_is_told_about_a_denied_port() -> Case {
    survey("A known user who asks for a denied port is told")
        .over(EVERY)
        .cites(RFC_9110.section("11.4"))
        .cites(RFC_9110.section("15.5.4"))
        .covers(["H1-AUTH-015"])
        .under(credentials())
        .needs([Need::PortList])
        .run(async |lab| {
            let server = lab.denied_server(echo()).await?;
            let client = lab.client_of_its_own();
            let answer = client.asks(lab.request(&server)).await?.answer;
            lab.note(answer.describe());
            Ok(())
        })
}

/// What is asked with good credentials, before something is asked without.
const FIRST: &[(&str, First)] = &[
    ("get", First::Get),
    ("options", First::Options),
    ("connect", First::Unreachable),
    ("denied", First::Denied),
];

/// A request that opens no tunnel, and after which a connection may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Get,
    Options,
    /// A CONNECT to a port where nobody listens.
    Unreachable,
    /// A CONNECT to a port that is not on the list.
    Denied,
}

impl First {
    fn needs(self) -> Vec<Need> {
        match self {
            Self::Denied => vec![Need::PortList],
            _ => Vec::new(),
        }
    }

    const fn is_connect(self) -> bool {
        matches!(self, Self::Unreachable | Self::Denied)
    }

    /// The request; `before` is a server that may be asked with it.
    async fn request(self, lab: &Lab, before: &Server) -> Outcome<Request> {
        Ok(match self {
            Self::Get => Request::connect(format!("http://{}/", before.authority())).method("GET"),
            Self::Options => Request::connect("*")
                .field("Max-Forwards: 0")
                .method("OPTIONS"),
            Self::Unreachable => {
                Request::connect(format!("{}:{}", lab.host(), lab.refusing_port().await?))
            }
            Self::Denied => Request::connect(lab.denied_server(close()).await?.authority()),
        })
    }
}

/// A gateway in front of the proxy sends the requests of many users on one connection. Whoever comes after one of them would
/// have that one's rights.
///
/// Also accepted: to close the connection, and to refuse the second request for whatever reason. A proxy that keeps no
/// connection is not judged, and one that authenticates connections on purpose, with NTLM or Negotiate, lists it. Nothing else
/// is right: HTTP has no memory.
fn credentials_are_good_for_one_request() -> Family {
    each(FIRST, |&(_, first)| {
        must("A request without credentials is not served for those of the one before it")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("3.3"))
            .cites(RFC_9110.section("11.7.2"))
            .covers(["H1-AUTH-016"])
            .under(credentials())
            .needs(first.needs())
            .run(async move |lab| {
                let (before, server) = (lab.server(close()).await?, lab.server(echo()).await?);
                let good = format!("Proxy-Authorization: {}", lab.credentials()?.basic());
                let request = first.request(lab, &before).await?;
                let request = request.host(before.authority()).field(good);
                let mut connection = lab.client_of_its_own().dial().await?;
                let answer = connection.asks(request).await;
                let Answer::Reply(reply) = &answer else {
                    let why = format!("the first request got {}", answer.describe());
                    return Err(Finding::inconclusive(why));
                };
                if reply.is_success() && first.is_connect() {
                    return Err(Finding::inconclusive("the first request got a tunnel"));
                }
                connection.body(reply).await;

                let second = connection.asks(Request::connect(server.authority())).await;
                let told = format!("{}, then {}", reply.status_line(), second.describe());
                match second {
                    Answer::Reply(second) if second.is_success() => {
                        let mut tunnel = connection.into_tunnel();
                        tunnel
                            .echoes(lab.nonce())
                            .await
                            .map_err(|_| Finding::inconclusive(format!("{told}, but no tunnel")))?;
                        Err(Finding::violation(
                            "no tunnel",
                            format!("{told} and a tunnel"),
                        ))
                    }
                    Answer::Reply(_) => {
                        lab.note(told);
                        Ok(())
                    }
                    _ => Err(Finding::inconclusive(format!(
                        "it keeps no connection: {told}"
                    ))),
                }
            })
    })
}

/// How often a client asks that has no credentials to give.
const TIMES: usize = 6;

/// A counter of failures that ends the wrong way, or a state that a refusal leaves behind, opens the door to whoever knocks
/// often enough.
///
/// Also accepted: to close the connection at any time, and to refuse for whatever reason.
fn asking_again_lets_nobody_in() -> Case {
    must("A request without credentials that is repeated on its connection is not granted")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.1"))
        .cites(RFC_9110.section("3.3"))
        .covers(["H1-AUTH-001"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut connection = lab.client_of_its_own().dial().await?;
            for time in 1..=TIMES {
                let answer = connection.asks(Request::connect(server.authority())).await;
                let Answer::Reply(reply) = &answer else {
                    lab.note(format!("time {time}: {}", answer.describe()));
                    break;
                };
                if reply.is_success() {
                    let seen = format!("time {time}: {}", answer.describe());
                    return Err(Finding::violation("a refusal each time", seen));
                }
                connection.body(reply).await;
            }
            server.stays_unvisited().await
        })
}

/// After one address there may be a whole company.
///
/// Also accepted: to remember it on purpose, which a proxy then lists as a deviation.
fn credentials_are_not_remembered_for_an_address() -> Case {
    practice("Who was let in once is asked again, on the next connection from that address")
        .over(EVERY)
        .cites(RFC_9110.section("3.3"))
        .covers(["H1-AUTH-016", "H1-AUTH-001"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let client = lab.client_of_its_own();
            let mut tunnel = client.asks(lab.request(&server)).await?.granted()?;
            tunnel.echoes(lab.nonce()).await?;

            let request = Request::connect(server.authority());
            lab.opens_no_tunnel_from(&client, &request).await?;
            Ok(())
        })
}

/// A request for `server` with such a line.
fn with(lab: &Lab, server: &Server, written: Written) -> Outcome<Request> {
    let known = lab.mistaken_user()?;
    let line = written(&known.username, &known.password);
    if line != written(&known.username, "another") {
        lab.varied_user()?;
    }
    if line == basic(format!("{}:{}", known.username, known.password)) {
        return Err(Finding::absent("to this user, it is the right line"));
    }
    Ok(Request::connect(server.authority()).field(line))
}
