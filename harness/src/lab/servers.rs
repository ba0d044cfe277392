//! The servers of a case, and ports where none is.

use std::sync::Arc;

use crate::{
    lab::{Lab, Port, lock, ports},
    patience,
    server::{Script, Secrecy, Server, Shared},
    verdict::{Finding, Outcome},
    wire::Leg,
};

/// Where a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// At the usual address.
    One,
    /// At both loopback addresses.
    Both,
    /// In front of servers, as the upstream proxy.
    Upstream,
}

impl Lab {
    /// A server on a port that the proxy allows; every connection to it follows `script`.
    ///
    /// # Errors
    /// The harness's, where no port is left or nobody can listen there.
    pub async fn server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.allowed_port().await?;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A server on a port that the proxy does not allow.
    ///
    /// # Errors
    /// As those of [`Lab::server`]; absent where every port is allowed.
    pub async fn denied_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.denied_port()?;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A server on a certain port of a set-up that names ports by placeholders; see [`Lab::port`].
    ///
    /// # Errors
    /// The harness's, where no letter stands for it or nobody can listen there.
    pub async fn server_at(&self, port: u16, script: Script) -> Outcome<Arc<Server>> {
        if !self.running.placeholders().contains(port) {
            let reason = format!("{port} is not among the ports that placeholders stand for");
            return Err(Finding::harness(reason));
        }
        let port = self.named_port(port).await;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A port that the set-up's configuration names, free for a server: an earlier one of this case that has it takes no more
    /// connections.
    pub(super) async fn named_port(&self, number: u16) -> Port {
        let earlier: Vec<Arc<Server>> = {
            let servers = lock(&self.servers);
            let there = servers.iter().filter(|server| server.port() == number);
            there.cloned().collect()
        };
        for server in earlier {
            server.stops_accepting().await;
        }
        let port = self.world.ports.take(number);
        self.wait_until_free(&port).await;
        port
    }

    /// A listener that was closed while another thread started a program stays open in that program's process, until it
    /// runs. There is no event to wait for, and it takes a moment only.
    async fn wait_until_free(&self, port: &Port) {
        let deadline = std::time::Instant::now() + self.world.patience.dial();
        while !port.is_free() && std::time::Instant::now() < deadline {
            patience::pass(self.world.patience.pace()).await;
        }
    }

    /// A server that speaks TLS, with a certificate for its address and for `localhost`.
    ///
    /// # Errors
    /// As those of [`Lab::server`].
    pub async fn tls_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let identity = self.world.identity()?;
        let port = self.allowed_port().await?;
        self.serve(
            port,
            &script,
            &Secrecy::Tls(self.transcript.server_config(&identity.config)),
            Placed::One,
        )
    }

    /// A server that listens on both loopback addresses, for targets by name or by IPv6 address; where the machine has
    /// only one, on that. Absent where the proxy is on another machine: its `localhost` leads to no server.
    ///
    /// # Errors
    /// As those of [`Lab::server`], and absent as said.
    pub async fn dual_server(&self, script: Script) -> Outcome<Arc<Server>> {
        self.shares_loopback()?;
        let port = self.allowed_port().await?;
        self.serve(port, &script, &Secrecy::Plain, Placed::Both)
    }

    /// Absent where `localhost` and 127.0.0.1 lead the proxy to another machine than this one.
    ///
    /// # Errors
    /// Absent where they do.
    pub fn shares_loopback(&self) -> Outcome {
        if self.world.shares_loopback() {
            return Ok(());
        }
        Err(Finding::absent(format!(
            "the proxy reaches the servers at {}, and not at its own localhost",
            self.world.host
        )))
    }

    /// A port that the proxy allows and that refuses connections. It does so until the case is over.
    ///
    /// # Errors
    /// Absent where something accepts there; the harness's, where no port is left.
    pub async fn refusing_port(&self) -> Outcome<u16> {
        self.kept_closed(self.allowed_port().await?).await
    }

    /// A port that the proxy does not allow, and where nobody listens. It stays so until the case is over.
    ///
    /// # Errors
    /// Absent where every port is allowed.
    pub async fn closed_denied_port(&self) -> Outcome<u16> {
        self.kept_closed(self.denied_port()?).await
    }

    async fn kept_closed(&self, port: Port) -> Outcome<u16> {
        let number = port.number();
        self.still_refuses(number).await?;
        lock(&self.ports).push(port);
        Ok(number)
    }

    /// Asks a refusing port itself: something that accepts on behalf of others would make every proxy look wrong.
    ///
    /// # Errors
    /// Absent where something accepts there.
    pub async fn still_refuses(&self, port: u16) -> Outcome {
        match tokio::net::TcpStream::connect((self.world.bind, port)).await {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(()),
            _ => Err(Finding::absent(
                "on this machine, closed ports do not refuse",
            )),
        }
    }

    /// The port that a letter of the set-up's allow list stands for.
    ///
    /// # Errors
    /// The harness's, where that is no letter.
    pub fn port(&self, letter: char) -> Outcome<u16> {
        let port = self.running.placeholders().port(letter);
        port.ok_or_else(|| Finding::harness(format!("`{letter}` stands for no port")))
    }

    /// The first port of an allow list with placeholders, if it is one that a letter stands for.
    pub(crate) fn first_port(&self, list: &str) -> Outcome<Option<u16>> {
        let placeholders = self.running.placeholders();
        let ranges = placeholders.list(list)?;
        let first = ranges.first().map(|range| range.first);
        Ok(first.filter(|&port| placeholders.contains(port)))
    }

    /// A harness finding if a server of this case panicked.
    pub(crate) fn servers_are_sound(&self) -> Outcome {
        for server in lock(&self.servers).iter() {
            for visit in server.visits() {
                if let Some(Err(finding @ Finding::Harness { .. })) = visit.played {
                    return Err(finding);
                }
            }
        }
        Ok(())
    }

    /// A port of the allow list. Where there are few, one that is used is waited for, unless it is this case that uses it.
    pub(super) async fn allowed_port(&self) -> Outcome<Port> {
        let (ports, patience) = (&self.world.ports, self.world.patience);
        let deadline = std::time::Instant::now() + patience.dial();
        loop {
            if let Some(port) = ports.take_allowed(patience.settle()) {
                return Ok(port);
            }
            if !ports.are_few() {
                return Err(Finding::harness("all allowed ports are in use"));
            }
            let own = lock(&self.ports)
                .iter()
                .filter(|it| it.is_allowed())
                .count();
            if own == ports.allowed() || std::time::Instant::now() > deadline {
                return Err(Finding::absent(format!(
                    "it takes more servers than the proxy allows ports that can be had here: {}",
                    ports.allowed()
                )));
            }
            patience::pass(patience.pace()).await;
        }
    }

    fn denied_port(&self) -> Outcome<Port> {
        let port = self.world.ports.take_denied();
        port.ok_or_else(|| {
            if self.world.ports.denies() {
                Finding::harness("all denied ports are in use")
            } else {
                Finding::absent("it allows every port that a server here could have")
            }
        })
    }

    pub(super) fn serve(
        &self,
        port: Port,
        script: &Script,
        secrecy: &Secrecy,
        placed: Placed,
    ) -> Outcome<Arc<Server>> {
        let number = port.number();
        let failed = |error: std::io::Error| {
            Finding::harness(format!("could not listen on port {number}: {error}"))
        };
        let mut listeners = vec![port.listen().map_err(failed)?];
        if placed == Placed::Both {
            // A machine without the other family has names for one address only.
            let twin = port.listen_also_on(ports::twin(self.world.bind));
            listeners.extend(twin.ok());
        }
        let host = self.world.host.clone();
        let leg = match placed {
            Placed::Upstream => Leg::Upstream,
            Placed::One | Placed::Both => Leg::Server,
        };
        let shared = Shared::new(&self.transcript, leg, self.world.patience);
        let server = Server::serve(host, listeners, script, secrecy, shared)?;
        let server = Arc::new(server);
        self.transcript.listens(server.address());
        lock(&self.servers).push(Arc::clone(&server));
        lock(&self.ports).push(port);
        Ok(server)
    }
}
