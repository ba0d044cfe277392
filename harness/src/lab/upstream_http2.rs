//! The upstream proxy of the subject where that speaks HTTP/2 to it: each CONNECT is a stream, which a case answers frame by frame.

use std::sync::Arc;

use tokio::time::timeout;

use crate::{
    client::Connection,
    http1::{Answer, Request},
    http2::{Fields, Frame, Manners},
    lab::{Lab, servers::Placed, upstream::UPSTREAM},
    protocol::HttpVersion,
    server::{
        Script, Secrecy, Server,
        script::{hand_over_streams, speak_http2},
    },
    tunnel::{End, Http2},
    verdict::{Finding, Outcome},
    wire::ALPN,
};

/// A request that has come through the subject to an upstream proxy of HTTP/2, which has not answered yet.
#[derive(Debug)]
pub struct StreamChain {
    /// The client's connection to the subject.
    pub near: Connection,
    /// The subject's connection to the upstream proxy.
    pub far: Http2,
    /// The stream of the request.
    pub id: u32,
    /// What was asked on it.
    pub asked: Fields,
}

impl Lab {
    /// The upstream proxy that the set-up names, which speaks HTTP/2 as usual and leaves every stream to the case.
    ///
    /// # Errors
    /// The harness's, where nobody can listen there.
    pub async fn http2_upstream(&self) -> Outcome<Arc<Server>> {
        self.http2_upstream_with(&[], Manners::default()).await
    }

    /// As [`Lab::http2_upstream`], with SETTINGS and manners of the case's own.
    ///
    /// # Errors
    /// As those of [`Lab::http2_upstream`].
    pub async fn http2_upstream_with(
        &self,
        settings: &[(u16, u32)],
        manners: Manners,
    ) -> Outcome<Arc<Server>> {
        let script = speak_http2(settings, manners).then(hand_over_streams());
        self.http2_upstream_of(script).await
    }

    /// As [`Lab::http2_upstream`], where every connection follows `script`.
    pub(super) async fn http2_upstream_of(&self, script: Script) -> Outcome<Arc<Server>> {
        let secrecy = match self.running.upstream_version {
            HttpVersion::H2 => {
                let identity = self.world.identity()?;
                let mut config = rustls::ServerConfig::clone(&identity.config);
                config.alpn_protocols = vec![ALPN.to_vec()];
                Secrecy::Tls(self.transcript.server_config(&Arc::new(config)))
            }
            HttpVersion::H2c | HttpVersion::Http1 => Secrecy::Plain,
        };
        let port = self.named_port(self.port(UPSTREAM)?).await;
        self.serve(port, &script, &secrecy, Placed::Upstream)
    }

    /// Sends `request` and hands back what has come of it at `upstream`, which speaks HTTP/2 and leaves its streams to the case.
    ///
    /// # Errors
    /// Nothing follows where the upstream proxy is not asked.
    pub async fn chains_streams(
        &self,
        upstream: &Server,
        request: &Request,
    ) -> Outcome<StreamChain> {
        let mut near = self.client().dial().await?;
        near.requests(request).await;
        let come = tokio::select! {
            biased;
            come = self.asks_on_a_stream(upstream) => Some(come?),
            () = near.speaks() => None,
        };
        let come = match come {
            Some(come) => Some(come),
            // It may have answered first and asked then: that is for a case to judge.
            None => timeout(self.patience().settle(), self.asks_on_a_stream(upstream))
                .await
                .ok()
                .transpose()?,
        };
        let Some(far) = come else {
            let answer = near.hears().await.describe();
            let why = format!("the upstream proxy was not asked: {answer}");
            return Err(Finding::inconclusive(why));
        };
        let id = far.id();
        let asked = far.asked(id);
        Ok(StreamChain {
            near,
            far,
            id,
            asked,
        })
    }

    /// The next stream on which `upstream` is asked for something that this case has asked for.
    ///
    /// # Errors
    /// A violation where none comes in time.
    pub async fn asks_on_a_stream(&self, upstream: &Server) -> Outcome<Http2> {
        loop {
            let far = Http2::of(upstream.accepts().await?)?;
            let asked = far.asked(far.id());
            let left_over = |port| {
                let within = self.patience().visit();
                self.world.ports.is_left_over(port, within)
            };
            if !port_asked_for(&asked).is_some_and(left_over) {
                return Ok(far);
            }
        }
    }
}

/// The port in the authority of a request.
fn port_asked_for(asked: &Fields) -> Option<u16> {
    let authority = asked.values(":authority").next()?;
    let port = authority.rsplit(|&octet| octet == b':').next()?;
    std::str::from_utf8(port).ok()?.parse().ok()
}

impl StreamChain {
    /// The upstream proxy answers with these fields, which are the last word if it says so: what the client hears then.
    pub async fn answers(&mut self, fields: &Fields, last: bool) -> Answer {
        self.far.answers(self.id, fields, last);
        self.near.hears().await
    }

    /// The upstream proxy grants the tunnel: what the client hears then.
    pub async fn grants(&mut self) -> Answer {
        let granted = Fields::new().with(":status", "200");
        self.answers(&granted, false).await
    }

    /// The upstream proxy says `frames`: what the client hears then.
    pub async fn says(&mut self, frames: &[Frame]) -> Answer {
        frames.iter().for_each(|frame| self.far.sends(frame));
        self.near.hears().await
    }

    /// Both ends of the tunnel that was granted, and the connection to the upstream proxy.
    #[must_use]
    pub fn into_tunnel(self) -> (End, End, Http2) {
        let far = self.far.end(self.id);
        (self.near.into_tunnel(), far, self.far)
    }
}
