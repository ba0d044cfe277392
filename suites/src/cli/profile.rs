//! `connectspec profile`: write a profile for a proxy, and check that it works.

use clap::{Parser, Subcommand};
use connectspec_harness::verdict::Verdict;

use crate::{
    cli::{Status, Trouble, run, scaffold, serve},
    subjects,
};

/// Write a profile for a proxy, or check one.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Launch the proxy, prove a tunnel, and say which of the things that the profile offers work
    Check(Check),
    /// Write a commented profile to begin with; on a terminal, ask for what was not said
    New(scaffold::New),
    /// Start the proxy, and leave it running: to repeat by hand what a report shows
    Serve(Box<serve::Serve>),
}

#[derive(Debug, Parser)]
pub(super) struct Check {
    /// A built-in profile, or a profile in a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

/// What a profile can offer, the case that needs it to work, and what to look at where it does not.
const PROBES: [(&str, &str, &str); 6] = [
    (
        "allowed-ports",
        "policy/a_listed_port_is_reached",
        "see what its arguments and files make of `allow`, or remove `allowed-ports` from [offers]",
    ),
    (
        "ipv6",
        "target/an_ipv6_address_in_brackets_is_understood",
        "let it listen on and connect to ::1, or remove `ipv6` from [offers]",
    ),
    (
        "names",
        "target/a_name_is_resolved",
        "let it resolve names itself, or remove `names` from [offers]",
    ),
    (
        "credentials",
        "admission/malformed_credentials_open_no_tunnel[user_alone]",
        "see what its arguments and files make of `credentials`, or remove it from [offers]",
    ),
    (
        "upstream",
        "upstream/is_asked_for_the_same_target[ipv4]",
        "see what its arguments and files make of `upstream`, or remove it from [offers]",
    ),
    (
        "tls-listener",
        "tls_listener/a_tunnel_works_over_tls_to_the_proxy",
        "see what its arguments and files make of `tls`, or remove `tls-listener` from [offers]",
    ),
];

/// A case that needs nothing.
const ALWAYS: &str = "close/the_last_words_arrive";

/// Writes or checks.
pub(super) fn main(command: &Command) -> Result<Status, Trouble> {
    match command {
        Command::Check(arguments) => check(&arguments.profile),
        Command::New(arguments) => scaffold::main(arguments),
        Command::Serve(arguments) => serve::main(arguments),
    }
}

fn check(name: &str) -> Result<Status, Trouble> {
    let profile = subjects::profile(name).map_err(Trouble::usage)?;
    // An ordinary tunnel is proven before any case runs, and one case runs whatever is offered.
    let cases = PROBES.iter().map(|probe| probe.1).chain([ALWAYS]);
    let probes: Vec<String> = cases.map(str::to_owned).collect();
    let report = run::judge_quietly(&run::Arguments::of_profile(name, &probes)?)?;
    if let Some(refused) = &report.run.refused {
        super::say(&format!("{}: {refused}\n", profile.title));
        return Ok(Status::NotJudged);
    }
    let subject = report.subject.name();
    super::say(&format!("{subject}: it starts, and a tunnel works\n"));
    if report.subject.version.is_none() {
        super::say("  version        not known; say how to ask for it in [launch] version\n");
    }
    let mut status = Status::Conformant;
    for (offer, case, remedy) in PROBES {
        let Some(result) = report.results.iter().find(|result| result.case == case) else {
            continue;
        };
        let said = match result.verdict {
            Verdict::Skip => format!(
                "not judged: {}",
                result.reason.as_deref().unwrap_or_default()
            ),
            Verdict::Fail | Verdict::Warn | Verdict::Blocked | Verdict::Broken => {
                status = Status::Failed;
                let seen = result.observed.as_ref().or(result.reason.as_ref());
                format!(
                    "does not work: {}; {remedy}",
                    seen.map_or("", String::as_str)
                )
            }
            _ => "works".to_owned(),
        };
        super::say(&format!("  {offer:<13}  {said}\n"));
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_is_a_case() {
        let cases: Vec<String> = crate::suites()
            .iter()
            .flat_map(|suite| &suite.cases)
            .map(|case| case.id.clone())
            .collect();
        for (_, case, _) in PROBES {
            assert!(cases.iter().any(|id| id == case), "{case}");
        }
    }
}
