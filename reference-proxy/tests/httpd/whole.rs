//! A config as an administrator has one: two virtual hosts, users, an upstream proxy, both log formats.

use super::Test;
use super::pair::{Running, both, config, echo};
use super::random::comparable;
use std::io::{Read, Write};
use std::net::TcpListener;

pub(crate) fn trials() -> Vec<Test> {
    vec![("whole::one_file_serves_both", one_file_serves_both)]
}

/// "open sesame".
const HASH: &str = "$apr1$0.DEuMwu$ndw757QmvKC84KDbFXx7j0";
/// ann:open sesame
const ANN: &str = "Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n";

/// A proxy that grants everything and then echoes; returns its port.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let (mut head, mut octet) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
                    head.push(octet[0]);
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while let Ok(1) = stream.read(&mut octet) {
                    let _ = stream.write_all(&octet);
                }
            });
        }
    });
    port
}

fn one_file_serves_both() {
    let (direct, only_second, upstream) = (echo(), echo(), upstream());
    let users = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(users.path(), format!("ann:{HASH}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(users.path(), mode).unwrap();
    let text = config(&format!(
        "# An egress proxy.\n\
         AllowCONNECT 443 {direct}\n\
         ProxyTimeout 5\n\
         ProxyRemote through.test http://127.0.0.1:{upstream}\n\
         NoProxy 127.0.0.0/8 .in.test\n\
         ErrorLogFormat \"[%{{u}}t] [%l] [src=%{{proxy-source-port}}n] [client\\ %a] %M\"\n\
         LogLevel info\n\
         <IfModule mod_proxy_connect.c>\n\
         <Proxy \"*\">\n  AuthType Basic\n  AuthName \"the staff\"\n  AuthBasicProvider file\n  AuthUserFile {}\n\
         \x20 <RequireAll>\n    Require valid-user\n    Require not ip 192.0.2.0/24\n  </RequireAll>\n</Proxy>\n\
         </IfModule>\n\
         <VirtualHost *>\n  ServerName first.test\n</VirtualHost>\n\
         <VirtualHost *>\n  ServerName second.test\n  ServerAlias 127.0.0.1\n  AllowCONNECT \\\n    {only_second}\n</VirtualHost>\n",
        users.path().display()
    ));
    let pair = both(&text);
    let outcomes = pair
        .each_ref()
        .map(|running| outcomes(running, direct, only_second));
    // Line by line, with every item that the formats have.
    assert_eq!(outcomes[0].1, outcomes[1].1);
    assert_eq!(
        outcomes[1].0,
        [
            "407 - -",
            "407 ann -",
            "200 ann port",
            "200 ann port",
            "403 ann -",
            "403 ann -",
            "200 ann port"
        ]
    );
    for running in &pair {
        let errors = running.file("error.log");
        let refused = errors
            .lines()
            .find(|line| line.contains("Connect to remote machine blocked"))
            .unwrap_or_default();
        assert!(
            refused.contains("] [client 127.0.0.1:") && !refused.contains("[src="),
            "{errors}"
        );
    }
}

/// What each exchange came to, and all that can be compared of it.
type Outcomes = (Vec<String>, Vec<(u16, bool, Vec<String>)>);

fn outcomes(running: &Running, direct: u16, only_second: u16) -> Outcomes {
    let wrong = "Proxy-Authorization: Basic YW5uOndyb25n\r\n";
    [
        (format!("127.0.0.1:{direct}"), ""),
        (format!("127.0.0.1:{direct}"), wrong),
        (format!("127.0.0.1:{direct}"), ANN),
        (format!("127.0.0.1:{only_second}"), ANN),
        (format!("localhost:{only_second}"), ANN),
        ("127.0.0.1:25".into(), ANN),
        ("through.test:443".into(), ANN),
    ]
    .into_iter()
    .map(|(target, fields)| {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let seen = running.exchange(request.as_bytes());
        assert_eq!(seen.tunnel, seen.status == 200, "{target}: {seen:?}");
        let port = if seen.line[1] == "-" { "-" } else { "port" };
        let outcome = format!("{} {} {port}", seen.line[0], seen.line[4]);
        (outcome, comparable(&seen))
    })
    .unzip()
}
