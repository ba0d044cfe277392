//! Configurations that would take all time and memory, and files that are none.

use crate::support::{MODULES, Proxy, configured, program};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use std::process::{Command, Output};

/// Checks a config with half a gigabyte of memory and little time; files may stand beside it.
fn check(config: &str, files: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    mknodat(
        CWD,
        folder.path().join("fifo"),
        FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    let file = folder.path().join("httpd.conf");
    let root = folder.path().display();
    std::fs::write(
        &file,
        format!("ServerRoot {root}\nListen 127.0.0.1:1\n{MODULES}{config}"),
    )
    .unwrap();
    let plain = program(&folder);
    Command::new("sh")
        .args(["-c", "ulimit -v 1000000 && exec timeout 15 \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(["-t", "-f"])
        .arg(file)
        .output()
        .unwrap()
}

/// A config, the files beside it, and what is said about it.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn what_grows_without_end_is_an_error_that_says_so() {
    let doubled = format!("Define A 0123456789\n{}", "Define A ${A}${A}\n".repeat(40));
    let once =
        "Define A ".to_owned() + &"x".repeat(1 << 19) + "\n" + &"ServerAdmin ${A}\n".repeat(200);
    let lines = "KeepAlive On\n".repeat(20_000);
    let many = "Include many\n".repeat(100);
    let fan = "Include fan2\nInclude fan2\n";
    let rows: &[Row<'_>] = &[
        (
            "Include fan\n",
            &[("fan", "Include fan\nInclude fan\n")],
            "maximum include depth",
        ),
        (
            &"Include fan\n".repeat(150),
            &[("fan", &fan.repeat(100)), ("fan2", "")],
            "more than 10000 files",
        ),
        (&doubled, &[], "when its variables are replaced"),
        (&once, &[], "when its variables are replaced"),
        (&many, &[("many", &lines)], "more than 250000 directives"),
        ("Include /dev/zero\n", &[], "not a regular file"),
        ("Include fifo\n", &[], "not a regular file"),
        (
            "SSLEngine On\nSSLCertificateFile fifo\n",
            &[],
            "not a regular file",
        ),
    ];
    for (config, files, message) in rows {
        let output = check(config, files);
        let said = String::from_utf8_lossy(&output.stderr);
        let start: String = said.chars().take(400).collect();
        assert_eq!(output.status.code(), Some(1), "{message}: {start}");
        assert!(said.contains(message), "{message}: {start}");
    }
}

#[test]
fn many_sections_times_many_hosts_fit_into_memory() {
    let mut config = String::new();
    for index in 0..10_000 {
        let section = format!("<Proxy \"h{index}.test:443\">\nRequire all denied\n</Proxy>\n");
        config += &section;
    }
    for index in 0..1000 {
        let host = format!("<VirtualHost *:1>\nServerName v{index}.test\n</VirtualHost>\n");
        config += &host;
    }
    let output = check(&config, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}",
        said.lines().last().unwrap_or_default()
    );
}

#[test]
fn a_pid_file_follows_no_link_and_is_gone_at_the_end() {
    let scratch = configured("PidFile pid\n");
    let precious = scratch.path().join("precious");
    std::fs::write(&precious, "kept").unwrap();
    std::os::unix::fs::symlink(&precious, scratch.path().join("pid")).unwrap();
    let command = program(&scratch);
    let mut proxy = Proxy::launch(scratch, command);
    let written = std::fs::read_to_string(proxy.file("pid")).unwrap();
    assert_eq!(written, format!("{}\n", proxy.id()));
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "kept");
    proxy.signal(Signal::TERM);
    assert!(proxy.ended());
    assert!(!proxy.file("pid").exists());
}
