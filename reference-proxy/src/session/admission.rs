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
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::request::{Host, Request};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use tokio::net::lookup_host;
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
/// 403, 407, 504 when a name could not be looked up in time, or 500 when the configuration asks for users and does not
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
        address: record.client.ip().to_canonical(),
        local: record.local.ip(),
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
    let user = verified(credentials, file.to_owned(), proxy).await?;
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
        let facts = &mut admitted.facts;
        match unknown {
            Unknown::Name => {
                let name = timeout_at(self.deadline, name_of(admitted.address)).await;
                facts.name = Some(name.map_err(late)?);
            }
            Unknown::Addresses(name) => {
                let found = timeout_at(self.deadline, lookup_host((name.as_str(), 0))).await;
                // Like httpd: a name that has no address is nobody's.
                let addresses = found
                    .map_err(late)?
                    .map(|found| found.map(|at| at.ip()).collect());
                facts.addresses.insert(name, addresses.unwrap_or_default());
            }
            Unknown::Groups(file) => {
                let user = admitted.user.as_ref().map_or("", |(name, _)| name);
                let groups = groups_of(user.to_owned(), file.clone()).await;
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
}

/// The user, if the credentials are valid.
async fn verified(
    credentials: Credentials,
    file: PathBuf,
    proxy: &Proxy,
) -> Result<Option<String>, Refusal> {
    let failed = || Refusal::internal("the AuthUserFile cannot be read");
    let turn = proxy.shared.hashing.acquire().await.map_err(|_| failed())?;
    let checked = tokio::task::spawn_blocking(move || {
        credentials
            .are_valid(&file)
            .map(|valid| valid.then_some(credentials.user))
    });
    let outcome = checked.await;
    drop(turn);
    outcome.map_err(|_| failed())?.map_err(|_| failed())
}

async fn groups_of(user: String, file: PathBuf) -> std::io::Result<Vec<String>> {
    let read = tokio::task::spawn_blocking(move || auth::groups::of(&user, Path::new(&file)));
    read.await.map_err(std::io::Error::other)?
}

/// The name of `address`, if that name has this address: anybody can claim any name for an address of his.
async fn name_of(address: IpAddr) -> Option<String> {
    let lookup = tokio::task::spawn_blocking(move || {
        let name = dns_lookup::lookup_addr(&address).ok()?;
        let mut addresses = (name.as_str(), 0).to_socket_addrs().ok()?;
        addresses
            .any(|found| found.ip().to_canonical() == address)
            .then_some(name)
    });
    lookup.await.ok().flatten()
}
