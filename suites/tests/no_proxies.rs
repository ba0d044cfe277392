//! Programs that are no CONNECT proxies: the report says so in one line, with the transcript, and judges nothing. The same
//! where no program can be launched.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use assert_cmd::Command;

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// A head and a transcript; hundreds of failures would be thousands of lines.
const LINES: usize = 20;

const NGINX: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../fixtures/profiles/negatives/nginx.toml"
);

/// Runs everything against a subject that is no proxy.
#[track_caller]
fn is_told_apart(arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.arg("run").args(arguments);
    let output = command
        .timeout(LIMIT)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let said = text
        .lines()
        .filter(|line| line.contains("is no working CONNECT proxy"));
    assert_eq!(said.count(), 1, "{text}");
    assert!(!text.contains("FAIL"), "{text}");
    assert!(text.lines().count() <= LINES, "{text}");
    text
}

/// Answers everything alike, and so CONNECT too, with a page.
#[test]
fn a_server_that_says_200_to_everything_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    let text = is_told_apart(&["--proxy", &address]);
    assert!(text.contains("HTTP/1.1 200 OK"), "{text}");
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes)? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")?;
    }
    Ok(())
}

/// The most common web server there is; with `CI=true` it has to be installed.
#[test]
fn nginx_is_told_apart() {
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    let installed = ["/usr/sbin/nginx", "/usr/bin/nginx"]
        .iter()
        .any(|path| std::path::Path::new(path).exists());
    if installed || ci {
        is_told_apart(&["--profile", NGINX]);
    }
}

/// In a namespace without one; where nobody may make namespaces, there is nothing to ask.
#[test]
fn where_there_is_no_proc_the_remedy_is_told() {
    let inside = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare
            .args(["-r", "-m", "sh", "-c", script])
            .timeout(LIMIT);
        unshare.env("NO_COLOR", "1").output()
    };
    let hidden = "mount -t tmpfs none /proc";
    if !inside(hidden).is_ok_and(|made| made.status.success()) {
        return;
    }
    let run = format!(
        "{hidden} && exec '{}' run close",
        env!("CARGO_BIN_EXE_connectspec")
    );
    let output = inside(&run).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("mount -t proc proc /proc"), "{text}");
    assert_eq!(output.status.code(), Some(2), "{text}");
}
