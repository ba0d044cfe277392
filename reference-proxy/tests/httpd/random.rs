//! Random configs and requests.

use super::pair::{Home, Running, Seen, Who, both, config, echo};
use super::{Test, known};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("random::words_of_allow_connect", words_of_allow_connect),
        ("random::configs_and_requests", configs_and_requests),
    ]
}

/// How many, from the environment.
fn count(name: &str, default: u32) -> u32 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// The same values on every run; `CONNECTSPEC_HTTPD_SEED` changes them.
fn runner(cases: u32) -> TestRunner {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&count("CONNECTSPEC_HTTPD_SEED", 1).to_be_bytes());
    let config = Config {
        cases,
        max_shrink_iters: 30,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// A word: mostly a port or a range, sometimes neither.
fn word() -> impl Strategy<Value = String> {
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

fn quoted(word: &str) -> String {
    match word.is_empty() || word.contains(char::is_whitespace) {
        true => format!("\"{word}\""),
        false => word.to_owned(),
    }
}

fn words_of_allow_connect() {
    let mut runner = runner(count("CONNECTSPEC_HTTPD_CONFIGS", 40));
    let outcome = runner.run(&vec(word(), 1..4), |words| {
        let line = words
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(" ");
        let config = config(&format!("AllowCONNECT {line}\n"));
        let [theirs, ours] =
            [Who::Httpd, Who::Reference].map(|who| Home::new(who, &config).check());
        let deviation = words.iter().find_map(|word| known::of_word(word));
        match (theirs.0, ours.0, deviation) {
            (true, false, Some(_)) => Ok(()),
            (same, own, _) if same == own && same => Ok(()),
            // Which of two wrong words is told first may differ where one of them is only wrong here.
            (false, false, Some(_)) => Ok(()),
            (false, false, None) if complaint(&theirs.1) == complaint(&ours.1) => Ok(()),
            _ => Err(TestCaseError::fail(format!(
                "{line}\nhttpd: {theirs:?}\nhere:  {ours:?}"
            ))),
        }
    });
    outcome.unwrap();
}

/// The line behind the one that names the place.
pub(crate) fn complaint(said: &str) -> String {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.contains("AH00526"))
        .skip(1);
    lines.next().unwrap_or_default().to_owned()
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
    fn octets(&self) -> Vec<u8> {
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
struct Ports {
    open: [u16; 3],
    closed: u16,
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

fn request(ports: Ports) -> impl Strategy<Value = Request> {
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
struct Setup {
    main: Option<Vec<u16>>,
    host: Option<Option<Vec<u16>>>,
    more: Vec<&'static str>,
}

impl Setup {
    fn text(&self, address: &str) -> String {
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

    /// Whether the list that counts for `host` holds `port`.
    fn allows(&self, host: &str, port: u16) -> bool {
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

fn setup(ports: Ports) -> impl Strategy<Value = Setup> {
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

fn configs_and_requests() {
    let held = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    held.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let closed = held.local_addr().unwrap().as_socket().unwrap().port();
    let ports = Ports {
        open: [echo(), echo(), echo()],
        closed,
    };
    let requests = count("CONNECTSPEC_HTTPD_REQUESTS", 12) as usize;
    let case = (setup(ports), vec(request(ports), requests..=requests));
    let (mut compared, mut deviating) = (0, 0);
    let mut runner = runner(count("CONNECTSPEC_HTTPD_CONFIGS", 10));
    let outcome = runner.run(&case, |(setup, requests)| {
        let text = config(&setup.text("*"));
        let pair = both(&text);
        for request in requests {
            match compare(&pair, &setup, &request, ports) {
                Ok(Some(_)) => DEVIATING.with(|count| count.set(count.get() + 1)),
                Ok(None) => COMPARED.with(|count| count.set(count.get() + 1)),
                Err(difference) => return Err(TestCaseError::fail(difference)),
            }
        }
        Ok(())
    });
    COMPARED.with(|count| compared += count.get());
    DEVIATING.with(|count| deviating += count.get());
    outcome.unwrap();
    // The generator must not drift into a corner where everything is excused.
    assert!(
        compared > deviating / 2,
        "{compared} compared, {deviating} excused"
    );
}

thread_local! {
    static COMPARED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    static DEVIATING: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Compares one exchange; `Ok(Some)` names the deviation that excuses it.
fn compare(
    [httpd, reference]: &[Running; 2],
    setup: &Setup,
    request: &Request,
    ports: Ports,
) -> Result<Option<&'static str>, String> {
    let octets = request.octets();
    let (theirs, ours) = (httpd.exchange(&octets), reference.exchange(&octets));
    let port = request.port.parse().unwrap_or(0);
    let excuse = known::of_request(
        request,
        setup.allows(request.host, port),
        ports.open.contains(&port),
    );
    let told = || {
        format!(
            "{excuse:?}\n{}{}\nhttpd: {theirs:#?}\nhere:  {ours:#?}",
            setup.text("*"),
            String::from_utf8_lossy(&octets)
        )
    };
    // Whatever the excuse, this proxy never opens what httpd keeps shut.
    if ours.tunnel && !theirs.tunnel {
        return Err(told());
    }
    match excuse {
        Some(name) => Ok(Some(name)),
        None if comparable(&theirs) == comparable(&ours) => Ok(None),
        None => Err(told()),
    }
}

/// What must agree: the outcome and the log line, of which the source port only counts as there or not.
pub(crate) fn comparable(seen: &Seen) -> (u16, bool, Vec<String>) {
    let mut line = seen.line.clone();
    if let Some(note) = line.get_mut(1) {
        *note = if note == "-" { "-" } else { "a port" }.to_owned();
    }
    // Behind a refusal httpd keeps the connection, and says so in %X.
    if let Some(after) = line.get_mut(5).filter(|_| !seen.tunnel) {
        "-".clone_into(after);
    }
    // Of a request that could not be read, each logs what it had read by then (log-of-malformed).
    if seen.status == 400 {
        for index in [2, 7, 9] {
            if let Some(part) = line.get_mut(index) {
                "-".clone_into(part);
            }
        }
    }
    (seen.status, seen.tunnel, line)
}
