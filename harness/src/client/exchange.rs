//! A request and what came of it.

use crate::{
    client::Connection,
    http1::{Reply, reply::show_garbage},
    verdict::{Finding, Outcome},
};

/// What a proxy did with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response that is not interim.
    Reply(Reply),
    /// Bytes that are no HTTP response, and why not.
    Garbage {
        /// What came.
        bytes: Vec<u8>,
        /// Why it is no response.
        why: String,
    },
    /// The end of the stream, in order, without a byte.
    Closed,
    /// A reset without a byte, or in the middle of a head, which a reset can cut off.
    Reset,
    /// Nothing.
    Silence,
}

impl Answer {
    /// For a reader.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Reply(reply) => reply.status_line(),
            Self::Garbage { bytes, why } => {
                format!("no HTTP response ({why}): {}", show_garbage(bytes))
            }
            Self::Closed => "the end, without an answer".to_owned(),
            Self::Reset => "a reset, without an answer".to_owned(),
            Self::Silence => "silence".to_owned(),
        }
    }

    /// The status code of a reply.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Reply(reply) => Some(reply.status),
            _ => None,
        }
    }

    /// Whether the connection went away without a byte.
    #[must_use]
    pub const fn is_drop(&self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }
}

/// An answer, and the connection that it came on.
#[derive(Debug)]
pub struct Exchange {
    /// What the proxy did.
    pub answer: Answer,
    /// The connection; bytes behind the reply's head were not touched.
    pub connection: Connection,
}

impl Exchange {
    /// The reply, where the case cannot go on without one: a drop or silence says nothing about it.
    pub fn reply(&self) -> Outcome<&Reply> {
        match &self.answer {
            Answer::Reply(reply) => Ok(reply),
            Answer::Garbage { .. } => Err(Finding::violation(
                "an HTTP response",
                self.answer.describe(),
            )),
            other => Err(Finding::inconclusive(format!(
                "there is no reply to judge: {}",
                other.describe()
            ))),
        }
    }

    /// The reply that opened a tunnel.
    pub fn success(&self) -> Outcome<&Reply> {
        match &self.answer {
            Answer::Reply(reply) if reply.is_success() => Ok(reply),
            Answer::Garbage { .. } => Err(Finding::violation(
                "an HTTP response",
                self.answer.describe(),
            )),
            other => Err(Finding::setup(format!("no tunnel: {}", other.describe()))),
        }
    }

    /// A reply that is not a 2xx.
    pub fn refusal(&self) -> Outcome<&Reply> {
        let reply = self.reply()?;
        reply.expect("a status that is not 2xx", |reply| !reply.is_success())?;
        Ok(reply)
    }
}
