//! A mark in the environment of a subject's processes, by which they are found when nobody guards them any more.
//!
//! Whatever a subject leaves behind becomes a child of its guard, which kills it. When the guard itself was killed, those
//! that have left the subject's process group belong to nobody; but they were born with the mark.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that holds it.
pub(super) const VARIABLE: &str = "CONNECTSPEC_SUBJECT";

/// How often processes are looked for: one may have forked while the others were read.
const LOOKS: usize = 8;

/// One that no other launch has.
pub(super) fn new() -> String {
    static LAUNCHES: AtomicU32 = AtomicU32::new(0);
    let launch = LAUNCHES.fetch_add(1, Ordering::Relaxed);
    format!("{}.{launch}", std::process::id())
}

/// Kills every process that has it.
pub(super) fn kill_all(mark: &str) {
    for _ in 0..LOOKS {
        let found = bearers(mark);
        if found.is_empty() {
            return;
        }
        for process in found {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// The processes that have it, as far as they can be looked into: those of other users cannot, nor be killed.
fn bearers(mark: &str) -> Vec<Pid> {
    let wanted = format!("{VARIABLE}={mark}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|octet| *octet == 0);
            variables.any(|it| it == wanted.as_bytes()).then_some(pid)
        })
        .collect()
}
