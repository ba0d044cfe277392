//! What is asked of a proxy that runs already: nobody listens where it leads, so its own word is all that there is.
//!
//! Only targets that the policy names, and addresses with a special use. Inside a tunnel nothing is said but a nonce.

use std::sync::Arc;

use tokio::time::timeout;

use crate::{
    audit::{
        About, NamePattern, Policy, Probe,
        probes::{ends_of, probes},
        setup,
    },
    case::{Case, must, practice},
    client::Exchange,
    http1::Answer,
    lab::Lab,
    protocol::Listener,
    setup::Setup,
    verdict::{Finding, Level, Outcome},
};

/// An address of no server, with a special use: whoever grants a tunnel to it has granted it before dialling.
const NOBODY: &str = "192.0.2.7";

/// What is going to be asked, and what is not and why.
pub(super) fn questions(policy: &Policy) -> Vec<(Probe, Option<&'static str>)> {
    let mut all = named(policy);
    for probe in probes(policy) {
        match probe.about {
            About::SpecialUse | About::Spellings => {
                let unheard = probe.listeners.is_empty();
                all.push((probe, unheard.then_some(UNHEARD)));
            }
            // Of each kind one stands for all.
            about if !all.iter().any(|(known, _)| known.about == about) => {
                let reason = match about {
                    About::Meant | About::Denied => continue,
                    _ => STRANGERS,
                };
                let row = "everything".to_owned();
                all.push((Probe { row, ..probe }, Some(reason)));
            }
            _ => {}
        }
    }
    all
}

const UNHEARD: &str = "nobody can listen at such an address over TCP, so that nothing tells a rule from a connection that fails";

const STRANGERS: &str = "the policy does not name where that leads, so that it is not asked of a proxy that runs already; a profile lets it be asked in a network of the audit's own";

const NO_SERVER: &str = "which of these has a server is not known, so that nothing follows from a refusal; name one by one";

/// What the policy names, each by itself.
fn named(policy: &Policy) -> Vec<(Probe, Option<&'static str>)> {
    let mut all: Vec<(Probe, Option<&'static str>)> = Vec::new();
    for (probe, reason) in meant(policy).into_iter().chain(denied(policy)) {
        let is_known = |known: &Probe| (known.about, &known.row) == (probe.about, &probe.row);
        if !all.iter().any(|(known, _)| is_known(known)) {
            all.push((probe, reason));
        }
    }
    all
}

/// A question about a target of the policy.
fn about(about: About, host: &str, port: u16, why: &impl ToString) -> Probe {
    let target = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    Probe::new(about, target, why.to_string(), Vec::new())
}

/// What is to be reached.
fn meant(policy: &Policy) -> Vec<(Probe, Option<&'static str>)> {
    let mut all = Vec::new();
    let rules = policy.allow.iter();
    for (rule, port) in rules.flat_map(|rule| ends_of(rule).into_iter().map(move |it| (rule, it))) {
        for pattern in &rule.names {
            let (host, reason) = match pattern {
                NamePattern::One(name) => (name.clone(), None),
                other => (other.to_string(), Some(NO_SERVER)),
            };
            if reason.is_some() || policy.allows_name(&host, port) {
                all.push((about(About::Meant, &host, port, pattern), reason));
            }
        }
        for network in &rule.networks {
            let [address, last] = network.ends();
            let reason = (address != last).then_some(NO_SERVER);
            if policy.allows_address(address, port) {
                let probe = about(About::Meant, &address.to_string(), port, network);
                all.push((probe, reason));
            }
        }
    }
    all
}

/// What is not to be reached.
fn denied(policy: &Policy) -> Vec<(Probe, Option<&'static str>)> {
    let mut all = Vec::new();
    for rule in &policy.deny {
        let ports = match rule.ports.is_empty() {
            true => policy.sample_ports(),
            false => ends_of(rule),
        };
        let named = |pattern: &&NamePattern| **pattern != NamePattern::Any;
        for port in ports {
            for pattern in rule.names.iter().filter(named) {
                let host = pattern.name("audit");
                all.push((about(About::Denied, &host, port, pattern), None));
            }
            for network in &rule.networks {
                for address in network.ends() {
                    let probe = about(About::Denied, &address.to_string(), port, network);
                    all.push((probe, None));
                }
            }
        }
    }
    all
}

/// A question as a case, of a proxy that is reached by `listener`.
pub(super) fn case(
    (probe, reason): (Probe, Option<&'static str>),
    control: &Arc<Option<Probe>>,
    listener: Listener,
) -> Case {
    let title = probe.about.title();
    let case = match probe.level {
        Level::Must => must(title),
        _ => practice(title),
    };
    let id = probe.id();
    let control = Arc::clone(control);
    let setup = Setup {
        listener,
        ..setup()
    };
    let mut case = case
        .under(setup)
        .run(async move |lab| match (reason, probe.about) {
            (Some(reason), _) => Err(Finding::absent(reason)),
            (None, About::Meant) => is_granted(lab, &probe).await,
            _ => is_refused(lab, &probe, control.as_ref().as_ref()).await,
        });
    if let Some(id) = id {
        case.id = id;
    }
    case
}

/// The proxy says yes.
async fn is_granted(lab: &Lab, probe: &Probe) -> Outcome {
    lab.note(&probe.why);
    let said = match said(lab, &probe.target).await? {
        Said::No(said, _) => return Err(Finding::violation("a tunnel", said)),
        Said::Unclear(why) => return Err(Finding::inconclusive(why)),
        Said::Yes(said) => said,
    };
    lab.note(format!("{said}, which is the proxy's own word"));
    Ok(())
}

/// The proxy says no, while it says yes to what is meant.
async fn is_refused(lab: &Lab, probe: &Probe, control: Option<&Probe>) -> Outcome {
    lab.note(&probe.why);
    let words = match said(lab, &probe.target).await? {
        Said::Unclear(why) => return Err(Finding::inconclusive(why)),
        Said::Yes(yes) => {
            let port = probe
                .target
                .rsplit_once(':')
                .map_or("443", |(_, port)| port);
            if let Said::Yes(_) = said(lab, &format!("{NOBODY}:{port}")).await? {
                return Err(Finding::inconclusive(format!(
                    "{yes}; but it says yes to {NOBODY}, where nobody is, too: its yes is no proof of a connection"
                )));
            }
            return Err(Finding::violation("no tunnel", yes));
        }
        Said::No(words, by_a_rule) if by_a_rule => words,
        Said::No(words, _) => {
            return Err(Finding::inconclusive(format!(
                "{words}: it may have tried, and there is nobody here who would have noticed"
            )));
        }
    };
    let Some(control) = control else {
        return Err(Finding::inconclusive(format!(
            "{words}; but the policy names no single target that the proxy should lead to at the same time, so that this says nothing of a rule"
        )));
    };
    match said(lab, &control.target).await? {
        Said::Yes(_) => {
            lab.note(words);
            Ok(())
        }
        _ => Err(Finding::inconclusive(format!(
            "{words}; but {} is refused as well, so that this says nothing of a rule",
            control.target
        ))),
    }
}

/// What the proxy said.
enum Said {
    /// A tunnel that stays, or out of which something came.
    Yes(String),
    /// A refusal, and whether it is one by a rule rather than for want of a connection.
    No(String, bool),
    /// Something from which nothing follows.
    Unclear(String),
}

async fn said(lab: &Lab, target: &str) -> Outcome<Said> {
    let client = lab.client();
    let Exchange { answer, connection } = client.asks(client.request(target)).await?;
    let words = answer.describe();
    Ok(match &answer {
        Answer::Reply(reply) if reply.is_success() => {
            let mut tunnel = connection.into_tunnel();
            // Nothing else is said inside, whoever is there.
            let sent = tunnel.sends(lab.nonce()).await.is_ok();
            let (mut reader, _) = tunnel.halves();
            let heard = reader.takes_until_quiet(lab.patience().quiet());
            let (octets, ending) = timeout(lab.patience().soon(), heard)
                .await
                .unwrap_or((1, None));
            match (octets, sent && ending.is_none()) {
                (0, false) => Said::Unclear(format!("{words}, and then the end, without an octet")),
                (0, true) => Said::Yes(format!("{words}, and the tunnel stays")),
                _ => Said::Yes(format!("{words}, and octets come out of the tunnel")),
            }
        }
        Answer::Reply(reply) => match reply.status {
            407 => Said::Unclear(format!("{words}: give it credentials that it lets in")),
            408 | 429 => Said::Unclear(words),
            status => Said::No(words, status < 500),
        },
        Answer::Closed | Answer::Reset => Said::No(words, false),
        Answer::Garbage { .. } | Answer::Silence => Said::Unclear(words),
    })
}
