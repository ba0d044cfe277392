//! Whether a client may use the proxy for a target: the sections that fit it, and credentials where they decide.
//!
//! What takes time to find out, as the name of an address, is found out where the decision depends on it, and within
//! the time that the whole way may take.

use crate::auth::{self, Credentials};
use crate::config::Server;
use crate::config::access::{Client, Decision, Facts, Target, Unknown, User, Verdict};
use crate::config::environment::Variables;
use crate::log::Record;
use crate::log::error::Level;
use crate::net::Unresolved;
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::request::{Host, Request};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// A client that was let in, and for which target.
pub(super) struct Admitted<'a> {
    target: Target<'a>,
    address: IpAddr,
    local: IpAddr,
    user: Option<(String, PathBuf)>,
    variables: Variables,
    facts: Facts,
}

/// Lets the client in, or not.
///
/// # Errors
///
/// 403, 407, 503 when too many passwords wait to be checked, 504 when a name could not be looked up in time, or 500 when the configuration asks for users and does not
/// say how they prove who they are.
pub(super) async fn admit<'a>(
    request: &Request,
    target: Target<'a>,
    server: &Server,
    record: &mut Record,
    proxy: &Proxy,
    deadline: Instant,
) -> Result<Admitted<'a>, Refusal> {
    let mut admitted = Admitted {
        target,
        address: record.ends.peer.ip().to_canonical(),
        local: record.ends.local.ip(),
        user: None,
        variables: record.variables.clone(),
        facts: Facts::default(),
    };
    let asking = Asking {
        server,
        proxy,
        deadline,
    };
    let verdict = asking.verdict(&mut admitted, record).await?;
    let realm = match (verdict.decision, verdict.realm) {
        (Decision::Granted, _) => return Ok(admitted),
        (Decision::Denied, _) => return Err(denied()),
        (Decision::UserWanted, Some(realm)) if verdict.basic => realm,
        (Decision::UserWanted | Decision::Unusable, _) => return Err(unusable()),
    };
    let wanted = || Refusal::credentials_wanted(auth::challenge(realm));
    let credentials = Credentials::of(&request.fields).ok_or_else(wanted)?;
    let file = verdict.file.ok_or_else(unusable)?;
    // As in httpd the log says who it claimed to be, also when that was wrong.
    record.user = Some(credentials.user.as_str().into());
    let user = asking.verified(credentials, file.to_owned()).await?;
    admitted.user = Some((user.ok_or_else(wanted)?, file.to_owned()));
    let verdict = asking.verdict(&mut admitted, record).await?;
    match verdict.decision {
        Decision::Granted => Ok(admitted),
        _ if verdict.forbid => Err(denied()),
        _ => Err(wanted()),
    }
}

impl Admitted<'_> {
    /// Finds out what a decision about an address of the target may depend on, if it is a name.
    ///
    /// # Errors
    ///
    /// 504, as for the decision before.
    pub(super) async fn prepare(
        &mut self,
        host: &Host,
        server: &Server,
        record: &Record,
        proxy: &Proxy,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        if matches!(host, Host::Address(_)) {
            return Ok(());
        }
        let asking = Asking {
            server,
            proxy,
            deadline,
        };
        while let Err(unknown) = server.access.ask_all(self.client()) {
            asking.find_out(unknown, self, record).await?;
        }
        Ok(())
    }

    /// Whether this address may be dialled for the target: a section about it can still deny.
    ///
    /// # Errors
    ///
    /// 403.
    pub(super) fn judge(&self, server: &Server, address: SocketAddr) -> Result<(), Refusal> {
        let target = self.target.at(address);
        match server.access.decide(self.client(), &target) {
            Ok(Verdict {
                decision: Decision::Granted,
                ..
            }) => Ok(()),
            _ => Err(denied()),
        }
    }

    fn client(&self) -> Client<'_> {
        Client {
            address: self.address,
            local: self.local,
            user: self.user.as_ref().map(|(name, file)| User { name, file }),
            variables: &self.variables,
            facts: &self.facts,
        }
    }
}

fn unusable() -> Refusal {
    Refusal::internal("users are asked for: say AuthType, AuthName, AuthUserFile and Require")
}

fn denied() -> Refusal {
    Refusal::forbidden("this client may not use the proxy")
}

/// Whom to ask, and until when.
struct Asking<'a> {
    server: &'a Server,
    proxy: &'a Proxy,
    deadline: Instant,
}

impl<'a> Asking<'a> {
    async fn verdict(
        &self,
        admitted: &mut Admitted<'_>,
        record: &Record,
    ) -> Result<Verdict<'a>, Refusal> {
        loop {
            let decided = self
                .server
                .access
                .decide(admitted.client(), &admitted.target);
            match decided {
                Ok(verdict) => return Ok(verdict),
                Err(unknown) => self.find_out(unknown, admitted, record).await?,
            }
        }
    }

    async fn find_out(
        &self,
        unknown: Unknown,
        admitted: &mut Admitted<'_>,
        record: &Record,
    ) -> Result<(), Refusal> {
        let late = |_| {
            Refusal::gateway_timeout("dns_timeout", "the client could not be looked up in time")
        };
        let (facts, names) = (&mut admitted.facts, &self.proxy.shared.dials.names);
        match unknown {
            Unknown::Name => {
                let name = names.name_of(admitted.address, self.deadline).await;
                facts.name = Some(name.map_err(late)?);
            }
            Unknown::Addresses(name) => {
                let addresses = match names.addresses(&name, self.deadline).await {
                    Err(Unresolved::Late) => return Err(late(Unresolved::Late)),
                    // Like httpd: a name that has no address is nobody's.
                    found => found.unwrap_or_default(),
                };
                facts.addresses.insert(name, addresses);
            }
            Unknown::Groups(file) => {
                let user = admitted.user.as_ref().map_or("", |(name, _)| name);
                let (user, path) = (user.to_owned(), file.clone());
                let groups = self.check(move || auth::groups::of(&user, &path)).await?;
                let groups = groups.unwrap_or_else(|error| {
                    let text = format!("AH01664: No group file?: {}: {error}", file.display());
                    let log = self.proxy.error_log(Some(record));
                    log.write(Level::Error, Some(record), &text);
                    Vec::new()
                });
                facts.groups.insert(file, groups);
            }
        }
        Ok(())
    }
    /// The user, if the credentials are valid.
    async fn verified(
        &self,
        credentials: Credentials,
        file: PathBuf,
    ) -> Result<Option<String>, Refusal> {
        let valid = move || {
            let valid = credentials.are_valid(&file)?;
            Ok(valid.then_some(credentials.user))
        };
        let checked = self.check(valid).await?;
        checked.map_err(|_| Refusal::internal("the AuthUserFile cannot be read"))
    }

    /// Does what takes a file and time in a thread for it, when there is a turn before the deadline. Who goes before it has a
    /// turn costs nothing; what has begun keeps its turn to its end.
    async fn check<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<std::io::Result<T>, Refusal> {
        let turns = Arc::clone(&self.proxy.shared.checking);
        let busy = || Refusal::new(503, "too many passwords wait to be checked");
        let Ok(Ok(turn)) = timeout_at(self.deadline, turns.acquire_owned()).await else {
            return Err(busy());
        };
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        match timeout_at(self.deadline, checked).await {
            Ok(checked) => Ok(checked.unwrap_or_else(|error| Err(std::io::Error::other(error)))),
            Err(_) => Err(busy()),
        }
    }
}
