//! The mended proxy keeps whatever the suite asks of it.

use connectspec::cargo_test::{Subject, cargo_test};
use example_function::mended;

fn main() -> std::process::ExitCode {
    cargo_test(Subject::serving(|listener| {
        // It ends when the tests do.
        let _ = mended::serve(&listener);
    }))
}
