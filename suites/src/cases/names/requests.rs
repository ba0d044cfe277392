//! What cases about names do with a request, and what they make of the answer.

use std::time::Duration;

use connectspec_harness::{
    lab::network::{Answers, Name, Says},
    prelude::*,
};

/// A CONNECT to that port of the name.
pub(super) fn to(lab: &Lab, name: &Name<'_>, port: u16) -> Request {
    lab.client().request(name.authority(port))
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
    // A proxy that asks late must not look like one that does not mind: until it asks no more.
    let mut asked = 0;
    loop {
        pass(lab.patience().quiet()).await;
        let mut now = 0;
        for (name, _) in &waiting {
            now += usize::from(!name.questions()?.is_empty());
        }
        if now == asked {
            break;
        }
        asked = now;
    }
    let exchange = lab.client().asks(to(lab, good, port)).await?;
    let said = exchange.answer.describe();
    let served = match exchange.granted() {
        Ok(mut tunnel) => tunnel.echoes(lab.nonce()).await.is_ok(),
        Err(_) => false,
    };
    drop(waiting);
    Ok(if served { Ok(()) } else { Err(said) })
}

/// More than the threads that runtimes keep for look-ups: 4 (libuv), 10 or 64 (others).
const UNANSWERED: usize = 80;
