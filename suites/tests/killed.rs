//! Runs in a network of their own that are killed at any moment: nothing is left of them.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How many runs are killed.
const TIMES: u64 = 10;

/// The moments lie within this: the network is made in the first hundredths of a second, and set-ups begin and end in the others.
const WITHIN: Duration = Duration::from_millis(1_500);

/// Whatever goes with a process that was killed is gone by then; it takes milliseconds.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// When the network is there, the first set-up begins.
const BEGUN_WITHIN: Duration = Duration::from_secs(10);

/// What marks every process of a run, whoever starts it.
const MARK: &str = "CONNECTSPEC_TEST_MARK";

#[test]
#[expect(clippy::disallowed_methods, reason = "a random moment is no event")]
fn nothing_is_left_of_a_run_that_is_killed() {
    let seed = u64::from(std::process::id());
    for time in 0..TIMES {
        let moment = WITHIN.mul_f64(random(seed, time));
        // In a report of a failure: at which moments it was.
        anstream::eprintln!("seed {seed}, run {time}: killed after {moment:?}");
        killed(|_| std::thread::sleep(moment));
    }
}

/// What is there for a moment alone is hit by no random one.
#[test]
fn nothing_is_left_of_a_run_that_is_killed_when_it_has_begun_a_file() {
    for _ in 0..TIMES {
        killed(|folder| {
            let deadline = Instant::now() + BEGUN_WITHIN;
            while entries(folder).is_empty() && Instant::now() < deadline {}
        });
    }
}

/// Kills a run when that has waited for the moment; it is given the folder for files of the run.
fn killed(wait: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().display().to_string();
    let before = system();
    let mut run = Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .args(["run", "--lab", "on", "--repeat", "1000"])
        .env("TMPDIR", folder.path())
        .env(MARK, &mark)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait(folder.path());
    if let Some(status) = run.try_wait().unwrap() {
        // Where the network cannot be had, there is nothing to leave.
        assert_eq!(status.code(), Some(2), "it ended by itself");
        return;
    }
    // SIGKILL.
    run.kill().unwrap();
    run.wait().unwrap();
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let left = [processes(&mark), entries(folder.path()), new(&before)].concat();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{left:#?}");
        std::thread::yield_now();
    }
}

/// A number from 0 to 1 (splitmix64).
fn random(seed: u64, time: u64) -> f64 {
    let mut word = (seed << 32 | time).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from(word >> 32).unwrap()) / f64::from(u32::MAX)
}

/// Processes of the run with that mark.
fn processes(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        if variables.any(|variable| variable == wanted.as_bytes()) {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}

/// What is in a folder.
fn entries(folder: &Path) -> Vec<String> {
    let Ok(all) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = all
        .flatten()
        .map(|entry| entry.path().display().to_string());
    names.collect()
}

/// Mounts, interfaces and named network namespaces of the machine, a line each.
fn system() -> BTreeSet<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let interfaces = fs::read_to_string("/proc/self/net/dev").unwrap();
    let interfaces = interfaces.lines().filter_map(|line| line.split_once(':'));
    let interfaces = interfaces.map(|(name, _)| name.trim().to_owned());
    let mounts = mounts.lines().map(str::to_owned);
    let namespaces = entries(Path::new("/run/netns"));
    mounts.chain(interfaces).chain(namespaces).collect()
}

fn new(before: &BTreeSet<String>) -> Vec<String> {
    system().difference(before).cloned().collect()
}
