//! The clients of a case.

use std::{net::IpAddr, sync::Arc};

use crate::{
    client::{Client, reqwest_client::ReqwestClient},
    http1::Request,
    lab::Lab,
    server::Server,
    subject::log::CONTROL_AGENT,
    tunnel::End,
    verdict::{Finding, Outcome},
    wire::ALPN,
};

impl Lab {
    /// A client of the proxy, with credentials where the set-up asks for them.
    #[must_use]
    pub fn client(&self) -> Client {
        let mut client = self.anonymous_client();
        client.fields.extend(self.running.authorization());
        client
    }

    /// The client of the control tunnels. It says who it is: a reader of the subject's log can tell them from the
    /// cases, and a proxy that is wrong on purpose can let them pass, so that its fault meets a case and not the door.
    #[must_use]
    pub(crate) fn control_client(&self) -> Client {
        let mut client = self.client();
        client.fields.push(format!("User-Agent: {CONTROL_AGENT}"));
        client
    }

    /// A client without credentials.
    #[must_use]
    pub fn anonymous_client(&self) -> Client {
        Client {
            proxy: self.running.address(),
            source: None,
            transcript: self.transcript.clone(),
            patience: self.world.patience,
            tls: self.running.tls(&self.world).map(|(config, name)| {
                let mut config = self.transcript.client_config(&config);
                if self.running.speaks_http2() {
                    Arc::make_mut(&mut config).alpn_protocols = vec![ALPN.to_vec()];
                }
                (config, name)
            }),
            speaks_http2: self.running.speaks_http2(),
            fields: Vec::new(),
        }
    }

    /// A client of the second port of the proxy, where the set-up lets it listen on one.
    ///
    /// # Errors
    /// Absent where the proxy was already running.
    pub fn client_of_second_port(&self) -> Outcome<Client> {
        let mut client = self.client();
        let port = self.running.second_port();
        let port = port.ok_or_else(|| Finding::absent("the proxy was already running"))?;
        client.proxy.set_port(port);
        Ok(client)
    }

    /// A client without credentials, at an address of the loopback network that no other case uses: proxies may remember
    /// who asked.
    #[must_use]
    pub fn client_of_its_own(&self) -> Client {
        let client = self.anonymous_client();
        if !client.proxy.ip().is_loopback() || client.proxy.is_ipv6() {
            // There is no other address from which it could be reached.
            return client;
        }
        let [one, two, ..] = self.seed.to_le_bytes();
        client.from(IpAddr::from([127, 1 + one % 250, two, 2]))
    }

    /// A right CONNECT request for `server`.
    #[must_use]
    pub fn request(&self, server: &Server) -> Request {
        self.client().request(server.authority())
    }

    /// What most programs put through a proxy: an HTTP client that trusts the servers' authority.
    ///
    /// # Errors
    /// Absent where it would need what it does not speak; the harness's, where it cannot be made.
    pub async fn reqwest_client(&self) -> Outcome<ReqwestClient> {
        if self.running.speaks_http2() {
            let reason = "this everyday client speaks HTTP/1.1 to its proxy";
            return Err(Finding::absent(reason));
        }
        if self.world.host.starts_with('[') {
            // It asks TLS for a server whose name has brackets.
            let reason = "this everyday client has no TLS with servers at an IPv6 address";
            return Err(Finding::absent(reason));
        }
        let credentials = self.running.credentials();
        let credentials =
            credentials.map(|known| (known.username.as_str(), known.password.as_str()));
        let tls = self.world.pki.client();
        let tls = tls.map_err(|error| Finding::harness(error.to_string()))?;
        ReqwestClient::new(
            self.anonymous_client(),
            &self.transcript.client_config(&tls),
            credentials,
        )
        .await
    }

    /// TLS to `name` over the client's end of a tunnel.
    ///
    /// # Errors
    /// A violation where no session comes about.
    pub async fn tls_over(&self, end: End, name: &str) -> Outcome<End> {
        let config = self
            .world
            .pki
            .client()
            .map_err(|error| Finding::harness(error.to_string()))?;
        // A certificate has an IPv6 address without the brackets of an authority.
        let name = name.trim_matches(['[', ']']);
        end.secured(self.transcript.client_config(&config), name)
            .await
    }
}
