//! Both programs on one config, and one exchange with either.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

mod decision;
mod exchange;

pub(crate) use decision::{Ask, Decision};
pub(crate) use exchange::Seen;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The port that both listen on, each at an address of its own in 127/8.
const PORT: u16 = 3128;
/// Where Debian keeps the modules.
const MODULES: &str = "/usr/lib/apache2/modules";
/// What every config starts with. Names in braces come from the environment, so that both read the same file.
const BASE: &str = "\
ServerRoot ${SCRATCH}
DefaultRuntimeDir ${SCRATCH}
PidFile ${SCRATCH}/pid
ErrorLog ${SCRATCH}/error.log
ServerName main.test
User www-data
Group www-data
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
";
/// What the configs of one or two lines start with as well.
const FORWARD: &str = "\
Listen ${LISTEN}
ProxyRequests On
LogFormat \"%>s|%{proxy-source-port}n|%U|%m|%u|%X|%k|%H|%h|%{User-Agent}i|%r\" compared
CustomLog ${SCRATCH}/access.log compared
";

/// The program, where it is installed.
pub(crate) fn httpd() -> Option<PathBuf> {
    ["/usr/sbin/apache2", "/usr/local/sbin/apache2"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.exists())
}

/// The modules that serve CONNECT, and `Require`.
const NEEDED: &[&str] = &[
    "mpm_event",
    "auth_basic",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_host",
    "authz_user",
    "proxy",
    "proxy_connect",
    "reqtimeout",
];

/// The text of a config for both: what they need, then `more`.
pub(crate) fn config(more: &str) -> String {
    config_with(&[], more)
}

/// The same with further modules.
pub(crate) fn config_with(modules: &[&str], more: &str) -> String {
    bare(modules, &format!("{FORWARD}{more}"))
}

/// A config that brings its own `Listen` and `ProxyRequests`.
pub(crate) fn bare(modules: &[&str], more: &str) -> String {
    let load: String = NEEDED
        .iter()
        .chain(modules)
        .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
        .collect();
    format!("{load}{BASE}{more}")
}

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Httpd,
    Reference,
}

/// A folder with a config in it, and an address.
pub(crate) struct Home {
    who: Who,
    pub(crate) scratch: tempfile::TempDir,
    address: SocketAddr,
    /// Whether it has a table of names of its own.
    hosts: bool,
    /// What its config may name in braces besides.
    names: Vec<(&'static str, String)>,
}

/// Runs its arguments where `$SCRATCH/hosts` is the machine's table of names.
const WITH_HOSTS: [&str; 4] = ["unshare", "-m", "sh", "-c"];
const MOUNT: &str = "mount --bind \"$SCRATCH/hosts\" /etc/hosts && exec \"$0\" \"$@\"";

/// Whether a program can be given a table of names of its own: that takes root, and a kernel that lets it.
pub(crate) fn names_can_be_given() -> bool {
    let home = Home::new(Who::Reference, "").with_hosts("127.0.0.1 localhost\n");
    let ran = home.wrapped(Path::new("true")).output();
    ran.is_ok_and(|output| output.status.success())
}

impl Home {
    pub(crate) fn new(who: Who, config: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed) + (std::process::id() % 4000) * 1024;
        let part = |divisor: u32| u8::try_from(next / divisor % 254 + 1).unwrap_or(1);
        let address = SocketAddr::from(([127, 64 + part(254 * 254) / 4, part(254), part(1)], PORT));
        let scratch = tempfile::tempdir().unwrap();
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        if rustix::process::geteuid().is_root() {
            // Logs are opened by whom the reference becomes.
            let [user, group] = www_data();
            std::os::unix::fs::chown(scratch.path(), Some(user), Some(group)).unwrap();
        }
        std::fs::write(scratch.path().join("httpd.conf"), config).unwrap();
        Self {
            who,
            scratch,
            address,
            hosts: false,
            names: Vec::new(),
        }
    }

    /// With a name that the config may write in braces.
    pub(crate) fn with_name(mut self, name: &'static str, value: &str) -> Self {
        self.names.push((name, value.to_owned()));
        self
    }

    /// With a file in its folder that everybody can read.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        self
    }

    /// With these lines in place of the machine's `/etc/hosts`.
    pub(crate) fn with_hosts(mut self, lines: &str) -> Self {
        self.hosts = true;
        self.with_file("hosts", lines)
    }

    /// A program as it is run here.
    pub(crate) fn wrapped(&self, program: &Path) -> Command {
        let mut command = if self.hosts {
            let [unshare, arguments @ ..] = WITH_HOSTS;
            let mut command = Command::new(unshare);
            command.args(arguments).arg(MOUNT).arg(program);
            command
        } else {
            Command::new(program)
        };
        command
            .envs(self.names.iter().map(|(name, value)| (name, value)))
            .env("SCRATCH", self.scratch.path())
            .env("ADDRESS", self.address.ip().to_string())
            .env("LISTEN", self.address.to_string());
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = match self.who {
            Who::Httpd => httpd().unwrap(),
            Who::Reference => env!("CARGO_BIN_EXE_reference-proxy").into(),
        };
        let mut command = self.wrapped(&program);
        command
            .args(arguments)
            .arg("-f")
            .arg(self.scratch.path().join("httpd.conf"));
        command
    }

    /// Checks the config: whether it is good, and what is wrong.
    pub(crate) fn check(&self) -> (bool, String) {
        let output = self.command(&["-t"]).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    pub(crate) fn launch(self) -> Running {
        let who = self.who;
        self.launch_or_refusal()
            .unwrap_or_else(|said| panic!("{who:?} ended: {said}"))
    }

    /// Launches it, or says why it did not start.
    pub(crate) fn launch_or_refusal(self) -> Result<Running, String> {
        let said = self.scratch.path().join("stderr");
        let child = self
            .command(&["-D", "FOREGROUND"])
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap();
        let mut running = Running { child, home: self };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(running.home.address).is_err() {
            if running.child.try_wait().unwrap().is_some() {
                return Err(read(&said) + &running.errors());
            }
            assert!(
                Instant::now() < end,
                "{:?} never listened: {}",
                running.home.who,
                running.errors()
            );
            std::thread::yield_now();
        }
        Ok(running)
    }
}

/// A program that listens.
pub(crate) struct Running {
    child: Child,
    home: Home,
}

/// Both programs on the same config.
pub(crate) fn both(config: &str) -> [Running; 2] {
    [Who::Httpd, Who::Reference].map(|who| Home::new(who, config).launch())
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.home.address
    }

    /// A file of its folder.
    pub(crate) fn file(&self, name: &str) -> String {
        read(&self.home.scratch.path().join(name))
    }

    /// The first line of a file of its folder, once it is there.
    pub(crate) fn first_line(&self, name: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some((line, _)) = self.file(name).split_once('\n') {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "nothing in {name}");
            std::thread::yield_now();
        }
    }

    fn lines(&self) -> Vec<String> {
        self.file("access.log").lines().map(str::to_owned).collect()
    }

    fn errors(&self) -> String {
        self.file("error.log")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            // Its number may be another's by now.
            return;
        }
        // httpd's first process ends its children when it is told to end, and not when it is killed.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A server that sends back what it gets; it lives as long as the test program.
pub(crate) fn echo() -> u16 {
    echo_at("127.0.0.1")
}

/// The same at another address of this machine.
pub(crate) fn echo_at(address: &str) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    echo_on(listener);
    port
}

/// Sends back what comes in there.
pub(crate) fn echo_on(listener: TcpListener) {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut octets = [0; 1024];
                while let Ok(read @ 1..) = stream.read(&mut octets) {
                    let _ = stream.write_all(&octets[..read]);
                }
            });
        }
    });
}

/// The numbers of the user that both become, and of its group.
fn www_data() -> [u32; 2] {
    let users = read(Path::new("/etc/passwd"));
    let line = users.lines().find(|line| line.starts_with("www-data:"));
    let mut fields = line.unwrap().split(':').skip(2);
    [(); 2].map(|()| fields.next().unwrap().parse().unwrap())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
