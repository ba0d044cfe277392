//! The guard as a program of its own, for callers whose own `main` cannot be one: plain `#[test]` functions.
//!
//! See [`connectspec_harness::subject::process::set_guard`].

fn main() -> std::process::ExitCode {
    connectspec_harness::subject::process::guard_main_if_asked();
    // Started by hand: there is nothing to guard.
    std::process::ExitCode::FAILURE
}
