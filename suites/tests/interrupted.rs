//! Runs that are ended from outside: what they leave is a report, and nothing else.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// A run that has not ended within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Starts a run that goes on for long, and waits until it has begun.
fn long_run(report: &Path) -> Child {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .args(["run", "policy", "close", "--repeat", "2000", "-v"])
        .arg("--report")
        .arg(format!("json={}", report.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().is_some(), "a run says that it has begun");
    // Keep reading, so that the run is never held up by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args([signal, &pid])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Processes that have `word` in their command line or their environment's working folder.
fn processes_with(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(line) = std::fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(word) {
            found.push(line);
        }
    }
    found
}

/// Children of `parent`, by what they were started with.
fn children_of(parent: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        if status
            .lines()
            .any(|line| line == format!("PPid:\t{parent}"))
        {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

/// The folder of a subject, from the command line of a child.
fn scratch_of(child: &Child) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        let word = children_of(child.id()).iter().find_map(|line| {
            line.split(' ')
                .find(|word| word.ends_with("/httpd.conf"))
                .map(str::to_owned)
        });
        if let Some(word) = word {
            return word.trim_end_matches("/httpd.conf").to_owned();
        }
        assert!(Instant::now() < deadline, "no subject was started");
        std::thread::yield_now();
    }
}

fn gone(word: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !processes_with(word).is_empty() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn a_signal_ends_the_run_with_a_partial_report_and_no_process_left() {
    for name in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let mut child = long_run(&report);
        let scratch = scratch_of(&child);
        signal(&child, name);
        let mut text = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{text}");
        let report = std::fs::read_to_string(&report).unwrap();
        assert!(report.contains("\"interrupted\": true"), "{report}");
        assert!(gone(&scratch), "{:?}", processes_with(&scratch));
        assert!(
            !Path::new(&scratch).exists(),
            "the folder of the subject is left"
        );
    }
}

#[test]
fn no_process_is_left_when_the_harness_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = long_run(&folder.path().join("report.json"));
    let scratch = scratch_of(&child);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(gone(&scratch), "{:?}", processes_with(&scratch));
}
