//! Requests that have to be answered with a tunnel.

use crate::{
    client::Client,
    http1::{Answer, Request},
    lab::{Lab, expect::OTHER_REASONS},
    server::Server,
    verdict::{Finding, Outcome},
};

/// One way to put a request on the wire.
#[derive(Clone, Copy, Debug)]
struct Attempt<'a> {
    /// Who asks.
    client: &'a Client,
    /// What is asked.
    said: Said<'a>,
    /// What they hold after the header section: the tunnel's first bytes.
    early: &'a [u8],
    /// Statuses that say nothing about it.
    excused: &'a [u16],
}

/// What is put on the wire.
#[derive(Clone, Copy, Debug)]
enum Said<'a> {
    /// In whatever version of HTTP the client speaks.
    Request(&'a Request),
    /// Octets of HTTP/1.1, in segments of their own.
    Pieces(&'a [&'a [u8]]),
}

impl Lab {
    /// The proxy answers `request` with a tunnel to `server`, an echo, and the tunnel carries bytes both ways.
    ///
    /// Policy, credentials and timers are other reasons for a refusal; anything else has to repeat on a fresh
    /// connection between two ordinary requests that work.
    ///
    /// # Errors
    /// A violation where there is no such tunnel, twice; nothing follows where the refusal may have another reason.
    pub async fn carries(&self, request: &Request, server: &Server) -> Outcome {
        let attempt = Attempt {
            client: &self.client(),
            said: Said::Request(request),
            early: b"",
            excused: &OTHER_REASONS,
        };
        self.has_to_carry(attempt, server).await
    }

    /// As [`Lab::carries`], with the request in pieces that are segments of their own.
    ///
    /// # Errors
    /// As those of [`Lab::carries`].
    pub async fn carries_pieces(&self, pieces: &[&[u8]], server: &Server) -> Outcome {
        self.carries_early(pieces, b"", server).await
    }

    /// As [`Lab::carries_pieces`], where the pieces hold `early` after the header section: it belongs to the tunnel.
    ///
    /// A proxy may refuse every request with something after it; then nothing follows from where it was cut.
    ///
    /// # Errors
    /// As those of [`Lab::carries`].
    pub async fn carries_early(&self, pieces: &[&[u8]], early: &[u8], server: &Server) -> Outcome {
        let attempt = Attempt {
            client: &self.client(),
            said: Said::Pieces(pieces),
            early,
            excused: &OTHER_REASONS,
        };
        self.has_to_carry(attempt, server).await
    }

    /// As [`Lab::carries`], for a request with credentials of its own: 407 is no other reason here, since the ordinary
    /// requests before and after it have the same ones.
    ///
    /// # Errors
    /// As those of [`Lab::carries`].
    pub async fn lets_in(&self, request: &Request, server: &Server) -> Outcome {
        self.lets_in_from(&self.client(), request, server).await
    }

    /// As [`Lab::lets_in`], asked by `client`.
    ///
    /// # Errors
    /// As those of [`Lab::carries`].
    pub async fn lets_in_from(
        &self,
        client: &Client,
        request: &Request,
        server: &Server,
    ) -> Outcome {
        let attempt = Attempt {
            client,
            said: Said::Request(request),
            early: b"",
            excused: &[403, 408],
        };
        self.has_to_carry(attempt, server).await
    }

    /// The list of this set-up names the port of `server`, an echo: a refusal is a violation then, and 403 is no other
    /// reason but the very thing that is tested. That the set-up has a list that works, its control tunnel has shown.
    ///
    /// # Errors
    /// A violation where it is refused, or carries nothing.
    pub async fn lets_through(&self, server: &Server) -> Outcome {
        let attempt = Attempt {
            client: &self.client(),
            said: Said::Request(&self.request(server)),
            early: b"",
            excused: &[407, 408],
        };
        if self.try_to_carry(attempt, server).await.is_ok() {
            return Ok(());
        }
        // What a busy machine did once, it does not do twice.
        let client = attempt.client.clone().more_patient();
        let attempt = Attempt {
            client: &client,
            ..attempt
        };
        self.try_to_carry(attempt, server).await
    }

    async fn has_to_carry(&self, attempt: Attempt<'_>, server: &Server) -> Outcome {
        let Err(first) = self.try_to_carry(attempt, server).await else {
            return Ok(());
        };
        if matches!(
            first,
            Finding::Inconclusive { .. } | Finding::Harness { .. }
        ) {
            return Err(first);
        }
        self.control(server).await?;
        if let (Said::Pieces(pieces), false) = (attempt.said, attempt.early.is_empty()) {
            self.takes_early_data(pieces).await?;
        }
        let client = attempt.client.clone().more_patient();
        let again = Attempt {
            client: &client,
            ..attempt
        };
        let second = self.try_to_carry(again, server).await;
        self.control(server).await?;
        match second {
            Ok(()) => Err(Finding::inconclusive(format!("once in two tries: {first}"))),
            Err(second) => Err(second),
        }
    }

    /// The proxy grants a request with early data when it comes in one piece.
    async fn takes_early_data(&self, pieces: &[&[u8]]) -> Outcome {
        let answer = self.client().asks(pieces.concat()).await?.answer;
        if answer.status().is_some_and(|status| status / 100 == 2) {
            return Ok(());
        }
        Err(Finding::inconclusive(format!(
            "it refuses early data, however it is cut: {}",
            answer.describe()
        )))
    }

    async fn try_to_carry(&self, attempt: Attempt<'_>, server: &Server) -> Outcome {
        let known = self.visits();
        let exchange = match attempt.said {
            Said::Request(request) => attempt.client.asks(request).await?,
            Said::Pieces(pieces) => attempt.client.asks_in_pieces(pieces).await?,
        };
        match &exchange.answer {
            Answer::Reply(reply) if reply.is_success() => {}
            Answer::Reply(reply) if attempt.excused.contains(&reply.status) => {
                return Err(Finding::inconclusive(format!(
                    "{}: another reason than the one that is tested",
                    reply.status_line()
                )));
            }
            other => return Err(Finding::violation("a tunnel", other.describe())),
        }
        let mut tunnel = exchange.connection.into_tunnel();
        tunnel.receives(attempt.early).await?;
        tunnel.echoes(self.nonce()).await?;
        known.led_to(self, server)
    }

    /// After what this case did, an ordinary request for `server` works as before, at the second attempt at the latest:
    /// a proxy that loses a byte now and then, whatever came before, is not one that was harmed.
    ///
    /// # Errors
    /// A violation where it does not work.
    pub async fn goes_on(&self, server: &Server) -> Outcome {
        if self.control(server).await.is_ok() {
            return Ok(());
        }
        self.control(server).await
    }

    /// An ordinary request for the same server works: without that, nothing follows from another that does not.
    ///
    /// # Errors
    /// The set-up's, where it does not.
    pub async fn control(&self, server: &Server) -> Outcome {
        let client = self.control_client();
        let exchange = client.asks(client.request(server.authority())).await?;
        let no_control =
            |why: String| Finding::setup(format!("an ordinary CONNECT to the same server: {why}"));
        exchange
            .success()
            .map_err(|finding| no_control(finding.to_string()))?;
        let mut tunnel = exchange.connection.into_tunnel();
        tunnel
            .echoes(self.nonce())
            .await
            .map_err(|finding| no_control(finding.to_string()))
    }
}
