//! The raw client: exactly these bytes in exactly these pieces, and no opinion.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use tokio::{net::TcpSocket, time::timeout};

use crate::{
    client::{Connection, Exchange},
    http1::Request,
    patience::Patience,
    tunnel::End,
    verdict::{Finding, Outcome},
    wire::{Leg, Stream, Tap, Transcript},
};

/// A client of the proxy under test. Each dial is a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) proxy: SocketAddr,
    pub(crate) source: Option<IpAddr>,
    pub(crate) transcript: Transcript,
    pub(crate) patience: Patience,
    /// For a proxy that is reached over TLS.
    pub(crate) tls: Option<(Arc<rustls::ClientConfig>, String)>,
    /// Lines that every request of this client carries: credentials, and who asks.
    pub(crate) fields: Vec<String>,
}

impl Client {
    /// The same client at another address of the loopback network, such as 127.0.0.7.
    #[must_use]
    pub const fn from(mut self, source: IpAddr) -> Self {
        self.source = Some(source);
        self
    }

    /// The address at which it reaches the proxy.
    #[must_use]
    pub const fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// The same client, which calls the proxy by another name in its TLS handshake; one without TLS stays as it is.
    #[must_use]
    pub fn calling_it(mut self, name: &str) -> Self {
        if let Some((_, known)) = &mut self.tls {
            name.clone_into(known);
        }
        self
    }

    /// The same client, which offers these protocols in its TLS handshake (ALPN); one without TLS stays as it is.
    #[must_use]
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        if let Some((config, _)) = &mut self.tls {
            let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
            Arc::make_mut(config).alpn_protocols = protocols.collect();
        }
        self
    }

    /// A right CONNECT request for `target`, with this client's credentials if it has any.
    #[must_use]
    pub fn request(&self, target: impl AsRef<[u8]>) -> Request {
        self.fields
            .iter()
            .fold(Request::connect(target), Request::field)
    }

    /// Connects to the proxy.
    ///
    /// # Errors
    /// The set-up's, where nobody listens, no connection comes about, or no TLS session on it.
    pub async fn dial(&self) -> Outcome<Connection> {
        let proxy = self.proxy;
        let socket = if proxy.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }
        .map_err(|error| Finding::harness(format!("could not make a socket: {error}")))?;
        if let Some(source) = self.source {
            socket.bind(SocketAddr::new(source, 0)).map_err(|error| {
                Finding::absent(format!("{source} is no address of this machine: {error}"))
            })?;
        }
        let failed = |why: String| Finding::setup(format!("could not connect to {proxy}: {why}"));
        let limit = self.patience.dial();
        let socket = timeout(limit, socket.connect(proxy))
            .await
            .map_err(|_| failed(format!("no answer within {limit:?}")))?
            .map_err(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => Finding::gone(format!(
                    "could not connect to {proxy}: nobody listens there"
                )),
                _ => failed(error.to_string()),
            })?;
        let tap = Tap::on(socket, Leg::Client, &self.transcript)
            .map_err(|error| failed(error.to_string()))?;
        let stream = match &self.tls {
            None => Stream::plain(tap),
            Some((config, name)) => {
                let name = rustls::pki_types::ServerName::try_from(name.clone())
                    .map_err(|error| Finding::harness(error.to_string()))?;
                let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
                let tls = timeout(limit, connector.connect(name, Stream::plain(tap)))
                    .await
                    .map_err(|_| failed(format!("no TLS handshake within {limit:?}")))?
                    .map_err(|error| failed(format!("no TLS handshake: {error}")))?;
                Stream::secure(tls.into())
            }
        };
        Ok(Connection {
            stream,
            patience: self.patience,
        })
    }

    /// Sends bytes on a connection of their own and hears the answer.
    ///
    /// # Errors
    /// As those of [`Client::dial`]; what happens afterwards is the answer.
    pub async fn asks(&self, request: impl Into<Vec<u8>>) -> Outcome<Exchange> {
        let mut connection = self.dial().await?;
        let answer = connection.asks(request).await;
        Ok(Exchange { answer, connection })
    }

    /// Sends bytes in pieces, each a segment of its own, and hears the answer.
    ///
    /// # Errors
    /// As those of [`Client::dial`]; what happens afterwards is the answer.
    pub async fn asks_in_pieces<P: AsRef<[u8]>>(
        &self,
        pieces: impl IntoIterator<Item = P>,
    ) -> Outcome<Exchange> {
        let mut connection = self.dial().await?;
        connection.sends_in_pieces(pieces).await;
        let answer = connection.hears().await;
        Ok(Exchange { answer, connection })
    }

    /// Asks for a tunnel to `authority` in the ordinary way and insists on getting one.
    ///
    /// # Errors
    /// As those of [`Client::dial`] and of [`Exchange::success`].
    pub async fn tunnel_to(&self, authority: &str) -> Outcome<End> {
        let exchange = self.asks(self.request(authority)).await?;
        exchange.granted()
    }

    /// A tunnel to `server`.
    ///
    /// # Errors
    /// As those of [`Client::tunnel_to`].
    pub async fn connect(&self, server: &crate::server::Server) -> Outcome<End> {
        self.tunnel_to(&server.authority()).await
    }
}
