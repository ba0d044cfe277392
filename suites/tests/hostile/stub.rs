//! Subjects that do harm. Each behaves for its first connections, so that the run begins, and then plays its role.

use std::{
    fs::File,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// The first argument that makes this program play.
pub(crate) const WORD: &str = "play-hostile";

pub(crate) const IGNORES_SIGNALS: &str = "ignores_signals";

pub(crate) const ENDS_IN_A_CROWD: &str = "ends_in_a_crowd";

/// It has no time for a few clients, and then for all.
pub(crate) const NAPS: &str = "naps";

/// The clients that come while it naps.
const MISSED: std::ops::Range<usize> = 8..14;

/// Longer than such a client waits, with the patience of these runs.
const NAP: Duration = Duration::from_secs(3);

/// Who does nothing wrong on the wire: the run goes on beside what they do.
const HARMLESS: [&str; 5] = [
    NAPS,
    "lives_on_in_a_child",
    IGNORES_SIGNALS,
    "prints_a_gigabyte",
    "fills_its_folder",
];

/// Every role.
pub(crate) const ROLES: &[&str] = &[
    "never_listens",
    "ends_at_once",
    "never_accepts",
    "is_silent_from_the_start",
    "is_silent",
    "gives_half_an_answer",
    "answers_and_carries_nothing",
    "floods_the_head",
    "floods_the_tunnel",
    "sends_a_byte_a_second",
    "closes_at_random",
    "ends_after_a_while",
    ENDS_IN_A_CROWD,
    NAPS,
    "eats_descriptors",
    "lives_on_in_a_child",
    IGNORES_SIGNALS,
    "prints_a_gigabyte",
    "fills_its_folder",
];

/// Connections that are served well: those that prove that this is a proxy.
const HONEST: usize = 3;

/// What fills a folder: more than a run has any use for.
const MEGABYTES: usize = 256;

/// Whether a role carries tunnels as it should.
pub(crate) fn is_harmless(role: &str) -> bool {
    HARMLESS.contains(&role)
}

/// Plays a role when the arguments ask for one: its name, where to listen, the test's folder, its own folder.
pub(crate) fn main_if_asked() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, role, address, folder, scratch] = arguments.as_slice() else {
        return None;
    };
    if word != WORD {
        return None;
    }
    Some(
        match play(role, address, Path::new(folder), Path::new(scratch)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "could not play {role}: {error}");
                ExitCode::FAILURE
            }
        },
    )
}

fn play(role: &str, address: &str, folder: &Path, scratch: &Path) -> io::Result<()> {
    // Open as long as this process lives: the test sees when it has gone.
    let life = folder.join("life");
    let _alive = File::options().write(true).open(&life)?;
    match role {
        "never_listens" => wait_for_ever(),
        "ends_at_once" => return Err(io::Error::other("no")),
        "lives_on_in_a_child" => leave_a_child(&life)?,
        "prints_a_gigabyte" => drop(thread::spawn(print_a_gigabyte)),
        "fills_its_folder" => fill(scratch)?,
        _ => {}
    }
    let listener = TcpListener::bind(address)?;
    let mut addresses = File::options()
        .create(true)
        .append(true)
        .open(folder.join("addresses"))?;
    addresses.write_all(format!("{address}\n").as_bytes())?;
    if role == "never_accepts" {
        wait_for_ever();
    }
    let honest = match role {
        "is_silent_from_the_start" => 0,
        ENDS_IN_A_CROWD => usize::MAX,
        _ if is_harmless(role) => usize::MAX,
        _ => HONEST,
    };
    let mut eaten = Vec::new();
    let role: Arc<str> = role.into();
    for (number, client) in listener.incoming().enumerate() {
        // One that eats its descriptors accepts nobody any more, and goes on trying.
        let Ok(client) = client else { continue };
        if number >= honest && *role == *"eats_descriptors" {
            while let Ok(file) = File::open("/dev/null") {
                eaten.push(file);
            }
        }
        let role = Arc::clone(&role);
        thread::spawn(move || {
            let _guest = (*role == *ENDS_IN_A_CROWD).then(Guest::comes);
            if *role == *NAPS && MISSED.contains(&number) {
                thread::park_timeout(NAP);
            }
            let served = match number >= honest {
                true => misbehave(&role, number, client),
                false => carry(client),
            };
            // Whatever the client does, a subject of this kind does not care.
            drop(served);
        });
    }
    Ok(())
}

/// A connection to a proxy that has no room for four at once.
struct Guest;

static GUESTS: AtomicUsize = AtomicUsize::new(0);

impl Guest {
    fn comes() -> Self {
        if GUESTS.fetch_add(1, Ordering::SeqCst) + 1 == 4 {
            std::process::exit(4);
        }
        // Long enough to meet the others.
        thread::park_timeout(Duration::from_millis(50));
        Self
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        GUESTS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A proxy as it should be.
fn carry(mut client: TcpStream) -> io::Result<()> {
    let server = reach(&mut client)?;
    client.write_all(ANSWER)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || copy(from_client, to_server));
    let down = copy(server, client);
    let up = up.join().unwrap_or(Ok(()));
    up.and(down)
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

/// Reads a head, one byte at a time, and connects to its target.
fn reach(client: &mut TcpStream) -> io::Result<TcpStream> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    TcpStream::connect(target)
}

fn copy(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}

fn misbehave(role: &str, number: usize, mut client: TcpStream) -> io::Result<()> {
    match role {
        "is_silent" | "is_silent_from_the_start" => {
            io::copy(&mut client, &mut io::sink())?;
            wait_for_ever()
        }
        "gives_half_an_answer" => {
            client.write_all(b"HTTP/1.1 2")?;
            wait_for_ever()
        }
        "answers_and_carries_nothing" => {
            client.write_all(ANSWER)?;
            wait_for_ever()
        }
        "floods_the_head" => {
            client.write_all(b"HTTP/1.1 200 OK\r\n")?;
            flood(&mut client, b"X-Flood: yes\r\n")
        }
        "floods_the_tunnel" => {
            let mut server = reach(&mut client)?;
            client.write_all(ANSWER)?;
            thread::spawn(move || flood(&mut server, b"upstream "));
            flood(&mut client, b"downstream ")
        }
        "sends_a_byte_a_second" => {
            for byte in ANSWER.iter().cycle() {
                client.write_all(&[*byte])?;
                thread::park_timeout(Duration::from_secs(1));
            }
            Ok(())
        }
        "closes_at_random" => close_somewhere(number, client),
        "ends_after_a_while" => std::process::exit(3),
        _ => carry(client),
    }
}

/// Unread bytes make the close a reset; which stage it comes at follows from the number of the connection.
fn close_somewhere(number: usize, mut client: TcpStream) -> io::Result<()> {
    if number.is_multiple_of(4) {
        return Ok(());
    }
    let mut server = reach(&mut client)?;
    if number % 4 == 1 {
        return client.write_all(&ANSWER[..9]);
    }
    client.write_all(ANSWER)?;
    if number % 4 == 2 {
        return Ok(());
    }
    let mut byte = [0];
    client.read_exact(&mut byte)?;
    server.write_all(&byte)
}

fn flood(to: &mut TcpStream, words: &[u8]) -> io::Result<()> {
    let piece = words.repeat(1000);
    loop {
        to.write_all(&piece)?;
    }
}

/// A child in a session of its own that ignores the polite signals.
fn leave_a_child(life: &Path) -> io::Result<()> {
    let script = "trap '' TERM INT HUP; exec 9>\"$0\"; while :; do sleep 1000; done";
    Command::new("setsid")
        .args(["sh", "-c", script])
        .arg(life)
        .stdin(Stdio::null())
        .spawn()
        .map(drop)
}

fn print_a_gigabyte() {
    let piece = [b'x'; 1 << 20];
    for _ in 0..1024 {
        if io::stderr().write_all(&piece).is_err() {
            return;
        }
    }
}

/// Until the disk is full, or there is more than anybody asked for.
fn fill(scratch: &Path) -> io::Result<()> {
    let deep = scratch.join("a/b/c");
    std::fs::create_dir_all(&deep)?;
    let mut file = File::create(deep.join("junk"))?;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..MEGABYTES {
        if file.write_all(&piece).is_err() {
            break;
        }
    }
    Ok(())
}

fn wait_for_ever() -> ! {
    loop {
        thread::park();
    }
}
