//! TLS inside a tunnel.

use std::{io, sync::Arc};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsConnector, TlsStream};

use crate::{
    tunnel::{End, NO_END},
    verdict::{Finding, Outcome},
    wire::{Stream, payload::count},
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
        if self.stream.has_pending() {
            return Err(Finding::violation(
                expected,
                "bytes before the handshake began",
            ));
        }
        let limit = patience.progress();
        let tls =
            tokio::time::timeout(limit, TlsConnector::from(config).connect(name, self.stream))
                .await
                .map_err(|_| {
                    Finding::violation(expected, format!("no end of it within {limit:?}"))
                })?
                .map_err(|error| Finding::violation(expected, error.to_string()))?;
        Ok(Self::new(Stream::secure(tls.into()), side, patience))
    }

    /// What this end knows of the TLS session on it.
    ///
    /// # Errors
    /// The harness's, where it has none.
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

/// How a TLS session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsClosure {
    /// With the alert that says so, `close_notify`.
    Said,
    /// With the end of the connection below, and no alert: it may have been cut off.
    Missing,
    /// With a reset of the connection below.
    Reset,
}

impl TlsClosure {
    /// For a reader.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Said => "close_notify",
            Self::Missing => "FIN without close_notify",
            Self::Reset => "a reset",
        }
    }
}

impl End {
    /// Ends TLS in order (`close_notify`), leaves the connection below open, and goes on listening.
    ///
    /// # Errors
    /// A violation where it cannot be said; the harness's, where there is no TLS.
    pub async fn sends_close_notify(&mut self) -> Outcome {
        let (_, session) = self.below()?;
        session.send_close_notify();
        self.stream.note_close_notify();
        let sent = tokio::time::timeout(self.patience.progress(), self.stream.flush()).await;
        self.is_taken(sent, "end its TLS session")
    }

    /// Ends the connection below TLS (FIN) without a word about it in TLS, as somebody does who cuts it off.
    ///
    /// # Errors
    /// A violation where the connection has gone; the harness's, where there is no TLS.
    pub async fn breaks_off(&mut self) -> Outcome {
        let limit = self.patience.progress();
        let (below, _) = self.below()?;
        let sent = tokio::time::timeout(limit, below.shutdown()).await;
        self.is_taken(sent, "end its connection")
    }

    /// Hears how the other side ends TLS; nothing more arrives before.
    ///
    /// # Errors
    /// A violation where something else comes, or no end.
    pub async fn receives_close_notify(&mut self) -> Outcome<TlsClosure> {
        let limit = self.patience.end();
        let mut piece = [0; 256];
        let expected = || format!("the end of TLS at {}", self.side.name());
        match tokio::time::timeout(limit, self.stream.read(&mut piece)).await {
            Ok(Ok(0)) => Ok(TlsClosure::Said),
            Ok(Ok(fresh)) => {
                let observed = format!("{} more", count(fresh as u64));
                Err(Finding::violation(expected(), observed))
            }
            Ok(Err(error)) => self.closure(&error),
            Err(_) => Err(Finding::violation(
                expected(),
                format!("{NO_END} {limit:?}"),
            )),
        }
    }

    /// Hears how the other side ends TLS after at most `most` bytes of whatever it still says; `None` if it does not.
    ///
    /// # Errors
    /// A violation where more comes.
    pub async fn reads_to_close_notify(&mut self, most: usize) -> Outcome<Option<TlsClosure>> {
        let limit = self.patience.end();
        let mut piece = [0; 4096];
        let mut heard = 0;
        while heard <= most {
            match tokio::time::timeout(limit, self.stream.read(&mut piece)).await {
                Ok(Ok(0)) => return Ok(Some(TlsClosure::Said)),
                Ok(Ok(fresh)) => heard += fresh,
                Ok(Err(error)) => return self.closure(&error).map(Some),
                Err(_) => break,
            }
        }
        Ok(None)
    }

    /// What an end that is none in TLS amounts to.
    fn closure(&self, error: &io::Error) -> Outcome<TlsClosure> {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(TlsClosure::Missing),
            io::ErrorKind::ConnectionReset => Ok(TlsClosure::Reset),
            _ => Err(Finding::violation(
                format!("the end of TLS at {}", self.side.name()),
                error.to_string(),
            )),
        }
    }

    fn below(&mut self) -> Outcome<(&mut Stream, &mut rustls::CommonState)> {
        let below = self.stream.below();
        below.ok_or_else(|| Finding::harness("there is no TLS on this end"))
    }

    fn is_taken(
        &self,
        sent: Result<io::Result<()>, tokio::time::error::Elapsed>,
        what: &str,
    ) -> Outcome {
        let expected = format!("{} can {what}", self.side.name());
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Finding::violation(expected, error.to_string())),
            Err(_) => Err(Finding::violation(expected, "no progress")),
        }
    }
}

/// The label under which both ends export; any that is not registered serves.
const LABEL: &[u8] = b"EXPERIMENTAL-connectspec";

fn exported(tls: &TlsStream<Stream>) -> Result<[u8; 32], rustls::Error> {
    match tls {
        TlsStream::Client(tls) => tls.get_ref().1.export_keying_material([0; 32], LABEL, None),
        TlsStream::Server(tls) => tls.get_ref().1.export_keying_material([0; 32], LABEL, None),
    }
}
