//! The toy, with failures that are known: they are ignored, with the reason, until they change or are mended.

use connectspec::cargo_test::{Subject, cargo_test};

fn main() -> std::process::ExitCode {
    cargo_test(
        Subject::program(env!("CARGO_BIN_EXE_toy"))
            .args(["{{ listen.authority }}"])
            .baseline("tests/known.toml"),
    )
}
