//! # Secrets
//!
//! What a client tells the proxy to be let in is for the proxy alone: not for the server at the other end, nor for whoever
//! reads an error page or a log.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::bad_credentials::{BadCredentials, basic},
    documents::{RFC_7617, RFC_9110},
};

/// Every case about where credentials must not turn up.
pub(crate) fn suite() -> Suite {
    suite! {
        "secrets": "Secrets", include_str!("secrets.rs");
        credentials_do_not_reach_the_server,
        credentials_do_not_reach_the_upstream_proxy,
        a_request_inside_a_tunnel_is_given_none,
        credentials_are_not_repeated_in_a_reply,
        credentials_are_not_logged,
    }
}

/// Whoever runs the server could use the proxy in the name of its visitors.
///
/// Only this conforms: the server gets the bytes of the tunnel and no others.
fn credentials_do_not_reach_the_server() -> Case {
    practice("A server sees nothing of the credentials for the proxy")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.2"))
        .covers(["H1-AUTH-017"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let client = lab.client_of_its_own();
            let exchange = client.asks(lab.request(&server)).await?;
            exchange.success()?;
            // Whatever comes first is seen as well: the echo sends it back, before the nonce.
            let mut tunnel = exchange.granted()?;
            let echoed = tunnel.echoes(lab.nonce()).await;
            let secrets = secrets_of(lab.credentials()?.clone());
            for visit in server.visits() {
                let heard = String::from_utf8_lossy(&server.heard(&visit)).into_owned();
                conceals(&heard, &secrets, "the server")?;
            }
            echoed
        })
}

/// The upstream proxy is often somebody else's.
///
/// Also accepted: to have been told to send credentials of its own. This one was not, nor to pass on those of its clients.
fn credentials_do_not_reach_the_upstream_proxy() -> Case {
    practice("An upstream proxy sees nothing of the credentials for this one")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.2"))
        .covers(["H1-AUTH-017"])
        .under(Setup {
            credentials: true,
            ..upstream()
        })
        .run(async |lab| {
            let granted = "HTTP/1.1 200 Connection Established\r\n\r\n";
            let script = receive_head().then(send(granted)).then(echo());
            let upstream = lab.server_at(lab.port('u')?, script).await?;
            let server = lab.server(hold()).await?;
            let secrets = secrets_of(lab.credentials()?.clone());
            let mut answer = "no answer".to_owned();
            for _ in 0..TRIES {
                let exchange = lab.client_of_its_own().asks(lab.request(&server)).await?;
                answer = exchange.answer.describe();
                if exchange.answer.status().is_some_and(|it| it < 300) {
                    // Some go there only once the client has spoken.
                    let mut tunnel = exchange.granted()?;
                    drop(tunnel.echoes(lab.nonce()).await);
                }
                let heard: Vec<u8> = upstream
                    .visits()
                    .iter()
                    .flat_map(|visit| upstream.heard(visit))
                    .collect();
                if !heard.is_empty() {
                    let heard = String::from_utf8_lossy(&heard).into_owned();
                    return conceals(&heard, &secrets, "the upstream proxy");
                }
                // It may have looked for the upstream proxy when that was not there yet, and looks again from time to time.
                pass(lab.patience().stall()).await;
            }
            let why = format!("the upstream proxy was not asked: {answer}");
            Err(Finding::setup(why))
        })
}

/// How often a proxy is given the chance to find its upstream proxy.
const TRIES: usize = 4;

/// A tunnel may lead to another proxy, and the first thing in it may be a request for that one.
///
/// Only this conforms: what is in a tunnel is the tunnel's.
fn a_request_inside_a_tunnel_is_given_none() -> Case {
    practice("A CONNECT inside a tunnel is given none of the credentials of the outer one")
        .over(EVERY)
        .cites(RFC_9110.section("11.7.2"))
        .cites(RFC_9110.section("9.3.6"))
        .covers(["SEC-013"])
        .under(credentials())
        .run(async |lab| {
            let server = lab.server(hand_over()).await?;
            let (mut near, mut far) = lab.tunnel_to(&server).await?;
            let inner = Request::connect("inside.invalid:443").field("X-Last: field");
            let arrives = near.sends_to(&mut far, inner.bytes()).await;
            if let Err(Finding::Violation { observed, .. }) = &arrives
                && server
                    .visits()
                    .iter()
                    .all(|visit| server.heard(visit).is_empty())
            {
                // What keeps a request from its server gives it nothing.
                return Err(Finding::inconclusive(format!(
                    "it does not arrive: {observed}"
                )));
            }
            arrives?;
            let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            far.sends_to(&mut near, answer).await?;
            near.sends_to(&mut far, inner.bytes()).await
        })
}

/// What a client says, and the words in it that are secret.
type Said = fn(&Lab) -> Outcome<(String, Vec<String>)>;

/// Ways to say a secret.
const SAID: &[(&str, Said)] = &[
    ("right", |lab| {
        let known = lab.credentials()?.clone();
        let line = format!("Proxy-Authorization: {}", known.basic());
        Ok((line, secrets_of(known)))
    }),
    ("wrong", |lab| {
        let password = lab.nonce();
        let line = basic(format!("{}:{password}", lab.mistaken_user()?.username));
        let token = token(&line);
        Ok((line, vec![password, token]))
    }),
    ("malformed", |lab| {
        let secret = lab.nonce();
        let line = format!("Proxy-Authorization: Basic !{secret}");
        Ok((line, vec![secret]))
    }),
    ("other_scheme", |lab| {
        let secret = lab.nonce();
        let line = format!("Proxy-Authorization: Unheard-Of {secret}");
        Ok((line, vec![secret]))
    }),
];

/// A page is kept in caches, in screenshots and in reports of errors.
///
/// Also accepted: to name the user.
fn credentials_are_not_repeated_in_a_reply() -> Family {
    each(SAID, |&(_, said)| {
        practice("No reply repeats the credentials of its request")
            .over(EVERY)
            .cites(RFC_9110.section("17.16"))
            .covers(["H1-AUTH-018"])
            .under(credentials())
            .run(async move |lab| {
                let (line, secrets) = said(lab)?;
                // A target that is refused whoever asks.
                let target = format!("{}:{}", lab.host(), lab.refusing_port().await?);
                let request = Request::connect(target).field(line);
                let mut exchange = lab.client_of_its_own().asks(request).await?;
                let Answer::Reply(reply) = exchange.answer.clone() else {
                    lab.note(exchange.answer.describe());
                    return Ok(());
                };
                lab.note(reply.status_line());
                conceals(&String::from_utf8_lossy(&reply.head), &secrets, "the reply")?;
                if reply.is_success() {
                    return Ok(());
                }
                let body = exchange.connection.body(&reply).await.content;
                conceals(&String::from_utf8_lossy(&body), &secrets, "its page")
            })
    })
}

/// Logs are kept for years, copied to other machines, and read by people who may not know anybody's password. A password that
/// was mistyped is nearly the right one.
///
/// Also accepted: to log who asked. What a proxy logs when it is told to debug is not asked here.
fn credentials_are_not_logged() -> Family {
    each(SAID, |&(_, said)| {
        practice("Neither a log nor the output of the proxy has credentials in it")
            .over(EVERY)
            .cites(RFC_9110.section("17.16"))
            .cites(RFC_7617.section("4"))
            .covers(["H1-AUTH-018"])
            .under(credentials())
            .run(async move |lab| {
                // Of much that is printed only the beginning and the end are kept: so this one has said nothing yet.
                let launched = lab.relaunched(&credentials()).await;
                let lab = match &launched {
                    Ok(fresh) => fresh,
                    Err(Finding::Absent { .. }) => lab,
                    Err(finding) => return Err(finding.clone()),
                };
                let server = lab.server(echo()).await?;
                let (line, secrets) = said(lab)?;
                let client = lab.client_of_its_own();
                let agent = lab.nonce();
                let request = Request::connect(server.authority())
                    .field(line)
                    .field(format!("User-Agent: {agent}"));
                let mut exchange = client.asks(request).await?;
                if let Answer::Reply(reply) = exchange.answer.clone()
                    && !reply.is_success()
                {
                    exchange.connection.body(&reply).await;
                }
                drop(exchange);
                // A request that is refused for another reason comes later in every log.
                let request = BadCredentials::Silent.request(lab, &server)?;
                client.asks(request).await?;
                let written = match lab.log_line(&agent).await {
                    Ok(_) | Err(Finding::Absent { .. } | Finding::Inconclusive { .. }) => {
                        pass(lab.patience().quiet()).await;
                        lab.writings()?
                    }
                    Err(finding) => return Err(finding),
                };
                if written.iter().all(|(_, text)| text.is_empty()) {
                    return Err(Finding::absent("it writes nothing that can be read"));
                }
                for (place, text) in &written {
                    conceals(text, &secrets, place)?;
                }
                Ok(())
            })
    })
}

/// The words of these credentials that nobody else may see. An empty password is none.
fn secrets_of(known: Credentials) -> Vec<String> {
    vec![known.token(), known.password]
}

/// The token at the end of a line.
fn token(line: &str) -> String {
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// `text` has none of the secrets in it.
fn conceals(text: &str, secrets: &[String], place: &str) -> Outcome {
    let Some(secret) = secrets.iter().find(|secret| text.contains(*secret)) else {
        return Ok(());
    };
    let line = text.lines().find(|line| line.contains(secret));
    let line = line.unwrap_or_default().replace(secret, "(the secret)");
    let shown: String = line.chars().take(SHOWN).collect();
    Err(Finding::violation(
        format!("no credentials in {place}"),
        format!("in {place}: {shown}"),
    ))
}

/// How much of a line is shown.
const SHOWN: usize = 160;
