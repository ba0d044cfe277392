//! Logs: lines that are waited for, wherever the subject writes them.

use std::{
    fs::OpenOptions,
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use connectspec_harness::subject::{
    log::LogReader, process::Subject, profile::Profile, remote::Remote,
};
use libtest_mimic::Failed;

use super::{PATIENCE, Proof, ensure, somewhere};

super::tests![
    a_line_on_stdout_is_found,
    a_line_on_stderr_is_found,
    a_line_in_a_file_is_waited_for,
    a_rotated_file_is_followed,
    a_long_line_is_cut_and_a_half_one_waits,
    a_pipe_in_the_place_of_a_log_has_no_lines,
    a_sparse_log_of_gigabytes_costs_what_is_kept,
    a_dead_subject_is_not_waited_for,
    a_running_proxy_is_described_by_hand,
];

const PATTERN: &str =
    r"status=(?P<status>\d+) source=(?P<source_port>\d+|-) target=(?P<target>\S+)";

fn a_line_on_stdout_is_found() -> Proof {
    stream_is_read("stdout", "")
}

fn a_line_on_stderr_is_found() -> Proof {
    stream_is_read("stderr", "exec >&2; ")
}

fn stream_is_read(from: &str, redirect: &str) -> Proof {
    let subject = Subject::launch(&logging_profile(from, redirect)?, &somewhere())?;
    let log = subject.access_log().ok_or("no log")?.clone();
    let waiting = thread::spawn(move || log.wait_for("one", PATIENCE));
    let mut connection = TcpStream::connect(subject.address())?;
    connection
        .write_all(b"noise\nstatus=200 source=4711 target=one\nstatus=403 source=- target=2\n")?;
    let line = waiting
        .join()
        .map_err(|_| "it panicked")?
        .ok_or("no line")?;
    ensure(
        line.source_port == Some(4711) && line.status == Some(200),
        format!("{line:?}"),
    )?;
    ensure(
        line.target.as_deref() == Some("one") && line.client.is_none(),
        format!("{line:?}"),
    )?;

    let log = subject.access_log().ok_or("no log")?;
    let denied = log
        .wait_until(|line| line.status == Some(403), PATIENCE)
        .ok_or("no denial")?;
    ensure(denied.source_port.is_none(), format!("{denied:?}"))?;
    ensure(
        log.find(|line| line.status == Some(403)) == Some(denied),
        "it is not found again",
    )?;
    ensure(
        log.lines().len() == 3 && log.lines()[0].status.is_none(),
        format!("{:?}", log.lines()),
    )
}

fn a_line_in_a_file_is_waited_for() -> Proof {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    let log = LogReader::file(path.clone(), PATTERN.parse()?);
    ensure(log.lines().is_empty(), "a file that is not there has lines")?;
    let before = Instant::now();
    ensure(
        log.wait_for("x", Duration::from_millis(20)).is_none(),
        "a line from nowhere",
    )?;
    ensure(
        before.elapsed() >= Duration::from_millis(20),
        "it did not wait",
    )?;

    let waiting: Vec<_> = (0..8)
        .map(|number| {
            let log = log.clone();
            thread::spawn(move || log.wait_for(&format!("target={number};"), PATIENCE))
        })
        .collect();
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    for number in 0..8 {
        writeln!(file, "status=200 source={} target={number};", 100 + number)?;
    }
    for (number, waiting) in (0..).zip(waiting) {
        let line = waiting
            .join()
            .map_err(|_| "it panicked")?
            .ok_or("no line")?;
        ensure(
            line.source_port == Some(100 + number),
            format!("{number}: {line:?}"),
        )?;
    }
    Ok(())
}

fn a_rotated_file_is_followed() -> Proof {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    let log = LogReader::file(path.clone(), PATTERN.parse()?);
    std::fs::write(&path, "first, and longer than the next\n")?;
    ensure(log.wait_for("first", PATIENCE).is_some(), "no first line")?;
    std::fs::write(&path, "second\r\n")?;
    let line = log.wait_for("second", PATIENCE).ok_or("no second line")?;
    ensure(line.text == "second", line.text)
}

fn a_long_line_is_cut_and_a_half_one_waits() -> Proof {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    let log = LogReader::file(path.clone(), PATTERN.parse()?);
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.write_all(&vec![b'x'; 300_000])?;
    file.write_all(b"\nhalf")?;
    let lines = log.lines();
    ensure(
        lines.len() == 1 && lines[0].text.len() == 64 * 1024,
        format!("{} lines", lines.len()),
    )?;
    file.write_all(b" and half\n")?;
    ensure(
        log.lines()[1].text == "half and half",
        "the halves do not meet",
    )
}

/// Opened as files are, a pipe to which nobody writes would be waited for to the end of days.
fn a_pipe_in_the_place_of_a_log_has_no_lines() -> Proof {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    let made = std::process::Command::new("mkfifo").arg(&path).status()?;
    ensure(made.success(), "no pipe could be made")?;
    let log = LogReader::file(path.clone(), PATTERN.parse()?);
    let before = Instant::now();
    let line = log.wait_for("x", Duration::from_millis(20));
    ensure(line.is_none() && before.elapsed() < PATIENCE, "a line")?;
    let remote = Remote::new("127.0.0.1:1")?.access_log(path, PATTERN);
    let mistake = remote.err().ok_or("a pipe is taken for a log")?.to_string();
    ensure(mistake.contains("no regular file"), mistake)
}

fn a_sparse_log_of_gigabytes_costs_what_is_kept() -> Proof {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("access.log");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.set_len(3 << 30)?;
    file.write_all(b"\nstatus=200 source=1 target=last\n")?;
    let log = LogReader::file(path, PATTERN.parse()?);
    let before = Instant::now();
    ensure(log.wait_for("last", PATIENCE).is_some(), "no last line")?;
    ensure(
        before.elapsed() < PATIENCE / 2,
        "it was read from end to end",
    )?;
    // Short lines, but more octets of them than anybody wants to keep.
    for _ in 0..64 {
        file.write_all("x".repeat(1 << 10).repeat(1 << 10).as_bytes())?;
        file.write_all(b"\n")?;
        let line = format!("{}\n", "y".repeat(16 << 10));
        file.write_all(line.repeat(64).as_bytes())?;
        drop(log.lines());
    }
    let kept: usize = log.lines().iter().map(|line| line.text.len()).sum();
    ensure(
        (16 << 20..=32 << 20).contains(&kept),
        format!("{kept} octets are kept"),
    )
}

fn a_dead_subject_is_not_waited_for() -> Proof {
    let subject = Subject::launch(&logging_profile("stdout", "")?, &somewhere())?;
    let log = subject.access_log().ok_or("no log")?.clone();
    let waiting = thread::spawn(move || log.wait_for("never", Duration::from_secs(3600)));
    subject.stop();
    ensure(
        waiting.join().map_err(|_| "it panicked")?.is_none(),
        "a line from nowhere",
    )
}

fn a_running_proxy_is_described_by_hand() -> Proof {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let name = listener.local_addr()?.to_string();
    let remote = Remote::new(&name)?
        .allowing("443 8000-8100")?
        .credentials("ann:a:b")?;
    ensure(remote.is_reachable(PATIENCE), "it is not reachable")?;
    ensure(
        remote.allow.as_ref().is_some_and(|allow| allow.len() == 2),
        format!("{remote:?}"),
    )?;
    // Bound and not listening, so that nobody else listens there either.
    let silent = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    silent.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    let address = silent.local_addr()?.as_socket().ok_or("no address")?;
    ensure(
        !Remote::new(&address.to_string())?.is_reachable(Duration::from_millis(20)),
        "it is reachable",
    )?;

    let mistakes = [
        Remote::new("127.0.0.1").map(drop),
        remote.clone().allowing("https").map(drop),
        remote.clone().credentials("ann").map(drop),
        remote.access_log("x".into(), "(").map(drop),
    ];
    for (mistake, part) in
        mistakes
            .into_iter()
            .zip(["127.0.0.1:3128", "`https`", "USER:", "pattern"])
    {
        let text = mistake.err().ok_or("a mistake went through")?.to_string();
        ensure(text.contains(part), text)?;
    }
    Ok(())
}

fn logging_profile(from: &str, redirect: &str) -> Result<Profile, Failed> {
    let stub = std::env::current_exe()?;
    let text = format!(
        "name = 'x'\n[launch]\nprogram = 'sh'\nargs = ['-c', '''\n{redirect}exec \"{}\" stub-listen {}''']\n\
         [access-log]\nfrom = '{from}'\npattern = '{PATTERN}'\n",
        stub.display(),
        "{{ listen.authority }}",
    );
    Ok(Profile::parse("x.toml", &text, &|_| None)?)
}
