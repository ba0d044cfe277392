//! A name with several addresses, of which the first ones refuse.
//!
//! httpd tries them one after another, in the order in which the resolver gives them; this proxy starts the next one when
//! the last has failed, or after a quarter of a second (`staggered-addresses`). Either gets there.

use super::Test;
use super::pair::{Home, Who, config, echo_at};
use std::path::Path;

pub(crate) fn trials() -> Vec<Test> {
    vec![(
        "addresses::of_a_name_are_tried_in_their_order",
        of_a_name_are_tried_in_their_order,
    )]
}

/// The last of them, by the order of resolvers: the server is there.
const OPEN: &str = "127.0.0.12";
const HOSTS: &str = "127.0.0.1 localhost\n127.0.0.11 several.test\n127.0.0.12 several.test\n\
                     127.0.0.10 several.test\n";

fn of_a_name_are_tried_in_their_order() {
    let port = echo_at(OPEN);
    let text = config(&format!(
        "AllowCONNECT {port}\nLogLevel info proxy:debug\nErrorLogFormat \"%M\"\n"
    ));
    let request = format!("CONNECT several.test:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
    for who in [Who::Httpd, Who::Reference] {
        let running = Home::new(who, &text).with_hosts(HOSTS).launch();
        let seen = running.exchange(request.as_bytes());
        assert!(seen.tunnel && seen.line[1] != "-", "{who:?}: {seen:?}");
        if who == Who::Httpd {
            let failed = failed_attempts(&running.file("error.log"));
            let before: Vec<_> = resolved()
                .into_iter()
                .take_while(|address| address != OPEN)
                .collect();
            assert!(!before.is_empty(), "no address comes before {OPEN}");
            assert_eq!(failed, before);
        }
    }
}

/// The addresses of httpd's entries about attempts that failed, in their order.
fn failed_attempts(log: &str) -> Vec<String> {
    log.lines()
        .filter(|line| line.ends_with("failed"))
        .filter_map(|line| line.split_once("attempt to connect to ")?.1.split_once(':'))
        .map(|(address, _)| address.to_owned())
        .collect()
}

/// What the resolver says there, in its order.
fn resolved() -> Vec<String> {
    let home = Home::new(Who::Reference, "").with_hosts(HOSTS);
    let output = home
        .wrapped(Path::new("getent"))
        .args(["ahostsv4", "several.test"])
        .output()
        .unwrap();
    let mut addresses: Vec<_> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    addresses.dedup();
    addresses
}
