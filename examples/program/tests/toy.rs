//! The toy fails, and each failure says why.

use connectspec::cargo_test::{Subject, cargo_test};

fn main() -> std::process::ExitCode {
    cargo_test(Subject::program(env!("CARGO_BIN_EXE_toy")).args(["{{ listen.authority }}"]))
}
