//! The properties of the fuzz targets on random input, bounded, with nothing but stable Rust.
//!
//! cargo-fuzz finds more, as it sees which code an input reaches; `ci/fuzz` runs it where it is installed. Here inputs are
//! made of what the parsers look for, and damaged. `CONNECTSPEC_FUZZ_INPUTS` says how many each property gets.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

#[path = "../properties/config.rs"]
mod config;
#[path = "../properties/http2.rs"]
mod http2;
#[path = "../properties/log_format.rs"]
mod log_format;
#[path = "../properties/request.rs"]
mod request;
#[path = "../properties/upstream_reply.rs"]
mod upstream_reply;

/// How many inputs a property gets in an ordinary run: some seconds without optimisation.
const INPUTS: u32 = 10_000;

/// One of so many inputs has to be accepted, at least.
const ACCEPTED: u32 = 100;

/// Tries `holds` on so many inputs; a panic is shown with the smallest input that causes it.
#[track_caller]
fn check<S: Strategy>(inputs: &S, holds: impl Fn(S::Value) -> bool) {
    let asked = std::env::var("CONNECTSPEC_FUZZ_INPUTS").ok();
    let cases = asked.map_or(INPUTS, |asked| {
        asked
            .parse()
            .unwrap_or_else(|_| panic!("CONNECTSPEC_FUZZ_INPUTS is no number: {asked}"))
    });
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let accepted = Cell::new(0);
    let outcome = TestRunner::new(config).run(inputs, |input| {
        accepted.set(accepted.get() + u32::from(holds(input)));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Inputs that are all refused at once try nothing.
    let accepted = accepted.get();
    assert!(
        accepted > cases / ACCEPTED,
        "{accepted} of {cases} were accepted"
    );
}

/// Octets that are words of the parser's language for the most part, with some that are anything.
fn octets(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..4),
        1 => vec(select(b"\r\n \t:;,\"=\0\x7f\x80".as_slice()), 1..4),
        1 => (select(words), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(word, at, octet)| {
            let mut word = word.as_bytes().to_vec();
            let at = at.index(word.len());
            word[at] = octet;
            word
        }),
    ];
    vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    octets(words).prop_map(|octets| String::from_utf8_lossy(&octets).into_owned())
}

#[test]
fn a_request_in_two_pieces() {
    let whole = prop_oneof![octets(REQUEST), head()];
    check(&(any::<u8>(), whole), |(cut, octets)| {
        request::holds(cut, &octets)
    });
}

/// A head that is right but for one octet, or altogether.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let fields = vec(select(&REQUEST[FIELDS_FROM..]), 0..3);
    let damage = proptest::option::of((any::<prop::sample::Index>(), any::<u8>()));
    let versions = select([" HTTP/1.1\r\n", " HTTP/1.0\r\n"].as_slice());
    let target = "[a-z0-9.-]{1,9}:[0-9]{1,6}";
    (target, versions, fields, damage).prop_map(|(target, version, fields, damage)| {
        let fields = fields.concat();
        let mut head = format!("CONNECT {target}{version}Host: {target}\r\n{fields}\r\n");
        head.push_str("early");
        let mut head = head.into_bytes();
        if let Some((at, octet)) = damage {
            let at = at.index(head.len());
            head[at] = octet;
        }
        head
    })
}

#[test]
fn an_upstream_proxys_answer() {
    let whole = prop_oneof![
        octets(REPLY),
        octets(REPLY).prop_map(|rest| [b"HTTP/1.1 200 OK\r\n".to_vec(), rest].concat()),
    ];
    check(&(any::<u8>(), whole), |(cut, octets)| {
        upstream_reply::holds(cut, &octets)
    });
}

#[test]
fn a_connection_of_http2_in_two_pieces() {
    let frame = (
        select([0_u8, 1, 1, 1, 4, 6, 9, 9].as_slice()),
        select([0_u8, 4, 5, 0x0c, 0x2c].as_slice()),
        0_u8..8,
        block(),
    );
    let frame = frame.prop_map(|(kind, flags, stream, payload)| {
        let mut octets = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        octets.extend_from_slice(&[kind, flags, 0, 0, 0, stream]);
        octets.extend_from_slice(&payload);
        octets
    });
    let whole = vec(frame, 1..5).prop_map(|frames| [vec![0; 24], frames.concat()].concat());
    check(&(any::<u8>(), whole), |(cut, octets)| {
        http2::holds(cut, &octets)
    });
}

/// A field block that is right, but for what stands behind it and one octet.
fn block() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just(b"\x00\x01x\x01y".to_vec()),
        Just(b"\x40\x01x\x01y".to_vec()),
        Just(b"\xbe".to_vec()),
        Just(b"\x87".to_vec()),
        Just(b"\x00\x81\xf3\x01\x00".to_vec()),
        vec(any::<u8>(), 0..6),
    ];
    let damage = proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    ("[a-z]{1,9}:[0-9]{1,5}", vec(field, 0..3), damage).prop_map(|(target, fields, damage)| {
        let mut block = b"\x02\x07CONNECT\x41".to_vec();
        block.push(target.len() as u8);
        block.extend_from_slice(target.as_bytes());
        block.extend_from_slice(&fields.concat());
        if let Some((at, octet)) = damage {
            let at = at.index(block.len());
            block[at] = octet;
        }
        block
    })
}

#[test]
fn a_config() {
    check(&text(CONFIG), |text| config::holds(&text));
}

#[test]
fn a_log_format_and_a_line() {
    let input = (text(FORMAT), octets(REQUEST));
    check(&input, |(format, line)| log_format::holds(&format, &line));
}

/// What requests are made of.
const REQUEST: &[&str] = &[
    "CONNECT ",
    "GET ",
    "a.test:443",
    "127.0.0.1:1",
    "[::1]:65535",
    "0x7f.1:80",
    "localhost:00443",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/2.0\r\n",
    "\r\n",
    "\n",
    "Host: a.test:443\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Proxy-Authorization: Basic YTpi\r\n",
    "Max-Forwards: 1\r\n",
    "Via: 1.1 a, 1.0 b\r\n",
    "X: y\r\n z\r\n",
];

/// From here on, those are lines of a field.
const FIELDS_FROM: usize = 12;

/// What answers are made of.
const REPLY: &[&str] = &[
    "HTTP/1.1 100 Continue\r\n",
    "HTTP/1.1 103 Early Hints\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 407 No\r\n",
    "HTTP/1.1 502 \r\n",
    "Proxy-Status: p; error=connection_refused; details=\"x\"\r\n",
    "Link: </x>; rel=preload\r\n",
    "Connection: close\r\n",
    "Content-Length: 2\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n\n",
];

/// What configs are made of.
const CONFIG: &[&str] = &[
    "AllowCONNECT ",
    "443 ",
    "8000-8100 ",
    "Listen ",
    "127.0.0.1:2\n",
    "<VirtualHost *>\n",
    "</VirtualHost>\n",
    "<Proxy \"*\">\n",
    "</Proxy>\n",
    "Require all granted\n",
    "Require ip 10.0.0.0/8\n",
    "<RequireAll>\n",
    "</RequireAll>\n",
    "ServerName a.test\n",
    "<VirtualHost *>\nServerAlias *.test\n</VirtualHost>\n",
    "ProxyRemote * http://a.test:1\n",
    "ProxyRemoteMatch ^a http://b u:p\n",
    "NoProxy 10.0.0.0/8 .a.test\n",
    "SetEnvIf Host ^(a) b=$1 !c\n",
    "SetEnv b\n",
    "CustomLog x \"%{b}e\" env=!b\n",
    "KeepAlive On\n",
    "AddIcon /x y\n",
    "RequestHeader set a b\n",
    "Redirect 403 /x\n",
    "RemoteIPHeader x\n",
    "<IfDirective !Nonsense>\n",
    "</IfDirective>\n",
    "<Directory />\n",
    "</Directory>\n",
    "ProxySourceAddress 127.0.0.2\n",
    "ProxyReceiveBufferSize 65536\n",
    "SendBufferSize 511\n",
    "Timeout 5\n",
    "LogFormat \"%h %{x}i\" a\n",
    "ErrorLogFormat \"[%l] %M\"\n",
    "Define A ${B}\n",
    "${A}",
    "<IfModule mod_proxy.c>\n",
    "</IfModule>\n",
    "\\\n",
    "\n",
    "\"",
    "# ",
];

/// What formats are made of.
const FORMAT: &[&str] = &[
    "%h",
    "%r",
    "%U",
    "%>s",
    "%!200,304",
    "%{User-Agent}i",
    "%{proxy-source-port}n",
    "%{remote}p",
    "%{begin:%Y-%m-%d}t",
    "%{ms}T",
    "%{x",
    "%%",
    "\\n",
    "\\t",
    "\\\"",
    "%-L",
    "[%l] ",
    "%M",
    "%{c}a",
    " ",
    "%",
];
