//! An upstream proxy that is spoken to over HTTP/2, and both kinds of clients in front of it.

use crate::client::{Client, H2C};
use crate::support::{PATIENCE, Proxy};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::Response;
use http::request::Parts;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The target that every request is for.
pub(crate) const TARGET: &str = "name.invalid:443";

/// A proxy, and where it expects its upstream proxy.
pub(crate) async fn chained(more: &str) -> (Proxy, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = upstream.local_addr().unwrap();
    let lines = format!("{H2C}ProxyRemote * h2c://{address}\nAllowCONNECT 443\n{more}");
    (Proxy::with(&lines), upstream)
}

/// What an upstream proxy of the h2 crate was asked.
pub(crate) struct Next {
    pub(crate) request: Parts,
    pub(crate) respond: SendResponse<Bytes>,
    pub(crate) receiving: RecvStream,
    /// Where the proxy came from.
    pub(crate) source: SocketAddr,
    connection: JoinHandle<()>,
}

/// A tunnel as an upstream proxy has it.
pub(crate) struct Far {
    pub(crate) sending: SendStream<Bytes>,
    pub(crate) receiving: RecvStream,
    connection: JoinHandle<()>,
}

/// The next request of a proxy that has asked for nothing else on its connection.
pub(crate) async fn asked(upstream: &TcpListener) -> Next {
    let (stream, source) = upstream.accept().await.unwrap();
    asked_over(stream, source).await
}

/// The request on a connection.
pub(crate) async fn asked_over<S>(stream: S, source: SocketAddr) -> Next
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let (sender, mut requests) = mpsc::unbounded_channel();
    let connection = tokio::spawn(async move {
        while let Some(Ok(request)) = connection.accept().await {
            sender.send(request).unwrap();
        }
    });
    let (request, respond) = requests.recv().await.unwrap();
    let (request, receiving) = request.into_parts();
    Next {
        request,
        respond,
        receiving,
        source,
        connection,
    }
}

impl Next {
    /// Answers and ends the stream.
    pub(crate) fn answers(&mut self, answer: Response<()>) {
        self.respond.send_response(answer, true).unwrap();
    }

    /// Says yes.
    pub(crate) fn grants(mut self) -> Far {
        let sending = self.respond.send_response(Response::new(()), false);
        Far {
            sending: sending.unwrap(),
            receiving: self.receiving,
            connection: self.connection,
        }
    }
}

impl Far {
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
            let flow = self.receiving.flow_control();
            flow.release_capacity(data.len()).unwrap();
            octets.extend_from_slice(&data);
        }
        String::from_utf8(octets).unwrap()
    }

    /// What comes behind the last octet: an end, or a reset with its code.
    pub(crate) async fn end(&mut self) -> Result<(), Option<Reason>> {
        while let Some(data) = self.receiving.data().await {
            let data = data.map_err(|error| error.reason())?;
            assert!(data.is_empty(), "{data:?}");
        }
        Ok(())
    }

    /// Is gone, without a word.
    pub(crate) async fn breaks_off(self) {
        self.connection.abort();
        let _ = self.connection.await;
    }
}

/// A client's end of a tunnel, whichever version of HTTP it speaks.
pub(crate) enum Near {
    Http1(TcpStream),
    Http2(Box<Stream>),
}

/// A stream, and its connection.
pub(crate) struct Stream {
    _client: Client,
    pub(crate) sending: SendStream<Bytes>,
    receiving: RecvStream,
}

/// Both ends of a tunnel for a client of each version.
pub(crate) async fn tunnels(proxy: &Proxy, upstream: &TcpListener) -> [(Near, Far); 2] {
    let mut near = TcpStream::connect(proxy.address).await.unwrap();
    let request = format!("CONNECT {TARGET} HTTP/1.1\r\nHost: {TARGET}\r\n\r\n");
    near.write_all(request.as_bytes()).await.unwrap();
    let far = asked(upstream).await.grants();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await.unwrap());
    }
    assert_eq!(head, b"HTTP/1.1 200 Connection Established\r\n\r\n");
    let first = (Near::Http1(near), far);

    let client = Client::of(proxy).await;
    let (answer, sending) = client.asks(TARGET, &[]).await;
    let far = asked(upstream).await.grants();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().is_empty(), "{:?}", answer.headers());
    let stream = Stream {
        _client: client,
        sending,
        receiving: answer.into_body(),
    };
    [first, (Near::Http2(Box::new(stream)), far)]
}

/// Sends so many octets as they are taken.
pub(crate) async fn pour(sending: &mut SendStream<Bytes>, mut left: usize) {
    while left > 0 {
        sending.reserve_capacity(left.min(1 << 14));
        let capacity = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await;
        let piece = capacity.unwrap().unwrap().min(left);
        sending.send_data(vec![7; piece].into(), false).unwrap();
        left -= piece;
    }
}

impl Near {
    pub(crate) async fn says(&mut self, words: &'static str) {
        match self {
            Self::Http1(stream) => stream.write_all(words.as_bytes()).await.unwrap(),
            Self::Http2(stream) => stream.sending.send_data(words.into(), false).unwrap(),
        }
    }

    pub(crate) async fn finishes(&mut self) {
        match self {
            Self::Http1(stream) => stream.shutdown().await.unwrap(),
            Self::Http2(stream) => stream.sending.send_data(Bytes::new(), true).unwrap(),
        }
    }

    pub(crate) fn resets(self) {
        match self {
            Self::Http1(stream) => stream.set_zero_linger().unwrap(),
            Self::Http2(mut stream) => stream.sending.send_reset(Reason::INTERNAL_ERROR),
        }
    }

    /// What comes up to the end, and whether that is an end.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut octets = Vec::new();
        let reading = async {
            match self {
                Self::Http1(stream) => stream.read_to_end(&mut octets).await.is_ok(),
                Self::Http2(stream) => loop {
                    match stream.receiving.data().await {
                        None => break true,
                        Some(Err(error)) => {
                            assert_eq!(error.reason(), Some(Reason::CONNECT_ERROR));
                            break false;
                        }
                        Some(Ok(data)) => {
                            octets.extend_from_slice(&data);
                            let flow = stream.receiving.flow_control();
                            flow.release_capacity(data.len()).unwrap();
                        }
                    }
                },
            }
        };
        let whole = timeout(PATIENCE, reading).await.unwrap();
        (octets, whole)
    }

    /// Waits for a reset behind its end.
    pub(crate) async fn is_reset(&mut self) {
        match self {
            Self::Http1(stream) => {
                let _ = stream.ready(tokio::io::Interest::ERROR).await;
            }
            Self::Http2(stream) => {
                let reset = std::future::poll_fn(|cx| stream.sending.poll_reset(cx));
                assert_eq!(reset.await.unwrap(), Reason::CONNECT_ERROR);
            }
        }
    }

    /// Sends so many octets as they are taken, then the end.
    pub(crate) async fn pours(&mut self, length: usize) {
        match self {
            Self::Http1(stream) => {
                stream.write_all(&vec![7; length]).await.unwrap();
            }
            Self::Http2(stream) => {
                assert_eq!(
                    crate::client::pour(&mut stream.sending, length).await,
                    length
                );
            }
        }
        self.finishes().await;
    }
}
