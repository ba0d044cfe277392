//! Which way a tunnel takes: `ProxyRemote`, `ProxyRemoteMatch` and `NoProxy`, by who says hello at its end.

use super::Test;
use super::pair::{Home, Running, Who, config};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

pub(crate) fn trials() -> Vec<Test> {
    vec![
        (
            "remotes::the_way_is_that_of_httpd",
            the_way_is_that_of_httpd,
        ),
        (
            "remotes::no_spelling_gets_around_one",
            no_spelling_gets_around_one,
        ),
        (
            "remotes::what_is_refused_with_its_line",
            what_is_refused_with_its_line,
        ),
    ]
}

/// A server that says `hello` when somebody comes, at these addresses and one port; as a proxy it does so when it has
/// granted what it was asked for.
fn server(hello: u8, addresses: &[&str], proxy: bool) -> u16 {
    let (listeners, port) = loop {
        let first = TcpListener::bind((addresses[0], 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let others = addresses[1..]
            .iter()
            .map(|address| TcpListener::bind((*address, port)));
        if let Ok(mut listeners) = others.collect::<Result<Vec<_>, _>>() {
            listeners.push(first);
            break (listeners, port);
        }
    };
    for listener in listeners {
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    if proxy {
                        let _ = head(&mut stream);
                        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
                    }
                    let _ = stream.write_all(&[hello]);
                    let _ = stream.read_to_end(&mut Vec::new());
                });
            }
        });
    }
    port
}

fn head(stream: &mut TcpStream) -> Vec<u8> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
        head.push(octet[0]);
    }
    head
}

/// The status of a CONNECT, and who said hello.
fn way(proxy: &Running, target: &str) -> (String, Option<char>) {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(stream, "CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let head = String::from_utf8(head(&mut stream)).unwrap();
    let status = head.get(9..12).unwrap_or_default().to_owned();
    let mut octet = [0];
    let hello = (status == "200" && stream.read(&mut octet).is_ok_and(|read| read == 1))
        .then_some(char::from(octet[0]));
    (status, hello)
}

/// The ports of the target, and of two upstream proxies.
struct Servers {
    target: u16,
    one: u16,
    two: u16,
}

impl Servers {
    fn open() -> Self {
        Self {
            target: server(b'D', &["127.0.0.1", "::1"], false),
            one: server(b'1', &["127.0.0.1"], true),
            two: server(b'2', &["127.0.0.1"], true),
        }
    }

    fn named(&self, text: &str) -> String {
        text.replace("PORT", &self.target.to_string())
            .replace("ONE", &format!("http://127.0.0.1:{}", self.one))
            .replace("TWO", &format!("http://127.0.0.1:{}", self.two))
    }
}

fn the_way_is_that_of_httpd() {
    let servers = Servers::open();
    let mut met = std::collections::BTreeSet::new();
    for lines in LINES {
        let text = config(&servers.named(&format!("AllowCONNECT 1-65535\n{lines}\n")));
        let pair = [Who::Httpd, Who::Reference].map(|who| Home::new(who, &text).launch());
        for target in TARGETS {
            let target = servers.named(target);
            let [theirs, ours] = pair.each_ref().map(|proxy| way(proxy, &target));
            assert_eq!(theirs, ours, "{lines}: {target}");
            met.insert(ours.1);
        }
    }
    assert_eq!(
        met.len(),
        4,
        "directly, through either, and not at all: {met:?}"
    );
}

/// The same names in other letters: httpd goes directly, this proxy does not.
fn no_spelling_gets_around_one() {
    let servers = Servers::open();
    for (lines, target, direct) in [
        ("ProxyRemote localhost ONE", "localhost.:PORT", false),
        ("ProxyRemote localhost:PORT ONE", "localhost:0PORT", true),
        ("ProxyRemoteMatch ^localhost: ONE", "LOCALHOST:PORT", true),
    ] {
        let text = config(&servers.named(&format!("AllowCONNECT 1-65535\n{lines}\n")));
        let pair = [Who::Httpd, Who::Reference].map(|who| Home::new(who, &text).launch());
        let [theirs, ours] = pair
            .each_ref()
            .map(|proxy| way(proxy, &servers.named(target)));
        // The resolver does not know every spelling.
        assert_ne!(theirs.1, Some('1'), "{lines} {target}");
        assert_eq!(theirs.1 == Some('D'), direct, "{lines} {target}");
        assert_eq!(ours, ("200".into(), Some('1')), "{lines} {target}");
    }
}

fn what_is_refused_with_its_line() {
    for (line, httpd_takes) in [
        ("ProxyRemote * https://127.0.0.1:1", true),
        ("ProxyRemote * socks://127.0.0.1:1", true),
        ("ProxyRemote * http://127.0.0.1:1x", true),
        ("ProxyRemote * http://u:p@127.0.0.1:1", false),
        ("ProxyRemote * http://127.0.0.1:", false),
        ("ProxyRemote * 127.0.0.1:1", false),
        ("ProxyRemote * http://127.0.0.1:1 a:b c", false),
        ("ProxyRemoteMatch ( http://127.0.0.1:1", false),
        ("NoProxy 127.0.0.0/255.0.0.0", true),
    ] {
        let text = config(&format!("{line}\n"));
        let [theirs, ours] = [Who::Httpd, Who::Reference].map(|who| Home::new(who, &text).check());
        assert_eq!(theirs.0, httpd_takes, "{line}: {}", theirs.1);
        assert!(
            !ours.0 && ours.1.contains("Syntax error on line "),
            "{line}: {}",
            ours.1
        );
    }
}

const TARGETS: &[&str] = &[
    "127.0.0.1:PORT",
    "localhost:PORT",
    "LOCALHOST:PORT",
    "[::1]:PORT",
    "name.invalid:PORT",
];

/// ONE and TWO are upstream proxies, PORT the port of the target.
const LINES: &[&str] = &[
    "ProxyRemote * ONE",
    "ProxyRemote 127.0.0.1 ONE",
    "ProxyRemote LOCALHOST ONE/",
    "ProxyRemote 127.0.0.1: ONE/path",
    "ProxyRemote LocalHost:PORT ONE",
    "ProxyRemote localhost:0 ONE",
    "ProxyRemote https ONE",
    "ProxyRemote http://localhost ONE",
    "ProxyRemote 127.0.0. ONE",
    "ProxyRemote 127* ONE",
    "ProxyRemote [ ONE",
    "ProxyRemote [::1]: ONE",
    "ProxyRemote ::1 ONE",
    "ProxyRemoteMatch . ONE",
    "ProxyRemoteMatch ^127 ONE",
    "ProxyRemoteMatch :PORT$ ONE",
    "ProxyRemoteMatch ^https: ONE",
    "ProxyRemoteMatch (?i)^LOCAL ONE",
    "ProxyRemoteMatch ^(?!127) ONE",
    "ProxyRemote 127.0.0.1 ONE\nProxyRemote * TWO",
    "ProxyRemoteMatch ^name ONE\nProxyRemote localhost TWO\nProxyRemote * ONE",
    "ProxyRemote * ONE\nProxyRemote 127.0.0.1 TWO",
    "ProxyRemote name.invalid ONE\n<VirtualHost *>\nProxyRemote * TWO\n</VirtualHost>",
    "ProxyRemote * ONE\nNoProxy 127.0.0.0/8",
    "ProxyRemote * ONE\nNoProxy LOCALHOST ::1 .test",
    "ProxyRemote localhost ONE\nNoProxy 128.0.0.0/8",
    "ProxyRemote * ONE\nNoProxy 127 .invalid",
    "ProxyRemote * ONE\nNoProxy 127.0.0.1\nProxyDomain .invalid",
    "ProxyRemote * ONE user:secret",
    "ProxyMaxForwards 0\nProxyRemote * ONE",
];
