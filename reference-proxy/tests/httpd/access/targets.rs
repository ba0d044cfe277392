//! Servers to connect to, and random requests for them.

use super::super::pair::{Ask, echo_on};
use super::super::users::basic;
use proptest::prelude::*;
use proptest::sample::select;
use std::net::Ipv4Addr;

/// The ports of servers that send back what they get, at every address of [`ADDRESSES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Four digits.
    pub(crate) short: u16,
    /// The same digits, and one more behind them: a pattern that ends in `short` is a prefix of it.
    pub(crate) long: u16,
    /// Of another beginning.
    pub(crate) other: u16,
}

/// Where the servers listen.
const ADDRESSES: [&str; 3] = ["127.0.0.1", "127.0.0.2", "::1"];

impl Ports {
    /// Launches servers; they live as long as the test program.
    pub(crate) fn open() -> Self {
        // Below the ports that the system gives out by itself, so that nobody else gets one of them by chance.
        let first = 2000 + u16::try_from(std::process::id() % 500).unwrap();
        let free = |ports: &[u16]| {
            let bound: Option<Vec<_>> = ports
                .iter()
                .flat_map(|&port| ADDRESSES.map(|address| (address, port)))
                .map(|at| std::net::TcpListener::bind(at).ok())
                .collect();
            bound.map(|listeners| listeners.into_iter().for_each(echo_on))
        };
        let short = (first..3200).find(|&short| free(&[short, short * 10 + 1]).is_some());
        let other = (first + 4000..9000).find(|&other| free(&[other]).is_some());
        let short = short.unwrap();
        Self {
            short,
            long: short * 10 + 1,
            other: other.unwrap(),
        }
    }
}

/// Hosts of targets. All but the last two have an address.
const HOSTS: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "LocalHost",
    "127.0.0.1",
    "127.0.0.2",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "localhost.",
    "127.0.0.1.",
];

/// The password of ann is right in the first, and that of bob in the third.
const CREDENTIALS: &[&str] = &[
    "ann:open sesame",
    "ann:wrong",
    "bob:builder",
    "Ann:open sesame",
    "eve:open sesame",
    "",
];

/// Any request.
pub(crate) fn ask(ports: Ports) -> BoxedStrategy<Ask> {
    let Ports { short, long, other } = ports;
    let host = prop_oneof![4 => select(&HOSTS[..1]), 2 => select(&HOSTS[1..6]), 1 => select(HOSTS)];
    let credentials = prop_oneof![
        2 => Just(None),
        1 => Just(Some(CREDENTIALS[0])),
        1 => select(CREDENTIALS).prop_map(Some),
    ];
    let from = prop_oneof![3 => Just(Ipv4Addr::LOCALHOST), 1 => Just(Ipv4Addr::new(127, 0, 0, 5))];
    let agent = select(vec!["", "User-Agent: good\r\n", "User-Agent: bad\r\n"]);
    let host_field = prop_oneof![3 => Just(None), 1 => select(vec!["x", "localhost", "127.0.0.2"]).prop_map(Some)];
    let port = select(vec![short, short, long, other]);
    (host, port, credentials, from, agent, host_field)
        .prop_map(|(host, port, credentials, from, agent, host_field)| Ask {
            from,
            host: host_field.map(str::to_owned),
            fields: credentials.map_or_else(String::new, basic) + agent,
            ..Ask::new(&format!("{host}:{port}"))
        })
        .boxed()
}
