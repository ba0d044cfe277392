//! # Many at once
//!
//! A proxy is shared: what many clients do at the same time, or one client many times, must not cost the others theirs.

mod neighbours;

use connectspec_harness::{client::body::BodyEnd, lab::TO_NOBODY, prelude::*};
use tokio::task::JoinSet;

use crate::{
    cases::operation::load::neighbours::{
        a_crowd_is_served_or_answered, a_tunnel_at_full_speed_starves_nobody,
        silent_handshakes_keep_nobody_out,
    },
    cases::words::refusal_kinds::RefusalKind,
    documents::{RFC_9110, RFC_9112, RFC_9113, RFC_9931},
};

/// Every case about many clients, or many requests.
pub(crate) fn suite() -> Suite {
    suite! {
        "load": "Many at once", concat!(include_str!("load.rs"), include_str!("load/neighbours.rs"));
        each_tunnel_has_a_connection_of_its_own,
        a_pipeline_of_denied_requests_is_answered_in_order,
        silent_clients_keep_nobody_out,
        silent_handshakes_keep_nobody_out,
        silent_servers_keep_nobody_out,
        a_proxy_without_files_recovers,
        a_tunnel_at_full_speed_starves_nobody,
        a_crowd_is_served_or_answered,
    }
}

/// Two clients that are joined to one connection read each other's secrets.
///
/// Also accepted: to refuse some of them. What was granted has to have a connection of its own.
fn each_tunnel_has_a_connection_of_its_own() -> Case {
    must("Tunnels that are asked for at the same time have a connection each")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("9.3.6"))
        .covers(["ROB-013"])
        .is_a_crowd()
        .run(async |lab| {
            let server = lab.server(echo()).await?;
            let mut asked = JoinSet::new();
            for _ in 0..AT_ONCE {
                let (client, request, nonce) = (lab.client(), lab.request(&server), lab.nonce());
                asked.spawn(async move {
                    let exchange = client.asks(request).await?;
                    if exchange.success().is_err() {
                        return Ok(None);
                    }
                    let mut tunnel = exchange.granted()?;
                    tunnel.echoes(nonce).await?;
                    Ok::<_, Finding>(Some(tunnel))
                });
            }
            let mut granted = Vec::new();
            while let Some(tunnel) = asked.join_next().await {
                let tunnel = tunnel.map_err(|error| Finding::harness(error.to_string()))??;
                granted.extend(tunnel);
            }
            if granted.len() < AT_ONCE {
                lab.note(format!("{} of {AT_ONCE} were granted", granted.len()));
            }
            let connections = server.visits().len();
            if connections >= granted.len() {
                return Ok(());
            }
            Err(Finding::violation(
                format!("{} connections at the server", granted.len()),
                format!("{connections} connections"),
            ))
        })
}

/// Clients, or tunnels, at the same time: no more than an ordinary proxy has workers for.
const AT_ONCE: usize = 32;

/// A client that pipelines takes the first answer for the first request, whatever it was made for.
///
/// Also accepted: to close after the first answer, as RFC 9931 has it. A reset may erase the last answers.
fn a_pipeline_of_denied_requests_is_answered_in_order() -> Case {
    must("A thousand denied requests in a row get refusals in their order, and nothing else")
        .over(HTTP_1_1)
        .cites(RFC_9112.section("9.3.2"))
        .cites(RFC_9931.section("8"))
        .covers(["ROB-012"])
        .needs([Need::PortList])
        .run(async |lab| {
            let request = RefusalKind::Denied.request(lab).await?.bytes();
            let mut connection = lab.client().dial().await?;
            let mut answer = connection.asks(request.repeat(PIPELINED)).await;
            let mut answered = 0;
            while let Answer::Reply(reply) = &answer {
                if reply.is_success() {
                    lab.nobody_came().await?;
                    let said = answer.describe();
                    let observed = format!("{said} after {answered} refusals, {TO_NOBODY}");
                    return Err(Finding::violation("refusals", observed));
                }
                answered += 1;
                if answered > PIPELINED {
                    let observed = "more answers than requests";
                    return Err(Finding::violation("an answer for each request", observed));
                }
                if connection.body(reply).await.end != BodyEnd::Complete {
                    break;
                }
                answer = connection.hears_within(lab.patience().stall()).await;
            }
            if let Answer::Garbage { .. } = answer {
                return Err(Finding::violation(
                    "an HTTP response or the end",
                    answer.describe(),
                ));
            }
            lab.note(format!("{answered} answers"));
            Ok(())
        })
}

const PIPELINED: usize = 1_000;

/// A handful of clients that connect and say nothing takes the last worker of some proxies.
///
/// Also accepted: to close the silent ones early, as long as the next client gets its tunnel.
fn silent_clients_keep_nobody_out() -> Case {
    practice("A hundred silent clients keep no other from its tunnel")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-003"])
        .is_a_crowd()
        .run(async |lab| {
            let lab = lab.relaunched(&Setup::default()).await?;
            let server = lab.server(echo()).await?;
            let mut silent = Vec::new();
            for _ in 0..SILENT {
                silent.push(lab.client().dial().await?);
            }
            serves_on(&lab, &server).await
        })
}

/// As many as any proxy has to bear whose profile does not say otherwise.
const SILENT: usize = 100;

/// The same with clients that wait for a server that never answers, which takes no bad will of anybody.
///
/// Also accepted: to give such attempts up early, as long as the next client gets its tunnel.
fn silent_servers_keep_nobody_out() -> Case {
    practice("Fifty clients of a server that never answers keep no other from its tunnel")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .cites(RFC_9113.section("10.5.2"))
        .covers(["ROB-004"])
        .slow()
        .run(async |lab| {
            let lab = lab.relaunched(&Setup::default()).await?;
            let server = lab.server(echo()).await?;
            let silent = lab.black_hole().await?;
            let mut waiting = Vec::new();
            for _ in 0..WAITING {
                let mut connection = lab.client().dial().await?;
                connection
                    .sends(lab.client().request(silent.authority()).bytes())
                    .await;
                waiting.push(connection);
            }
            serves_on(&lab, &server).await
        })
}

const WAITING: usize = 50;

/// A proxy that stops accepting for good once it has run out of files is down until somebody restarts it.
///
/// Also accepted: to refuse, to close, or to keep clients waiting while there are no files. What is asked is that it
/// serves again once there are.
fn a_proxy_without_files_recovers() -> Case {
    practice("A proxy that ran out of files serves again once they are free")
        .over(HTTP_1_1)
        .cites(RFC_9110.section("17.5"))
        .covers(["ROB-011"])
        .needs([Need::Launched])
        .slow()
        .run(async |lab| {
            let lab = lab.relaunched(&Setup::default()).await?;
            let server = lab.server(echo()).await?;
            serves_on(&lab, &server).await?;
            lab.leaves_spare_files(SPARE_FILES)?;
            let mut asked = Vec::new();
            for _ in 0..4 * SPARE_FILES {
                let Ok(mut connection) = lab.client().dial().await else {
                    break;
                };
                connection.sends(lab.request(&server).bytes()).await;
                asked.push(connection);
            }
            // Whatever it makes of them, it has seen them by then.
            pass(lab.patience().stall()).await;
            let mut granted = 0;
            for connection in &mut asked {
                let answer = connection.hears_within(lab.patience().pace()).await;
                granted += usize::from(answer.status().is_some_and(|status| status < 300));
            }
            lab.note(format!("{granted} of {} were granted", asked.len()));
            drop(asked);
            pass(lab.patience().stall()).await;
            match serves_on(&lab, &server).await {
                // It was there before it ran out of files.
                Err(Finding::Setup { reason, .. }) => {
                    Err(Finding::violation("a tunnel for the next client", reason))
                }
                served => served,
            }
        })
}

/// Files that it may open beside those that it has.
const SPARE_FILES: usize = 40;

/// The next client gets its tunnel, if it has to wait for it.
async fn serves_on(lab: &Lab, server: &Server) -> Outcome {
    let expected = "a tunnel for the next client";
    let exchange = lab.client().asks(lab.request(server)).await?;
    let wrong = |observed: String| Finding::violation(expected, observed);
    if exchange.success().is_err() {
        return Err(wrong(exchange.answer.describe()));
    }
    let mut tunnel = exchange.granted()?;
    tunnel.echoes(lab.nonce()).await?;
    // A proxy that is about to be stopped would wait for it. Whether ends are passed on is for other cases to ask.
    drop(tunnel.closes().await);
    Ok(())
}
