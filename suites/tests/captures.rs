//! What `--capture` keeps: files that Wireshark reads, and programs that show the fault without us.
//!
//! Needs tshark, nc, Apache httpd and Squid; a test whose programs are missing passes with a word on stderr, and fails with
//! `CI=true`.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

/// Scripts of each proxy that are tried: five of each are ten.
const TRIED: usize = 5;

fn connectspec() -> Command {
    Command::new(env!("CARGO_BIN_EXE_connectspec"))
}

/// Whether the programs are there.
fn have(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .collect();
    for program in programs {
        if !folders.iter().any(|folder| folder.join(program).exists()) {
            let missing = format!("not tried: {program} is not installed");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing}");
            anstream::eprintln!("{missing}");
            return false;
        }
    }
    true
}

/// The folders of a run's findings.
fn captured(profile: &str, more: &[&str], folder: &Path) -> Vec<PathBuf> {
    let run = connectspec()
        .args(["run", "-q", "--profile", profile, "--capture"])
        .arg(folder)
        .args(more)
        .output()
        .unwrap();
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{run:?}");
    found
}

/// The folders of the findings of a whole run: one run for all tests, since each takes its time.
fn findings(profile: &'static str) -> Vec<PathBuf> {
    static RUNS: Mutex<BTreeMap<&str, Vec<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut runs = RUNS.lock().unwrap();
    let found = runs.entry(profile).or_insert_with(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("captures-{profile}"));
        let _ = fs::remove_dir_all(&folder);
        captured(profile, &[], &folder)
    });
    found.clone()
}

/// What tshark says of a file.
fn tshark(capture: &Path, words: &[&str]) -> String {
    let read = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(words)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}: {read:?}", capture.display());
    String::from_utf8_lossy(&read.stdout).into_owned()
}

#[test]
fn tshark_reads_every_capture() {
    if !have(&["tshark", "apache2", "squid"]) {
        return;
    }
    for profile in ["apache", "squid"] {
        let found = findings(profile);
        let mut requests = 0;
        for finding in &found {
            let capture = finding.join("capture.pcapng");
            let fields = ["tcp.checksum.status", "tcp.payload"];
            let words: Vec<&str> = ["-T", "fields", "-o", "tcp.check_checksum:TRUE"]
                .into_iter()
                .chain(fields.iter().flat_map(|field| ["-e", *field]))
                .collect();
            // A proxy's or a case's own bytes may be malformed HTTP; packets never are.
            let mut said = false;
            for line in tshark(&capture, &words).lines() {
                let (checksum, payload) = line.split_once('\t').unwrap_or((line, ""));
                assert_eq!(checksum, "1", "{}: checksum", capture.display());
                said |= !payload.is_empty();
            }
            let text = fs::read_to_string(finding.join("transcript.txt")).unwrap();
            requests += usize::from(said || !text.contains("─▶ proxy"));
        }
        assert_eq!(
            requests,
            found.len(),
            "{profile}: captures with what was sent"
        );
        anstream::eprintln!("{profile}: tshark reads all {} captures", found.len());
    }
}

#[test]
fn tshark_shows_what_passed_under_tls() {
    if !have(&["tshark"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known.toml");
    // Listed though it holds: a finding, and so captured.
    let case = "secrecy/an_everyday_client_gets_its_page";
    fs::write(
        &known,
        format!("[[deviation]]\ncase = '{case}'\nwhy = 'w'\n"),
    )
    .unwrap();
    let captures = folder.path().join("captures");
    let found = captured(
        "reference",
        &[case, "--baseline", known.to_str().unwrap()],
        &captures,
    );
    let keys = fs::read_to_string(found[0].join("keys.log")).unwrap();
    assert!(keys.contains("CLIENT_TRAFFIC_SECRET_0 "), "{keys}");
    // Both legs: the keys are in the file itself.
    for stream in ["0", "1"] {
        let follow = format!("follow,tls,ascii,{stream}");
        let shown = tshark(&found[0].join("capture.pcapng"), &["-q", "-z", &follow]);
        assert!(shown.contains("HTTP/1.1 200 OK"), "{shown}");
    }
}

/// In the clear with the port named as the transcript says, and over TLS with the keys in the file.
#[test]
fn tshark_shows_the_frames_of_http_2() {
    const READ: usize = 10;
    if !have(&["tshark", "apache2"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let over = ["--over", "h2c", "--over", "h2", "port", "upstream_grants"];
    let found = captured("apache", &over, folder.path());
    assert!(found.len() >= READ, "{found:?}");
    for finding in &found {
        let text = fs::read_to_string(finding.join("transcript.txt")).unwrap();
        let port = text
            .split("-d ")
            .nth(1)
            .and_then(|rest| rest.lines().next());
        let keys = finding.join("keys.log").exists();
        assert!(port.is_some() != keys, "{}: {text}", finding.display());
        let fields = [
            "http2.headers.method",
            "http2.headers.status",
            "_ws.malformed",
        ];
        let mut words: Vec<&str> = ["-Y", "http2", "-T", "fields"].into();
        words.extend(fields.iter().flat_map(|field| ["-e", *field]));
        words.extend(port.iter().flat_map(|port| ["-d", *port]));
        let shown = tshark(&finding.join("capture.pcapng"), &words);
        assert!(
            shown.contains("CONNECT\t"),
            "{}: {shown}",
            finding.display()
        );
        assert!(
            !shown.contains("Malformed"),
            "{}: {shown}",
            finding.display()
        );
    }
    anstream::eprintln!("tshark reads all {} captures of HTTP/2", found.len());
}

#[test]
fn ten_scripts_and_tests_show_their_fault() {
    if !have(&["nc", "rustc", "apache2", "squid"]) {
        return;
    }
    for profile in ["apache", "squid"] {
        let mut found = findings(profile);
        // What was behind TLS cannot be started again: its certificate went with the run.
        found.retain(|finding| {
            let repro = fs::read_to_string(finding.join("repro.sh")).unwrap_or_default();
            // And a proxy may take an upstream proxy for dead that is not there when it starts.
            repro.contains("is started by: ")
                && !repro.contains(" --upstream ")
                && !took_a_network_of_its_own(&repro)
        });
        assert!(found.len() >= TRIED, "{profile}: {} findings", found.len());
        let mut shown = 0;
        for finding in chosen(found) {
            let repro = Repro::read(&finding);
            let name = finding.file_name().unwrap().to_string_lossy().into_owned();
            let script = repro.script_shows_the_fault(&finding);
            let test = repro.test_shows_the_fault(&finding);
            anstream::eprintln!("{profile} {name}: script {script:?}, test {test:?}");
            shown += usize::from(script.is_ok() && test.is_ok());
        }
        assert_eq!(shown, TRIED, "{profile}: see above");
    }
}

/// Names and addresses that only a run's own network has lead nowhere outside of it.
fn took_a_network_of_its_own(repro: &str) -> bool {
    let listens = repro.lines().filter(|line| line.starts_with("listen "));
    let elsewhere = |line: &str| !line.contains(" 127.") && !line.contains(" ::1 ");
    repro.contains("-host=") || listens.into_iter().any(elsewhere)
}

/// Some of them at random; `CONNECTSPEC_REPRO_SEED` chooses others.
fn chosen(mut found: Vec<PathBuf>) -> Vec<PathBuf> {
    let seed = std::env::var("CONNECTSPEC_REPRO_SEED");
    let mut state: u64 = seed.map_or(1, |seed| seed.parse().unwrap());
    let mut some = Vec::new();
    for _ in 0..TRIED {
        // The generator of Knuth's MMIX.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        some.push(found.swap_remove((state >> 33) as usize % found.len()));
    }
    some
}

/// What a repro says of itself.
struct Repro {
    /// The words of `connectspec` that start the proxy.
    serve: String,
    /// What the proxy did on each connection.
    fault: Vec<String>,
}

impl Repro {
    fn read(finding: &Path) -> Self {
        let text = fs::read_to_string(finding.join("repro.rs")).unwrap();
        let (_, serve) = text.split_once("is started by: connectspec ").unwrap();
        let serve = serve.lines().next().unwrap().to_owned();
        let (_, fault) = text.split_once("let fault = [").unwrap();
        let fault = fault.split("];").next().unwrap().lines();
        let fault = fault
            .map(|line| line.trim().trim_matches([',', '"']).to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        Self { serve, fault }
    }

    /// The proxy as the case had it, and where it listens.
    fn served(&self) -> (Served, String) {
        let word = "--listen ";
        let (before, behind) = self.serve.split_once(word).unwrap();
        let (listen, behind) = behind.split_once(' ').unwrap_or((behind, ""));
        // Its port of the run may be in use by another run by now.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = free.local_addr().unwrap().to_string();
        drop(free);
        for listen in [listen, &other] {
            let script = format!(
                "exec '{}' {before}{word}{listen} {behind}",
                env!("CARGO_BIN_EXE_connectspec")
            );
            let mut child = Command::new("bash")
                .args(["-c", &script])
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            let mut said = BufReader::new(child.stdout.take().unwrap());
            said.read_line(&mut line).unwrap();
            let served = Served(child);
            if line.contains("listens on") {
                return (served, listen.to_owned());
            }
        }
        panic!("could not start it: {}", self.serve);
    }

    /// The lines that the script prints tell the same as the transcript did.
    fn script_shows_the_fault(&self, finding: &Path) -> Result<(), String> {
        let (_served, proxy) = self.served();
        let run = Command::new(finding.join("repro.sh"))
            .env("PROXY", proxy)
            .env("SECRET", "YWxpY2U6c2VjcmV0")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        for fault in &self.fault {
            let (name, did) = fault.split_once(": ").unwrap();
            // nc takes one connection for each address: further ones are not played.
            if name.contains('.') {
                continue;
            }
            let of_it = |line: &&str| {
                let arrow = line.split("  ").next().unwrap_or_default();
                arrow.split_whitespace().any(|word| word == name)
            };
            let heard: Vec<&str> = said.lines().filter(of_it).collect();
            let words = heard.iter().filter(|line| !line.ends_with("(the end)"));
            let fits = match did.split_once(',') {
                // Its statuses, in this order; behind them a tunnel may bring what looks like one.
                Some((statuses, _)) if name.starts_with("client") => {
                    statuses_of(&heard).starts_with(statuses)
                }
                _ => (words.count() == 0) == did.starts_with("0 bytes"),
            };
            if !fits {
                return Err(format!("{fault}, but:\n{said}"));
            }
        }
        Ok(())
    }

    /// The test is red.
    fn test_shows_the_fault(&self, finding: &Path) -> Result<(), String> {
        let program = finding.join("repro");
        let built = Command::new("rustc")
            .args(["--edition", "2024", "--test", "-o"])
            .args([&program, &finding.join("repro.rs")])
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        let (_served, proxy) = self.served();
        let run = Command::new(&program)
            .env("PROXY", proxy)
            .env("SECRET", "YWxpY2U6c2VjcmV0")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        match run.status.code() {
            Some(101) if said.contains("assertion failed") || said.contains("repro.rs") => Ok(()),
            _ => Err(format!("the test passes: {said}")),
        }
    }
}

/// The statuses in lines that a script prints, with blanks between them.
fn statuses_of(lines: &[&str]) -> String {
    let all = lines.join("\n");
    let behind = all.split("HTTP/1.").skip(1);
    let statuses = behind.filter_map(|rest| rest.get(2..5));
    let statuses = statuses.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    statuses.collect::<Vec<_>>().join(" ")
}

/// A proxy that runs until this is dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.0.wait();
    }
}
