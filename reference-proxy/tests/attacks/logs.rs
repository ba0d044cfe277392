//! Logs that do not move: pipes that nobody reads, disks that are full, files at their size limit.

use crate::apart::apart;
use crate::crowd::lines;
use crate::support::{PATIENCE, Proxy, configured, octets, program, server};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Refusals whose lines fill a pipe several times over.
const MANY: usize = 3000;

/// A request that is refused, with a line of about so many octets in either log.
fn refused(proxy: &Proxy, length: usize) {
    let target = "x".repeat(length / 2);
    let answer = proxy.exchange(&format!("GET /{target} HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 405 "), "no answer: {answer:?}");
}

/// Octets pass, newcomers are let in, and the process ends when it is told to.
fn still_serves(proxy: &mut Proxy, tunnel: (std::net::TcpStream, std::net::TcpStream)) {
    let (mut client, mut far) = tunnel;
    client.write_all(b"still").unwrap();
    assert_eq!(&octets(&mut far), b"still");
    drop((client, far));
    proxy.signal(rustix::process::Signal::TERM);
    assert!(proxy.ended());
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn standard_error_that_nobody_reads_holds_nobody_up() {
    let (server, allow) = server();
    let mut proxy = Proxy::with(&allow);
    let tunnel = proxy.tunnel(&server);
    proxy.goes_unheard();
    for _ in 0..MANY {
        refused(&proxy, 100);
    }
    drop(proxy.tunnel(&server));
    still_serves(&mut proxy, tunnel);
    assert_eq!(lines(&proxy.file("access.log")), MANY + 2);
}

#[test]
fn a_fifo_that_nobody_reads_holds_nobody_up_and_what_is_lost_is_told() {
    let (server, allow) = server();
    let scratch = configured(&format!("{allow}CustomLog pipe t\n"));
    let pipe = scratch.path().join("pipe");
    fifo(&pipe);
    let command = program(&scratch);
    let mut proxy = Proxy::launch(scratch, command);
    let tunnel = proxy.tunnel(&server);
    // More than may wait.
    let many = 1500;
    for _ in 0..many {
        refused(&proxy, 16_000);
    }
    proxy.says(&format!("log {} stands still", pipe.display()));
    // Somebody reads at last.
    let reader = BufReader::new(std::fs::File::open(&pipe).unwrap());
    let counted = std::thread::spawn(move || {
        let whole = |line: &String| line.starts_with("405|-|") && line.ends_with("|-");
        reader
            .lines()
            .map_while(Result::ok)
            .take_while(whole)
            .count()
    });
    let lost = told(&proxy.says("moves again; lines lost: "));
    still_serves(&mut proxy, tunnel);
    // The line of the tunnel is another one.
    assert_eq!(counted.join().unwrap() + lost, many);
}

/// Makes lines until some are lost, lets the log move again by `relief`, and counts: every line is in one of
/// `files`, whole, or was told of.
fn counts_what_it_loses(proxy: &Proxy, relief: impl Fn(), files: &[&str]) {
    let (mut made, length) = (0, 500);
    for _ in 0..400 {
        refused(proxy, length);
        made += 1;
    }
    proxy.says("takes nothing");
    relief();
    // A disk that is full may take a short line now and then, so that it is told more than once.
    let (mut lost, end) = (0, Instant::now() + PATIENCE);
    while lost == 0 {
        refused(proxy, length);
        made += 1;
        lost += proxy
            .has_said("moves again; lines lost: ")
            .map_or(0, |line| told(&line));
        assert!(Instant::now() < end, "it never told what it lost");
    }
    loop {
        let written = whole_lines(proxy, files);
        if written
            .as_ref()
            .is_ok_and(|&written| written > 0 && written + lost == made)
        {
            return;
        }
        assert!(Instant::now() < end, "{written:?} + {lost} of {made}");
        lost += proxy
            .has_said("moves again; lines lost: ")
            .map_or(0, |line| told(&line));
    }
}

/// How many lines the log says that it lost.
fn told(complaint: &str) -> usize {
    complaint.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The lines in `files`, as the proxy sees them, none of which is a part of one; or the part of a line that
/// stands at the end of a file. The proxy may be about to write the rest of it or to take it back.
fn whole_lines(proxy: &Proxy, files: &[&str]) -> Result<usize, String> {
    let count = |name: &&str| {
        let path = format!("/proc/{}/root{}", proxy.id(), proxy.file(name).display());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut lines = 0;
        for line in text.split_inclusive('\n') {
            if !line.ends_with('\n') {
                return Err(format!("half a line: {line:?}"));
            }
            let whole = line.starts_with("405|-|") && line.ends_with("|-\n");
            assert!(whole, "half a line: {line:?}");
            lines += 1;
        }
        Ok(lines)
    };
    files.iter().map(count).sum()
}

#[test]
fn a_file_at_its_size_limit_keeps_whole_lines_and_the_loss_is_told() {
    let scratch = configured("");
    let plain = program(&scratch);
    let mut command = Command::new("sh");
    command
        // Blocks of 512 octets.
        .args(["-c", "ulimit -f 100 && exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(plain.get_args());
    let proxy = Proxy::launch(scratch, command);
    let relief = || {
        std::fs::rename(proxy.file("access.log"), proxy.file("access.log.1")).unwrap();
        proxy.reload(|config| config);
    };
    counts_what_it_loses(&proxy, relief, &["access.log", "access.log.1"]);
}

#[test]
fn a_full_disk_keeps_whole_lines_and_the_loss_is_told() {
    let scratch = configured("CustomLog disk/access.log t\n");
    let disk = scratch.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size=128k none {}", disk.display());
    let Some(command) = apart(&mount, &scratch) else {
        return;
    };
    let proxy = Proxy::launch(scratch, command);
    let filler = format!("/proc/{}/root{}/filler", proxy.id(), disk.display());
    std::fs::write(&filler, vec![0; 60 << 10]).unwrap();
    let relief = || std::fs::remove_file(&filler).unwrap();
    counts_what_it_loses(&proxy, relief, &["disk/access.log"]);
}
