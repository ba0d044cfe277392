//! The upstream proxy of the subject, played by the harness: it answers whatever a case wants it to.
//!
//! It listens on the port that the set-up's configuration names, so one case at a time has it; [`Lab::upstream`] is that
//! case's. A request on its way through two proxies is a [`Chain`]: the client's connection, and the upstream proxy's.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use crate::{
    client::{Client, Connection},
    http1::{Answer, Forwarded, Request},
    lab::{Lab, servers::Placed},
    patience::pass,
    server::{Script, Secrecy, Server, script},
    tunnel::End,
    verdict::{Finding, Outcome},
};

/// The letter whose port a set-up with an upstream proxy names.
pub(super) const UPSTREAM: char = 'u';

/// A request that has come through the subject to the upstream proxy, which has not answered yet.
#[derive(Debug)]
pub struct Chain {
    /// The client's connection to the subject.
    pub near: Connection,
    /// The upstream proxy's connection to the subject, after the head of the request.
    pub far: End,
    /// What the upstream proxy was asked.
    pub asked: Forwarded,
}

impl Lab {
    /// The upstream proxy that the set-up names: every connection to it follows `script`.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub async fn upstream(&self, script: Script) -> Outcome<Arc<Server>> {
        self.upstream_at(UPSTREAM, script).await
    }

    /// An upstream proxy on the port that a letter stands for, in a set-up that names it in a configuration of its own.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub async fn upstream_at(&self, letter: char, script: Script) -> Outcome<Arc<Server>> {
        let port = self.named_port(self.port(letter)?).await;
        self.serve(port, &script, &Secrecy::Plain, Placed::Upstream)
    }

    /// The upstream proxy that the set-up names refuses connections; where it would listen.
    ///
    /// # Errors
    /// Absent where something accepts there.
    pub async fn upstream_refuses(&self) -> Outcome<u16> {
        let port = self.named_port(self.port(UPSTREAM)?).await;
        self.still_refuses(port.number()).await?;
        Ok(port.number())
    }

    /// Sends `request` and hands back what has come of it at `upstream`, whose script leaves its connections to the case.
    ///
    /// A request that is answered before the upstream proxy was asked says nothing about what it would have been asked.
    ///
    /// # Errors
    /// Nothing follows where the upstream proxy is not asked; a violation where what it gets is no request.
    pub async fn chains(&self, upstream: &Server, request: &Request) -> Outcome<Chain> {
        self.chains_from(&self.client(), upstream, request).await
    }

    /// As [`Lab::chains`], asked by `client`.
    ///
    /// # Errors
    /// As those of [`Lab::chains`].
    pub async fn chains_from(
        &self,
        client: &Client,
        upstream: &Server,
        request: &Request,
    ) -> Outcome<Chain> {
        match self.chains_or_answers(client, upstream, request).await? {
            Ok(chain) => Ok(chain),
            Err(answer) => {
                let why = format!("the upstream proxy was not asked: {}", answer.describe());
                Err(self.why_not_asked(client, upstream, why).await?)
            }
        }
    }

    /// As [`Lab::chains_from`], or what the client was answered without that: for a case about whether `upstream` is asked at all.
    ///
    /// # Errors
    /// Nothing follows where there is neither; a violation where what `upstream` gets is no request.
    pub async fn chains_or_answers(
        &self,
        client: &Client,
        upstream: &Server,
        request: &Request,
    ) -> Outcome<Result<Chain, Answer>> {
        let mut near = client.dial().await?;
        near.requests(request).await;
        let come = tokio::select! {
            biased;
            come = self.asks(upstream) => Some(come?),
            () = near.speaks() => None,
        };
        let come = match come {
            Some(come) => Some(come),
            // It may have answered first and asked then: that is for a case to judge.
            None => timeout(self.patience().settle(), self.asks(upstream))
                .await
                .ok()
                .transpose()?,
        };
        let Some((far, head)) = come else {
            return Ok(Err(near.hears().await));
        };
        let asked = Forwarded::parse(head)?;
        Ok(Ok(Chain { near, far, asked }))
    }

    /// A proxy may have its reasons not to ask the upstream proxy for what it was asked. For an ordinary tunnel it has none, and
    /// the control tunnel of the set-up came about in that way: then the case could not begin.
    async fn why_not_asked(
        &self,
        client: &Client,
        upstream: &Server,
        why: String,
    ) -> Outcome<Finding> {
        let server = self.server(script::hold()).await?;
        // Whoever takes the upstream proxy for dead looks again only now and then.
        let deadline = Instant::now() + self.patience().dial();
        while Instant::now() < deadline {
            let mut near = client.dial().await?;
            near.requests(client.request(server.authority())).await;
            let is_asked = tokio::select! {
                biased;
                come = self.asks(upstream) => come.is_ok(),
                () = near.speaks() => false,
            };
            let is_asked = is_asked || {
                let late = timeout(self.patience().settle(), self.asks(upstream)).await;
                late.is_ok_and(|come| come.is_ok())
            };
            // One that grants it first may ask once the client speaks: that is for the cases about a 2xx that comes too early.
            if is_asked || near.hears().await.status().is_some_and(|it| it / 100 == 2) {
                return Ok(Finding::inconclusive(why));
            }
            pass(self.patience().settle()).await;
        }
        Ok(Finding::setup(format!(
            "{why}; nor was it asked for an ordinary tunnel, as it was before"
        )))
    }

    /// The next connection to `upstream` that brings a request, after its head. Some proxies try whether anybody is there,
    /// and say nothing; and some ask again, on their own, what a case that is over had asked for: that is for the case about
    /// repeated requests to judge.
    async fn asks(&self, upstream: &Server) -> Outcome<(End, Vec<u8>)> {
        loop {
            let mut far = upstream.accepts().await?;
            if !far.speaks().await {
                continue;
            }
            let head = far.receives_head().await?;
            let left_over = |port| {
                let within = self.patience().visit();
                self.world.ports.is_left_over(port, within)
            };
            if !port_asked_for(&head).is_some_and(left_over) {
                return Ok((far, head));
            }
        }
    }
}

/// The port in the target of a request that was read this far.
fn port_asked_for(head: &[u8]) -> Option<u16> {
    let target = head.split(|&byte| byte == b' ').nth(1)?;
    let port = target.rsplit(|&byte| byte == b':').next()?;
    std::str::from_utf8(port).ok()?.parse().ok()
}

impl Chain {
    /// The upstream proxy says `bytes`: what the client hears then. What the subject did not take shows in that.
    pub async fn answers(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        let _ = self.far.sends(bytes.as_ref()).await;
        self.near.hears().await
    }

    /// Both ends of the tunnel that was granted.
    #[must_use]
    pub fn into_tunnel(self) -> (End, End) {
        (self.near.into_tunnel(), self.far)
    }
}
