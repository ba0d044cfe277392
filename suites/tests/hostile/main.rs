//! The harness under fire: whatever a subject does, the run ends in time, with a report, and leaves nothing behind: no
//! process, no folder, no port.

mod stub;

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use connectspec_harness::report::Report;
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
};

use crate::stub::ROLES;

/// Cases of every stage: the answer, early bytes, the tunnel, its end.
const CASES: [&str; 3] = ["establish", "early", "close"];

/// With little patience, so that a subject that hangs costs each case a second and not ten.
const PATIENCE: &str = "0.1";

/// Runs at the same time.
const AT_ONCE: usize = 6;

/// How long a run may take: the limit of a case, with that patience, and the time to launch and stop a subject on a
/// machine that is busy. A run that does not end takes for ever.
const RUN: Duration = Duration::from_secs(90);

/// How long what a run leaves behind may take to go: longer than a guard gives to orphans.
const SOON: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    if let Some(code) = stub::main_if_asked() {
        return code;
    }
    let trials = ROLES
        .iter()
        .map(|role| Trial::test(*role, move || survives(role)));
    let mut arguments = Arguments::from_args();
    // These runs wait, and work little.
    arguments.test_threads = arguments.test_threads.or(Some(AT_ONCE));
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn survives(role: &str) -> Result<(), Failed> {
    let place = tempfile::tempdir()?;
    let folder = place.path();
    let temporary = folder.join("tmp");
    fs::create_dir(&temporary)?;
    let life = Life::begin(&folder.join("life"))?;
    let profile = profile(role, folder)?;
    let report = folder.join("report.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_connectspec"))
        .args(["run", "--quiet", "--patience", PATIENCE, "--profile"])
        .arg(&profile)
        .arg(format!("--report=json={}", report.display()))
        .arg("--")
        .args(CASES)
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let said = end_of(&mut run)?;
    let code = run.wait()?.code();

    ensure(
        matches!(code, Some(0..=2)),
        format!("the run ended with {code:?}: {said}"),
    )?;
    let report = Report::read(&report)?;
    let judged = report.run.refused.is_some() || report.totals.all() == report.run.planned;
    ensure(judged, format!("results are missing: {:?}", report.run))?;
    let broken: Vec<_> = report
        .results
        .iter()
        .filter(|result| result.verdict == connectspec_harness::verdict::Verdict::Broken)
        .map(|result| format!("{}: {:?}", result.case, result.reason))
        .collect();
    ensure(
        broken.is_empty(),
        format!("the harness itself failed: {broken:?}"),
    )?;
    let harmless = stub::is_harmless(role);
    let blamed = code != Some(0);
    ensure(harmless || blamed, "such a subject was found conformant")?;
    let died = !report.run.deaths.is_empty();
    ensure(
        died || role != stub::ENDS_IN_A_CROWD,
        "nobody says that the subject died",
    )?;
    let blocked = report.totals.blocked;
    ensure(
        role != stub::NAPS || blocked == 0,
        format!("{blocked} cases were not given a second chance"),
    )?;
    ensure(
        !harmless || report.totals.pass > 0,
        format!(
            "a subject that carries tunnels passed nothing: {}",
            report.totals
        ),
    )?;
    life.ends()?;
    nothing_is_left(&temporary, &folder.join("addresses"))
}

/// All that the run says, or an error when it does not end in time.
fn end_of(run: &mut Child) -> Result<String, Failed> {
    let mut said = String::new();
    let Some(mut output) = run.stdout.take() else {
        return Err("the run has no output".into());
    };
    loop {
        let mut ready = [PollFd::new(&output, PollFlags::IN)];
        if poll(&mut ready, Some(&limit(RUN)))? == 0 {
            run.kill()?;
            return Err(format!("the run said nothing for {RUN:?}, and was killed").into());
        }
        let mut piece = [0; 4096];
        match output.read(&mut piece)? {
            0 => return Ok(said),
            length => said.push_str(&String::from_utf8_lossy(&piece[..length])),
        }
    }
}

/// A pipe that every process of the subject holds open: it ends with the last of them.
struct Life(File);

impl Life {
    fn begin(path: &Path) -> Result<Self, Failed> {
        rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RUSR | Mode::WUSR)?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits())?;
        Ok(Self(
            File::options().read(true).custom_flags(flags).open(path)?,
        ))
    }

    fn ends(&self) -> Result<(), Failed> {
        // A writer that is still there: the pipe neither ends nor has anything to read.
        let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
        let ended = poll(&mut ready, Some(&limit(SOON)))? > 0;
        ensure(ended, "a process of the subject lives on")
    }
}

fn nothing_is_left(temporary: &Path, addresses: &Path) -> Result<(), Failed> {
    let left: Vec<PathBuf> = fs::read_dir(temporary)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    ensure(left.is_empty(), format!("files are left: {left:?}"))?;
    // A subject that did not come so far has no address.
    for address in fs::read_to_string(addresses).unwrap_or_default().lines() {
        let open = TcpStream::connect(address).is_ok();
        ensure(!open, format!("somebody still listens on {address}"))?;
    }
    Ok(())
}

/// A profile in which this program plays the subject. What a shell ignores, its successor ignores.
fn profile(role: &str, folder: &Path) -> Result<PathBuf, Failed> {
    let path = folder.join("hostile.toml");
    let this = std::env::current_exe()?;
    let trap = if role == stub::IGNORES_SIGNALS {
        "trap '' TERM INT HUP; "
    } else {
        ""
    };
    let script = format!("{trap}exec \"$0\" \"$@\"");
    let mut file = File::create(&path)?;
    write!(
        file,
        "name = 'hostile'\ntitle = 'a hostile subject'\n\
         [launch]\nprogram = '/bin/sh'\n\
         args = ['-c', '''{script}''', '{}', '{}', '{role}', '{{{{ listen.authority }}}}', '{}', '{{{{ scratch }}}}']\n\
         ready = {{ within = '5s' }}\nstop = {{ signal = 'TERM', within = '1s' }}\n",
        this.display(),
        stub::WORD,
        folder.display(),
    )?;
    Ok(path)
}

fn limit(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    }
}

fn ensure(holds: bool, otherwise: impl Into<Failed>) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
