//! Every case against the embedded reference proxy, over every version of HTTP, each a test of its own.

use std::process::ExitCode;

use connectspec::cargo_test::{EVERY, Subject, cargo_test};

fn main() -> ExitCode {
    cargo_test(Subject::reference(env!("CARGO_BIN_EXE_connectspec")).over(EVERY))
}
