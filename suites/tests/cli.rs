//! The command line as its users meet it: what they type wrong, and what is not there.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    io::Write as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use assert_cmd::Command;

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

fn connectspec(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.args(arguments).timeout(LIMIT).env("NO_COLOR", "1");
    command
}

/// What a command printed on both streams, and its exit status.
fn said(command: &mut Command) -> (String, i32) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8(text).unwrap(),
        output.status.code().unwrap(),
    )
}

#[track_caller]
fn expect(arguments: &[&str], status: i32, words: &[&str]) {
    let (text, code) = said(&mut connectspec(arguments));
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    assert_eq!(code, status, "{text}");
}

/// A profile in a folder of its own.
fn profile(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

fn shell(script: &str) -> String {
    format!(
        "name = \"mine\"\ntitle = \"Mine\"\ninstall = \"make install\"\n\
         [launch]\nprogram = \"sh\"\nargs = [\"-c\", '''{script}''']\nready = {{ within = \"1s\" }}\n"
    )
}

#[test]
fn no_such_profile() {
    expect(
        &["run", "--profile", "apache9"],
        3,
        &["no profile `apache9`", "reference"],
    );
}

#[test]
fn no_such_file() {
    expect(
        &["run", "--profile", "./nowhere.toml"],
        3,
        &["nowhere.toml"],
    );
}

#[test]
fn a_typo_in_a_key_is_named_with_its_place_and_the_right_key() {
    let (_folder, file) =
        profile("name = \"mine\"\ntitle = \"Mine\"\n[launch]\nprogramm = \"sh\"\n");
    expect(
        &["run", "--profile", &file],
        3,
        &["mine.toml", "4", "programm", "`program`"],
    );
}

#[test]
fn a_typo_in_a_template_is_named_with_its_place_and_the_right_name() {
    let (_folder, file) = profile(&shell("{{ lisen.port }}"));
    expect(
        &["run", "--profile", &file],
        3,
        &["mine.toml", "lisen", "`listen`"],
    );
}

#[test]
fn a_missing_program_comes_with_its_install_line() {
    let (_folder, file) = profile(
        "name = \"mine\"\ntitle = \"Mine\"\ninstall = \"make install\"\n[launch]\nprogram = \"no-such-proxy\"\n",
    );
    expect(
        &["run", "--profile", &file],
        2,
        &["no-such-proxy", "make install"],
    );
}

#[test]
fn a_subject_that_ends_at_once_is_quoted() {
    let (_folder, file) = profile(&shell("echo the disk is full >&2; exit 7"));
    expect(&["run", "--profile", &file], 2, &["the disk is full", "7"]);
}

#[test]
fn a_subject_that_never_listens_is_given_up() {
    let (_folder, file) = profile(&shell("echo still thinking; exec sleep 60"));
    expect(&["run", "--profile", &file], 2, &["still thinking", "1s"]);
}

#[test]
fn a_subject_that_never_answers_is_no_proxy() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let arguments = ["run", "--proxy", &address, "--patience", "0.2"];
    expect(
        &arguments,
        2,
        &["no working CONNECT proxy", "silence", "CONNECT 127.0.0.1:"],
    );
}

#[test]
fn a_subject_that_floods_is_no_proxy() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            std::thread::spawn(move || while socket.write_all(&[b'x'; 65_536]).is_ok() {});
        }
    });
    expect(
        &["run", "--proxy", &address],
        2,
        &["no working CONNECT proxy", "a head without end"],
    );
}

#[test]
fn nobody_at_the_address() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    expect(&["run", "--proxy", &address], 2, &[&address]);
}

#[test]
fn a_selector_that_matches_nothing() {
    for command in ["run", "list", "explain"] {
        expect(
            &[command, "clos/*"],
            3,
            &["`clos/*` selects no case", "close"],
        );
    }
}

#[test]
fn an_unwritable_report_is_noticed_before_anything_runs() {
    let began = Instant::now();
    expect(
        &["run", "--report", "json=/nowhere/report.json"],
        3,
        &["/nowhere/report.json"],
    );
    assert!(began.elapsed() < LIMIT);
    expect(
        &["run", "--report", "yaml=report.yaml"],
        3,
        &["yaml", "json"],
    );
}

#[test]
fn nothing_left_to_run_is_not_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let report = format!("json={}", report.display());
    // Only slow cases, or none: whatever is selected here is skipped.
    expect(
        &["run", "source_port", "--level", "must", "--report", &report],
        2,
        &["no case"],
    );
}

#[test]
fn a_case_explains_itself() {
    let words = [
        "LAST_WORDS",
        "RFC 9110 §9.3.6",
        "https://www.rfc-editor.org/",
        "Also accepted",
        "CLS-001 (must)  ",
    ];
    expect(&["explain", "close/the_last_words_arrive"], 0, &words);
}

#[test]
fn the_coverage_names_cases_reasons_and_totals() {
    let words = [
        "CLS: Closing",
        "close/the_last_words_arrive",
        "none: needs an HTTP/2 client",
        "proven by reference-proxy/tests/httpd/",
        "waiting for a case",
    ];
    expect(&["coverage"], 0, &words);
}

#[test]
fn the_coverage_is_json_whose_totals_add_up() {
    let (text, status) = said(&mut connectspec(&["coverage", "--format", "json"]));
    let coverage: serde_json::Value = serde_json::from_str(&text).unwrap();
    let row = &coverage["sections"][0]["requirements"][0];
    assert_eq!(row["id"], "H1-TGT-001");
    assert!(
        row["cases"]
            .as_array()
            .is_some_and(|cases| !cases.is_empty())
    );
    for total in coverage["totals"].as_array().unwrap() {
        let count = |name: &str| total[name].as_u64().unwrap();
        let parts = ["tested", "proven", "untestable", "waiting"];
        let parts: u64 = parts.into_iter().map(count).sum();
        assert_eq!(count("requirements"), parts, "{total}");
    }
    assert_eq!(status, 0);
}

#[test]
fn the_listing_is_json_that_names_every_field() {
    let (text, status) = said(&mut connectspec(&["list", "close", "--format", "json"]));
    let listing: serde_json::Value = serde_json::from_str(&text).unwrap();
    let case = &listing["cases"][0];
    for field in [
        "case", "title", "level", "covers", "cites", "needs", "slow", "source",
    ] {
        assert!(!case[field].is_null(), "no `{field}` in {case}");
    }
    assert_eq!(status, 0);
}

#[test]
fn a_report_holds_what_was_seen() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let destination = format!("json={}", report.display());
    expect(
        &[
            "run",
            "close/the_last_words_arrive",
            "--report",
            &destination,
        ],
        0,
        &["1 pass"],
    );
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["schema"], "connectspec.report/1");
    assert_eq!(report["totals"]["pass"], 1);
    let transcript = report["results"][0]["transcript"].as_array().unwrap();
    assert!(transcript.iter().any(|step| step["leg"] == "server"));
}

#[test]
fn the_same_seed_makes_the_same_random_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: &str| {
        let report = folder.path().join(name);
        let destination = format!("json={}", report.display());
        connectspec(&["run", "policy/a_listed_port_is_reached", "--seed", seed])
            .args(["--report", &destination])
            .assert()
            .success();
        let text = std::fs::read_to_string(report).unwrap();
        let nonce = text.find("nonce-").unwrap();
        text[nonce..nonce + 22].to_owned()
    };
    assert_eq!(run("a.json", "7"), run("b.json", "7"));
    assert_ne!(run("c.json", "7"), run("d.json", "8"));
}
