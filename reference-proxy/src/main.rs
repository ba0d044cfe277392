//! The reference proxy as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    connectspec_reference_proxy::main_with(std::env::args_os())
}
