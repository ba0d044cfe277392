//! Servers with observers beside them: whoever reads a target differently is seen where that leads.
//!
//! An observer listens on a port that no ordinary request names, such as 443. On an address that other programs share it
//! would hear of requests that are not this case's; so the whole server has an address of its own.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use crate::{
    client::Client,
    lab::{Lab, lock, ports},
    server::{Script, Secrecy, Server, Shared, script::echo},
    verdict::{Finding, Outcome},
    wire::{Leg, Transcript},
};

/// How many addresses are tried before ports are said to be in use: another case may have them at one.
const ADDRESSES_TRIED: usize = 4;

impl Lab {
    /// An echo on a port that the proxy allows, at an address of its own, with observers: echoes on those of `others`
    /// that can be had, and on the same port of the usual address. Every verb of refusal watches them.
    ///
    /// Where the proxy leads to no other address than the usual one, the server is there, and has no observers.
    ///
    /// # Errors
    /// As those of [`Lab::server`].
    pub async fn server_among(&self, others: impl FnOnce(u16) -> Vec<u16>) -> Outcome<Arc<Server>> {
        let usual = self.server(echo()).await?;
        let port = usual.port();
        let Some(host) = self.own_address(port).await? else {
            return Ok(usual);
        };
        let Some(own) = self.observer(host.into(), port)? else {
            return Ok(usual);
        };
        for other in others(port) {
            if other != port {
                self.observer(host.into(), other)?;
            }
        }
        Ok(own)
    }

    /// An echo on a certain port, which the set-up allows: at an address of its own where the proxy leads to such ones.
    ///
    /// # Errors
    /// Absent where nobody can listen there.
    pub async fn server_on(&self, port: u16) -> Outcome<Arc<Server>> {
        let own = self.own_address(port).await?.map(IpAddr::V4);
        let server = self.observer(own.unwrap_or(self.world.bind), port)?;
        server.ok_or_else(|| {
            Finding::absent(format!(
                "nobody but the system may listen on port {port}, or somebody does"
            ))
        })
    }

    /// Echoes on all of these ports at one address that nobody else has, where `open` is a port that the set-up allows.
    ///
    /// # Errors
    /// Absent where there is no such address, or nobody can listen there.
    pub async fn servers_on(&self, ports: &[u16], open: u16) -> Outcome<Vec<Arc<Server>>> {
        let mut lacking = "the proxy leads to no address that is the suite's own".to_owned();
        for _ in 0..ADDRESSES_TRIED {
            let own = match self.address() {
                Ok(address) => Some(address),
                Err(_) => self.own_address(open).await?.map(IpAddr::V4),
            };
            let Some(own) = own else { break };
            let servers: Vec<_> = ports
                .iter()
                .map_while(|&port| self.observer(own, port).transpose())
                .collect::<Outcome<_>>()?;
            if servers.len() == ports.len() {
                return Ok(servers);
            }
            lacking = format!(
                "nobody can listen on port {} of {own}",
                ports[servers.len()]
            );
        }
        Err(Finding::absent(lacking))
    }

    /// An address that nobody else listens on, if the proxy leads to such addresses: a policy may keep it from all but
    /// the usual one.
    async fn own_address(&self, port: u16) -> Outcome<Option<Ipv4Addr>> {
        let Some(tried) = self.world.own_address() else {
            return Ok(None);
        };
        let leads_there = self
            .running
            .leads_anywhere
            .get_or_try_init(async || self.leads_to(tried, port).await)
            .await?;
        Ok(leads_there.then(|| self.world.own_address()).flatten())
    }

    /// Whether there is a way through the proxy to `host`. It is no part of this case, nor of its transcript.
    async fn leads_to(&self, host: Ipv4Addr, port: u16) -> Outcome<bool> {
        let transcript = Transcript::begin();
        let Some(server) = self.echo_at(host.into(), port, &transcript)? else {
            return Ok(false);
        };
        let client = Client {
            transcript,
            ..self.client()
        };
        let Ok(mut tunnel) = client.connect(&server).await else {
            return Ok(false);
        };
        Ok(tunnel.echoes(self.nonce()).await.is_ok())
    }

    /// An echo on `port` of `host`, if that can be had.
    fn observer(&self, host: IpAddr, port: u16) -> Outcome<Option<Arc<Server>>> {
        let server = self.echo_at(host, port, &self.transcript)?.map(Arc::new);
        lock(&self.servers).extend(server.clone());
        Ok(server)
    }

    fn echo_at(&self, host: IpAddr, port: u16, transcript: &Transcript) -> Outcome<Option<Server>> {
        self.play_at(host, port, &echo(), transcript)
    }

    /// A server on `port` of `host`, if that can be had.
    pub(super) fn play_at(
        &self,
        host: IpAddr,
        port: u16,
        script: &Script,
        transcript: &Transcript,
    ) -> Outcome<Option<Server>> {
        // Somebody may listen on that port of every address, or it is only for the system's own services.
        let Ok(listener) = ports::listen_on(host, port) else {
            return Ok(None);
        };
        let name = match host {
            _ if host == self.world.bind => self.world.host.clone(),
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        let patience = self.world.patience;
        let shared = Shared::new(transcript, Leg::Server, patience);
        let listeners = vec![listener];
        Server::serve(name, listeners, script, &Secrecy::Plain, shared).map(Some)
    }
}
