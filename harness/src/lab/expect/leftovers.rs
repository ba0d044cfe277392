//! What the proxy does with whatever follows a request that it has refused.
//!
//! Every server of the case is a sentinel: one that is reached by what stood after a refused request was reached by
//! bytes that the proxy should never have taken for a request.

use crate::{
    client::{Client, Connection, Exchange, body::BodyEnd},
    http1::{Answer, Request},
    lab::{Lab, expect::Visits},
    tunnel::Ending,
    verdict::{Finding, Outcome},
};

/// A request that was refused, and what became of its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How it was refused.
    pub answer: Answer,
    /// How the proxy ended the connection; `None` if it kept it open.
    pub ending: Option<Ending>,
}

impl Lab {
    /// The proxy refuses `request` and serves nothing of what stands after it: no second final response comes, and no
    /// server of this case sees a connection.
    ///
    /// A drop holds, as a reset may have erased the answer. A request that is granted, or that is not answered at all,
    /// says nothing.
    ///
    /// # Errors
    /// A violation where something is served; nothing follows from a grant or from silence.
    pub async fn serves_nothing_behind(
        &self,
        client: &Client,
        request: &Request,
    ) -> Outcome<Refused> {
        let known = self.visits();
        let Exchange {
            answer,
            mut connection,
        } = client.asks(request).await?;
        self.serves_no_more(answer, &mut connection, &known).await
    }

    /// As [`Lab::serves_nothing_behind`], for `later` bytes that are sent on the same connection once the proxy has begun to
    /// answer, or has had time to.
    ///
    /// # Errors
    /// As those of [`Lab::serves_nothing_behind`].
    pub async fn serves_nothing_later(
        &self,
        client: &Client,
        request: &Request,
        later: impl AsRef<[u8]>,
    ) -> Outcome<Refused> {
        let known = self.visits();
        let mut connection = client.dial().await?;
        connection.sends(request.bytes()).await;
        connection.speaks_within(self.patience().quiet()).await;
        connection.sends(later).await;
        let answer = connection.hears().await;
        self.serves_no_more(answer, &mut connection, &known).await
    }

    /// The proxy refuses `request`, and no server of this case sees a connection, whatever else is answered to what
    /// stands after it. A request that is granted says nothing; silence holds, as what was announced may be waited for.
    ///
    /// # Errors
    /// A violation where a server sees a connection; nothing follows from a grant.
    pub async fn reaches_nobody(&self, request: &Request) -> Outcome {
        let known = self.visits();
        let Exchange {
            answer,
            mut connection,
        } = self.client().asks(request).await?;
        if let Answer::Reply(reply) = &answer {
            if reply.is_success() {
                let why = format!("it was not refused: {}", answer.describe());
                return Err(Finding::inconclusive(why));
            }
            connection.body(reply).await;
        }
        self.note(answer.describe());
        known.none_since(self, None).await
    }

    /// As [`Lab::reaches_nobody`], for `later` bytes that are sent once the proxy has answered, or has had time to.
    ///
    /// # Errors
    /// As those of [`Lab::reaches_nobody`].
    pub async fn reaches_nobody_later(
        &self,
        request: &Request,
        later: impl AsRef<[u8]>,
    ) -> Outcome {
        let known = self.visits();
        let mut connection = self.client().dial().await?;
        connection.sends(request.bytes()).await;
        connection.speaks_within(self.patience().quiet()).await;
        connection.sends(later).await;
        let answer = connection.hears().await;
        if let Answer::Reply(reply) = &answer {
            connection.body(reply).await;
        }
        self.note(answer.describe());
        known.none_since(self, None).await
    }

    async fn serves_no_more(
        &self,
        answer: Answer,
        connection: &mut Connection,
        known: &Visits,
    ) -> Outcome<Refused> {
        let ending = match &answer {
            Answer::Reply(reply) if reply.is_success() => {
                let why = format!("it was not refused: {}", answer.describe());
                return Err(Finding::inconclusive(why));
            }
            Answer::Reply(reply) => match connection.body(reply).await.end {
                BodyEnd::Complete => self.second_answer(connection).await?,
                BodyEnd::Closed(ending) => Some(ending),
                BodyEnd::Silence(_) | BodyEnd::Flood | BodyEnd::Malformed(_) => None,
            },
            Answer::Garbage { .. } => {
                return Err(Finding::violation("an HTTP response", answer.describe()));
            }
            Answer::Closed => Some(Ending::Orderly),
            Answer::Reset => Some(Ending::Abrupt),
            Answer::Silence => None,
        };
        known.none_since(self, None).await?;
        if answer == Answer::Silence {
            return Err(Finding::inconclusive("silence: it may be waiting for more"));
        }
        self.note(match ending {
            Some(ending) => format!("{}, then {}", answer.describe(), ending.describe()),
            None => format!("{}, and it keeps the connection", answer.describe()),
        });
        Ok(Refused { answer, ending })
    }

    /// Hears that nothing more is answered on a connection: how it ends, if it does.
    async fn second_answer(&self, connection: &mut Connection) -> Outcome<Option<Ending>> {
        let limit = self.patience().end();
        match connection.hears_within(limit).await {
            // It has waited for a request: what was sent was none to it.
            Answer::Reply(reply) if reply.status == REQUEST_TIMEOUT => {
                let (_, ending) = connection.ends_within(limit).await;
                Ok(ending)
            }
            Answer::Closed => Ok(Some(Ending::Orderly)),
            Answer::Reset => Ok(Some(Ending::Abrupt)),
            Answer::Silence => Ok(None),
            second => {
                // What it brings, and leads to at a server, is part of the evidence.
                let _ = connection.ends_within(self.patience().settle()).await;
                Err(Finding::violation(
                    "one response and no more",
                    format!("behind it, {}", second.describe()),
                ))
            }
        }
    }
}

/// The status of a proxy that has waited for a request in vain.
const REQUEST_TIMEOUT: u16 = 408;
