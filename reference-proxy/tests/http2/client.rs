//! A client that keeps the rules, and the server's end of its tunnels.

use crate::support::{PATIENCE, Proxy};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What serves HTTP/2 in the clear.
pub(crate) const H2C: &str =
    "LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\n";

/// Runs a test that waits for sockets, for as long as anything may take.
pub(crate) fn run(test: impl Future<Output = ()>) {
    // A thread for connections, since a test may wait for the proxy in ways that hold up its own.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { timeout(3 * PATIENCE, test).await.unwrap() });
}

/// A server on a port of its own, and `AllowCONNECT` for it.
pub(crate) async fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("AllowCONNECT {port}\n"))
}

/// A proxy that speaks HTTP/2 in the clear, with a server that it may reach.
pub(crate) async fn serving(more: &str) -> (Proxy, TcpListener) {
    let (server, allow) = server().await;
    (Proxy::with(&format!("{H2C}{allow}{more}")), server)
}

/// One connection to a proxy.
pub(crate) struct Client {
    pub(crate) requests: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Client {
    pub(crate) async fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream, h2::client::Builder::new()).await
    }

    pub(crate) async fn over<S>(stream: S, builder: h2::client::Builder) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (requests, connection) = builder.handshake(stream).await.unwrap();
        Self {
            requests,
            connection: tokio::spawn(connection),
        }
    }

    /// Asks for a tunnel; `fields` are names and values.
    pub(crate) async fn asks(
        &self,
        target: &str,
        fields: &[(&str, &str)],
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut request = http::Request::connect(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut requests = self.requests.clone().ready().await.unwrap();
        requests
            .send_request(request.body(()).unwrap(), false)
            .unwrap()
    }

    /// The answer to that, with its content.
    pub(crate) async fn answer(
        &self,
        target: &str,
        fields: &[(&str, &str)],
    ) -> (http::response::Parts, String) {
        let (answer, _sending) = self.asks(target, fields).await;
        let (head, mut content) = answer.await.unwrap().into_parts();
        let mut text = Vec::new();
        while let Some(data) = content.data().await {
            text.extend_from_slice(&data.unwrap());
        }
        (head, String::from_utf8(text).unwrap())
    }

    pub(crate) async fn status(&self, target: &str) -> u16 {
        self.answer(target, &[]).await.0.status.as_u16()
    }

    /// A tunnel to `server`, which accepts it.
    pub(crate) async fn tunnel(&self, server: &TcpListener) -> Tunnel {
        let target = server.local_addr().unwrap().to_string();
        let (answer, sending) = self.asks(&target, &[]).await;
        let (far, source) = server.accept().await.unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().is_empty(), "{:?}", answer.headers());
        assert!(!answer.body().is_end_stream());
        Tunnel {
            sending,
            receiving: answer.into_body(),
            server: far,
            source,
        }
    }

    /// Is gone, without a word.
    pub(crate) async fn breaks_off(self) {
        self.connection.abort();
        let _ = self.connection.await;
    }
}

/// A stream of a connection, and the server's end of it.
pub(crate) struct Tunnel {
    pub(crate) sending: SendStream<Bytes>,
    pub(crate) receiving: RecvStream,
    pub(crate) server: TcpStream,
    /// Where the proxy came from.
    pub(crate) source: SocketAddr,
}

impl Tunnel {
    pub(crate) fn says(&mut self, words: &'static str) {
        self.sending.send_data(words.into(), false).unwrap();
    }

    pub(crate) fn finishes(&mut self) {
        self.sending.send_data(Bytes::new(), true).unwrap();
    }

    /// What comes, until it is so many octets.
    pub(crate) async fn reads(&mut self, length: usize) -> String {
        let mut octets = Vec::new();
        while octets.len() < length {
            let data = self.receiving.data().await.unwrap().unwrap();
            self.receiving
                .flow_control()
                .release_capacity(data.len())
                .unwrap();
            octets.extend_from_slice(&data);
        }
        String::from_utf8(octets).unwrap()
    }

    pub(crate) async fn server_says(&mut self, words: &str) {
        self.server.write_all(words.as_bytes()).await.unwrap();
    }

    pub(crate) async fn server_reads(&mut self, length: usize) -> String {
        let mut words = vec![0; length];
        self.server.read_exact(&mut words).await.unwrap();
        String::from_utf8(words).unwrap()
    }

    /// How the server's end ends: with a FIN, or with a reset.
    pub(crate) async fn server_ends(&mut self) -> std::io::Result<()> {
        match self.server.read(&mut [0]).await? {
            0 => Ok(()),
            _ => panic!("an octet instead of the end"),
        }
    }

    /// Whether octets pass both ways.
    pub(crate) async fn works(&mut self) {
        self.says("to the server");
        assert_eq!(self.server_reads(13).await, "to the server");
        self.server_says("to the client").await;
        assert_eq!(self.reads(13).await, "to the client");
    }

    /// What comes behind the last octet: an end, or a reset with its code.
    pub(crate) async fn end(&mut self) -> Result<(), Option<Reason>> {
        while let Some(data) = self.receiving.data().await {
            let data = data.map_err(|error| error.reason())?;
            assert!(data.is_empty(), "{data:?}");
        }
        Ok(())
    }
}

/// Sends a large number of octets, as windows allow; stops when nothing is taken any more for as long as `patience`.
pub(crate) async fn pour(sending: &mut SendStream<Bytes>, mut left: usize) -> usize {
    use std::future::poll_fn;
    let asked = left;
    while left > 0 {
        sending.reserve_capacity(left.min(1 << 14));
        let capacity = timeout(
            std::time::Duration::from_secs(1),
            poll_fn(|cx| sending.poll_capacity(cx)),
        );
        let Ok(Some(Ok(capacity))) = capacity.await else {
            break;
        };
        let piece = capacity.min(left);
        // The stream may have come to its end meanwhile.
        if sending.send_data(vec![7; piece].into(), false).is_err() {
            break;
        }
        left -= piece;
    }
    asked - left
}
