//! Servers anywhere in the network.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};

use crate::{
    lab::{
        Lab, lock,
        network::addresses::{OWN, own_v4, own_v6},
    },
    server::{Script, Server},
    verdict::{Finding, Outcome},
};

impl Lab {
    /// An address of IPv4 that no case uses at the same time with the same port.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn address(&self) -> Outcome<IpAddr> {
        Ok(own_v4(self.next_addresses(1)?))
    }

    /// So many of them, no two alike.
    ///
    /// # Errors
    /// As those of [`Lab::address`]; the harness's, where the network does not have so many.
    pub fn addresses(&self, count: u32) -> Outcome<Vec<IpAddr>> {
        if count > OWN {
            return Err(Finding::harness(format!(
                "the network has {OWN} addresses, not {count}"
            )));
        }
        // Others take theirs at the same time, and past the last one comes the first.
        let first = self.next_addresses(count)?;
        let all = (0..count).map(|index| own_v4(first.wrapping_add(index)));
        Ok(all.collect())
    }

    /// The same of IPv6.
    ///
    /// # Errors
    /// Absent outside of a network of the run's own.
    pub fn address_v6(&self) -> Outcome<IpAddr> {
        Ok(own_v6(self.next_addresses(1)?))
    }

    /// The first of so many, one behind the other.
    fn next_addresses(&self, count: u32) -> Outcome<u32> {
        self.network()?;
        Ok(self.world.neighbours.fetch_add(count, Ordering::Relaxed))
    }

    /// A port of the allow list, which a case may use at any address.
    ///
    /// # Errors
    /// As those of [`Lab::server`].
    pub async fn port_anywhere(&self) -> Outcome<u16> {
        let port = self.allowed_port().await?;
        let number = port.number();
        lock(&self.ports).push(port);
        Ok(number)
    }

    /// The server of this case that listens at `at`; where there is none, one that plays `script` there.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub(crate) fn server_there_or(&self, at: SocketAddr, script: &Script) -> Outcome<Arc<Server>> {
        let known = lock(&self.servers)
            .iter()
            .find(|server| server.address() == at)
            .cloned();
        match known {
            Some(server) => Ok(server),
            None => self.server_of(at.ip(), at.port(), script),
        }
    }

    /// A server on `port` of `address`.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub fn server_of(&self, address: IpAddr, port: u16, script: &Script) -> Outcome<Arc<Server>> {
        self.network()?;
        let server = self.play_at(address, port, script, self.transcript())?;
        let server = server.ok_or_else(|| {
            Finding::harness(format!("nobody can listen on port {port} of {address}"))
        })?;
        let server = Arc::new(server);
        lock(&self.servers).push(Arc::clone(&server));
        Ok(server)
    }
}
