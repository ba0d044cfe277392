//! The mended proxy keeps whatever the suite asks of it.

use connectspec::cargo_test::{Subject, cargo_test};

fn main() -> std::process::ExitCode {
    cargo_test(Subject::program(env!("CARGO_BIN_EXE_mended")).args(["{{ listen.authority }}"]))
}
