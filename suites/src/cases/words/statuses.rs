//! What a request is answered with, and where it leads.

use connectspec_harness::{lab::TO_NOBODY, prelude::*};

pub(in crate::cases) async fn has_status(lab: &Lab, request: &Request, status: u16) -> Outcome {
    let exchange = lab.client().asks_until_answered(request).await?;
    expect_status(&exchange.answer, status)
}

pub(in crate::cases) fn expect_status(answer: &Answer, status: u16) -> Outcome {
    if answer.status() == Some(status) {
        return Ok(());
    }
    Err(Finding::violation(
        format!("status {status}"),
        answer.describe(),
    ))
}

pub(in crate::cases) async fn leads_to(lab: &Lab, request: &Request, server: &Server) -> Outcome {
    let mut tunnel = granted(lab, request).await?;
    tunnel.echoes(lab.nonce()).await?;
    match server.visits().is_empty() {
        true => Err(Finding::violation(
            format!("a tunnel to {}", server.authority()),
            "a tunnel to somewhere else",
        )),
        false => Ok(()),
    }
}

/// The client's end of a tunnel: without one, the proxy does not take what httpd takes.
pub(in crate::cases) async fn granted(lab: &Lab, request: &Request) -> Outcome<End> {
    granted_to(&lab.client(), request).await
}

/// The same for another client.
pub(in crate::cases) async fn granted_to(client: &Client, request: &Request) -> Outcome<End> {
    let exchange = client.asks_until_answered(request).await?;
    match exchange.answer.status() {
        Some(200..300) => exchange.granted(),
        Some(407 | 408) => Err(Finding::inconclusive(exchange.answer.describe())),
        _ => Err(Finding::violation("a tunnel", exchange.answer.describe())),
    }
}

/// A refusal of `denied`, or an end; anything but a tunnel. A connection there says more than the 2xx, and is told first.
pub(in crate::cases) async fn no_tunnel(answer: &Answer, denied: &Server) -> Outcome {
    match answer {
        Answer::Reply(reply) if reply.is_success() => {
            denied.stays_unvisited().await?;
            Err(Finding::violation(
                "no tunnel to a denied port",
                format!("{}, {TO_NOBODY}", answer.describe()),
            ))
        }
        _ => Ok(()),
    }
}

pub(in crate::cases) async fn is_denied(lab: &Lab, host: &str, port: u16) -> Outcome {
    denies(lab, &lab.client().request(format!("{host}:{port}"))).await
}

/// The list lets it through, whatever comes of it then.
pub(in crate::cases) async fn is_not_denied(lab: &Lab, host: &str, port: u16) -> Outcome {
    let request = lab.client().request(format!("{host}:{port}"));
    let answer = lab.client().asks_until_answered(request).await?.answer;
    match answer.status() {
        Some(403) | None => {
            let expected = format!("port {port} gets past the list: a tunnel or a 5xx");
            Err(Finding::violation(expected, answer.describe()))
        }
        Some(_) => Ok(()),
    }
}

/// The list refuses it: 403, and nobody is connected to.
pub(in crate::cases) async fn denies(lab: &Lab, request: &Request) -> Outcome {
    expect_403(&lab.refuses(request).await?)
}

pub(in crate::cases) fn expect_403(answer: &Answer) -> Outcome {
    if answer.status() == Some(403) {
        return Ok(());
    }
    Err(Finding::violation("status 403", answer.describe()))
}
