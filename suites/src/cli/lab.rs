//! `--lab`: whether the run has a network of its own.

use clap::ValueEnum;
use connectspec_harness::{case::Case, lab::network::entrance, run::Plan, subject::Who};

use crate::cli::Trouble;

/// When a run has a network of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// Where a case takes one and it can be had.
    #[default]
    Auto,
    /// Always; where it cannot be had, nothing is judged.
    On,
    /// Never.
    Off,
}

/// Whether this process has the network that `plan`, made as if it had one, asks for; or why not. Where it can be had, this
/// process is replaced by one inside, with the same arguments.
pub(super) fn network(when: When, plan: &Plan) -> Result<Result<(), String>, Trouble> {
    if when == When::Off {
        return Ok(Err("--lab off".to_owned()));
    }
    let cases = || plan.groups.values().flatten();
    let asks = |case: &Case| case.in_the_lab || case.on_low_ports;
    if when == When::Auto && !cases().any(|planned| asks(&planned.case)) {
        return Ok(Err("no case asked for it".to_owned()));
    }
    if let Who::Remote(_) = &*plan.who {
        let reason = "the proxy is already running, outside of it";
        return match when {
            When::On => Err(Trouble::usage(format!("--lab on: {reason}"))),
            _ => Ok(Err(reason.to_owned())),
        };
    }
    if entrance::is_inside() {
        return Ok(Ok(()));
    }
    match entrance::enter() {
        Ok(never) => match never {},
        Err(reason) if when == When::On => Err(Trouble::not_judged(format!("--lab on: {reason}"))),
        Err(reason) => Ok(Err(reason.to_string())),
    }
}
