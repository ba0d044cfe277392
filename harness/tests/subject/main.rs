//! Subjects of every kind, launched for real: those that work, each way not to, and what is left behind.

mod guarding;
mod launching;
mod logging;
mod stub;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use connectspec_harness::subject::{
    configuration::Configuration,
    process::guard_main_if_asked,
    profile::{Profile, ProfileError},
};
use libtest_mimic::{Arguments, Failed, Trial};

/// What a test gives back.
type Proof = Result<(), Failed>;

/// How long anything may take that has to happen. Long, since nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    guard_main_if_asked();
    if let Some(code) = stub::main_if_asked() {
        return code;
    }
    let tests = [launching::tests(), guarding::tests(), logging::tests()].concat();
    let trials = tests
        .into_iter()
        .map(|(name, test)| Trial::test(name, test))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test and its name.
type Test = (&'static str, fn() -> Proof);

/// Names tests by their functions.
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        pub(crate) fn tests() -> Vec<crate::Test> {
            vec![$((stringify!($test), $test)),*]
        }
    };
}
use tests;

/// Fails the test with a message when something does not hold.
fn ensure(holds: bool, otherwise: impl std::fmt::Display) -> Proof {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// A proxy that takes all it needs as arguments.
fn stub_profile(args: &[&str]) -> Result<Profile, Failed> {
    Ok(Profile::for_program(&std::env::current_exe()?, args)?)
}

/// A subject that is a shell script, in which `$STUB` is this program.
fn script(script: &str) -> Result<Profile, ProfileError> {
    let stub = std::env::current_exe().unwrap_or_default();
    let script = format!("STUB='{}'\n{script}", stub.display());
    Profile::for_program(Path::new("/bin/sh"), ["-c", &script])
}

/// The plainest configuration, on a port that is free.
fn somewhere() -> Configuration {
    Configuration::new(free_address())
}

/// An address that nobody else in this program gets. Below the ephemeral ports, so that no connection of a
/// test that runs at the same time takes it.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Below the blocks that runs of the suite reserve: theirs refuse connections, too, and cannot be bound.
    let base = 2_048 + u16::try_from(std::process::id() % 60).unwrap_or(0) * 128;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed) % 128;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // Not by binding: the listener could be copied into a subject that starts at the same time.
        if TcpStream::connect(address).is_err() {
            return address;
        }
    }
}
