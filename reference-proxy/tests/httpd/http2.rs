//! CONNECT over HTTP/2, as httpd's mod_http2 serves it, and as this proxy does: they differ in how tunnels end (`stream-ends`).

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
        ("http2::the_preface_is_taken_where_protocols_say_so", || {
            tokio_test(the_preface_is_taken_where_protocols_say_so());
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
        ("http2::the_end_of_the_server", || {
            tokio_test(the_end_of_the_server());
        }),
        ("http2::a_reset_of_the_server", || {
            tokio_test(a_reset_of_the_server());
        }),
        ("http2::a_reset_of_the_client", || {
            tokio_test(a_reset_of_the_client());
        }),
    ]
}

const BOTH: [Who; 2] = [Who::Httpd, Who::Reference];

/// mod_http2 with these lines.
fn served(lines: &str) -> String {
    config(&format!(
        "LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so\n{lines}"
    ))
}

fn tokio_test(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

async fn the_preface_is_taken_where_protocols_say_so() {
    for lines in [
        "",
        "Protocols h2c http/1.1\n",
        "Protocols http/1.1 h2c\n",
        "Protocols h2c\n",
        "Protocols h2c\nH2Direct Off\n",
        "Protocols h2 http/1.1\n",
        "Protocols http/1.1\nH2Direct On\n",
        "Protocols h2c\n<VirtualHost *>\nProtocols http/1.1\n</VirtualHost>\n",
        "<VirtualHost *>\nProtocols h2c\n</VirtualHost>\n",
    ] {
        let mut taken = Vec::new();
        for who in BOTH {
            let proxy = Home::new(who, &served(lines)).launch();
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            stream
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                .await
                .unwrap();
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            taken.push(!head.starts_with(b"HTTP/1.1"));
            // HTTP/1.1 is taken in any case.
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            stream
                .write_all(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n")
                .await
                .unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"HTTP/1.1 403", "{who:?} {lines}");
        }
        assert_eq!(taken[0], taken[1], "{lines}");
    }
}

async fn data_passes_both_ways() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let mut tunnel = there.tunnel().await;
        tunnel.says("to the server");
        assert_eq!(tunnel.server_reads(13).await, "to the server");
        tunnel.server.write_all(b"to the client").await.unwrap();
        assert_eq!(tunnel.reads(13).await, "to the client");
    }
}

async fn a_denied_port_is_refused() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let (answer, _stream) = there.asks(there.port - 1);
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 403);
    }
}

async fn the_end_of_the_client_is_passed_on() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let mut tunnel = there.tunnel().await;
        tunnel.sending.send_data(Bytes::new(), true).unwrap();
        assert_eq!(tunnel.server.read(&mut [0]).await.unwrap(), 0);
        // And the other direction stays.
        tunnel.server.write_all(b"after your end").await.unwrap();
        assert_eq!(tunnel.reads(14).await, "after your end");
    }
}

/// RFC 9113, section 8.5, wants an `END_STREAM`, which httpd keeps back.
async fn the_end_of_the_server() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let mut tunnel = there.tunnel().await;
        tunnel.server.shutdown().await.unwrap();
        if who == Who::Reference {
            assert_eq!(end_of(&mut tunnel.receiving).await, Ok(()));
            continue;
        }
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
}

/// RFC 9113, section 8.5, wants a `RST_STREAM` of `CONNECT_ERROR`.
async fn a_reset_of_the_server() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let mut tunnel = there.tunnel().await;
        tunnel.server.set_zero_linger().unwrap();
        drop(tunnel.server);
        let end = end_of(&mut tunnel.receiving).await;
        match who {
            Who::Reference => assert_eq!(end, Err(Some(Reason::CONNECT_ERROR))),
            Who::Httpd => assert!(matches!(end, Ok(()) | Err(Some(Reason::NO_ERROR)))),
        }
    }
}

/// RFC 9113, section 8.5, wants a TCP reset.
async fn a_reset_of_the_client() {
    for who in BOTH {
        let mut there = There::new(who).await;
        let mut tunnel = there.tunnel().await;
        tunnel.sending.send_reset(Reason::CANCEL);
        let end = tunnel.server.read(&mut [0]).await;
        match who {
            Who::Reference => assert!(end.is_err()),
            Who::Httpd => assert_eq!(end.unwrap(), 0),
        }
    }
}

/// A proxy, a server behind it, and a connection to the proxy.
struct There {
    _proxy: Running,
    listener: TcpListener,
    port: u16,
    requests: SendRequest<Bytes>,
}

impl There {
    async fn new(who: Who) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines = format!("Protocols h2c http/1.1\nAllowCONNECT {port}\n");
        let proxy = Home::new(who, &served(&lines)).launch();
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
