//! The toy fails, and each failure says why.

use connectspec::cargo_test::{Subject, cargo_test};
use example_function::toy;

fn main() -> std::process::ExitCode {
    cargo_test(Subject::serving(|listener| {
        // It ends when the tests do.
        let _ = toy::serve(&listener);
    }))
}
