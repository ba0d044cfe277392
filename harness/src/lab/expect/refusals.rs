//! Requests that have to be refused.

use crate::{
    client::Client,
    http1::{Answer, Request},
    lab::{
        Lab,
        expect::{Visits, silence},
    },
    server::Server,
    verdict::{Finding, Outcome},
};

/// What is said of what a proxy does with an odd target where the Host field is a good one.
pub const NAMED_BY_HOST: &str = "with a Host field that names the server";

impl Lab {
    /// The proxy refuses `request`: it answers with any final status but 2xx, or goes away without an answer, and no
    /// server of this case sees a connection.
    ///
    /// Which status is for the proxy to choose; it is noted. Silence says nothing: it may still be waiting for an end
    /// of line that it does not recognise.
    ///
    /// # Errors
    /// A violation where it is granted, or a server sees a connection; nothing follows from silence.
    pub async fn refuses(&self, request: &Request) -> Outcome<Answer> {
        self.refuses_from(&self.client(), request).await
    }

    /// As [`Lab::refuses`], asked by `client`.
    ///
    /// # Errors
    /// As those of [`Lab::refuses`].
    pub async fn refuses_from(&self, client: &Client, request: &Request) -> Outcome<Answer> {
        let known = self.visits();
        let answer = self.refusal(client, request, &known).await?;
        known.none_since(self, None).await?;
        if answer == Answer::Silence {
            return Err(silence());
        }
        Ok(answer)
    }

    /// The proxy refuses a request for `target`, whether its Host field repeats that or names `server`: a proxy that
    /// looks at the Host field first must not hide what it makes of the target. Over HTTP/2 there is no Host field to be told apart.
    ///
    /// # Errors
    /// As those of [`Lab::refuses`].
    pub async fn refuses_target(&self, target: impl AsRef<[u8]>, server: &Server) -> Outcome {
        let client = self.client();
        let request = client.request(target);
        let known = self.visits();
        let mut answers = vec![self.refusal(&client, &request, &known).await?];
        if !client.speaks_http2 {
            let request = request.host(server.authority());
            let answer = self.refusal(&client, &request, &known).await;
            let answer = answer.map_err(|finding| finding.at(NAMED_BY_HOST))?;
            answers.push(answer);
        }
        known.none_since(self, None).await?;
        if answers.contains(&Answer::Silence) {
            return Err(silence());
        }
        Ok(())
    }

    /// The proxy refuses `request` with `status`. This never says more than that: whether it refuses at all is for
    /// another case.
    ///
    /// # Errors
    /// A violation where it refuses with another status; nothing follows from 403 and 407, or where it does not refuse.
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
            // Blamed once, by the case that asks for a refusal.
            Some(200..300) => Err(Finding::inconclusive(format!(
                "it was not refused: {}",
                answer.describe()
            ))),
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

    /// The answer to `request`, if it is no tunnel.
    async fn refusal(&self, client: &Client, request: &Request, known: &Visits) -> Outcome<Answer> {
        let mut exchange = client.asks(request).await?;
        if exchange.answer.is_drop() && request.has_something_behind() {
            // What followed the head may have made the proxy's close a reset that erased its answer.
            exchange = client.asks(request.clone().head_only()).await?;
        }
        let expected = [
            "a final status that is not 2xx",
            "a close without an answer",
        ];
        match exchange.answer {
            Answer::Reply(ref reply) if reply.is_success() => {
                let seen = self.where_it_leads(exchange, known).await;
                Err(Finding::none_of(expected, seen))
            }
            Answer::Garbage { .. } => {
                // An echo of what was forwarded, perhaps: then the connection says more.
                known.none_since(self, None).await?;
                Err(Finding::none_of(expected, exchange.answer.describe()))
            }
            answer => {
                self.note(answer.describe());
                Ok(answer)
            }
        }
    }
}
