//! TLS inside a tunnel.

use std::sync::Arc;

use tokio_rustls::{TlsConnector, TlsStream};

use super::End;
use crate::{
    verdict::{Finding, Outcome},
    wire::{Stream, Tap},
};

/// What both ends of a TLS session have to agree on, unless somebody stands between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The certificate that the peer showed, in DER; `None` at the server.
    pub certificate: Option<Vec<u8>>,
    /// Keying material exported from the session (RFC 8446, section 7.5): equal at both ends of one session only.
    pub keying_material: [u8; 32],
}

impl End {
    /// TLS over this end, as a client of `name`.
    pub(crate) async fn secured(
        self,
        config: Arc<rustls::ClientConfig>,
        name: &str,
    ) -> Outcome<Self> {
        let (side, patience) = (self.side, self.patience);
        let name = rustls::pki_types::ServerName::try_from(name.to_owned())
            .map_err(|error| Finding::harness(error.to_string()))?;
        let expected = "a TLS handshake with the server's own certificate";
        let (tap, pending) = self
            .stream
            .into_plain()
            .ok_or_else(|| Finding::harness("there is TLS on this end already"))?;
        if !pending.is_empty() {
            return Err(Finding::violation(
                expected,
                "bytes before the handshake began",
            ));
        }
        let limit = patience.progress();
        let tls = tokio::time::timeout(limit, TlsConnector::from(config).connect(name, tap))
            .await
            .map_err(|_| Finding::violation(expected, format!("no end of it within {limit:?}")))?
            .map_err(|error| Finding::violation(expected, error.to_string()))?;
        Ok(Self::new(Stream::secure(tls.into()), side, patience))
    }

    /// What this end knows of the TLS session on it.
    pub fn session(&self) -> Outcome<Session> {
        let tls = self
            .stream
            .session()
            .ok_or_else(|| Finding::harness("there is no TLS on this end of the tunnel"))?;
        let keying_material = exported(tls)
            .map_err(|error| Finding::harness(format!("could not export keys: {error}")))?;
        let certificate = match tls {
            TlsStream::Client(tls) => tls.get_ref().1.peer_certificates(),
            TlsStream::Server(tls) => tls.get_ref().1.peer_certificates(),
        }
        .and_then(|chain| chain.first())
        .map(|certificate| certificate.to_vec());
        Ok(Session {
            certificate,
            keying_material,
        })
    }
}

/// The label under which both ends export; any that is not registered serves.
const LABEL: &[u8] = b"EXPERIMENTAL-connectspec";

fn exported(tls: &TlsStream<Tap>) -> Result<[u8; 32], rustls::Error> {
    match tls {
        TlsStream::Client(tls) => tls.get_ref().1.export_keying_material([0; 32], LABEL, None),
        TlsStream::Server(tls) => tls.get_ref().1.export_keying_material([0; 32], LABEL, None),
    }
}
