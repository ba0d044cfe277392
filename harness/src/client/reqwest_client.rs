//! The everyday client: what most programs put through a proxy.
//!
//! It makes its own connections, so a relay of ours stands between it and the proxy: every byte is in the transcript
//! all the same.

use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    client::Client,
    http1::{head, reply},
    verdict::{Finding, Outcome},
    wire::{Leg, Transcript, Way, transcript::What},
};

/// An HTTP client as people configure it: a proxy, a certificate authority, nothing else.
#[derive(Debug)]
pub struct ReqwestClient {
    client: reqwest::Client,
    transcript: Transcript,
    /// Inside how many TLS sessions it speaks HTTP with the proxy.
    layer: usize,
    relay: JoinHandle<()>,
}

impl ReqwestClient {
    /// A client that reaches the proxy as `through` does, with TLS to servers as in `tls` and, if given, `credentials`.
    pub(crate) async fn new(
        through: Client,
        tls: &rustls::ClientConfig,
        credentials: Option<(&str, &str)>,
    ) -> Outcome<Self> {
        let broken = |error: String| Finding::harness(format!("could not make a client: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let near = listener
            .local_addr()
            .map_err(|error| broken(error.to_string()))?;
        let mut nearest = reqwest::Proxy::all(format!("http://{near}"))
            .map_err(|error| broken(error.to_string()))?;
        if let Some((username, password)) = credentials {
            nearest = nearest.basic_auth(username, password);
        }
        let client = reqwest::Client::builder()
            .proxy(nearest)
            .tls_backend_preconfigured(tls.clone())
            .timeout(through.patience.reply())
            .build()
            .map_err(|error| broken(error.to_string()))?;
        Ok(Self {
            client,
            transcript: through.transcript.clone(),
            layer: usize::from(through.tls.is_some()),
            relay: tokio::spawn(relay(listener, through)),
        })
    }

    /// Fetches `url`: the status and the body.
    ///
    /// This client takes nothing but a plain 200 for a tunnel. A proxy that answers with another 2xx, or with interim
    /// responses first, is right all the same: then its failure says nothing.
    ///
    /// # Errors
    /// A violation where the page does not come; nothing follows from an answer that is right all the same.
    pub async fn gets(&self, url: &str) -> Outcome<(u16, Vec<u8>)> {
        let failed = |error: reqwest::Error| {
            let mut said = error.to_string();
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(error) = cause {
                said = format!("{said}: {error}");
                cause = error.source();
            }
            match self.beyond_its_understanding() {
                Some(line) => Finding::inconclusive(format!(
                    "this client understands no other success than 200, and was answered with {line}"
                )),
                None => Finding::violation(format!("an everyday client can fetch {url}"), said),
            }
        };
        let response = self.client.get(url).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?;
        Ok((status, body.to_vec()))
    }

    /// The status line of an answer that is right, and that this client does not understand.
    fn beyond_its_understanding(&self) -> Option<String> {
        let events = self.transcript.events();
        let from_the_proxy = events.iter().filter(|event| {
            event.leg == Leg::Client && event.way == Way::In && event.layer == self.layer
        });
        let mut bytes = Vec::new();
        for event in from_the_proxy {
            if let What::Data { kept, .. } = &event.what {
                bytes.extend(kept);
            }
        }
        let head = &bytes[..head::end_of_head(&bytes)?];
        let answer = reply::parse(head).ok()?;
        let odd = matches!(answer.status, 100 | 102..=199 | 201..=299);
        odd.then(|| answer.status_line())
    }
}

impl Drop for ReqwestClient {
    fn drop(&mut self) {
        self.relay.abort();
    }
}

async fn relay(listener: TcpListener, through: Client) {
    while let Ok((mut near, _)) = listener.accept().await {
        let through = through.clone();
        tokio::spawn(async move {
            let Ok(mut far) = through.dial().await else {
                return;
            };
            // Either side may end as it likes; the client and the case see it.
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far.stream).await;
        });
    }
}
