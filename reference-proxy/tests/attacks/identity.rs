//! Who the program is once it has given up root, and what it can still do then. Only root can give anything up.

use crate::support::{Proxy, configured, program, server};
use rustix::process::Signal;
use std::os::unix::fs::{PermissionsExt, chown};

/// Whether this process is root; in CI it must be.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || std::env::var_os("CI").is_none(), "not root");
    root
}

/// `nobody`'s number in the file that says so.
fn nobody() -> u32 {
    let text = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("nobody:"))
        .unwrap();
    line.split(':').nth(2).unwrap().parse().unwrap()
}

/// A folder that somebody else may enter, so that a config is found there.
fn opened(config: &str) -> tempfile::TempDir {
    let scratch = configured(config);
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    scratch
}

#[test]
fn nothing_of_root_is_left() {
    if !is_root() {
        return;
    }
    let scratch = opened("User nobody\nGroup nogroup\n");
    chown(scratch.path(), Some(nobody()), None).unwrap();
    let command = program(&scratch);
    let proxy = Proxy::launch(scratch, command);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", proxy.id())).unwrap();
    for task in tasks {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        for line in status.lines() {
            let ids = ["Uid:", "Gid:", "Groups:"]
                .iter()
                .find_map(|name| line.strip_prefix(name));
            let root = ids.is_some_and(|ids| ids.split_whitespace().any(|id| id == "0"));
            assert!(!root, "{line}");
        }
    }
}

#[test]
fn half_a_change_of_identity_is_an_error() {
    if !is_root() {
        return;
    }
    for config in [
        "User nobody\n",
        "Group nogroup\n",
        "User #4294967295\nGroup nogroup\n",
        "User nobody\nGroup #4294967295\n",
        "User root\nGroup nogroup\n",
        "User #0\nGroup #0\n",
    ] {
        let scratch = opened(config);
        // A proxy that goes on serving is ended with an error, too, but does not say anything about it.
        let output = std::process::Command::new("timeout")
            .arg("5")
            .arg(program(&scratch).get_program())
            .args(program(&scratch).get_args())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{config}: {said}");
        assert!(
            said.contains("User") || said.contains("Group"),
            "{config}: {said}"
        );
    }
}

#[test]
fn logs_can_be_rotated_by_whom_the_process_becomes() {
    if !is_root() {
        return;
    }
    let (server, allow) = server();
    let identity = format!("{allow}User nobody\nGroup nogroup\n");
    let scratch = opened(&identity);
    chown(scratch.path(), Some(nobody()), None).unwrap();
    let command = program(&scratch);
    let proxy = Proxy::launch(scratch, command);
    for rotation in 1..=2 {
        drop(proxy.tunnel(&server));
        proxy.access_lines(1);
        let old = proxy.file(&format!("access.log.{rotation}"));
        std::fs::rename(proxy.file("access.log"), old).unwrap();
        let signal = if rotation == 1 {
            Signal::HUP
        } else {
            Signal::USR1
        };
        proxy.signal(signal);
        proxy.says("reloaded");
    }
}

/// As on Debian, where the folder of httpd's logs is root's: root opens them, as httpd does, and a reload loses none.
#[test]
fn logs_in_a_folder_of_root_go_on_to_the_file_that_root_opened() {
    if !is_root() {
        return;
    }
    let (server, allow) = server();
    let scratch = opened(&format!("{allow}User nobody\nGroup nogroup\n"));
    let command = program(&scratch);
    let proxy = Proxy::launch(scratch, command);
    drop(proxy.tunnel(&server));
    proxy.access_lines(1);
    proxy.signal(Signal::HUP);
    proxy.says("could not be opened anew");
    proxy.says("reloaded");
    drop(proxy.tunnel(&server));
    proxy.access_lines(2);
}

/// In a folder of somebody else root would follow any link: nothing is opened there before root is given up.
#[test]
fn root_opens_no_log_in_a_folder_of_somebody_else() {
    if !is_root() {
        return;
    }
    let scratch = opened("User nobody\nGroup nogroup\n");
    let elsewhere = tempfile::tempdir().unwrap();
    let prize = elsewhere.path().join("prize");
    std::os::unix::fs::symlink(&prize, scratch.path().join("access.log")).unwrap();
    chown(scratch.path(), Some(nobody()), None).unwrap();
    let output = std::process::Command::new("timeout")
        .arg("5")
        .arg(program(&scratch).get_program())
        .args(program(&scratch).get_args())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("access.log") && said.contains("chown"),
        "{said}"
    );
    assert!(!prize.exists());
}
