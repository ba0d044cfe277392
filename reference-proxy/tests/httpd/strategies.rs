//! What random configs and requests are made of.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A word: mostly a port or a range, sometimes neither.
pub(crate) fn word() -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            4 => (0u32..70_000).prop_map(|number| number.to_string()),
            1 => any::<u64>().prop_map(|number| number.to_string()),
            1 => "0{1,3}[0-9]{1,4}",
            1 => Just("99999999999999999999".to_owned()),
        ]
    };
    prop_oneof![
        4 => number(),
        4 => (number(), select(vec!["-", "-", "-", "- ", "-+", "--", " -", ","]), number())
            .prop_map(|(first, between, last)| format!("{first}{between}{last}")),
        1 => "[0-9a-z+*# -]{0,8}",
    ]
}

pub(crate) fn quoted(word: &str) -> String {
    match word.is_empty() || word.contains(char::is_whitespace) {
        true => format!("\"{word}\""),
        false => word.to_owned(),
    }
}

/// The parts of a request that vary.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) host: &'static str,
    pub(crate) port: String,
    pub(crate) version: &'static str,
    pub(crate) hosts: Vec<&'static str>,
    pub(crate) fields: Vec<&'static str>,
}

impl Request {
    pub(crate) fn octets(&self) -> Vec<u8> {
        let Self {
            method,
            host,
            port,
            version,
            hosts,
            fields,
        } = self;
        let space = if version.is_empty() { "" } else { " " };
        let mut lines = vec![
            format!("{method} {host}:{port}{space}{version}"),
            "User-Agent: the \"agent\"".to_owned(),
        ];
        lines.extend(hosts.iter().map(|host| format!("Host: {host}")));
        lines.extend(fields.iter().map(|&field| field.to_owned()));
        (lines.join("\r\n") + "\r\n\r\n").into_bytes()
    }
}

/// Ports by role: three that answer and one that refuses.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) open: [u16; 3],
    pub(crate) closed: u16,
}

fn port(ports: Ports) -> impl Strategy<Value = String> {
    let [a, b, c] = ports.open.map(u32::from);
    prop_oneof![
        12 => select(vec![a, b, c, u32::from(ports.closed)]).prop_map(|port| port.to_string()),
        1 => select(vec![a, b]).prop_map(|port| format!("00{port}")),
        1 => select(vec![a, b]).prop_map(|port| (port + 65536).to_string()),
        1 => select(vec![a, b]).prop_map(|port| format!("+{port}")),
        1 => select(vec!["0", "", "x", "-1", "443x", "443"]).prop_map(str::to_owned),
    ]
}

pub(crate) fn request(ports: Ports) -> impl Strategy<Value = Request> {
    let method = prop_oneof![8 => Just("CONNECT"), 1 => select(vec!["connect", "BREW"])];
    let host = prop_oneof![1 => Just("127.0.0.1"), 1 => select(HOSTS)];
    let version = prop_oneof![2 => Just("HTTP/1.1"), 1 => select(VERSIONS)];
    let host_field =
        prop_oneof![2 => Just(vec!["x"]), 1 => select(HOST_FIELDS).prop_map(<[_]>::to_vec)];
    let fields = vec(select(FIELDS), 0..2);
    (method, host, port(ports), version, host_field, fields).prop_map(
        |(method, host, port, version, hosts, fields)| Request {
            method,
            host,
            port,
            version,
            hosts,
            fields,
        },
    )
}

/// Hosts of targets, right and wrong.
const HOSTS: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "two.test",
    "name.invalid",
    "",
    "a..b",
    "127.1",
    "2130706433",
    "127.0.0.01",
    "u@127.0.0.1",
    "[127.0.0.1]",
    "0x7f000001",
    "[v1.a]",
    "[]",
    "loc%61lhost",
    "::1",
    "[::1",
    "127.0.0.1:1",
];
/// Versions, right and wrong.
const VERSIONS: &[&str] = &[
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/1.10",
    "http/1.1",
    "",
];
/// Values of Host.
const HOST_FIELDS: &[&[&str]] = &[
    &["127.0.0.1"],
    &["two.test"],
    &[""],
    &[],
    &["a", "b"],
    &["a b"],
    &["a/b"],
    &["a@b"],
];
/// Other field lines, right and wrong.
const FIELDS: &[&str] = &[
    "X: y",
    "x-y: z",
    "Connection: close",
    "Proxy-Connection: keep-alive",
    "Expect: 100-continue",
    "Expect: tea",
    "Max-Forwards: 0",
    "Max-Forwards: x",
    "Max-Forwards: 5",
    "Upgrade: websocket",
    "If-Match: \"x\"",
    "Range: bytes=0-1",
    "Content-Length: 5",
    "Content-Length: x",
    "Transfer-Encoding: chunked",
    "X-Folded: a\r\n b",
    "X : y",
    "X(: y",
    "no colon",
    "Via: 1.1 fred",
    "X: \u{1}",
];

/// A list that allows some of the ports.
fn allow(ports: Ports) -> impl Strategy<Value = Option<Vec<u16>>> {
    let all = [ports.open.as_slice(), &[ports.closed]].concat();
    proptest::option::weighted(0.8, proptest::sample::subsequence(all, 1..=4))
}

/// A config, and what it should allow for which host.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    main: Option<Vec<u16>>,
    host: Option<Option<Vec<u16>>>,
    more: Vec<&'static str>,
}

impl Setup {
    pub(crate) fn text(&self, address: &str) -> String {
        let allow = |list: &Option<Vec<u16>>| match list {
            Some(ports) => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                format!("AllowCONNECT {}\n", ports.join(" "))
            }
            None => String::new(),
        };
        let hosts = self.host.as_ref().map(|list| {
            format!(
                "<VirtualHost {address}>\nServerName one.test\n</VirtualHost>\n\
                 <VirtualHost {address}>\nServerName two.test\nServerAlias 127.0.0.1\n{}</VirtualHost>\n",
                allow(list)
            )
        });
        allow(&self.main) + &self.more.concat() + &hosts.unwrap_or_default()
    }

    /// Whether nobody may use the proxy.
    pub(crate) fn denies(&self) -> bool {
        // The last section decides.
        let last = self.more.iter().rev().find(|text| text.contains("Require"));
        last.is_some_and(|text| text.contains("all denied"))
    }

    /// Whether the list that counts for `host` holds `port`.
    pub(crate) fn allows(&self, host: &str, port: u16) -> bool {
        let own = self
            .host
            .as_ref()
            .filter(|_| ["127.0.0.1", "two.test"].contains(&host))
            .and_then(Option::as_ref);
        match (&self.main, own) {
            (None, None) => [443, 563].contains(&port),
            (main, own) => main
                .iter()
                .chain(own)
                .flatten()
                .any(|&allowed| allowed == port),
        }
    }
}

pub(crate) fn setup(ports: Ports) -> impl Strategy<Value = Setup> {
    let more = select(vec![
        "<Proxy \"*\">\nRequire ip 127.0.0.0/8\n</Proxy>\n",
        "<Proxy \"*\">\nRequire all denied\n</Proxy>\n",
        "ProxyBlock blocked.test localhost\n",
        "LimitRequestFields 50\n",
        "Timeout 10\n",
        "ProxyVia On\n",
    ]);
    (
        allow(ports),
        proptest::option::of(allow(ports)),
        vec(more, 0..3),
    )
        .prop_map(|(main, host, more)| Setup { main, host, more })
}
