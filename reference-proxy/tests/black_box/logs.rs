//! What the logs say, and that nobody writes into them from outside.

use crate::support::{Proxy, connect, octets, server};
use std::collections::HashMap;
use std::io::Write;

#[test]
fn the_source_port_is_what_the_server_saw() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let tunnels: Vec<_> = (0..50)
        .map(|index| {
            proxy.tunnel_with(
                &server,
                &format!("User-Agent: nonce-{index}\r\nproxy-source-port: 1\r\n"),
            )
        })
        .collect();
    let seen: HashMap<String, String> = tunnels
        .iter()
        .enumerate()
        .map(|(index, (_, far))| {
            (
                format!("nonce-{index}"),
                far.peer_addr().unwrap().port().to_string(),
            )
        })
        .collect();
    assert!(!proxy.file("access.log").exists() || proxy.access_lines(0).is_empty());
    drop(tunnels);
    let said: HashMap<String, String> = proxy
        .access_lines(50)
        .into_iter()
        .map(|line| (line[8].clone(), line[1].clone()))
        .collect();
    assert_eq!(said, seen);
}

#[test]
fn octets_are_counted() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (mut client, mut far) = proxy.tunnel(&server);
    client.write_all(b"12345").unwrap();
    assert_eq!(&octets(&mut far), b"12345");
    far.write_all(b"1234567").unwrap();
    assert_eq!(&octets(&mut client), b"1234567");
    drop((client, far));
    let line = &proxy.access_lines(1)[0];
    let request = connect(&server, "");
    assert_eq!(line[4], (request.len() + 5).to_string());
    assert_eq!(line[5], (39 + 7).to_string());
    assert_eq!(line[7], request.lines().next().unwrap());
}

#[test]
fn a_line_cannot_be_forged() {
    let (server, allow) = server();
    // Every item that repeats something from the wire.
    let log = "LogFormat \"%r|%U|%f|%m|%H|%u|%{User-Agent}i\" t\n";
    let proxy = Proxy::with(&format!("{allow}{log}"));
    let agent = "a\"|200|1|forged\u{1b}[31m \\ \u{e9}";
    drop(proxy.exchange(&format!(
        "CONNECT bad HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n"
    )));
    drop(proxy.exchange("CONNECT a:1\u{b}200 HTTP/1.1\r\n\r\n"));
    drop(proxy.exchange("GET /\"\\ HTTP/1.1\r\nHost: a\r\nUser-Agent: \"\u{e9}\r\n\r\n"));
    drop(proxy.tunnel(&server));
    let text = |proxy: &Proxy| std::fs::read_to_string(proxy.file("access.log")).unwrap();
    assert_eq!(proxy.access_lines(4).len(), 4);
    assert!(
        text(&proxy)
            .bytes()
            .all(|octet| octet == b'\n' || (0x20..0x7f).contains(&octet)),
        "{}",
        text(&proxy)
    );
    assert!(
        text(&proxy).contains("|proxy:/\\\"\\\\|GET|HTTP/1.1|-|\\\"\\xc3\\xa9"),
        "{}",
        text(&proxy)
    );
}

#[test]
fn the_error_log_leaves_out_what_it_does_not_know() {
    let (server, allow) = server();
    let format = "ErrorLogFormat \"<%l> [src=%{proxy-source-port}n] %M\"\n";
    let proxy = Proxy::with(&format!("{allow}Timeout 1\n{format}"));
    let (client, far) = proxy.tunnel(&server);
    let port = far.peer_addr().unwrap().port();
    assert!(
        proxy
            .says("tunnel timed out")
            .starts_with(&format!("<info> [src={port}] "))
    );
    drop((client, far));
    drop(proxy.exchange("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(
        proxy
            .says("blocked")
            .starts_with("<error> Connect to remote machine blocked")
    );
}

#[test]
fn credentials_do_not_get_into_a_log() {
    let (server, allow) = server();
    let log = "LogFormat \"%{Proxy-Authorization}i\" secret\nCustomLog access.log secret\n";
    let proxy = Proxy::with(&format!("{allow}{log}"));
    drop(proxy.tunnel_with(&server, "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    proxy.access_lines(2);
    let text = std::fs::read_to_string(proxy.file("access.log")).unwrap();
    assert!(
        !text.contains("dXNlcjpwYXNz") && text.contains("(not logged)"),
        "{text}"
    );
}
