//! The versions of HTTP on the command line: what is asked over which, and who says so.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process,
    time::Duration,
};

use assert_cmd::Command;

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// What a command printed on both streams, and its exit status.
fn said(arguments: &[&str]) -> (String, i32) {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.args(arguments).timeout(LIMIT).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8(text).unwrap(),
        output.status.code().unwrap(),
    )
}

#[track_caller]
fn expect(arguments: &[&str], status: i32, words: &[&str]) {
    let (text, code) = said(arguments);
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    assert_eq!(code, status, "{text}");
}

/// The ids that `list` names.
#[track_caller]
fn listed(arguments: &[&str]) -> Vec<String> {
    let (text, status) = said(&[&["list", "--format", "json"], arguments].concat());
    assert_eq!(status, 0, "{text}");
    let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = listing["cases"].as_array().unwrap();
    let id = |case: &serde_json::Value| case["case"].as_str().unwrap().to_owned();
    cases.iter().map(id).collect()
}

/// The report of a run against the reference proxy.
#[track_caller]
fn report(arguments: &[&str]) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let report = format!("--report=json={}", file.display());
    let (text, status) = said(&[&["run", &report], arguments].concat());
    assert_eq!(status, 0, "{text}");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Each result of a report: its case and its verdict.
fn results(report: &serde_json::Value) -> Vec<(&str, &str)> {
    let results = report["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| {
            (
                result["case"].as_str().unwrap(),
                result["verdict"].as_str().unwrap(),
            )
        })
        .collect()
}

const PLAIN: &str = "close/the_last_words_arrive";
const OVER_TLS: &str = "close@tls/the_last_words_arrive";
const OVER_H2C: &str = "close@h2c/the_last_words_arrive";
const OVER_H2: &str = "close@h2/the_last_words_arrive";

#[test]
fn a_version_that_does_not_exist_is_named_with_those_that_do() {
    expect(
        &["run", "--over", "h4"],
        3,
        &["`h4`", "http/1.1, tls, h2c, h2"],
    );
    expect(&["list", "close@h4"], 3, &["`close@h4` selects no case"]);
}

#[test]
fn nothing_is_listed_over_another_version_but_what_is_asked_for() {
    let plain = listed(&["close"]);
    assert!(plain.iter().all(|id| id.starts_with("close/")), "{plain:?}");
    let over_tls = listed(&["close", "--over", "tls"]);
    assert!(
        over_tls.iter().all(|id| id.starts_with("close@tls/")),
        "{over_tls:?}"
    );
    assert_eq!(listed(&["close@tls"]), over_tls);
    let over_http_2 = listed(&["close@h2c", "close@h2"]);
    let every = listed(&["close", "--over", "every"]);
    assert_eq!(
        every.len(),
        plain.len() + over_tls.len() + over_http_2.len()
    );
    assert_eq!(listed(&["close", "close@*"]), every);
}

#[test]
fn the_listing_says_what_else_a_case_is_asked_over() {
    expect(&["list", PLAIN], 0, &[PLAIN, "also over tls"]);
    expect(&["list", OVER_TLS], 0, &[OVER_TLS, "HTTP/1.1 over TLS"]);
}

#[test]
fn a_case_over_tls_explains_itself_and_each_names_the_other() {
    expect(
        &["explain", OVER_TLS],
        0,
        &[
            OVER_TLS,
            "As close/the_last_words_arrive, but over HTTP/1.1 over TLS",
            "LAST_WORDS",
        ],
    );
    let words = "Asked over HTTP/1.1 over TLS, too: close@tls/the_last_words_arrive";
    expect(&["explain", PLAIN], 0, &[words]);
}

#[test]
fn every_version_is_run_where_every_one_is_asked_for() {
    let report = report(&["close/the_last_words_arrive", "--over", "every"]);
    let passed = [PLAIN, OVER_H2, OVER_H2C, OVER_TLS].map(|id| (id, "pass"));
    assert_eq!(results(&report), passed);
    assert_eq!(
        report["run"]["over"],
        serde_json::json!(["http/1.1", "tls", "h2c", "h2"])
    );
}

#[test]
fn a_selector_with_a_version_runs_that_alone_behind_tls() {
    let report = report(&[OVER_TLS]);
    assert_eq!(results(&report), [(OVER_TLS, "pass")]);
    assert_eq!(report["results"][0]["setup"], "allow, tls");
}

/// Nobody has to listen there: nothing is asked.
#[test]
fn a_proxy_without_a_tls_listener_is_not_judged_over_tls() {
    expect(
        &["run", "--proxy", "127.0.0.1:9", OVER_TLS],
        2,
        &["it has no TLS listener", "no case ran"],
    );
}

/// A proxy that runs already is asked over HTTP/2 where somebody says so: in an option, or in an id.
#[test]
fn a_running_proxy_is_asked_over_http_2_where_that_is_named() {
    let serving = Serving::over_h2c();
    let proxy = ["--proxy", &serving.address];
    for over in [&[OVER_H2C][..], &["--over", "h2c", PLAIN]] {
        let report = report(&[&proxy, over].concat());
        assert_eq!(results(&report), [(OVER_H2C, "pass")]);
    }
    let words = [&["run"], &proxy[..], &["--over", "h2", PLAIN]].concat();
    expect(&words, 2, &["it does not serve HTTP/2 over TLS"]);
}

/// The reference proxy, running for others.
struct Serving {
    process: process::Child,
    address: String,
}

impl Serving {
    fn over_h2c() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut process = process::Command::new(env!("CARGO_BIN_EXE_connectspec"))
            .args(["profile", "serve", "reference", "--http", "h2c"])
            .args(["--listen", &address, "--allow", "1024-65535"])
            .stdout(process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let out = process.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut said).unwrap();
        assert!(said.contains("listens on"), "{said}");
        Self { process, address }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Its guard takes down what it has launched.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
