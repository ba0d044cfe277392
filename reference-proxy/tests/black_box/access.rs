//! Who may use the proxy.

use crate::support::{Proxy, connect, head, refused, server, was_contacted};
use std::io::Write;

/// `ann` with the password "open sesame", by every kind of hash.
const USERS: &str = "\
ann:$apr1$I1irUAh6$9OlwtR0XqKcQRaZbN9kHc0
bob:$2y$05$sd3q3hRPduoE/55VZE9BPeHlczUUBkcBdTFjqRwJj7/OmR7e7XxDO
eve:$6$FWGH5TTsx3vTJbIG$s7qCCPiUW9KEkIBwBgrNeItkxaFw2RXIHFWJDi8F2SBk8on4RX28eypLVGhMcJ3BoXTvtWBqnIjWiuH.tklLY/
";

fn users() -> String {
    USERS.into()
}

/// `Proxy-Authorization` for `user:open sesame`.
fn credentials(user: &str) -> &'static str {
    match user {
        "ann" => "Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n",
        "bob" => "Proxy-Authorization: bAsIc   Ym9iOm9wZW4gc2VzYW1l\r\n",
        "eve" => "PROXY-AUTHORIZATION: Basic ZXZlOm9wZW4gc2VzYW1l\r\n",
        "wrong" => "Proxy-Authorization: Basic YW5uOmNsb3NlIHNlc2FtZQ==\r\n",
        _ => "Proxy-Authorization: Basic bm9ib2R5Om9wZW4gc2VzYW1l\r\n",
    }
}

fn guarded(allow: &str, require: &str) -> (Proxy, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, users()).unwrap();
    let proxy = Proxy::with(&format!(
        "{allow}<Proxy \"*\">\nAuthType Basic\nAuthName \"the staff\"\nAuthUserFile {}\n{require}\n</Proxy>\n",
        file.display()
    ));
    (proxy, folder)
}

#[test]
fn credentials_open_the_way_and_nothing_else_does() {
    let (server, allow) = server();
    let (proxy, _folder) = guarded(&allow, "Require valid-user");
    for user in ["ann", "bob", "eve"] {
        drop(proxy.tunnel_with(&server, credentials(user)));
    }
    let stolen = credentials("ann").replace("Proxy-", "");
    let twice = credentials("ann").repeat(2);
    let garbage = "Proxy-Authorization: Basic !!\r\n";
    for fields in [
        "",
        credentials("wrong"),
        credentials("nobody"),
        &stolen,
        &twice,
        garbage,
    ] {
        let answer = proxy.exchange(&connect(&server, fields));
        assert!(answer.starts_with("HTTP/1.1 407 "), "{fields}: {answer}");
        assert!(
            answer.contains("\r\nProxy-Authenticate: Basic realm=\"the staff\"\r\n"),
            "{answer}"
        );
    }
    assert!(!was_contacted(&server));
    // Unauthenticated clients do not learn which ports are open.
    assert_eq!(
        proxy.status("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        407
    );
    let denied = format!(
        "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n{}\r\n",
        credentials("ann")
    );
    assert_eq!(proxy.status(&denied), 403);
    let lines = proxy.access_lines(11);
    assert_eq!(
        lines.iter().filter(|line| line[3] == "ann").count(),
        3,
        "{lines:?}"
    );
}

#[test]
fn users_are_told_apart() {
    let (server, allow) = server();
    let (proxy, _folder) = guarded(&allow, "Require user ann eve");
    drop(proxy.tunnel_with(&server, credentials("ann")));
    assert_eq!(proxy.status(&connect(&server, credentials("bob"))), 407);
}

#[test]
fn addresses_decide_where_told() {
    let (server, allow) = server();
    for (require, status) in [
        ("Require ip 127.0.0.0/8", 200),
        ("Require ip 192.0.2.0/24", 403),
        ("Require all granted", 200),
        ("Require all denied", 403),
        ("Require local", 200),
        (
            "<RequireAll>\nRequire all granted\nRequire not ip 127.0.0.1\n</RequireAll>",
            403,
        ),
    ] {
        let proxy = Proxy::with(&format!("{allow}<Proxy \"*\">\n{require}\n</Proxy>\n"));
        let mut client = proxy.dial();
        client.write_all(connect(&server, "").as_bytes()).unwrap();
        let answer = head(&mut client);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{require}: {answer}"
        );
    }
}

#[test]
fn a_user_file_that_is_not_there_lets_nobody_in() {
    let (server, allow) = server();
    let (proxy, folder) = guarded(&allow, "Require valid-user");
    drop(folder);
    assert_eq!(proxy.status(&connect(&server, credentials("ann"))), 500);
    assert!(!was_contacted(&server));
}

#[test]
fn destinations_are_judged_where_they_are_dialled() {
    let (server, allow) = server();
    let port = server.local_addr().unwrap().port();
    let proxy = Proxy::with(&format!(
        "{allow}DenyDestination loopback\nAllowDestination 127.0.0.7 ::1\n<Proxy \"*\">\nRequire all granted\n</Proxy>\n"
    ));
    for host in [
        "127.0.0.1",
        "127.0.0.8",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::7]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "240.0.0.1",
        "[fe80::1]",
    ] {
        let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(proxy.status(&request), 403, "{host}");
    }
    assert!(!was_contacted(&server));
    // The one address of the name that may be dialled has nobody who listens.
    let name = format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!([403, 502].contains(&proxy.status(&name)));
    assert!(!was_contacted(&server));

    let (server, allow) = crate::support::server();
    let all = Proxy::with(&format!(
        "{allow}DenyDestination all\nAllowDestination 127.0.0.1\n<Proxy \"*\">\nRequire all granted\n</Proxy>\n"
    ));
    drop(all.tunnel_with(&server, ""));
}

#[test]
fn a_destination_that_is_none_is_an_error() {
    for line in [
        "AllowDestination privat",
        "DenyDestination",
        "DenyDestination a.test",
        "AllowDestination ::ffff:10.0.0.0/104",
    ] {
        assert_eq!(refused(line).0, line);
    }
}
