//! What gets no tunnel, and how it is told.

use crate::support::{Proxy, closed_port, connect, everything, server, was_contacted};
use std::io::Write;

#[test]
fn a_denied_port_is_refused_and_never_contacted() {
    let (open, allow) = server();
    let (denied, _) = server();
    let proxy = Proxy::with(&allow);
    // Everything behind the refused request is discarded, not read as a request.
    let answer = proxy.exchange(&(connect(&denied, "") + &connect(&open, "")));
    assert!(
        answer.starts_with("HTTP/1.1 403 Proxy Error\r\n"),
        "{answer}"
    );
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    for part in [
        "\r\nConnection: close\r\n",
        "\r\nProxy-Status: reference-proxy; error=http_request_denied\r\n",
        "Reason: <strong>Connect to remote machine blocked</strong>",
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
    assert!(!was_contacted(&denied) && !was_contacted(&open));
    let line = &proxy.access_lines(1)[0];
    assert_eq!((line[0].as_str(), line[1].as_str()), ("403", "-"));
}

#[test]
fn failures_have_their_statuses() {
    let (_bound, closed) = closed_port();
    let proxy = Proxy::with(&format!("AllowCONNECT {} 7\n", closed.port()));
    for (target, status, error) in [
        (closed.to_string(), 502, "connection_refused"),
        ("name.invalid:7".into(), 502, "dns_error"),
        ("0.0.0.0:7".into(), 403, "http_request_denied"),
        ("[::ffff:0.0.0.0]:7".into(), 403, "http_request_denied"),
        ("224.0.0.1:7".into(), 403, "http_request_denied"),
    ] {
        let answer = proxy.exchange(&format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target}: {answer}"
        );
        assert!(
            answer.contains(&format!("; error={error}\r\n")),
            "{target}: {answer}"
        );
    }
}

#[test]
fn a_silent_server_is_given_up() {
    // A full backlog drops what comes: the first connection stays in it.
    let silent = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    silent
        .bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    silent.listen(0).unwrap();
    let address = silent.local_addr().unwrap().as_socket().unwrap();
    let _held = std::net::TcpStream::connect(address).unwrap();
    let proxy = Proxy::with(&format!(
        "AllowCONNECT {}\nProxyTimeout 1\n",
        address.port()
    ));
    let answer = proxy.exchange(&format!("CONNECT {address} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    assert!(answer.contains("error=connection_timeout"), "{answer}");
}

#[test]
fn a_tunnel_to_itself_is_stopped() {
    let proxy = Proxy::with("AllowCONNECT 1-65535\n");
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let target = format!("{host}:{}", proxy.address.port());
        let answer = proxy.exchange(&format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 502 "), "{target}: {answer}");
    }
}

#[test]
fn other_methods_are_not_served() {
    let proxy = Proxy::with("");
    let answer = proxy.exchange("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.contains("\r\nAllow: CONNECT\r\n"),
        "{answer}"
    );
    for (line, status) in [
        ("connect a.test:443 HTTP/1.1", 501),
        ("BREW a.test HTTP/1.1", 501),
        ("GET a.test:443 HTTP/1.1", 405),
        ("PRI * HTTP/2.0", 505),
        ("CONNECT a.test:443 HTTP/1.1 ", 400),
    ] {
        assert_eq!(
            proxy.status(&format!("{line}\r\nHost: x\r\n\r\n")),
            status,
            "{line}"
        );
    }
}

#[test]
fn fields_that_change_nothing_change_nothing() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    for fields in [
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "If-None-Match: *\r\n",
        "Range: bytes=0-1\r\n",
        "Max-Forwards: 5\r\n",
        "Proxy-Connection: keep-alive\r\n",
        "X: \u{ff}\r\n",
        "Content-Length: 0\r\n",
    ] {
        drop(proxy.tunnel_with(&server, fields));
    }
    for (fields, status) in [
        ("Expect: tea\r\n", 417),
        ("Max-Forwards: 0\r\n", 400),
        ("Max-Forwards: x\r\n", 400),
        ("Content-Length: 5\r\n", 400),
        ("Transfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: foo, chunked\r\n", 501),
        ("X: a\r\n b\r\n", 400),
    ] {
        assert_eq!(proxy.status(&connect(&server, fields)), status, "{fields}");
    }
    assert!(!was_contacted(&server));
}

#[test]
fn slow_and_endless_heads_are_bounded() {
    let proxy = Proxy::with("RequestReadTimeout header=1\n");
    let mut slow = proxy.dial();
    slow.write_all(b"CONNECT a.test:443 HTTP/1.1\r\n").unwrap();
    assert!(everything(&mut slow).starts_with("HTTP/1.1 408 "));
    let mut silent = proxy.dial();
    assert_eq!(everything(&mut silent), "");
    let long = "a".repeat(70_000);
    assert_eq!(
        proxy.status(&format!("CONNECT {long}:1 HTTP/1.1\r\n\r\n")),
        414
    );
    assert_eq!(
        proxy.status(&format!(
            "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"
        )),
        431
    );
    let many = "X: y\r\n".repeat(5000);
    assert_eq!(
        proxy.status(&format!("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n{many}\r\n")),
        431
    );
    assert_eq!(proxy.status("CONNECT a:1 HTTP/1.1\nHost: a\n\n"), 400);
}

#[test]
fn what_is_not_configured_is_not_served() {
    let (server, allow) = server();
    let off = Proxy::with(&format!("{allow}ProxyRequests Off\n"));
    let answer = off.exchange(&connect(&server, ""));
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.contains("\r\nAllow: \r\n"),
        "{answer}"
    );
    let limited = Proxy::with(&format!(
        "{allow}LimitRequestLine 30\nLimitRequestFields 1\n"
    ));
    let fields = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    assert_eq!(limited.status(fields), 431);
    assert_eq!(
        limited.status("CONNECT abcdefghijklmnopqrst:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        414
    );
}
