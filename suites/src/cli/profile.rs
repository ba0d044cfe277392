//! `connectspec profile`: write a profile for a proxy, and check that it works.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::{Parser, Subcommand};
use connectspec_harness::verdict::Verdict;

use super::{Status, Trouble, run, serve};
use crate::subjects;

/// Write a profile for a proxy, or check one.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Launch the proxy, prove a tunnel, and say which of the things that the profile offers work
    Check(Check),
    /// Write a commented profile to begin with
    New(New),
    /// Start the proxy, and leave it running: to repeat by hand what a report shows
    Serve(Box<serve::Serve>),
}

#[derive(Debug, Parser)]
pub(super) struct Check {
    /// A built-in profile, or a profile in a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

#[derive(Debug, Parser)]
pub(super) struct New {
    /// What the proxy is called; the profile is written to NAME.toml
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// The program; without it, one called NAME in PATH
    #[arg(long, value_name = "P")]
    program: Option<PathBuf>,
}

/// What a profile can offer, the case that needs it to work, and what to look at where it does not.
const PROBES: [(&str, &str, &str); 3] = [
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
        "refuse/an_impossible_name_is_a_gateway_error",
        "let it resolve names itself, or remove `names` from [offers]",
    ),
];

/// A case that needs nothing.
const ALWAYS: &str = "close/the_last_words_arrive";

/// Writes or checks.
pub(super) fn main(command: &Command) -> Result<Status, Trouble> {
    match command {
        Command::Check(arguments) => check(&arguments.profile),
        Command::New(arguments) => new(arguments),
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

fn new(arguments: &New) -> Result<Status, Trouble> {
    let path = Path::new(&arguments.name).with_extension("toml");
    let trouble = |reason: String| {
        Trouble::usage(format!(
            "could not write the profile {}: {reason}",
            path.display()
        ))
    };
    let program = match &arguments.program {
        None => arguments.name.clone(),
        Some(program) => program
            .to_str()
            .ok_or_else(|| trouble("the path of the program is not UTF-8".to_owned()))?
            .to_owned(),
    };
    let text = scaffold(&arguments.name, &program);
    let mut file = std::fs::File::create_new(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            trouble("it is there already; choose another name, or remove it".to_owned())
        }
        _ => trouble(error.to_string()),
    })?;
    file.write_all(text.as_bytes())
        .map_err(|error| trouble(error.to_string()))?;
    super::say(&format!(
        "wrote {0}; say in it how the proxy is started, then: connectspec profile check ./{0}\n",
        path.display()
    ));
    Ok(Status::Conformant)
}

/// A profile with what nearly every proxy needs, and the rest as comments.
fn scaffold(name: &str, program: &str) -> String {
    let quoted = |text: &str| toml_edit::Value::from(text).to_string();
    let (name, program) = (quoted(name), quoted(program));
    format!(
        r#"# How connectspec launches and configures this proxy.
name     = {name}
title    = {name}
# homepage = "https://…"
# install  = "apt-get install …"                 # shown when the program is missing

[launch]
# Looked up in PATH; with a slash, relative to this file.
program = {program}
# Where it has to listen. An argument that comes out empty is left out.
args    = ["--listen", "{{{{ listen.authority }}}}"]
# version = {{ args = ["--version"], pattern = '(\d+\.\S+)' }}
# ready   = {{ within = "10s" }}                   # how long it may take until it listens
# stop    = {{ signal = "TERM", within = "5s" }}

# A proxy with a config file: it is written anew before each launch; `{{{{ scratch }}}}/proxy.conf` names it in args.
# [[file]]
# path = "proxy.conf"
# text = '''
# listen {{{{ listen.host }}}} {{{{ listen.port }}}}
# {{% for range in allow or [] %}}allow {{{{ range.first }}}}-{{{{ range.last }}}}
# {{% endfor %}}'''

# What args and files can express. What is not offered is skipped, with the reason.
[offers]
# allowed-ports = "ranges"       # `allow` is used above; "list" where it takes no ranges
# default-ports = [443]          # what it allows when no list is given
# credentials   = true           # the file `credentials.htpasswd`, or `username` and `password` of each of `credentials.users`
# passwords     = "any"          # it takes all of `credentials.users`; "plain": such whose names and passwords are letters,
#                                # digits, dots, underscores and hyphens; without it, one user
# clients       = true           # `clients`: the addresses of those who are served, where a set-up says so
# upstream      = true           # `upstream.host` and `upstream.port`: the next proxy
# ipv6          = true
# names         = true           # it resolves names itself
# timeouts      = ["connect", "idle", "header"]  # `timeouts.connect` and so on, in whole seconds

# What it is known to do wrong; checked again in each run.
# [[deviation]]
# case = "close/the_last_words_arrive"
# why  = "…"
"#
    )
}

/// A name makes a file name and a word on the command line.
fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("letters, digits, `-` and `_`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use connectspec_harness::proxy::profile::Profile;

    use super::*;

    #[test]
    fn what_is_written_is_a_profile() {
        let text = scaffold("mine", r#"./a "b"\c"#);
        let profile = Profile::parse("mine.toml", &text, &|_| None).unwrap();
        assert_eq!(profile.name, "mine");
    }

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
