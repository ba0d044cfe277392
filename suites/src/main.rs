//! `connectspec`: the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The same binary guards its children, and is the reference proxy.
    connectspec_harness::subject::process::guard_main_if_asked();
    connectspec::cli::main()
}
