//! Every case against the embedded reference proxy, each a test of its own.

use std::process::ExitCode;

use connectspec::cargo_test::{Subject, cargo_test};

fn main() -> ExitCode {
    cargo_test(Subject::reference(env!("CARGO_BIN_EXE_connectspec")))
}
