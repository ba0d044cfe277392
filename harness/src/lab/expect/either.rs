//! Requests that may be refused or answered with a tunnel, as long as that leads nowhere else.

use crate::{
    client::Client,
    http1::{Answer, Request},
    lab::{Lab, expect::silence},
    server::Server,
    verdict::{Finding, Outcome},
};

impl Lab {
    /// The proxy may refuse `request`, or answer it with a tunnel to `server`, an echo. A tunnel has to carry exactly
    /// what is sent, and no other server of this case may see a connection. What it does is noted.
    ///
    /// Silence says nothing: it may still be waiting for an end of line that it does not recognise.
    ///
    /// # Errors
    /// A violation where it does something else; nothing follows from silence.
    pub async fn tolerates(&self, request: &Request, server: &Server) -> Outcome<Answer> {
        match self.leads_nowhere_else(request, server).await? {
            Answer::Silence => Err(silence()),
            answer => Ok(answer),
        }
    }

    /// As [`Lab::tolerates`], where silence is right as well.
    ///
    /// # Errors
    /// A violation where it does something else.
    pub async fn leads_nowhere_else(&self, request: &Request, server: &Server) -> Outcome<Answer> {
        let known = self.visits();
        let exchange = self.client().asks(request).await?;
        let answer = exchange.answer.clone();
        match &answer {
            Answer::Reply(reply) if reply.is_success() => {
                let mut tunnel = exchange.connection.into_tunnel();
                match tunnel.echoes(self.nonce()).await {
                    Ok(()) => {
                        known.led_to(self, server)?;
                        self.note(format!("a tunnel: {}", answer.describe()));
                    }
                    Err(finding) if known.has_led_to(self, server) => return Err(finding),
                    Err(_) => self.note(format!("{}, but no tunnel", answer.describe())),
                }
            }
            Answer::Garbage { .. } if known.has_led_to(self, server) => {
                self.note(format!("forwarded to {} as HTTP", server.authority()));
            }
            Answer::Garbage { .. } => {
                known.none_since(self, None).await?;
                return Err(Finding::violation("an HTTP response", answer.describe()));
            }
            _ => self.note(answer.describe()),
        }
        known.none_since(self, Some(server)).await?;
        Ok(answer)
    }

    /// The proxy does not answer `request` with a tunnel: whatever it says, opaque bytes do not pass to a server of
    /// this case, an echo, and back. A request that it forwards as HTTP is no tunnel.
    ///
    /// # Errors
    /// A violation where bytes pass.
    pub async fn opens_no_tunnel(&self, request: &Request) -> Outcome<Answer> {
        self.opens_no_tunnel_from(&self.client(), request).await
    }

    /// As [`Lab::opens_no_tunnel`], asked by `client`.
    ///
    /// # Errors
    /// As those of [`Lab::opens_no_tunnel`].
    pub async fn opens_no_tunnel_from(
        &self,
        client: &Client,
        request: &Request,
    ) -> Outcome<Answer> {
        let known = self.visits();
        let exchange = client.asks(request).await?;
        let answer = exchange.answer.clone();
        if answer.status().is_some_and(|status| status / 100 == 2) {
            let mut near = exchange.connection.into_tunnel();
            let nonce = self.nonce();
            let passed = near.echoes(&nonce).await.is_ok();
            if let (true, Some(server)) = (passed, known.visited_since(self)) {
                let seen = format!("a tunnel to {}", server.authority());
                return Err(Finding::violation("no tunnel", seen));
            }
        }
        self.note(answer.describe());
        Ok(answer)
    }
}
