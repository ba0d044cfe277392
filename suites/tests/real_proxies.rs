//! The real proxies, each judged as its users would: it conforms, but for the deviations that its profile explains.
//!
//! One that is not installed shows as ignored, with its install line; with `CI=true` it fails.

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Comes with the program, and has tests of its own.
const EMBEDDED: &str = "reference";

/// The cases that wait out httpd's timers, and those that stand beside them. They wait at the same time for the most
/// part, so this takes some ten seconds.
const WAITING: &[&str] = &[
    "--slow",
    "httpd_logs",
    "httpd_tunnels",
    "source_port_elsewhere",
];

/// What these differ in over TLS is their library for it: here they are asked in the clear, and by `ci/matrix` over both.
const IN_THE_CLEAR: &[&str] = &[
    "envoy-stream-errors",
    "go-net-http",
    "haproxy",
    "nghttpx",
    "node-http2",
];

fn main() -> ExitCode {
    let names = connectspec_fixtures::profiles()
        .iter()
        .map(|built_in| built_in.name)
        .filter(|name| *name != EMBEDDED);
    let trials = names.map(|name| {
        Trial::ignorable_test(format!("{name}_deviates_only_as_listed"), move || {
            judge(name, &[])
        })
    });
    let waiting = ["apache", EMBEDDED].map(|name| {
        Trial::ignorable_test(format!("{name}_waits_as_listed"), move || {
            judge(name, WAITING)
        })
    });
    let trials = trials.chain(waiting);
    let mut arguments = Arguments::from_args();
    // Proxies wait more than they work; with many at a time they would wait for each other.
    arguments.test_threads = Some(3);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn judge(name: &str, more: &[&str]) -> Result<Completion, Failed> {
    let over = match IN_THE_CLEAR.contains(&name) {
        true => "h2c",
        false => "every",
    };
    let output = Command::new(env!("CARGO_BIN_EXE_connectspec"))
        // Who has no TLS listener is not asked over TLS, and the report says so.
        .args(["run", "--over", over, "--profile", name])
        .args(more)
        .env("NO_COLOR", "1")
        .output()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let missing = text.contains("could not find the program");
    match output.status.code() {
        Some(0) => Ok(Completion::Completed),
        _ if missing && std::env::var_os("CI").is_none_or(|ci| ci != "true") => {
            Ok(Completion::ignored_with(text.trim()))
        }
        _ => Err(Failed::from(text)),
    }
}
