//! What the cases about an upstream proxy of HTTP/2 are written in.

use connectspec_harness::{
    http2::{Fields, Manners},
    prelude::*,
    tunnel::Http2,
};

/// The versions in which an upstream proxy of HTTP/2 is spoken to, by their names in ALPN.
pub(super) const VERSIONS: &[(&str, HttpVersion)] =
    &[("h2c", HttpVersion::H2c), ("h2", HttpVersion::H2)];

/// An ordinary request on its way, at an upstream proxy that leaves its answer to the case.
pub(super) async fn chain(lab: &Lab) -> Outcome<StreamChain> {
    let server = lab.server(hold()).await?;
    let upstream = lab.http2_upstream().await?;
    lab.chains_streams(&upstream, &lab.request(&server)).await
}

/// A tunnel through the upstream proxy.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) near: End,
    pub(super) far: End,
    /// The subject's connection to the upstream proxy, and the stream of the tunnel.
    pub(super) http2: Http2,
    pub(super) id: u32,
}

/// A tunnel that has carried something both ways.
pub(super) async fn tunnel(lab: &Lab) -> Outcome<Tunnel> {
    tunnel_with(lab, &[], Manners::default()).await
}

/// As [`tunnel`], through an upstream proxy of these SETTINGS and manners.
pub(super) async fn tunnel_with(
    lab: &Lab,
    settings: &[(u16, u32)],
    manners: Manners,
) -> Outcome<Tunnel> {
    let server = lab.server(hold()).await?;
    let upstream = lab.http2_upstream_with(settings, manners).await?;
    let chain = lab.chains_streams(&upstream, &lab.request(&server)).await?;
    let mut tunnel = granted(chain).await?;
    // To the client alone: the other way, the case holds the windows.
    tunnel.far.sends_to(&mut tunnel.near, lab.nonce()).await?;
    Ok(tunnel)
}

/// The tunnel that the upstream proxy grants to that request.
///
/// # Errors
/// The set-up's, where there is none.
async fn granted(mut chain: StreamChain) -> Outcome<Tunnel> {
    let answer = chain.grants().await;
    if answer.status().is_none_or(|status| status / 100 != 2) {
        let why = format!("no tunnel: {}", answer.describe());
        return Err(Finding::setup(why));
    }
    let id = chain.id;
    let (near, far, http2) = chain.into_tunnel();
    Ok(Tunnel {
        near,
        far,
        http2,
        id,
    })
}

impl Tunnel {
    /// It carries something both ways.
    pub(super) async fn carries(&mut self, lab: &Lab) -> Outcome {
        self.near
            .exchanges_with(&mut self.far, lab.nonce(), lab.nonce())
            .await
    }
}

/// A response of that status, without other fields.
pub(super) fn status(status: &str) -> Fields {
    Fields::new().with(":status", status)
}

/// The client was told that there is no tunnel, or was cut off.
pub(super) fn is_no_tunnel(lab: &Lab, answer: &Answer) -> Outcome {
    match answer {
        Answer::Silence => Err(Finding::inconclusive("silence")),
        Answer::Reply(reply) if !reply.is_success() => {
            lab.note(answer.describe());
            Ok(())
        }
        Answer::Closed | Answer::Reset => {
            lab.note(answer.describe());
            Ok(())
        }
        Answer::Reply(_) | Answer::Garbage { .. } => Err(Finding::none_of(
            [
                "a final status that is not 2xx",
                "a close without an answer",
            ],
            answer.describe(),
        )),
    }
}

/// The upstream proxy's answer opens a tunnel in which octets go both ways.
pub(super) async fn opens(lab: &Lab, chain: StreamChain, answer: &Answer) -> Outcome {
    is_a_success(answer)?;
    let (mut near, mut far, _http2) = chain.into_tunnel();
    near.exchanges_with(&mut far, lab.nonce(), lab.nonce())
        .await
}

/// The 2xx that the client is owed once the upstream proxy has granted a tunnel.
pub(super) fn is_a_success(answer: &Answer) -> Outcome<&Reply> {
    match answer {
        Answer::Reply(reply) if reply.is_success() => Ok(reply),
        other => Err(Finding::violation("a 2xx, and a tunnel", other.describe())),
    }
}
