//! Upstream proxies that give no answer, or none that is one.

use crate::client::{Client, run};
use crate::next::{TARGET, chained};
use crate::onward_raw::{YES, asked, asking, reached};
use crate::raw::*;
use crate::support::everything;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

const PUSH_PROMISE: u8 = 5;

/// What an upstream proxy says.
type Said = fn(&mut Raw);
/// A yes with these fields behind it.
fn yes(raw: &mut Raw, fields: &[(&str, &str)]) {
    let block = [YES, &block(fields)].concat();
    raw.sends(HEADERS, END_HEADERS, 1, &block);
}
const PROTOCOL: &str = "error=http_protocol_error";
const LOST: &str = "error=connection_terminated";
/// What is no answer, and the error that the client is told.
const SAID: [(&str, Said, &str); 22] = [
    (
        "no :status",
        |raw| raw.asks(1, &block(&[("x", "y")])),
        PROTOCOL,
    ),
    (
        ":status of two digits",
        |raw| raw.asks(1, &block(&[(":status", "20")])),
        PROTOCOL,
    ),
    (
        ":status 600",
        |raw| raw.asks(1, &block(&[(":status", "600")])),
        PROTOCOL,
    ),
    (
        "two :status",
        |raw| yes(raw, &[(":status", "200")]),
        PROTOCOL,
    ),
    (
        ":status behind a field",
        |raw| {
            raw.asks(1, &block(&[("x", "y"), (":status", "200")]));
        },
        PROTOCOL,
    ),
    (
        "another pseudo-field",
        |raw| yes(raw, &[(":path", "/")]),
        PROTOCOL,
    ),
    (
        "an upper-case name",
        |raw| yes(raw, &[("X", "y")]),
        PROTOCOL,
    ),
    (
        "a field of a connection",
        |raw| yes(raw, &[("transfer-encoding", "chunked")]),
        PROTOCOL,
    ),
    (
        "a value with a line feed",
        |raw| yes(raw, &[("x", "y\nz: 1")]),
        PROTOCOL,
    ),
    (
        "101",
        |raw| raw.asks(1, &block(&[(":status", "101")])),
        PROTOCOL,
    ),
    (
        "an interim answer that ends the stream",
        |raw| {
            raw.sends(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &block(&[(":status", "103")]),
            );
        },
        PROTOCOL,
    ),
    (
        "a length that is none",
        |raw| {
            let fields = [(":status", "403"), ("content-length", "abc")];
            raw.sends(HEADERS, END_HEADERS | END_STREAM, 1, &block(&fields));
        },
        PROTOCOL,
    ),
    (
        "interim answers without end",
        |raw| {
            for _ in 0..40 {
                // It may have had enough before.
                let octets = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "103")]));
                let _ = raw.0.write_all(&octets);
            }
        },
        PROTOCOL,
    ),
    (
        "DATA first",
        |raw| raw.sends(DATA, 0, 1, b"hello"),
        PROTOCOL,
    ),
    (
        "an index of no table",
        |raw| raw.asks(1, &[0xff, 0x80, 0x01]),
        PROTOCOL,
    ),
    (
        "a push",
        |raw| raw.sends(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]),
        PROTOCOL,
    ),
    (
        "a frame that is too long",
        |raw| {
            raw.0.write_all(&[1, 0, 0, DATA, 0, 0, 0, 0, 1]).unwrap();
        },
        PROTOCOL,
    ),
    (
        "REFUSED_STREAM",
        |raw| raw.sends(RST_STREAM, 0, 1, &[0, 0, 0, 7]),
        LOST,
    ),
    ("NO_ERROR", |raw| raw.sends(RST_STREAM, 0, 1, &[0; 4]), LOST),
    ("GOAWAY", |raw| raw.sends(GOAWAY, 0, 0, &[0; 8]), LOST),
    (
        "GOAWAY with a code",
        |raw| raw.sends(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0xb]),
        LOST,
    ),
    (
        "the end",
        |raw| raw.0.shutdown(Shutdown::Both).unwrap(),
        LOST,
    ),
];

#[test]
fn what_is_no_answer_is_a_bad_gateway() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (name, says, error) in SAID {
            let mut near = asking(&proxy);
            let (mut raw, _) = asked(&upstream).await;
            says(&mut raw);
            let told = everything(&mut near);
            let (hints, told) = told.rsplit_once("HTTP/1.1 ").unwrap();
            assert!(
                hints.is_empty() || name.starts_with("interim"),
                "{name}: {hints}"
            );
            assert!(told.starts_with("502 "), "{name}: {told}");
            assert!(
                told.contains(&format!("Proxy-Status: reference-proxy; {error}\r\n")),
                "{name}: {told}"
            );
        }
        let client = Client::of(&proxy).await;
        let (status, ()) = tokio::join!(client.status(TARGET), async {
            let (mut raw, _) = asked(&upstream).await;
            raw.sends(RST_STREAM, 0, 1, &[0, 0, 0, 7]);
        });
        assert_eq!(status, 502);
        assert_eq!(proxy.access_lines(SAID.len() + 1)[0][0], "502");
    });
}

#[test]
fn a_proxy_without_http2_is_a_bad_gateway() {
    run(async {
        let (proxy, upstream) = chained("").await;
        for (said, error) in [
            (
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                "http_protocol_error",
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "http_protocol_error"),
            ("SSH-2.0-x\r\n", "http_protocol_error"),
            ("", "connection_terminated"),
        ] {
            let mut near = asking(&proxy);
            let mut far = reached(&upstream).await;
            far.write_all(said.as_bytes()).unwrap();
            far.shutdown(Shutdown::Write).unwrap();
            let told = everything(&mut near);
            assert!(told.starts_with("HTTP/1.1 502 "), "{said}: {told}");
            assert!(
                told.contains(&format!("; error={error}\r\n")),
                "{said}: {told}"
            );
        }
    });
}

#[test]
fn a_silent_proxy_is_given_up() {
    const SAID: [fn(&mut TcpStream); 4] = [
        |_| {},
        |far| far.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap(),
        |far| {
            hears_the_request(far);
            let half = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 0, 1, YES)];
            far.write_all(&half.concat()).unwrap();
        },
        |far| {
            hears_the_request(far);
            let hints = frame(HEADERS, END_HEADERS, 1, &block(&[(":status", "103")]));
            let said = [frame(SETTINGS, 0, 0, &[]), hints].concat();
            far.write_all(&said).unwrap();
        },
    ];
    run(async {
        let (proxy, upstream) = chained("ProxyTimeout 1\n").await;
        for says in SAID {
            let mut near = asking(&proxy);
            let mut far = reached(&upstream).await;
            says(&mut far);
            let told = everything(&mut near);
            let told = told.rsplit_once("HTTP/1.1 ").unwrap().1;
            assert!(told.starts_with("504 "), "{told}");
            assert!(told.contains("error=connection_read_timeout"), "{told}");
            // It is told that nobody waits any more.
            let mut left = Vec::new();
            let _ = far.read_to_end(&mut left);
        }
    });
}

/// Reads up to the request, and says nothing.
fn hears_the_request(far: &mut TcpStream) {
    let mut preface = [0; 24];
    far.read_exact(&mut preface).unwrap();
    loop {
        let mut head = [0; 9];
        far.read_exact(&mut head).unwrap();
        let [a, b, c, kind, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        far.read_exact(&mut payload).unwrap();
        if kind == HEADERS {
            return;
        }
    }
}
