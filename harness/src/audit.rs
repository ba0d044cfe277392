//! What a proxy is meant to lead to, and the proof that it leads there and nowhere else.
//!
//! A policy says in a few words what clients are meant to reach. From it follow probes: some that have to come about, and many
//! that must not, each with a listener where it would lead. A refusal counts only where the listener was seen to listen, and where
//! the proxy leads to what it should at the same time: one that refuses everything, or does not run, would look safe otherwise.

mod from_outside;
mod in_the_lab;
pub mod network;
pub mod policy;
mod probe;
mod probes;
pub mod read;
mod special_use;
mod suite;
mod ways;

pub use network::Network;
pub use policy::{NamePattern, Policy, Rule};
pub use probe::{About, Leads, Probe};
pub use probes::probes;
pub use suite::{SUITE, setup};

use std::{net::IpAddr, sync::Arc};

use crate::{
    case::{Case, Suite},
    case_id::CaseId,
    protocol::Listener,
};

/// Every probe of `policy` as a case, for a proxy that is launched in a network of the run's own.
#[must_use]
pub fn in_the_lab(policy: &Policy) -> Suite {
    let probes = probes(policy);
    let control = probes.iter().find(|probe| probe.about == About::Meant);
    let control = Arc::new(control.cloned());
    let cases: Vec<Case> = probes
        .into_iter()
        .map(|probe| in_the_lab::case(probe, &control))
        .collect();
    Suite::new(SUITE, "Audit", include_str!("audit/in_the_lab.rs"), cases)
}

/// What is asked of a proxy that runs already and is reached by `listener`: only targets that `policy` names, and addresses with a
/// special use.
#[must_use]
pub fn from_outside(policy: &Policy, listener: Listener) -> Suite {
    let questions = from_outside::questions(policy);
    let control = questions
        .iter()
        .find(|(probe, reason)| probe.about == About::Meant && reason.is_none());
    let control = Arc::new(control.map(|(probe, _)| probe.clone()));
    let cases: Vec<Case> = questions
        .into_iter()
        .map(|question| from_outside::case(question, &control, listener))
        .collect();
    let text = include_str!("audit/from_outside.rs");
    Suite::new(SUITE, "Audit", text, cases)
}

/// What [`from_outside`] asks for, as a client writes it, and the id of each question.
pub fn targets_from_outside(policy: &Policy) -> impl Iterator<Item = (CaseId, String)> {
    let asked = from_outside::questions(policy);
    let asked = asked.into_iter().filter(|(_, reason)| reason.is_none());
    asked.filter_map(|(probe, _)| Some((probe.id()?, probe.target)))
}

/// The addresses at which the listeners of `policy` stand, for the network of the run's own to have.
#[must_use]
pub fn addresses(policy: &Policy) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = probes(policy)
        .iter()
        .flat_map(|probe| probe.listeners.iter().map(std::net::SocketAddr::ip))
        .filter(|address| !address.is_loopback())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
