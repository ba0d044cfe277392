//! A proxy on another host: the reference proxy in a network namespace of its own, behind a pair of virtual interfaces.
//!
//! Everything is inside a namespace that this test enters first, so that nothing of it is ever seen outside, and all of it
//! is gone with its last process. That needs root, or a kernel that lets users have namespaces of their own; elsewhere these
//! tests show as ignored, with the reason.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, Command, ExitCode, Output, Stdio},
    time::Duration,
};

use connectspec_harness::{
    report::{CaseResult, Report},
    subject::remote::Remote,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

const CONNECTSPEC: &str = env!("CARGO_BIN_EXE_connectspec");

/// The first argument of this program where it is already inside.
const INSIDE: &str = "--inside";

/// The two ends of the way; the addresses are those of RFC 5737 and RFC 3849, which no host has.
const HERE: Place = Place {
    interface: "here0",
    ipv4: "198.51.100.1",
    ipv6: "2001:db8::1",
};
const THERE: Place = Place {
    interface: "there0",
    ipv4: "198.51.100.2",
    ipv6: "2001:db8::2",
};

/// Where the proxy listens.
const BY_IPV4: &str = "198.51.100.2:3128";
const BY_IPV6: &str = "[2001:db8::2]:3128";

/// A name that only the proxy's host knows, as containers know the host that they run on.
const NAME: &str = "backend.example";

/// What the proxy allows; the servers' ports are among them, and denied ones, too.
const ALLOWED: &str = "10240-21000";

/// How its log reads; a line is found by what the client calls itself.
const LOG_FORMAT: &str = "status=%>s source=%{proxy-source-port}n agent=%{User-Agent}i";
const LOG_PATTERN: &str = r"status=(?P<status>\d+) source=(?P<source_port>\d+|-)";

/// A proxy that starts is there within this.
const STARTS: Duration = Duration::from_secs(20);

struct Place {
    interface: &'static str,
    ipv4: &'static str,
    ipv6: &'static str,
}

/// A run, as its user would begin it.
struct Run {
    name: &'static str,
    proxy: &'static str,
    bind: &'static str,
    host: Option<&'static str>,
    selectors: &'static [&'static str],
    /// At least so many of its results are `pass`.
    passes: usize,
}

const RUNS: &[Run] = &[
    Run {
        name: "by_address",
        proxy: BY_IPV4,
        bind: HERE.ipv4,
        host: None,
        selectors: &[],
        passes: 400,
    },
    Run {
        name: "by_name",
        proxy: BY_IPV4,
        bind: "0.0.0.0",
        host: Some(NAME),
        selectors: SOME,
        passes: 50,
    },
    Run {
        name: "by_ipv6_address",
        proxy: BY_IPV6,
        bind: HERE.ipv6,
        host: None,
        selectors: SOME,
        passes: 50,
    },
];

/// Suites in which servers are visited, and in which nobody may come.
const SOME: &[&str] = &["target", "port", "policy", "close", "establish", "secrecy"];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(INSIDE) {
        let name = arguments.next().unwrap_or_default();
        return match RUNS.iter().find(|run| run.name == name).map(inside) {
            Some(Ok(())) => ExitCode::SUCCESS,
            Some(Err(failed)) => complain(failed.message().unwrap_or_default()),
            None => complain("no such run"),
        };
    }
    let trials = RUNS
        .iter()
        .map(|run| Trial::ignorable_test(run.name, move || outside(run)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

#[expect(clippy::print_stderr, reason = "this is a program of its own here")]
fn complain(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// Enters a namespace and runs there.
fn outside(run: &Run) -> Result<Completion, Failed> {
    let mut way = Vec::new();
    if !rustix::process::geteuid().is_root() {
        way.extend(["--user", "--map-root-user"]);
    }
    way.extend(["--net", "--mount"]);
    let tried = [&way[..], &["ip", "link", "set", "lo", "up"]].concat();
    match Command::new("unshare").args(tried).output() {
        Err(error) => return ignored(&format!("could not run unshare: {error}")),
        Ok(tried) if !tried.status.success() => {
            let said = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
            return ignored(&format!("no network namespaces here: {said}"));
        }
        Ok(_) => {}
    }
    let before = fs::read_to_string("/proc/net/dev")?.lines().count();
    let output = Command::new("unshare")
        .args(way)
        .arg(std::env::current_exe()?)
        .args([INSIDE, run.name])
        .stdin(Stdio::null())
        .output()?;
    ensure(output.status.success(), || said(&output))?;
    let after = fs::read_to_string("/proc/net/dev")?.lines().count();
    ensure(after == before, || "an interface is left".to_owned())?;
    Ok(Completion::Completed)
}

/// Where the kernel gives nobody a namespace, there is nothing to test; a tool that is missing can be installed.
fn ignored(why: &str) -> Result<Completion, Failed> {
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    let missing = why.starts_with("could not run") || why.contains("ip: No such file");
    if ci && missing {
        return Err(Failed::from(format!(
            "{why}; ci/install-proxies installs it"
        )));
    }
    Ok(Completion::ignored_with(why))
}

/// In a namespace of our own: makes another one, starts the proxy there, and judges it from here.
fn inside(run: &Run) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut host = Host::begin(folder.path())?;
    let pid = host.shell.id().to_string();
    ip(&["link", "set", "lo", "up"])?;
    let pair = ["link", "add", HERE.interface, "type", "veth"];
    ip(&[&pair[..], &["peer", "name", THERE.interface, "netns", &pid]].concat())?;
    for words in HERE.set_up() {
        ip(&words.split(' ').collect::<Vec<_>>())?;
    }
    host.go_on()?;
    host.listens(run.proxy)?;

    let report = folder.path().join("report.json");
    let mut command = Command::new(CONNECTSPEC);
    command
        .args(["run", "--proxy", run.proxy, "--allow", ALLOWED])
        .args(["--backend-bind", run.bind])
        .args(run.host.iter().flat_map(|host| ["--backend-host", host]))
        .arg("--access-log")
        .arg(folder.path().join("access.log"))
        .args(["--log-pattern", LOG_PATTERN])
        .arg(format!("--report=json={}", report.display()))
        .arg("--")
        .args(run.selectors);
    let output = command.env("NO_COLOR", "1").output()?;
    let text = said(&output);
    ensure(output.status.success(), || text.clone())?;
    is_judged(&Report::read(&report)?, run).map_err(|why| format!("{why}\n{text}"))?;
    host.ends()
}

/// A good share of the results is a judgement, none an accusation: the reference is right, and where it stands is its own
/// affair.
fn is_judged(report: &Report, run: &Run) -> Result<(), String> {
    let totals = report.totals;
    let wrong = totals.fail + totals.warn + totals.blocked + totals.broken;
    if wrong > 0 || totals.pass < run.passes {
        return Err(format!("{totals}, and there should be {} pass", run.passes));
    }
    // An empty host is the proxy's own: no server of ours is there.
    let empty = |result: &&CaseResult| result.case == "target/refuses_an_empty_host";
    let reason = report.results.iter().find(empty).map(|it| &it.reason);
    match reason {
        Some(Some(reason)) if reason.contains("not at its own localhost") => Ok(()),
        other => Err(format!("judged what nobody can see from here: {other:?}")),
    }
}

/// The other host: a shell in a namespace of its own. It ends with its input, and the proxy with it: also when this test
/// is killed.
struct Host {
    shell: Child,
    input: Option<ChildStdin>,
}

const SHELL: &str = r#"
mount --bind "$1/hosts" /etc/hosts
echo ready
read -r _
eval "$2"
shift 2
"$@" <&- &
cat >/dev/null
kill $! || true
wait
"#;

impl Host {
    fn begin(folder: &Path) -> Result<Self, Failed> {
        let hosts = format!("127.0.0.1 localhost\n{} {NAME}\n", HERE.ipv4);
        fs::write(folder.join("hosts"), hosts)?;
        let mut set_up = vec!["ip link set lo up".to_owned()];
        set_up.extend(THERE.set_up().iter().map(|words| format!("ip {words}")));
        let mut shell = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-e", "-c", SHELL, "sh"])
            .arg(folder)
            .arg(set_up.join("; "))
            .args([CONNECTSPEC, "proxy", "--allow-connect", ALLOWED])
            .args(["--listen", BY_IPV4, "--listen", BY_IPV6])
            .args(["--require", "all granted", "--log-format", LOG_FORMAT])
            .arg("--access-log")
            .arg(folder.join("access.log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = shell.stdin.take();
        let mut host = Self { shell, input };
        let mut line = String::new();
        if let Some(output) = host.shell.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line)?;
        }
        ensure(line == "ready\n", || host.complaints())?;
        Ok(host)
    }

    /// Its interface is there: it may begin.
    fn go_on(&mut self) -> Result<(), Failed> {
        let input = self.input.as_mut().ok_or("the shell has no input")?;
        Ok(input.write_all(b"go\n")?)
    }

    /// Waits until the proxy accepts connections.
    fn listens(&mut self, address: &str) -> Result<(), Failed> {
        let reachable = Remote::new(address)?.is_reachable(STARTS);
        ensure(reachable, || self.complaints())
    }

    /// Ends it; its output ends with the last process that has it.
    fn ends(&mut self) -> Result<(), Failed> {
        self.input = None;
        let mut left = String::new();
        if let Some(output) = self.shell.stdout.as_mut() {
            output.read_to_string(&mut left)?;
        }
        self.shell.wait()?;
        Ok(())
    }

    fn complaints(&mut self) -> String {
        self.input = None;
        let mut said = String::new();
        if let Some(errors) = self.shell.stderr.as_mut() {
            let _ = errors.read_to_string(&mut said);
        }
        format!("the other host did not come about: {said}")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.ends();
    }
}

impl Place {
    /// What brings its interface up. Nobody else can have the addresses, so none is asked for first.
    fn set_up(&self) -> [String; 3] {
        let Self {
            interface,
            ipv4,
            ipv6,
        } = self;
        [
            format!("address add {ipv4}/30 dev {interface}"),
            format!("address add {ipv6}/64 dev {interface} nodad"),
            format!("link set {interface} up"),
        ]
    }
}

fn ip(words: &[&str]) -> Result<(), Failed> {
    let output = Command::new("ip").args(words).output()?;
    ensure(output.status.success(), || {
        format!("ip {}: {}", words.join(" "), said(&output))
    })
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(otherwise().into())
    }
}
