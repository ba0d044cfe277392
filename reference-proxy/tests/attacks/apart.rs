//! The program in a mount namespace of its own: with a disk that is full, or with other names than the machine's.

use crate::support::program;
use std::process::{Command, Stdio};

/// How a namespace is had: as root, or as somebody who may be root in it.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];

/// The program behind `setup`, a line for the shell. `None` where there are no namespaces, but not in CI, where
/// there must be some.
pub(crate) fn apart(setup: &str, scratch: &tempfile::TempDir) -> Option<Command> {
    let way = WAYS.into_iter().find(|way| {
        let mut attempt = Command::new("unshare");
        attempt.args(*way).arg("true").stderr(Stdio::null());
        attempt.status().is_ok_and(|status| status.success())
    });
    let Some(way) = way else {
        assert!(std::env::var_os("CI").is_none(), "there are no namespaces");
        #[expect(
            clippy::print_stderr,
            reason = "whoever runs the test shall know that it did nothing"
        )]
        let () = eprintln!("left out: there are no namespaces");
        return None;
    };
    let plain = program(scratch);
    let mut command = Command::new("unshare");
    command
        .args(way)
        .args(["sh", "-c", &format!("{setup} && exec \"$@\""), "sh"])
        .arg(plain.get_program())
        .args(plain.get_args());
    Some(command)
}
