//! The raw client: exactly these bytes in exactly these pieces, and no opinion.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use tokio::{net::TcpSocket, time::timeout};

use crate::{
    client::{Connection, Exchange},
    http1::{Answer, Ask, Request},
    http2::Manners,
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
    /// Whether it speaks HTTP/2, each request on a stream.
    pub(crate) speaks_http2: bool,
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

    /// The same client, which looks for the proxy at another address, on the same port.
    #[must_use]
    pub const fn reaching_it_at(mut self, address: IpAddr) -> Self {
        self.proxy.set_ip(address);
        self
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

    /// The same client, which does not begin with a TLS handshake, whatever the proxy listens for.
    #[must_use]
    pub fn without_tls(mut self) -> Self {
        self.tls = None;
        self
    }

    /// The same client, which waits longer: for what was met with silence once.
    #[must_use]
    pub fn more_patient(mut self) -> Self {
        self.patience = self.patience.once_more();
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
        let stream = self.reach().await?;
        self.greets(stream)
    }

    /// A connection to the proxy, with TLS on it where it is reached so.
    ///
    /// # Errors
    /// As those of [`Client::dial`].
    pub(super) async fn reach(&self) -> Outcome<Stream> {
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
        self.secures(Stream::plain(tap)).await
    }

    /// Connects to the proxy through a tunnel that leads to it.
    ///
    /// # Errors
    /// The set-up's, where no TLS session comes about on it.
    pub async fn dial_inside(&self, tunnel: Connection) -> Outcome<Connection> {
        let stream = self.secures(tunnel.stream).await?;
        self.greets(stream)
    }

    /// A TLS session on `stream`, where the proxy is reached so.
    async fn secures(&self, stream: Stream) -> Outcome<Stream> {
        Ok(match &self.tls {
            None => stream,
            Some((config, name)) => {
                let failed = |why: String| {
                    Finding::setup(format!("could not connect to {}: {why}", self.proxy))
                };
                // Some shake hands one after the other.
                let limit = self.patience.progress();
                let name = rustls::pki_types::ServerName::try_from(name.clone())
                    .map_err(|error| Finding::harness(error.to_string()))?;
                let connector = tokio_rustls::TlsConnector::from(Arc::clone(config));
                let tls = timeout(limit, connector.connect(name, stream))
                    .await
                    .map_err(|_| failed(format!("no TLS handshake within {limit:?}")))?
                    .map_err(|error| failed(format!("no TLS handshake: {error}")))?;
                Stream::secure(tls.into())
            }
        })
    }

    /// What the proxy is asked on, over `stream`.
    fn greets(&self, stream: Stream) -> Outcome<Connection> {
        let stream = match self.speaks_http2 {
            true => self.multiplexes(stream, &[], Manners::default())?,
            false => stream,
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
    pub async fn asks(&self, request: impl Into<Ask>) -> Outcome<Exchange> {
        let mut connection = self.dial().await?;
        let answer = connection.asks(request).await;
        Ok(Exchange { answer, connection })
    }

    /// As [`Client::asks`], and where silence is the answer, once more on a fresh connection and with more patience: a proxy
    /// that was slow once has not said no.
    ///
    /// # Errors
    /// As those of [`Client::asks`].
    pub async fn asks_until_answered(&self, request: impl Into<Ask>) -> Outcome<Exchange> {
        let request = request.into();
        let exchange = self.asks(request.clone()).await?;
        match exchange.answer {
            Answer::Silence => self.clone().more_patient().asks(request).await,
            _ => Ok(exchange),
        }
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A client with a hundredth of the usual patience, and the listener of its proxy.
    async fn hasty() -> (Client, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client {
            proxy: listener.local_addr().unwrap(),
            source: None,
            transcript: Transcript::begin(),
            patience: Patience::times(0.02),
            tls: None,
            speaks_http2: false,
            fields: Vec::new(),
        };
        (client, listener)
    }

    #[tokio::test]
    async fn who_was_silent_is_asked_again_on_a_fresh_connection_and_with_more_patience() {
        let (client, listener) = hasty().await;
        let late = client.patience.reply() * 2;
        let proxy = tokio::spawn(async move {
            let (_silent, _) = listener.accept().await.unwrap();
            let (mut second, _) = listener.accept().await.unwrap();
            let _ = second.read(&mut [0; 64]).await;
            crate::patience::pass(late).await;
            second.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        });
        let request = client.request("a.example:443");
        let exchange = client.asks_until_answered(&request).await.unwrap();
        assert_eq!(exchange.answer.status(), Some(200));
        proxy.await.unwrap();
    }

    #[tokio::test]
    async fn who_is_silent_twice_is_silent() {
        let (client, listener) = hasty().await;
        let proxy = tokio::spawn(async move {
            let (first, second) = (listener.accept().await, listener.accept().await);
            // Nobody comes a third time.
            let third = timeout(std::time::Duration::from_secs(1), listener.accept());
            let third = third.await.is_err();
            drop((first, second));
            third
        });
        let exchange = client.asks_until_answered("CONNECT").await.unwrap();
        assert_eq!(exchange.answer, Answer::Silence);
        assert!(proxy.await.unwrap());
    }

    #[tokio::test]
    async fn the_time_for_an_answer_begins_once_the_request_is_there() {
        let (client, listener) = hasty().await;
        // A window opens again after two or three reads: each gap is shorter than the limit, all of them are longer.
        let pause = client.patience.reply() / 5;
        let proxy = tokio::spawn(async move {
            let (mut slow, _) = listener.accept().await.unwrap();
            let mut piece = vec![0; 1 << 20];
            for _ in 0..12 {
                crate::patience::pass(pause).await;
                slow.read_exact(&mut piece).await.unwrap();
            }
            slow.write_all(b"HTTP/1.1 431 No\r\n\r\n").await.unwrap();
            let _ = tokio::io::copy(&mut slow, &mut tokio::io::sink()).await;
        });
        let exchange = client.asks(vec![b'x'; 32 << 20]).await.unwrap();
        assert_eq!(exchange.answer.status(), Some(431));
        drop(exchange);
        proxy.await.unwrap();
    }
}
