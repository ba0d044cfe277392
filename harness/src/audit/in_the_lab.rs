//! What is asked in a network of the run's own, where each target has a listener that would notice.

use std::{net::SocketAddr, sync::Arc};

use crate::{
    audit::{About, Leads, Probe, probe::home_of, setup},
    case::{Case, must, practice},
    client::Exchange,
    http1::Answer,
    lab::{
        Lab,
        network::{Answers, Family, Name},
    },
    patience::pass,
    server::{Server, script::echo},
    verdict::{Finding, Level, Outcome},
};

/// A probe as a case; `control` is one that has to come about for a refusal to say anything.
pub(super) fn case(probe: Probe, control: &Arc<Option<Probe>>) -> Case {
    let title = probe.about.title();
    let case = match probe.level {
        Level::Must => must(title),
        _ => practice(title),
    };
    let id = probe.id();
    let control = Arc::clone(control);
    let mut case = case
        .under(setup())
        .in_the_lab()
        .run(async move |lab| match probe.about {
            About::Meant => is_reached(lab, &probe).await,
            _ => is_refused(lab, &probe, control.as_ref().as_ref()).await,
        });
    if let Some(id) = id {
        case.id = id;
    }
    case
}

/// A tunnel comes about, and octets go both ways.
async fn is_reached(lab: &Lab, probe: &Probe) -> Outcome {
    lab.note(&probe.why);
    let said = match reaches(lab, probe).await {
        // What a busy machine did once, it does not do twice.
        Err(Finding::Violation { .. }) => reaches(lab, probe).await?,
        other => other?,
    };
    lab.note(said);
    Ok(())
}

/// What the client was told, once octets have gone both ways.
async fn reaches(lab: &Lab, probe: &Probe) -> Outcome<String> {
    let servers = listeners(lab, probe)?;
    learn(lab, probe)?;
    let client = lab.client();
    let exchange = client.asks(client.request(&probe.target)).await?;
    let said = exchange.answer.describe();
    if !is_success(&exchange) {
        let expected = format!("a tunnel to {}", probe.target);
        return Err(Finding::violation(expected, said));
    }
    exchange
        .connection
        .into_tunnel()
        .echoes(lab.nonce())
        .await?;
    if servers.iter().all(|server| server.visits().is_empty()) {
        let expected = format!("a tunnel to {}", probe.target);
        let seen = format!("{said}, and a tunnel to somebody else");
        return Err(Finding::violation(expected, seen));
    }
    Ok(said)
}

/// Nobody comes to where the target leads; that is only held where somebody would have been noticed, and where the proxy leads to
/// what it should.
async fn is_refused(lab: &Lab, probe: &Probe, control: Option<&Probe>) -> Outcome {
    lab.note(&probe.why);
    if probe.listeners.is_empty() {
        return Err(Finding::absent(
            "nobody can listen at such an address over TCP, so that nothing tells a rule from a connection that fails",
        ));
    }
    let fresh;
    let asked = match &probe.leads {
        Some(leads) if leads.is_remembered => {
            fresh = lab.relaunched(&setup()).await?;
            &fresh
        }
        _ => lab,
    };
    let servers = listeners(lab, probe)?;
    // Its own connection arrives: so would another.
    for server in &servers {
        server.fence().await?;
    }
    let name = learn(lab, probe)?;
    let mut said = String::new();
    for _ in 0..probe.leads.as_ref().map_or(1, |leads| leads.times) {
        said = nobody_comes(asked, probe, &servers).await?;
    }
    if let (Some(name), Some(leads)) = (name, &probe.leads) {
        was_found_out(&name, leads, &said)?;
    }
    let Some(control) = control else {
        return Err(Finding::inconclusive(
            "the policy allows nothing that could be asked for beside it",
        ));
    };
    match reaches(lab, control).await {
        Ok(_) => {
            lab.note(said);
            Ok(())
        }
        Err(finding @ Finding::Harness { .. }) => Err(finding),
        Err(finding) => Err(Finding::inconclusive(format!(
            "{said}; but {} is not reached either ({finding}), so that this says nothing of a rule",
            control.target
        ))),
    }
}

/// The proxy asked where the name leads, and until it was told the answer that counts: one that remembers an earlier one was not put to
/// the test.
fn was_found_out(name: &Name<'_>, leads: &Leads, said: &str) -> Outcome {
    let questions = name.questions()?;
    let of = |family| {
        let all = questions.iter();
        all.filter(move |question| question.of == family).count()
    };
    let most = of(Family::V4).max(of(Family::V6));
    if most == 0 {
        return Err(Finding::inconclusive(format!(
            "{said}, without a question to the name server: where the name leads was not found out"
        )));
    }
    if leads.times > 1 && most == 1 {
        return Err(Finding::inconclusive(format!(
            "{said}; the proxy asked the name server once alone, and remembers the answer for longer than this lasts: what it makes of another one was not found out"
        )));
    }
    Ok(())
}

/// Asks for the target, and watches where it would lead; what the client was told.
async fn nobody_comes(lab: &Lab, probe: &Probe, servers: &[Arc<Server>]) -> Outcome<String> {
    let known: Vec<usize> = servers.iter().map(|server| server.visits().len()).collect();
    let client = lab.client();
    let exchange = client.asks(client.request(&probe.target)).await?;
    let said = exchange.answer.describe();
    let granted = is_success(&exchange);
    let silent = exchange.answer == Answer::Silence;
    if granted {
        // Some say yes first, and dial when they are spoken to.
        let _ = exchange.connection.into_tunnel().sends(lab.nonce()).await;
        pass(lab.patience().settle()).await;
    } else if !matches!(exchange.answer, Answer::Reply(_)) {
        pass(lab.patience().settle()).await;
    }
    for (server, known) in servers.iter().zip(known) {
        server.fence().await?;
        if server.visits().len() > known {
            return Err(Finding::violation(
                format!("no connection to {}", server.authority()),
                format!(
                    "a connection to {} ({}), and {said}",
                    server.authority(),
                    probe.why
                ),
            ));
        }
    }
    match (granted, silent) {
        (true, _) => Err(Finding::inconclusive(format!(
            "{said}, and no connection to where it would lead: a yes that leads nowhere"
        ))),
        (_, true) => Err(Finding::inconclusive("silence")),
        _ => Ok(said),
    }
}

fn is_success(exchange: &Exchange) -> bool {
    matches!(&exchange.answer, Answer::Reply(reply) if reply.is_success())
}

/// Somebody wherever the target leads; the same as before where somebody is there.
fn listeners(lab: &Lab, probe: &Probe) -> Outcome<Vec<Arc<Server>>> {
    let servers = probe.listeners.iter().map(|at| listener(lab, *at));
    servers.collect()
}

fn listener(lab: &Lab, at: SocketAddr) -> Outcome<Arc<Server>> {
    lab.server_there_or(at, &echo()).map_err(|_| {
        Finding::absent(format!(
            "nobody can listen on port {} of {} here",
            at.port(),
            at.ip()
        ))
    })
}

/// Lets the name server know where the name of a target leads, if it is one.
fn learn<'a>(lab: &'a Lab, probe: &Probe) -> Outcome<Option<Name<'a>>> {
    if let Some(leads) = &probe.leads {
        return lab.name_as(&leads.name, leads.answers.clone()).map(Some);
    }
    let host = probe
        .target
        .rsplit_once(':')
        .map_or(&*probe.target, |(host, _)| host);
    let is_name = host.parse::<std::net::Ipv4Addr>().is_err() && !host.starts_with('[');
    if !is_name || probe.about == About::Spellings {
        return Ok(None);
    }
    let name = host.trim_end_matches('.');
    let home = Answers::addresses([home_of(name)]);
    lab.name_as(name, home).map(Some)
}
