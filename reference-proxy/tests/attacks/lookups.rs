//! Look-ups and passwords of clients that have gone.

use crate::apart::apart;
use crate::crowd::turn;
use crate::identity::is_root;
use crate::support::{Proxy, configured, head, program, reset, server};
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// A name server that never answers; an address that nobody else has, at the one port that name servers have.
const SILENT: &str = "127.53.53.53";
/// Names that are asked for and that nobody waits for.
const NAMES: usize = 3000;
/// Passwords that are sent and that nobody waits for: half a minute of work.
const PASSWORDS: usize = 300;
/// What a client that comes behind them may wait for, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);
/// "ann" with "open sesame", of bcrypt at cost 11.
const ANN: &str = "ann:$2y$11$k.zk..lFcxBB2Grev9cOm.g7Ut0pV2yO82mtL/C09RUxLf71C60oC\n";
const CREDENTIALS: &str = "Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n";

/// The program with users for targets below `users.test` and for localhost.
fn with_users(allow: &str) -> tempfile::TempDir {
    let sections: String = ["*.users.test:*", "localhost:*"]
        .map(|target| {
            format!(
                "<Proxy \"{target}\">\nAuthType Basic\nAuthName users\nAuthUserFile users\nRequire valid-user\n</Proxy>\n"
            )
        })
        .concat();
    let scratch = configured(&format!(
        "{allow}<Proxy \"*\">\nRequire all granted\n</Proxy>\n{sections}"
    ));
    std::fs::write(scratch.path().join("users"), ANN).unwrap();
    scratch
}

/// So many requests at once, all of which have arrived, and each of which is reset then.
fn leave_behind(proxy: &Proxy, requests: impl Iterator<Item = String>) {
    let before = proxy.files();
    let clients: Vec<TcpStream> = requests
        .map(|request| {
            let mut client = proxy.dial();
            client.write_all(request.as_bytes()).unwrap();
            client
        })
        .collect();
    proxy.wait_until("everybody has arrived", |proxy| {
        proxy.files() >= before + clients.len()
    });
    clients.into_iter().for_each(reset);
}

/// A login for a tunnel to localhost, by that name.
fn log_in(proxy: &Proxy, port: u16) {
    let started = Instant::now();
    let mut client = proxy.dial();
    let request =
        format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n{CREDENTIALS}\r\n");
    client.write_all(request.as_bytes()).unwrap();
    let answer = head(&mut client);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let waited = started.elapsed();
    assert!(waited < AT_ONCE, "{waited:?}");
}

#[test]
fn names_that_nobody_waits_for_hold_nobody_up() {
    if !is_root() {
        return;
    }
    let _turn = turn();
    crate::crowd::descriptors();
    let _silent = UdpSocket::bind((SILENT, 53)).unwrap();
    let (server, allow) = server();
    let port = server.local_addr().unwrap().port();
    let scratch = with_users(&allow);
    let file = scratch.path().join("resolv.conf");
    std::fs::write(&file, format!("nameserver {SILENT}\n")).unwrap();
    let mount = format!("mount --bind {} /etc/resolv.conf", file.display());
    let Some(command) = apart(&mount, &scratch) else {
        return;
    };
    let proxy = Proxy::launch(scratch, command);
    let quiet = proxy.files();
    let request = |index| {
        format!("CONNECT n{index}.test:{port} HTTP/1.1\r\nHost: n{index}.test:{port}\r\n\r\n")
    };
    leave_behind(&proxy, (0..NAMES).map(request));
    log_in(&proxy, port);
    // Nothing of it is left, neither clients nor questions but for what the last answers need.
    proxy.wait_until("its sockets are closed", |proxy| proxy.files() <= quiet + 8);
}

#[test]
fn passwords_that_nobody_waits_for_are_not_checked() {
    let _turn = turn();
    let (server, allow) = server();
    let port = server.local_addr().unwrap().port();
    let scratch = with_users(&allow);
    let command = program(&scratch);
    let proxy = Proxy::launch(scratch, command);
    let request = |index| {
        let target = format!("n{index}.users.test:{port}");
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{CREDENTIALS}\r\n")
    };
    leave_behind(&proxy, (0..PASSWORDS).map(request));
    log_in(&proxy, port);
}
