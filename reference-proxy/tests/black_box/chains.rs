//! Through an upstream proxy.

use crate::support::{
    Proxy, accept, closed_port, connect, end, everything, head, octets, server, was_contacted,
};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A proxy whose upstream is played by the test.
fn chained(more: &str) -> (Proxy, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!(
        "ProxyRemote * http://{}\nAllowCONNECT 443\n{more}",
        upstream.local_addr().unwrap()
    );
    (Proxy::with(&remote), upstream)
}

const REQUEST: &str = "CONNECT name.invalid:443 HTTP/1.1\r\nHost: name.invalid\r\nX-Kept: 1\r\n\
    Connection: X-Hop\r\nX-Hop: 1\r\nVia: 1.0 fred\r\n\r\n";

/// The client's end, and the upstream's behind the request that it got.
fn asked(proxy: &Proxy, upstream: &TcpListener, request: &str) -> (TcpStream, TcpStream, String) {
    let mut client = proxy.dial();
    client.write_all(request.as_bytes()).unwrap();
    let mut far = accept(upstream);
    let request = head(&mut far);
    (client, far, request)
}

#[test]
fn a_request_is_forwarded_and_the_tunnel_starts_behind_the_answer() {
    let (proxy, upstream) = chained("");
    let (mut client, mut far, request) = asked(&proxy, &upstream, &format!("{REQUEST}early"));
    let mut lines = request.split("\r\n");
    assert_eq!(lines.next(), Some("CONNECT name.invalid:443 HTTP/1.1"));
    assert_eq!(lines.next(), Some("Host: name.invalid:443"));
    assert_eq!(lines.next(), Some("X-Kept: 1"));
    assert_eq!(lines.next(), Some("Via: 1.0 fred"));
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("Via: 1.1 reference-proxy-")
    );
    assert_eq!(lines.next(), Some(""));
    // Nothing of the tunnel before the answer.
    far.set_read_timeout(Some(std::time::Duration::from_millis(200)))
        .unwrap();
    far.read(&mut [0]).unwrap_err();
    far.set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    far.write_all(b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.0 200 Fine\r\nContent-Length: 5\r\n\r\nhello").unwrap();
    assert_eq!(head(&mut client), "HTTP/1.1 103 \r\nlink: </a>\r\n\r\n");
    assert_eq!(
        head(&mut client),
        "HTTP/1.1 200 Connection Established\r\n\r\n"
    );
    assert_eq!(&octets(&mut client), b"hello");
    assert_eq!(&octets(&mut far), b"early");
    let port = far.peer_addr().unwrap().port().to_string();
    drop((client, far));
    assert_eq!(proxy.access_lines(1)[0][1], port);
}

#[test]
fn an_old_client_hears_no_interim_answer() {
    let (proxy, upstream) = chained("");
    let (mut client, mut far, request) =
        asked(&proxy, &upstream, "CONNECT a.test:443 HTTP/1.0\r\n\r\n");
    assert!(
        request.contains("\r\nVia: 1.0 reference-proxy-"),
        "{request}"
    );
    far.write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        .unwrap();
    assert_eq!(
        head(&mut client),
        "HTTP/1.1 200 Connection Established\r\n\r\n"
    );
}

#[test]
fn an_upstream_gets_the_credentials_that_are_for_it() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let [guarded, open] = [&upstream, &other].map(|listener| listener.local_addr().unwrap());
    let proxy = Proxy::with(&format!(
        "ProxyRemoteMatch ^open[.] http://{open}\nProxyRemote name.invalid:443 http://{guarded}/ \"ann:open sesame\"\n"
    ));
    let own = "Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n";
    let request = REQUEST.replace(
        "X-Kept",
        "Proxy-Authorization: Basic ZXZlOmV2ZQ==\r\nX-Kept",
    );
    let (_, _, asked_for) = asked(&proxy, &upstream, &request);
    assert!(asked_for.contains(own), "{asked_for}");
    assert_eq!(asked_for.matches("Authorization").count(), 1, "{asked_for}");
    let (_, _, asked_for) = asked(
        &proxy,
        &other,
        &request.replace("name.invalid", "open.invalid"),
    );
    assert!(!asked_for.contains("Authorization"), "{asked_for}");
}

#[test]
fn a_refusal_is_told_in_own_words() {
    let (proxy, upstream) = chained("");
    for (answer, status, proxy_status) in [
        (
            "HTTP/1.1 403 x\r\nProxy-Status: u; error=dns_error\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 x\r\n\r\n",
            403,
            "u; error=dns_error, reference-proxy; received-status=403",
        ),
        (
            "HTTP/1.1 407 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            502,
            "reference-proxy; received-status=407",
        ),
        (
            "HTTP/1.1 101 x\r\n\r\n",
            502,
            "reference-proxy; received-status=101",
        ),
        (
            "HTTP/1.1 302 x\r\nContent-Length: abc\r\n\r\n",
            502,
            "reference-proxy; error=http_protocol_error",
        ),
        (
            "SSH-2.0-x\r\n",
            502,
            "reference-proxy; error=http_protocol_error",
        ),
        (
            "HTTP/1.1 200 x\nA: b\n\n",
            502,
            "reference-proxy; error=http_protocol_error",
        ),
        ("", 502, "reference-proxy; error=connection_terminated"),
    ] {
        let (mut client, mut far, _) = asked(&proxy, &upstream, REQUEST);
        far.write_all(answer.as_bytes()).unwrap();
        crate::support::finish(&far);
        let told = everything(&mut client);
        assert!(
            told.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}: {told}"
        );
        assert!(
            told.contains(&format!("\r\nProxy-Status: {proxy_status}\r\n")),
            "{answer}: {told}"
        );
        assert_eq!(told.matches("HTTP/1.1").count(), 1, "{told}");
    }
}

#[test]
fn nothing_reaches_an_upstream_behind_its_refusal() {
    let (proxy, upstream) = chained("");
    let (mut client, mut far, _) = asked(&proxy, &upstream, REQUEST);
    far.write_all(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    client.write_all(REQUEST.as_bytes()).unwrap();
    // Only the end comes, and nobody connects again.
    let _ = end(&mut far);
    assert!(everything(&mut client).starts_with("HTTP/1.1 502 "));
    assert!(!was_contacted(&upstream));
}

#[test]
fn a_silent_upstream_is_given_up() {
    let (proxy, upstream) = chained("ProxyTimeout 1\n");
    let (mut client, _far, _) = asked(&proxy, &upstream, REQUEST);
    let told = everything(&mut client);
    assert!(
        told.starts_with("HTTP/1.1 504 ") && told.contains("error=connection_read_timeout"),
        "{told}"
    );
}

#[test]
fn an_upstream_that_is_down_is_no_reason_to_go_directly() {
    let (server, allow) = server();
    let (_bound, closed) = closed_port();
    let proxy = Proxy::with(&format!("{allow}ProxyRemote * http://{closed}\n"));
    assert_eq!(proxy.status(&connect(&server, "")), 502);
    assert!(!was_contacted(&server));
}

#[test]
fn a_denied_port_never_reaches_the_upstream() {
    let (proxy, upstream) = chained("ProxyBlock bad.test\n");
    assert_eq!(
        proxy.status("CONNECT a.test:25 HTTP/1.1\r\nHost: a\r\n\r\n"),
        403
    );
    assert_eq!(
        proxy.status("CONNECT www.bad.test:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        403
    );
    assert!(!was_contacted(&upstream));
}

#[test]
fn some_hosts_are_reached_directly() {
    let (server, allow) = server();
    let (_bound, closed) = closed_port();
    let proxy = Proxy::with(&format!(
        "{allow}ProxyRemote * http://{closed}\nNoProxy 127.0.0.0/8\n"
    ));
    drop(proxy.tunnel(&server));
}

#[test]
fn a_proxy_that_is_its_own_upstream_stops() {
    let (proxy, upstream) = chained("");
    let (mut client, mut far, request) = asked(&proxy, &upstream, REQUEST);
    // The upstream sends the request back to where it came from.
    let told = proxy.exchange(&request);
    assert!(
        told.starts_with("HTTP/1.1 502 ") && told.contains("proxy_loop_detected"),
        "{told}"
    );
    far.write_all(b"HTTP/1.1 502 x\r\n\r\n").unwrap();
    assert!(everything(&mut client).starts_with("HTTP/1.1 502 "));
}
