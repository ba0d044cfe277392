//! CONNECT over HTTP/2, as httpd's mod_http2 serves it. This proxy does not speak HTTP/2 (`http-2`).

use super::Test;
use super::pair::{Home, Running, Who, config};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use std::net::Ipv4Addr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("http2::this_proxy_does_not_take_it", || {
            tokio_test(this_proxy_does_not_take_it());
        }),
        ("http2::data_passes_both_ways", || {
            tokio_test(data_passes_both_ways());
        }),
        ("http2::a_denied_port_is_refused", || {
            tokio_test(a_denied_port_is_refused());
        }),
        ("http2::the_end_of_the_client_is_passed_on", || {
            tokio_test(the_end_of_the_client_is_passed_on());
        }),
        ("http2::the_end_of_the_server_is_not", || {
            tokio_test(the_end_of_the_server_is_not());
        }),
        ("http2::a_reset_of_the_server_is_an_end", || {
            tokio_test(a_reset_of_the_server_is_an_end());
        }),
        ("http2::a_reset_of_the_client_is_an_end", || {
            tokio_test(a_reset_of_the_client_is_an_end());
        }),
    ]
}

/// mod_http2, for clients that start with its preface.
fn served(port: u16) -> String {
    config(&format!(
        "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\nProtocols h2c http/1.1\nAllowCONNECT {port}\n"
    ))
}

fn tokio_test(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

async fn this_proxy_does_not_take_it() {
    let proxy = Home::new(Who::Reference, &served(1)).launch();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
}

async fn data_passes_both_ways() {
    let mut there = There::new().await;
    let mut tunnel = there.tunnel().await;
    tunnel.says("to the server");
    assert_eq!(tunnel.server_reads(13).await, "to the server");
    tunnel.server.write_all(b"to the client").await.unwrap();
    assert_eq!(tunnel.reads(13).await, "to the client");
}

async fn a_denied_port_is_refused() {
    let mut there = There::new().await;
    let (answer, _stream) = there.asks(there.port - 1);
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 403);
}

async fn the_end_of_the_client_is_passed_on() {
    let mut there = There::new().await;
    let mut tunnel = there.tunnel().await;
    tunnel.sending.send_data(Bytes::new(), true).unwrap();
    assert_eq!(tunnel.server.read(&mut [0]).await.unwrap(), 0);
    // And the other direction stays.
    tunnel.server.write_all(b"after your end").await.unwrap();
    assert_eq!(tunnel.reads(14).await, "after your end");
}

/// Where RFC 9113, section 8.5, wants an `END_STREAM`.
async fn the_end_of_the_server_is_not() {
    let mut there = There::new().await;
    let mut tunnel = there.tunnel().await;
    tunnel.server.shutdown().await.unwrap();
    // A whole tunnel later, on the same connection, there is no sign of it.
    let mut other = there.tunnel().await;
    other.says("by the way");
    assert_eq!(other.server_reads(10).await, "by the way");
    other.server.write_all(b"indeed").await.unwrap();
    assert_eq!(other.reads(6).await, "indeed");
    assert!(!tunnel.receiving.is_end_stream());
    // It comes with the client's own.
    tunnel.sending.send_data(Bytes::new(), true).unwrap();
    assert_eq!(end_of(&mut tunnel.receiving).await, Ok(()));
}

/// Where RFC 9113, section 8.5, wants a `RST_STREAM` of `CONNECT_ERROR`.
async fn a_reset_of_the_server_is_an_end() {
    let mut there = There::new().await;
    let mut tunnel = there.tunnel().await;
    tunnel.server.set_zero_linger().unwrap();
    drop(tunnel.server);
    assert!(matches!(
        end_of(&mut tunnel.receiving).await,
        Ok(()) | Err(Some(Reason::NO_ERROR))
    ));
}

/// Where RFC 9113, section 8.5, wants a TCP reset.
async fn a_reset_of_the_client_is_an_end() {
    let mut there = There::new().await;
    let mut tunnel = there.tunnel().await;
    tunnel.sending.send_reset(Reason::CANCEL);
    assert_eq!(tunnel.server.read(&mut [0]).await.unwrap(), 0);
}

/// httpd, a server behind it, and a connection to httpd.
struct There {
    _proxy: Running,
    listener: TcpListener,
    port: u16,
    requests: SendRequest<Bytes>,
}

impl There {
    async fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Home::new(Who::Httpd, &served(port)).launch();
        let stream = TcpStream::connect(proxy.address()).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self {
            _proxy: proxy,
            listener,
            port,
            requests,
        }
    }

    fn asks(&mut self, port: u16) -> (ResponseFuture, SendStream<Bytes>) {
        let request = http::Request::connect(format!("127.0.0.1:{port}"));
        self.requests
            .send_request(request.body(()).unwrap(), false)
            .unwrap()
    }

    async fn tunnel(&mut self) -> Tunnel {
        let (answer, sending) = self.asks(self.port);
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        let (server, _) = self.listener.accept().await.unwrap();
        Tunnel {
            sending,
            receiving: answer.into_body(),
            server,
        }
    }
}

/// A stream of the connection, and the server's end of it.
struct Tunnel {
    sending: SendStream<Bytes>,
    receiving: RecvStream,
    server: TcpStream,
}

impl Tunnel {
    fn says(&mut self, words: &'static str) {
        self.sending.send_data(words.into(), false).unwrap();
    }

    async fn reads(&mut self, length: usize) -> String {
        let mut words = Vec::new();
        while words.len() < length {
            words.extend_from_slice(&self.receiving.data().await.unwrap().unwrap());
        }
        String::from_utf8(words).unwrap()
    }

    async fn server_reads(&mut self, length: usize) -> String {
        let mut words = vec![0; length];
        self.server.read_exact(&mut words).await.unwrap();
        String::from_utf8(words).unwrap()
    }
}

/// What comes behind the last octet: an end, or a reset with its reason.
async fn end_of(stream: &mut RecvStream) -> Result<(), Option<Reason>> {
    while let Some(data) = stream.data().await {
        assert!(data.map_err(|error| error.reason())?.is_empty());
    }
    Ok(())
}
