//! A request and what came of it.

use crate::{
    client::Connection,
    http1::{Answer, Reply},
    tunnel::End,
    verdict::{Finding, Outcome},
};

/// An answer, and the connection that it came on.
#[derive(Debug)]
pub struct Exchange {
    /// What the proxy did.
    pub answer: Answer,
    /// The connection; bytes after the reply's head were not touched.
    pub connection: Connection,
}

impl Exchange {
    /// The reply, where the case cannot go on without one: a drop or silence says nothing about it.
    ///
    /// # Errors
    /// A violation where it is no HTTP; nothing follows where there is none.
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
    ///
    /// # Errors
    /// A violation where it is no HTTP; the set-up's, where it opened none.
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

    /// The client's end of the tunnel that the reply opened.
    ///
    /// # Errors
    /// As those of [`Exchange::success`].
    pub fn granted(self) -> Outcome<End> {
        self.success()?;
        Ok(self.connection.into_tunnel())
    }

    /// A reply that is not a 2xx.
    ///
    /// # Errors
    /// As those of [`Exchange::reply`], and a violation where it is a 2xx.
    pub fn refusal(&self) -> Outcome<&Reply> {
        let reply = self.reply()?;
        reply.expect("a status that is not 2xx", |reply| !reply.is_success())?;
        Ok(reply)
    }
}
