//! What the black-box tests share: the program as a child process, and both sides of it played with plain
//! blocking sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The modules that a CONNECT proxy with every feature needs.
pub(crate) const MODULES: &str = "\
LoadModule access_compat_module modules/mod_access_compat.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_groupfile_module modules/mod_authz_groupfile.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_connect_module modules/mod_proxy_connect.so
LoadModule reqtimeout_module modules/mod_reqtimeout.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule env_module modules/mod_env.so
LoadModule ssl_module modules/mod_ssl.so
";

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reference-proxy"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Checks a config; returns whether it is good and what was said.
pub(crate) fn check(config: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("httpd.conf");
    std::fs::write(&file, format!("Listen 127.0.0.1:1\n{MODULES}{config}")).unwrap();
    let output = run(&["-t", "-f", file.to_str().unwrap()]);
    (
        output.status.success(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Checks a config that is wrong; returns the line that is named, and what was said.
pub(crate) fn refused(config: &str) -> (String, String) {
    let (good, said) = check(config);
    assert!(!good, "{config}: {said}");
    let rest = said.split_once(" on line ").unwrap().1;
    let number: usize = rest.split_once(' ').unwrap().0.parse().unwrap();
    let before = 1 + MODULES.lines().count();
    let line = config.lines().nth(number - before - 1).unwrap();
    (line.to_owned(), said)
}

/// A running proxy, with a scratch folder of its own.
pub(crate) struct Proxy {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// Whether anybody reads its standard error.
    heard: Arc<AtomicBool>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its folder.
    pub(crate) scratch: tempfile::TempDir,
}

impl Proxy {
    /// Starts the program with `config` behind what every test needs; it listens on a port of its own.
    pub(crate) fn with(config: &str) -> Self {
        let scratch = configured(config);
        let command = program(&scratch);
        Self::launch(scratch, command)
    }

    /// Starts `command`, which is the program or becomes it, and waits until it serves.
    pub(crate) fn launch(scratch: tempfile::TempDir, mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let heard = Arc::new(AtomicBool::new(true));
        let listens = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
                while !listens.load(Ordering::Relaxed) {
                    std::thread::park();
                }
            }
        });
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut proxy = Self {
            child,
            lines,
            heard,
            address,
            scratch,
        };
        let ready = proxy.says("ready to serve on ");
        proxy.address = ready.rsplit(' ').next().unwrap().parse().unwrap();
        proxy
    }

    /// Waits for a line of its error log that holds `text`.
    pub(crate) fn says(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("it never said {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// A line of its error log that holds `text`, if it has said one since it was listened to last.
    pub(crate) fn has_said(&self, text: &str) -> Option<String> {
        self.lines.try_iter().find(|line| line.contains(text))
    }

    /// Changes the config and asks for a reload.
    pub(crate) fn reload(&self, change: impl Fn(String) -> String) {
        let path = self.file("httpd.conf");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(config)).unwrap();
        self.signal(rustix::process::Signal::HUP);
    }

    /// Sends a signal to this child.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// From its next line on nobody reads what it says, and the pipe stays open.
    pub(crate) fn goes_unheard(&self) {
        self.heard.store(false, Ordering::Relaxed);
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; whether it was a success.
    pub(crate) fn ended(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::yield_now();
        }
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Its open files.
    pub(crate) fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))
            .unwrap()
            .count()
    }

    /// The time that it has computed so far, in clock ticks, and its resident memory in KiB.
    pub(crate) fn cost(&self) -> (u64, u64) {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        (ticks, fields[21].parse::<u64>().unwrap() * 4)
    }

    /// Waits until `holds`: for what the system does not announce, as closed descriptors of another process.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "never came about: {what}");
            std::thread::yield_now();
        }
    }

    /// Waits for `count` access lines and returns them, split at the bars.
    pub(crate) fn access_lines(&self, count: usize) -> Vec<Vec<String>> {
        let read =
            |proxy: &Self| std::fs::read_to_string(proxy.file("access.log")).unwrap_or_default();
        self.wait_until(&format!("{count} access lines"), |proxy| {
            read(proxy).lines().count() >= count
        });
        read(self)
            .lines()
            .map(|line| line.split('|').map(str::to_owned).collect())
            .collect()
    }

    /// A connection to it.
    pub(crate) fn dial(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends `octets` and returns everything that comes back before the end.
    pub(crate) fn exchange(&self, octets: &str) -> String {
        let mut stream = self.dial();
        stream.write_all(octets.as_bytes()).unwrap();
        everything(&mut stream)
    }

    /// The status of the answer to a CONNECT for `target`.
    pub(crate) fn connect_status(&self, target: &str, fields: &str) -> u16 {
        let mut stream = self.dial();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        head(&mut stream)
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap()
    }

    /// The status of the only answer to `octets`.
    pub(crate) fn status(&self, octets: &str) -> u16 {
        let answer = self.exchange(octets);
        assert_eq!(answer.matches("\r\nDate: ").count(), 1, "{answer}");
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// A tunnel to `server`: the client's end and the server's.
    pub(crate) fn tunnel(&self, server: &TcpListener) -> (TcpStream, TcpStream) {
        self.tunnel_with(server, "")
    }

    /// The same, with more field lines and early data behind the head.
    pub(crate) fn tunnel_with(&self, server: &TcpListener, fields: &str) -> (TcpStream, TcpStream) {
        let mut client = self.dial();
        client
            .write_all(connect(server, fields).as_bytes())
            .unwrap();
        let accepted = accept(server);
        assert_eq!(
            head(&mut client),
            "HTTP/1.1 200 Connection Established\r\n\r\n"
        );
        (client, accepted)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with an httpd.conf: `config` behind what every test needs.
pub(crate) fn configured(config: &str) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let base = format!(
        "ServerRoot {0}\nListen 127.0.0.1:0\nErrorLog /dev/stderr\nLogLevel info\n{MODULES}\
         ProxyRequests On\nLogFormat \"%>s|%{{proxy-source-port}}n|%U|%u|%I|%O|%D|%r|%{{User-Agent}}i\" t\n\
         CustomLog access.log t\n",
        scratch.path().display()
    );
    std::fs::write(scratch.path().join("httpd.conf"), base + config).unwrap();
    scratch
}

/// The program with the httpd.conf of `scratch`. An earlier build can be tried with REFERENCE_PROXY.
pub(crate) fn program(scratch: &tempfile::TempDir) -> Command {
    let built = env!("CARGO_BIN_EXE_reference-proxy");
    let chosen = std::env::var_os("REFERENCE_PROXY").unwrap_or_else(|| built.into());
    let mut command = Command::new(chosen);
    command
        .args(["-D", "FOREGROUND", "-f"])
        .arg(scratch.path().join("httpd.conf"));
    command
}

/// The request for a tunnel to `server`.
pub(crate) fn connect(server: &TcpListener, fields: &str) -> String {
    let target = server.local_addr().unwrap();
    format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{fields}\r\n")
}

/// A server on a port of its own, and `AllowCONNECT` for it.
pub(crate) fn server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let allow = format!("AllowCONNECT {}\n", listener.local_addr().unwrap().port());
    (listener, allow)
}

/// A port that is bound and refuses: nobody listens.
pub(crate) fn closed_port() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// The next connection to `server`.
pub(crate) fn accept(server: &TcpListener) -> TcpStream {
    let (stream, _) = server.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Whether somebody has connected and waits to be accepted.
pub(crate) fn was_contacted(server: &TcpListener) -> bool {
    server.set_nonblocking(true).unwrap();
    server.accept().is_ok()
}

/// Reads to the end of a head and not one octet further.
pub(crate) fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream
            .read_exact(&mut octet)
            .unwrap_or_else(|error| panic!("{error} behind {head:?}"));
        head.push(octet[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads to the end; a reset is an end, too.
pub(crate) fn everything(stream: &mut TcpStream) -> String {
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

/// Reads exactly so many octets.
pub(crate) fn octets<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut octets = [0; N];
    stream.read_exact(&mut octets).unwrap();
    octets
}

/// Sends the end.
pub(crate) fn finish(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Closes with a reset.
pub(crate) fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}

/// How the stream ends: `Ok` for a FIN, `Err` for a reset.
pub(crate) fn end(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut octet = [0];
    match stream.read(&mut octet)? {
        0 => Ok(()),
        _ => panic!("an octet instead of the end"),
    }
}
