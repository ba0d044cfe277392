//! Guarding: whatever ends, nothing of a subject outlives it.
//!
//! Every process of these subjects holds a named pipe open for writing. Its reader meets the end when, and
//! only when, the last of them is gone: no process list is searched, and nothing is waited for blindly.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use connectspec_harness::subject::{
    process::Subject,
    profile::{Profile, template::Template},
};
use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{PATIENCE, Proof, ensure, script, somewhere, stub::with_workers};

super::tests![
    a_subject_that_ignores_the_signal_is_killed_with_its_workers,
    workers_go_when_the_leader_dies,
    nothing_outlives_a_harness_that_is_killed,
    nothing_outlives_a_guard_that_is_killed,
    a_launch_that_fails_leaves_nothing,
    one_in_the_background_is_followed_by_its_pid_file,
    a_pid_file_that_names_nobody_is_said,
];

fn a_subject_that_ignores_the_signal_is_killed_with_its_workers() -> Proof {
    let pipe = LifePipe::new()?;
    let mut profile = script(&with_workers(&pipe.name()))?;
    profile.launch.stop_within = Duration::from_millis(200);
    let subject = Subject::launch(&profile, &somewhere())?;
    ensure(
        subject.vitals().processes >= 2,
        format!("{:?}", subject.vitals()),
    )?;
    let stopped = subject.stop();
    ensure(stopped.killed, format!("{stopped:?}"))?;
    pipe.ends()
}

fn workers_go_when_the_leader_dies() -> Proof {
    let pipe = LifePipe::new()?;
    let subject = Subject::launch(&script(&with_workers(&pipe.name()))?, &somewhere())?;
    kill_process(pid_of(subject.pid())?, Signal::KILL)?;
    pipe.ends()?;
    ensure(!subject.is_alive(), "the leader seems alive")
}

/// A program that goes into the background: what listens has left its group, and its parent has ended.
fn daemon(fifo: &str, says: &str) -> Result<Profile, Failed> {
    let mut profile = script(&format!(
        "exec 9>'{fifo}'\n\
         setsid \"$STUB\" stub-listen {{{{ listen.authority }}}} > /dev/null 2>&1 &\n\
         {says}\n"
    ))?;
    profile.launch.pid_file = Some(Template::parse("test", 1, "{{ scratch }}/logs/proxy.pid")?);
    Ok(profile)
}

fn one_in_the_background_is_followed_by_its_pid_file() -> Proof {
    let pipe = LifePipe::new()?;
    let profile = daemon(&pipe.name(), "echo $! > logs/proxy.pid")?;
    let subject = Subject::launch(&profile, &somewhere())?;
    let pid = std::fs::read_to_string(subject.scratch().join("logs/proxy.pid"))?;
    ensure(
        pid.trim() == subject.pid().to_string() && subject.is_alive(),
        format!("{} is watched, and {pid} is written", subject.pid()),
    )?;
    let stopped = subject.stop();
    ensure(
        !stopped.killed && !stopped.early,
        format!("it was not asked to end: {stopped:?}"),
    )?;
    pipe.ends()?;

    // Its end is noticed, as that of one in the foreground.
    let pipe = LifePipe::new()?;
    let profile = daemon(&pipe.name(), "echo $! > logs/proxy.pid")?;
    let subject = Subject::launch(&profile, &somewhere())?;
    kill_process(pid_of(subject.pid())?, Signal::KILL)?;
    pipe.ends()?;
    ensure(!subject.is_alive(), "it seems alive")
}

fn a_pid_file_that_names_nobody_is_said() -> Proof {
    // Of nobody, of somebody else, no number at all.
    for says in [
        "true",
        "echo 1 > logs/proxy.pid",
        "echo it > logs/proxy.pid",
    ] {
        let pipe = LifePipe::new()?;
        let mut profile = daemon(&pipe.name(), says)?;
        profile.launch.ready_within = Duration::from_millis(300);
        let error = Subject::launch(&profile, &somewhere());
        let said = error.map_or_else(|error| error.to_string(), |_| "it was launched".to_owned());
        ensure(
            said.contains("logs/proxy.pid names none of its processes"),
            format!("{says}: {said}"),
        )?;
        pipe.ends()?;
    }
    Ok(())
}

fn nothing_outlives_a_harness_that_is_killed() -> Proof {
    for signal in [Signal::KILL, Signal::TERM] {
        let pipe = LifePipe::new()?;
        let scratches = tempfile::tempdir()?;
        let mut harness = Command::new(std::env::current_exe()?)
            .env("TMPDIR", scratches.path())
            .args(["stub-harness", &pipe.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut subject = String::new();
        let said = harness.stdout.take().ok_or("no output")?;
        BufReader::new(said).read_line(&mut subject)?;
        ensure(
            subject.trim().parse::<u32>().is_ok(),
            format!("no subject: {subject:?}"),
        )?;
        kill_process(Pid::from_child(&harness), signal)?;
        harness.wait()?;
        pipe.ends()?;
        // The guard removes the folder last.
        let deadline = Instant::now() + PATIENCE;
        while scratches.path().read_dir()?.next().is_some() && Instant::now() < deadline {
            thread::yield_now();
        }
        ensure(
            scratches.path().read_dir()?.next().is_none(),
            "its folder is left",
        )?;
    }
    Ok(())
}

fn nothing_outlives_a_guard_that_is_killed() -> Proof {
    let pipe = LifePipe::new()?;
    // Also the worker that has left the group of the subject.
    let profile = script(&with_workers(&pipe.name()))?;
    let subject = Subject::launch(&profile, &somewhere())?;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", subject.pid()))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no stat")?;
    let guard: u32 = fields.split(' ').nth(1).ok_or("no parent")?.parse()?;
    ensure(guard != std::process::id(), "it has no guard")?;
    ensure(!subject.has_lost_its_guard(), "it has no guard")?;
    kill_process(pid_of(guard)?, Signal::KILL)?;
    pipe.ends()?;
    ensure(!subject.is_alive(), "the leader seems alive")?;
    subject.wait(PATIENCE);
    ensure(
        subject.has_lost_its_guard(),
        "it seems to have ended by itself",
    )
}

fn a_launch_that_fails_leaves_nothing() -> Proof {
    let pipe = LifePipe::new()?;
    let never = with_workers(&pipe.name()).replace("{{ listen.authority }}", "127.0.0.1:0");
    let mut profile = script(&never)?;
    profile.launch.ready_within = Duration::from_millis(200);
    profile.launch.stop_within = Duration::from_millis(100);
    ensure(
        Subject::launch(&profile, &somewhere()).is_err(),
        "it was launched",
    )?;
    pipe.ends()
}

fn pid_of(pid: u32) -> Result<Pid, Failed> {
    Pid::from_raw(i32::try_from(pid)?).ok_or_else(|| "no pid".into())
}

/// A named pipe that every process of a subject holds open.
struct LifePipe {
    path: PathBuf,
    end: mpsc::Receiver<()>,
    _folder: TempDir,
}

impl LifePipe {
    fn new() -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("life");
        let made = Command::new("mkfifo").arg(&path).status()?;
        ensure(made.success(), "there is no mkfifo")?;
        let (ended, end) = mpsc::channel();
        let pipe = path.clone();
        // Opening waits for the first writer, reading for the last one to go.
        thread::spawn(move || {
            if let Ok(mut pipe) = File::open(pipe) {
                let _ = pipe.read_to_end(&mut Vec::new());
                let _ = ended.send(());
            }
        });
        Ok(Self {
            path,
            end,
            _folder: folder,
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn ends(&self) -> Proof {
        let ended = self.end.recv_timeout(PATIENCE);
        ended.map_err(|_| "some process of the subject lives on".into())
    }
}
