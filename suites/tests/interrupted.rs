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

/// How long a run may take to end once it was told to, on a machine that is busy; what it would wait for takes minutes.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A run of the profile `text` that makes no progress, begun and then ended with a signal: how it exited, its report, and what it
/// took.
fn ended_while_it_waits(
    folder: &Path,
    text: &str,
    begun: &Path,
) -> (Option<i32>, String, Duration) {
    let (profile, report) = (folder.join("slow.toml"), folder.join("report.json"));
    std::fs::write(&profile, text).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .arg("run")
        .arg("--profile")
        .arg(&profile)
        .args(["close", "--patience", "100", "--report"])
        .arg(format!("json={}", report.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(|| begun.exists());
    let told = Instant::now();
    signal(&child, "-INT");
    let code = child.wait().unwrap().code();
    let report = std::fs::read_to_string(&report).unwrap_or_default();
    (code, report, told.elapsed())
}

fn wait_for(mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !happened() {
        assert!(Instant::now() < deadline, "it has not happened");
        std::thread::yield_now();
    }
}

/// The run waits for a port that nobody listens on, for a tunnel that does not come about, for a version, and for a proxy
/// that does not care for signals.
#[test]
fn every_wait_ends_with_the_first_signal() {
    let reference = format!(
        "exec \"{}\" proxy -D FOREGROUND -f {{{{ scratch }}}}/httpd.conf",
        env!("CARGO_BIN_EXE_connectspec")
    );
    let configuration = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/configs/reference.conf.jinja"
    );
    let silent = "python3 -c \"import socket,time; s=socket.create_server((\\\"{{ listen.host }}\\\",{{ listen.port }})); open(\\\"$BEGUN\\\",\\\"w\\\"); time.sleep(600)\"";
    for (waits_for, script, more) in [
        ("a port", "touch \"$BEGUN\"; exec sleep 600".to_owned(), ""),
        ("a tunnel", format!("exec {silent}"), ""),
        (
            "a version",
            reference,
            "version = { args = ['-c', 'touch \"$BEGUN\"; sleep 600'], pattern = '(x)' }",
        ),
        (
            "an end",
            format!("trap '' TERM INT; {silent}"),
            "stop = { within = '120s' }",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let begun = folder.path().join("begun");
        let script = script.replace("$BEGUN", &begun.display().to_string());
        let more = more.replace("$BEGUN", &begun.display().to_string());
        let text = format!(
            "name = 'slow'\n[launch]\nprogram = 'sh'\nargs = ['-c', '''{script}''']\n\
             ready = {{ within = '120s' }}\n{more}\n\
             [[file]]\npath = 'httpd.conf'\ntemplate = '{configuration}'\n\
             [offers]\nallowed-ports = 'ranges'\n"
        );
        let (code, report, took) = ended_while_it_waits(folder.path(), &text, &begun);
        assert!(took < AT_ONCE, "{waits_for}: it took {took:?}");
        assert_eq!(code, Some(2), "{waits_for}: {report}");
        assert!(
            report.contains("\"interrupted\": true"),
            "{waits_for}: {report}"
        );
        assert!(!report.contains("\"refused\""), "{waits_for}: {report}");
    }
}

/// The report goes into a pipe that nobody reads any more, so that the run cannot end by itself.
#[test]
fn the_second_signal_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("report.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let opened = pipe.clone();
    let reader = std::thread::spawn(move || drop(std::fs::File::open(opened)));
    let mut child = long_run(&pipe);
    reader.join().unwrap();
    let scratch = scratch_of(&child);
    signal(&child, "-INT");
    // It has said so on stderr, and is at work on the report once the proxy is gone.
    assert!(gone(&scratch), "{:?}", processes_with(&scratch));
    assert!(child.try_wait().unwrap().is_none(), "nothing held it up");
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// What there is of a matrix is written, says that its last column is not whole, and is no success.
#[test]
fn a_signal_ends_a_matrix_with_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, profile) = (folder.path().join("begun"), folder.path().join("slow.toml"));
    let text = format!(
        "name = 'slow'\n[launch]\nprogram = 'sh'\nargs = ['-c', 'touch {}; exec sleep 600']\nready = {{ within = '120s' }}\n",
        begun.display()
    );
    std::fs::write(&profile, text).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .arg("matrix")
        .args(["reference", profile.to_str().unwrap(), "reference"])
        .args(["--only", "close/the_last_words_arrive"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(|| begun.exists());
    let told = Instant::now();
    signal(&child, "-TERM");
    let mut table = String::new();
    let mut out = child.stdout.take().unwrap();
    out.read_to_string(&mut table).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{table}");
    assert!(told.elapsed() < AT_ONCE, "it took {:?}", told.elapsed());
    let head = table.lines().find(|line| line.starts_with("| requirement"));
    let columns: Vec<_> = head.unwrap().split('|').map(str::trim).collect();
    assert_eq!(columns.len(), 5, "{table}");
    assert!(!columns[2].contains("interrupted"), "{table}");
    assert!(columns[3].contains("(interrupted)"), "{table}");
}
