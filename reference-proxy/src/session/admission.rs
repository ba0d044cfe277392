//! Whether a client may use the proxy for a target: `Require`, and credentials where they decide.

use crate::auth::{self, Credentials};
use crate::config::Server;
use crate::config::access::{Client, Decision};
use crate::log::Record;
use crate::proxy::Proxy;
use crate::refusal::Refusal;
use crate::request::Request;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;

/// Lets the client in, or not.
///
/// # Errors
///
/// 403, 407, or 500 when the configuration asks for users and does not say how they prove who they are.
pub(super) async fn admit(
    request: &Request,
    target: &str,
    server: &Server,
    record: &mut Record,
    proxy: &Proxy,
) -> Result<(), Refusal> {
    let address = record.client.ip().to_canonical();
    let name = if server.access.asks_name(target) {
        name_of(address).await
    } else {
        None
    };
    let client = Client {
        address,
        local: record.local.ip(),
        name: name.as_deref(),
        user: None,
        method: &request.line.method_name,
    };
    match server.access.decide(client, target) {
        Decision::Granted => return Ok(()),
        Decision::Denied => return Err(Refusal::forbidden("this client may not use the proxy")),
        Decision::UserWanted => {}
    }
    let auth = server.access.auth(target);
    let (Some(true), Some(realm), Some(file)) = (auth.basic, auth.realm, auth.file) else {
        return Err(Refusal::internal(
            "Require wants a user: say AuthType, AuthName and AuthUserFile",
        ));
    };
    let wanted = || Refusal::credentials_wanted(auth::challenge(&realm));
    let credentials = Credentials::of(&request.fields).ok_or_else(wanted)?;
    // As in httpd the log says who it claimed to be, also when that was wrong.
    record.user = Some(credentials.user.as_str().into());
    let user = verified(credentials, file, proxy)
        .await?
        .ok_or_else(wanted)?;
    match server.access.decide(
        Client {
            user: Some(&user),
            ..client
        },
        target,
    ) {
        Decision::Granted => Ok(()),
        Decision::Denied | Decision::UserWanted => Err(wanted()),
    }
}

/// The user, if the credentials are valid.
async fn verified(
    credentials: Credentials,
    file: PathBuf,
    proxy: &Proxy,
) -> Result<Option<String>, Refusal> {
    let failed = || Refusal::internal("the AuthUserFile cannot be read");
    let turn = proxy.hashing.acquire().await.map_err(|_| failed())?;
    let checked = tokio::task::spawn_blocking(move || {
        credentials
            .are_valid(&file)
            .map(|valid| valid.then_some(credentials.user))
    });
    let outcome = checked.await;
    drop(turn);
    outcome.map_err(|_| failed())?.map_err(|_| failed())
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
