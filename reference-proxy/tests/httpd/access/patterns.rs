//! What sections are about: targets as text, with wildcards, by expression, and by path.

use super::targets::Ports;
use proptest::prelude::*;
use proptest::sample::select;

/// The argument of `<Proxy>`.
pub(crate) fn pattern(ports: Ports) -> BoxedStrategy<String> {
    let whole = (select(HOSTS), port(ports)).prop_map(|(host, port)| format!("{host}{port}"));
    let cut = (select(HOSTS), port(ports), 1usize..20).prop_map(|(host, port, length)| {
        let whole = format!("{host}{port}");
        // All of these are ASCII.
        whole.get(..length).unwrap_or(&whole).to_owned()
    });
    let wild = (select(WILD), port(ports)).prop_map(|(host, port)| format!("{host}{port}"));
    prop_oneof![
        4 => whole,
        2 => cut,
        4 => wild,
        2 => select(ODD).prop_map(str::to_owned),
    ]
    .prop_map(|pattern| format!("\"{pattern}\""))
    .boxed()
}

/// The argument of `<Location>`: the same patterns, and paths, which no CONNECT has.
pub(crate) fn location(ports: Ports) -> BoxedStrategy<String> {
    prop_oneof![
        2 => pattern(ports),
        1 => select(vec!["/", "\"*\"", "\"/*\"", "/secret"]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// The end of a pattern, and of an expression.
fn port(ports: Ports) -> BoxedStrategy<String> {
    let Ports { short, long, other } = ports;
    let ports = vec![short, short, long, other];
    prop_oneof![
        3 => Just(String::new()),
        1 => Just(":".to_owned()),
        1 => Just(":*".to_owned()),
        4 => select(ports).prop_map(|port| format!(":{port}")),
        1 => Just(format!(":{}", short / 10)),
        1 => Just(format!(":{short}*")),
        1 => Just(format!(":{}?", short / 10)),
    ]
    .boxed()
}

/// Hosts without wildcards, and `[::1]`, in which httpd sees a class of two characters.
const HOSTS: &[&str] = &[
    "localhost",
    "localhost",
    "LOCALHOST",
    "LocalHost",
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0",
    "[::1]",
    "::1",
    "[::ffff:127.0.0.1]",
    "localhost.",
    "127.0.0.1.",
    "example.test",
];

/// Hosts with wildcards.
const WILD: &[&str] = &[
    "*",
    "*",
    "local*",
    "LOCAL*",
    "*host",
    "*o*",
    "?ocalhost",
    "l?calhost",
    "[a-m]*",
    "[!l]*",
    "[^l]*",
    "[l1]*",
    "[[:alpha:]]*",
    "127.*",
    "127.0.0.?",
    "127.0.0.[12]",
    "*.0.0.1",
    "*1]",
    "\\[::1\\]*",
    "\\[*",
    "[[]*",
    "l\\ocal*",
    "*.test",
];

/// What may be read in two ways.
const ODD: &[&str] = &[
    "",
    ":",
    "l",
    "1",
    "[",
    "[l",
    "[]l]*",
    "**",
    "?*",
    "\\[::1\\]",
    "localhost\\*",
    "proxy:localhost",
    "PROXY:local*",
    "http://localhost",
    "http://localhost/*",
    "*://*",
    "localhost/",
    "*localhost*",
    "localhost:*/",
];

/// The argument of `<ProxyMatch>` and `<LocationMatch>`.
pub(crate) fn regex(ports: Ports) -> BoxedStrategy<String> {
    let Ports { short, long, other } = ports;
    let of_ports = select(vec![
        format!("^localhost:{short}$"),
        format!("^localhost:({short}|{other})$"),
        format!("^(localhost|127\\.0\\.0\\.2):({short}|{long})$"),
        format!(":{short}$"),
        format!(":{short}"),
        format!(":{}\\d$", short / 10),
        format!("^127\\.0\\.0\\.[12]:{long}"),
        format!("^\\[::1\\]:{short}$"),
        format!("(?i)^localhost:{short}$"),
    ]);
    prop_oneof![1 => of_ports, 2 => select(EXPRESSIONS).prop_map(str::to_owned)]
        .prop_map(|expression| format!("\"{expression}\""))
        .boxed()
}

const EXPRESSIONS: &[&str] = &[
    "^localhost",
    "localhost",
    "LOCAL",
    "(?i)^LOCAL",
    "(?i:LOCAL)host",
    "^127\\.0\\.0\\.[12]:",
    "127.0.0.1",
    "^127",
    "",
    ".*",
    "^",
    "$",
    "^[^:]+$",
    "^[^:]+:[0-9]+$",
    "\\.test:",
    "^https?://",
    "^local.*:\\d{4}$",
    "^[[:alpha:]]+:",
    "\\blocalhost\\b",
    "^\\[",
    "^(?!local)",
    "(?<=t):",
    "^l.c.l",
    "/",
    "^/",
    "^/?local",
    "^/*",
    "^/|1:",
];

/// The argument of `<If>`.
pub(crate) fn expression() -> BoxedStrategy<String> {
    select(vec![
        "\"true\"",
        "\"false\"",
        "\"%{HTTP_HOST} =~ /localhost/\"",
        "\"%{REMOTE_ADDR} == '127.0.0.5'\"",
        "\"-R '127.0.0.1'\"",
        "\"%{REQUEST_METHOD} == 'CONNECT'\"",
    ])
    .prop_map(str::to_owned)
    .boxed()
}
