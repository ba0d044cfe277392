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
        &["no working CONNECT proxy", "a flood of others"],
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
        "none: needs a client of CONNECT-UDP",
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

#[test]
fn two_reports_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |way: &str| format!("{}{way}/report", folder.path().display());
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    let (one, same) = (path(""), path(&format!("/../{name}")));
    let (json, html) = (format!("json={one}"), format!("html={same}"));
    let words = [
        "the json report and the html report would both be",
        "a file of its own",
    ];
    expect(
        &["run", "close", "--report", &json, "--report", &html],
        3,
        &words,
    );
    let markdown = format!("markdown={one}");
    let words = ["the markdown report and the html report would both be"];
    expect(
        &[
            "matrix",
            "reference",
            "--report",
            &markdown,
            "--report",
            &html,
        ],
        3,
        &words,
    );
}

/// Retitles the window, rings, turns what follows around, and passes for a verdict of ours.
const HOSTILE: &str = r"\033]0;owned\007\033[32mPASS\033[0m \342\200\256live";

#[test]
fn nothing_that_a_stranger_wrote_reaches_the_terminal_raw() {
    let raw = |text: &str| {
        let strange = |c: char| c.is_control() && c != '\n' && c != '\u{1b}';
        text.contains(|c| strange(c) || c == '\u{202e}')
            || text.contains("\u{1b}]")
            || text.contains("\u{1b}[32mPASS")
    };
    // As on a terminal: colours are kept.
    let coloured = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("connectspec").unwrap();
        command.args(arguments).timeout(LIMIT);
        said(command.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR")).0
    };
    let (folder, file) = profile(&shell(&format!("printf '{HOSTILE}\\n' >&2")));
    for arguments in [
        ["run", "--profile", &file],
        ["profile", "check", &file],
        ["profile", "serve", &file],
    ] {
        let text = coloured(&arguments);
        assert!(
            text.contains("owned") && !raw(&text),
            "{arguments:?}: {text:?}"
        );
    }
    let report = folder.path().join("foreign.json");
    std::fs::write(&report, FOREIGN).unwrap();
    let report = report.to_str().unwrap();
    for arguments in [["matrix", report, report], ["compare", report, report]] {
        let text = coloured(&arguments);
        assert!(
            text.contains("owned") && !raw(&text),
            "{arguments:?}: {text:?}"
        );
    }
    let no_profile = coloured(&["run", "--profile", "\u{1b}]0;owned\u{7}"]);
    assert!(
        no_profile.contains("owned") && !raw(&no_profile),
        "{no_profile:?}"
    );
}

/// A report whose subject has such a title.
const FOREIGN: &str = r#"{"schema": "connectspec.report/1",
  "run": {"started": "2026-01-01T00:00:00Z", "took_ms": 1, "connectspec": "0", "seed": 1, "selectors": [], "partition": null},
  "subject": {"profile": "x", "title": "\u001b]0;owned\u0007\u001b[32mPASS\u001b[0m \u202elive", "version": null, "command": []},
  "totals": {"pass": 1, "fail": 0, "warn": 0, "info": 0, "known": 0, "healed": 0, "skip": 0, "blocked": 0, "broken": 0},
  "results": [{"case": "a/b", "title": "\u001b[32mPASS\u0007", "level": "must", "verdict": "pass", "expected": [], "observed": null,
    "reason": null, "covers": [], "cites": [], "source": "x:1", "took_ms": 1, "setup": "plain", "transcript": []}]}"#;
