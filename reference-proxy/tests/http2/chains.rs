//! Through an upstream proxy of HTTP/1.1.

use crate::client::{Client, H2C, run};
use crate::raw::*;
use crate::support::Proxy;
use h2::Reason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn chained() -> (Proxy, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = upstream.local_addr().unwrap();
    let lines = format!("{H2C}ProxyRemote * http://{address}\nAllowCONNECT 443\n");
    (Proxy::with(&lines), upstream)
}

/// The upstream's end of the next connection, behind the request.
async fn asked(upstream: &TcpListener) -> (TcpStream, String) {
    let (mut far, _) = upstream.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(far.read_u8().await.unwrap());
    }
    (far, String::from_utf8(head).unwrap())
}

#[test]
fn a_request_is_forwarded_as_one_of_http1() {
    run(async {
        let (proxy, upstream) = chained().await;
        let mut raw = Raw::of(&proxy);
        raw.asks(
            1,
            &block(&[
                (":method", "CONNECT"),
                (":authority", "Name.invalid:0443"),
                ("x-kept", "1"),
                ("te", "trailers"),
                ("proxy-authorization", "Basic eA=="),
                ("via", "1.0 fred"),
            ]),
        );
        let (mut far, head) = asked(&upstream).await;
        let (start, via) = head.rsplit_once("Via: ").unwrap();
        assert_eq!(
            start,
            "CONNECT name.invalid:443 HTTP/1.1\r\nHost: name.invalid:443\r\nx-kept: 1\r\nvia: 1.0 fred\r\n"
        );
        assert!(via.starts_with("2.0 reference-proxy-"), "{via}");
        raw.sends(DATA, 0, 1, b"early");
        far.write_all(b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 Fine\r\n\r\nhello")
            .await
            .unwrap();
        let hints = raw.of_stream(1);
        assert_eq!((hints.kind, hints.flags & END_STREAM), (HEADERS, 0));
        assert_ne!(hints.payload[0], STATUS_200);
        let answer = raw.of_stream(1);
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, STATUS_200));
        let data = raw.of_stream(1);
        assert_eq!((data.kind, &*data.payload), (DATA, &b"hello"[..]));
        let mut early = [0; 5];
        far.read_exact(&mut early).await.unwrap();
        assert_eq!(&early, b"early");
    });
}

#[test]
fn nothing_that_is_malformed_reaches_an_upstream() {
    run(async {
        let (proxy, upstream) = chained().await;
        let mut raw = Raw::of(&proxy);
        let mut stream = 1;
        for authority in [
            "a.test:443 HTTP/1.1\r\nX: y\r\n\r\nCONNECT b.test:443",
            "a.test:443\r\n",
            "a.test:443 ",
            " a.test:443",
            "a.test/:443",
            "a.test:443#",
        ] {
            let block = block(&[(":method", "CONNECT"), (":authority", authority)]);
            raw.asks(stream, &block);
            raw.is_refused(stream, &block);
            stream += 2;
        }
        raw.asks(
            stream,
            &block(&[(":method", "CONNECT"), (":authority", "last.test:443")]),
        );
        let (_far, head) = asked(&upstream).await;
        assert!(head.starts_with("CONNECT last.test:443 "), "{head}");
    });
}

/// Nobody waits for the upstream of a client that has given up.
#[test]
fn a_stream_that_is_reset_gives_up_its_upstream() {
    run(async {
        let (proxy, upstream) = chained().await;
        let client = Client::of(&proxy).await;
        let (_answer, mut sending) = client.asks("a.test:443", &[]).await;
        let (mut far, _) = asked(&upstream).await;
        sending.send_reset(Reason::CANCEL);
        let end = far.read(&mut [0]).await;
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    });
}
