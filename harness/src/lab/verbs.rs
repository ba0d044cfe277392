//! What the proxy does with a request, as verbs: refuses, carries, tolerates.
//!
//! Each verb knows every server of its case, so that a connection to any of them is seen, and each has the catalogue's
//! rule for what is held, violated, or says nothing.

use super::Lab;
use crate::{
    client::{Answer, Client, Exchange, Request},
    server::Server,
    tunnel::End,
    verdict::{Finding, Outcome},
};

/// Statuses that say nothing about a well-formed request: policy, credentials, a header timer.
const OTHER_REASONS: [u16; 3] = [403, 407, 408];

impl Lab {
    /// The proxy refuses `request`: it answers with any final status but 2xx, or goes away without an answer, and no
    /// server of this case sees a connection.
    ///
    /// Which status is for the proxy to choose; it is noted. Silence says nothing: it may still be waiting for an end
    /// of line that it does not recognise.
    pub async fn refuses(&self, request: &Request) -> Outcome<Answer> {
        self.refuses_from(&self.client(), request).await
    }

    /// As [`Lab::refuses`], asked by `client`.
    pub async fn refuses_from(&self, client: &Client, request: &Request) -> Outcome<Answer> {
        let known = self.visit_counts();
        let mut exchange = client.asks(request).await?;
        if exchange.answer.is_drop() && request.has_something_behind() {
            // What followed the head may have made the proxy's close a reset that erased its answer.
            exchange = client.asks(request.clone().head_only()).await?;
        }
        let expected = [
            "a final status that is not 2xx",
            "a close without an answer",
        ];
        let answer = match exchange.answer {
            Answer::Reply(ref reply) if reply.is_success() => {
                let seen = self.where_it_leads(exchange, &known).await;
                return Err(Finding::none_of(expected, seen));
            }
            Answer::Garbage { .. } => {
                return Err(Finding::none_of(expected, exchange.answer.describe()));
            }
            answer => answer,
        };
        self.unvisited_since(&known).await?;
        if answer == Answer::Silence {
            return Err(Finding::inconclusive(
                "silence: it may be waiting for the end of a line",
            ));
        }
        self.note(answer.describe());
        Ok(answer)
    }

    /// The proxy refuses `request` with `status`. This never says more than that: whether it refuses at all is for
    /// another case.
    pub async fn refuses_with(&self, status: u16, request: &Request) -> Outcome {
        let answer = self.client().asks(request).await?.answer;
        match answer.status() {
            Some(seen) if seen == status => Ok(()),
            Some(403 | 407) => Err(Finding::inconclusive(format!(
                "{}: another check came first, and no order of checks is defined",
                answer.describe()
            ))),
            // Each names a more special reason for refusing the same request.
            Some(413 | 414 | 431 | 501 | 505) => {
                self.note(answer.describe());
                Ok(())
            }
            Some(_) => Err(Finding::violation(
                format!("status {status}"),
                answer.describe(),
            )),
            None => Err(Finding::inconclusive(format!(
                "there is no status to judge: {}",
                answer.describe()
            ))),
        }
    }

    /// The proxy answers `request` with a tunnel to `server`, an echo, and the tunnel carries bytes both ways.
    ///
    /// Policy, credentials and timers are other reasons for a refusal; anything else has to repeat on a fresh
    /// connection between two ordinary requests that work.
    pub async fn carries(&self, request: &Request, server: &Server) -> Outcome {
        let bytes = request.bytes();
        self.carries_pieces(&[bytes.as_slice()], server).await
    }

    /// As [`Lab::carries`], with the request in pieces that are segments of their own.
    pub async fn carries_pieces(&self, pieces: &[&[u8]], server: &Server) -> Outcome {
        let Err(first) = self.try_to_carry(pieces).await else {
            return Ok(());
        };
        if matches!(
            first,
            Finding::Inconclusive { .. } | Finding::Harness { .. }
        ) {
            return Err(first);
        }
        self.control(server).await?;
        let second = self.try_to_carry(pieces).await;
        self.control(server).await?;
        match second {
            Ok(()) => Err(Finding::inconclusive(format!("once in two tries: {first}"))),
            Err(second) => Err(second),
        }
    }

    async fn try_to_carry(&self, pieces: &[&[u8]]) -> Outcome {
        let exchange = self.client().asks_in_pieces(pieces).await?;
        match &exchange.answer {
            Answer::Reply(reply) if reply.is_success() => {}
            Answer::Reply(reply) if OTHER_REASONS.contains(&reply.status) => {
                return Err(Finding::inconclusive(format!(
                    "{}: another reason than the one that is tested",
                    reply.status_line()
                )));
            }
            other => return Err(Finding::violation("a tunnel", other.describe())),
        }
        exchange.connection.into_tunnel().echoes(self.nonce()).await
    }

    /// The proxy may refuse `request` or answer it with a tunnel to `server`, an echo; a tunnel has to carry bytes.
    pub async fn tolerates(&self, request: &Request) -> Outcome<Answer> {
        let exchange = self.client().asks(request).await?;
        match &exchange.answer {
            Answer::Reply(reply) if reply.is_success() => {
                let answer = exchange.answer.clone();
                exchange
                    .connection
                    .into_tunnel()
                    .echoes(self.nonce())
                    .await?;
                self.note(format!("a tunnel: {}", answer.describe()));
                Ok(answer)
            }
            Answer::Garbage { .. } => Err(Finding::violation(
                "an HTTP response",
                exchange.answer.describe(),
            )),
            Answer::Silence => Err(Finding::inconclusive(
                "silence: it may be waiting for the end of a line",
            )),
            answer => {
                self.note(answer.describe());
                Ok(answer.clone())
            }
        }
    }

    /// An ordinary request for the same server works: without that, nothing follows from another that does not.
    pub async fn control(&self, server: &Server) -> Outcome {
        let exchange = self
            .client()
            .asks(self.client().request(server.authority()))
            .await?;
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

    /// A tunnel with both of its ends in the case's hands: the client's and the server's.
    pub async fn tunnel(&self) -> Outcome<(End, End)> {
        let server = self.server(crate::server::script::hand_over()).await?;
        let near = self.client().connect(&server).await?;
        let far = server.accepts().await?;
        Ok((near, far))
    }

    /// For a 2xx that should not be: where it leads, for a reader.
    async fn where_it_leads(&self, exchange: Exchange, known: &[usize]) -> String {
        let status = exchange.answer.describe();
        let nonce = self.nonce();
        let mut near = exchange.connection.into_tunnel();
        let sent = near.sends(&nonce).await;
        let echoed = sent.is_ok() && near.receives(&nonce).await.is_ok();
        drop(near);
        let visited = self.visited_since(known);
        match (visited, echoed) {
            (Some(authority), true) => format!("{status}, and a tunnel to {authority}"),
            (Some(authority), false) => format!("{status}, and a connection to {authority}"),
            (None, true) => format!("{status}, and a tunnel to somewhere else"),
            (None, false) => format!("{status}, but no connection to any server"),
        }
    }
}
