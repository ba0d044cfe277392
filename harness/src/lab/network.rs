//! A network of the run's own: addresses, ports and names that nobody else has.
//!
//! What decides whether a proxy is safe cannot be seen on a machine's ordinary loopback: who listens at a metadata
//! address, what a name resolves to between check and use. In network and mount namespaces of its own, which need no root,
//! a run listens wherever a case needs it, and answers every question to a name server itself. Nothing of it outlives the
//! processes inside.

pub mod addresses;
pub mod answers;
pub mod entrance;
pub mod name_server;
mod names;
mod places;

pub use answers::{Answers, Says};
pub use name_server::{Family, NameServer, Question};
pub use names::Name;

use std::net::IpAddr;

/// What is there inside.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) names: NameServer,
}

/// Why there is no network of the run's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoNetwork(pub String);

impl Network {
    /// Brings up the addresses, `more` among them, and the name server, and has every program inside ask that one.
    ///
    /// # Errors
    /// Where this process is not inside, or something that it takes is missing.
    pub(crate) fn bring_up(more: &[IpAddr]) -> Result<Self, NoNetwork> {
        if !entrance::is_inside() {
            return Err(NoNetwork("it was not asked for".to_owned()));
        }
        addresses::bring_up(more)?;
        let names = NameServer::start()
            .map_err(|error| NoNetwork(format!("no name server could be started: {error}")))?;
        names::ask_only_this_one()?;
        Ok(Self { names })
    }
}
