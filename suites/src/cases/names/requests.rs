//! What cases about names do with a request, and what they make of the answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use connectspec_harness::{
    lab::network::{Answers, Name, Says},
    prelude::*,
};

/// A CONNECT to that port of the name.
pub(super) fn to(lab: &Lab, name: &Name<'_>, port: u16) -> Request {
    lab.client().request(name.authority(port))
}

/// A server at an address of its own, on a port that is allowed at every address: names can lead to it.
pub(super) struct Place {
    pub(super) port: u16,
    pub(super) address: IpAddr,
    pub(super) server: Arc<Server>,
}

impl Place {
    /// An echo at an address of IPv4.
    pub(super) async fn take(lab: &Lab) -> Outcome<Self> {
        Self::at(lab, lab.address()?).await
    }

    /// An echo at that address.
    pub(super) async fn at(lab: &Lab, address: IpAddr) -> Outcome<Self> {
        let port = lab.port_anywhere().await?;
        let server = lab.server_of(address, port, &echo())?;
        Ok(Self {
            port,
            address,
            server,
        })
    }

    /// What the name server says of a name that leads here.
    pub(super) fn answers(&self) -> Answers {
        Answers::addresses([self.address])
    }
}

/// The request opens a tunnel to `server`, and octets come back. Here, a 403 is no excuse: the policy allows it.
pub(super) async fn leads_to(lab: &Lab, request: &Request, server: &Server) -> Outcome {
    match has_led_to(lab, request, server).await {
        // What a busy machine did once, it does not do twice.
        Err(Finding::Violation { .. }) => has_led_to(lab, request, server).await,
        other => other,
    }
}

async fn has_led_to(lab: &Lab, request: &Request, server: &Server) -> Outcome {
    let known = server.visits().len();
    let exchange = lab.client().asks(request).await?;
    let said = exchange.answer.describe();
    let wrong = |what: String| {
        let expected = format!("a tunnel to {}", server.authority());
        Err(Finding::violation(expected, what))
    };
    if exchange.success().is_err() {
        return wrong(said);
    }
    let echoed = exchange.granted()?.echoes(lab.nonce()).await;
    match (echoed, server.visits().len() > known) {
        (Ok(_), true) => Ok(()),
        (Ok(_), false) => wrong(format!("{said}, and a tunnel to somewhere else")),
        (Err(_), _) => wrong(format!("{said}, and nothing comes back")),
    }
}

/// So that each of the answers falls to each of the questions that a proxy may ask for a tunnel.
pub(super) const TIMES: usize = 4;

/// What is said of a name: an address where a server is, a private one, and one where nobody is.
pub(super) type Changing = fn(IpAddr, IpAddr, IpAddr) -> Answers;

#[rustfmt::skip]
pub(super) const CHANGES: &[(&str, Changing)] = &[
    ("private_from_the_second_answer_on", |far, near, _| Answers::addresses([far]).then(one(near))),
    ("private_from_the_third_answer_on", |far, near, _| Answers::addresses([far]).then(one(far)).then(one(near))),
    ("private_at_first", |far, near, _| Answers::addresses([near]).then(one(far))),
    ("in_turns", |far, near, _| {
        let twice = Answers::addresses([far]).then(one(near)).then(one(far)).then(one(near));
        twice.then(one(far)).then(one(near)).then(one(far)).then(one(near))
    }),
    ("both_at_once", |far, near, _| Answers::addresses([far, near])),
    ("both_at_once_private_first", |far, near, _| Answers::addresses([near, far])),
    ("private_behind_one_that_fails", |_, near, closed| Answers::addresses([closed, near])),
    ("by_an_alias", |far, near, _| Answers::addresses([far]).then(Says::Aliases(1, vec![near]))),
];

fn one(address: IpAddr) -> Says {
    Says::Addresses(vec![address])
}

/// The request is answered within `limit` with a 5xx, which is noted.
pub(super) async fn is_a_server_error(
    lab: &Lab,
    name: &Name<'_>,
    port: u16,
    limit: Duration,
) -> Outcome {
    let client = lab.client();
    let mut connection = client.dial().await?;
    connection.sends(to(lab, name, port).bytes()).await;
    let answer = connection.hears_within(limit).await;
    match answer.status() {
        Some(status @ 500..=599) => {
            lab.note(status.to_string());
            Ok(())
        }
        Some(403 | 407) => Err(Finding::inconclusive(answer.describe())),
        _ => Err(Finding::violation("a 5xx", answer.describe())),
    }
}

/// Somebody says that there is no tunnel: with an answer, or by going away. Here, silence is what is wrong.
pub(super) async fn comes_to_an_end(lab: &Lab, name: &Name<'_>, port: u16) -> Outcome {
    let mut connection = lab.client().dial().await?;
    connection.sends(to(lab, name, port).bytes()).await;
    let answer = connection.hears_within(lab.patience().progress()).await;
    match &answer {
        Answer::Reply(reply) if reply.is_success() => {
            Err(Finding::violation("no tunnel", answer.describe()))
        }
        Answer::Silence => Err(Finding::violation("an answer", answer.describe())),
        _ => {
            lab.note(answer.describe());
            Ok(())
        }
    }
}

/// Whether a client is served while others wait for names that are never answered; if not, what it hears.
pub(super) async fn is_served_among_unanswered(
    lab: &Lab,
    good: &Name<'_>,
    port: u16,
) -> Outcome<Result<(), String>> {
    let mut waiting = Vec::new();
    for _ in 0..UNANSWERED {
        let name = lab.name(Answers::always(Says::Silence))?;
        let mut connection = lab.client().dial().await?;
        connection.sends(to(lab, &name, port).bytes()).await;
        waiting.push((name, connection));
    }
    asked_for(lab, &waiting).await?;
    let exchange = lab.client().asks(to(lab, good, port)).await?;
    let said = exchange.answer.describe();
    let served = match exchange.granted() {
        Ok(mut tunnel) => tunnel.echoes(lab.nonce()).await.is_ok(),
        Err(_) => false,
    };
    drop(waiting);
    Ok(if served { Ok(()) } else { Err(said) })
}

/// How many of the names the name server was asked for, once no more come: a proxy that asks late must not look like one that
/// does not mind.
pub(super) async fn asked_for(lab: &Lab, waiting: &[(Name<'_>, Connection)]) -> Outcome<usize> {
    let mut asked = 0;
    loop {
        pass(lab.patience().quiet()).await;
        let mut now = 0;
        for (name, _) in waiting {
            now += usize::from(!name.questions()?.is_empty());
        }
        if now == asked {
            return Ok(asked);
        }
        asked = now;
    }
}

/// More than the threads that runtimes keep for look-ups: 4 (libuv), 10 or 64 (others).
const UNANSWERED: usize = 80;
