//! `connectspec profile`: write a profile for a proxy, check that it works, and look at those that are built in.

use clap::{Parser, Subcommand};
use connectspec_harness::{
    lab::{TO_NOBODY, running_subject::NOT_UNDERSTOOD},
    protocol::Protocol,
    report::CaseResult,
    subject::Need,
    transcript::screen::plain,
    verdict::Verdict,
};

use crate::{
    cli::{Status, Trouble, built_in, run, scaffold, serve, which::Which},
    subjects,
};

/// Write a profile for a proxy, check one, or look at those that are built in.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Launch the proxy, prove a tunnel, and say which of the things that the profile offers work
    Check(Check),
    /// Write a commented profile to begin with; on a terminal, ask for what was not said
    New(scaffold::New),
    /// Start the proxy, and leave it running: to repeat by hand what a report shows
    Serve(Box<serve::Serve>),
    /// List the built-in profiles, with what installs their proxies
    List,
    /// Print a built-in profile and its config templates
    Show(built_in::Show),
    /// Write a built-in profile and its config templates to a folder, to begin another one with
    Export(built_in::Export),
}

#[derive(Debug, Parser)]
pub(super) struct Check {
    /// A built-in profile, or a profile in a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

/// The case that shows whether a capability is there; `None` where no single case does, and in seconds.
const fn probe(need: Need) -> Option<&'static str> {
    match need {
        Need::PortList => Some("policy/a_listed_port_is_reached"),
        Need::PortRanges => Some("policy/a_range_ends_where_it_says"),
        Need::Directive => Some("allow_connect/opens_exactly[range_with_its_ends]"),
        Need::ConfigLines => Some("httpd_logs/a_source_address_changes_nothing_about_the_note"),
        Need::Ipv6 => Some("target/an_ipv6_address_in_brackets_is_understood"),
        Need::Names => Some("target/a_name_is_resolved"),
        Need::HostList => Some("name_policy/a_listed_name_is_reached"),
        Need::HostSubdomains => Some("name_policy/names_below_a_listed_one_are_reached[one_level]"),
        Need::DeniedHosts => Some("name_policy/a_denied_name_is_refused"),
        Need::DeniedSubdomains => {
            Some("name_policy/names_below_a_denied_one_are_refused[one_level]")
        }
        Need::HostExceptions => Some("name_limits/an_exception_meets_a_rule"),
        Need::RefusesPrivate => Some("address_policy/private_addresses_are_refused[ten]"),
        Need::Credentials => Some("admission/malformed_credentials_open_no_tunnel[user_alone]"),
        Need::AnyPassword => Some("credentials/a_password_may_contain_colons"),
        Need::ClientRule => Some("admission/a_client_that_the_rule_leaves_out_is_refused"),
        Need::Upstream => Some("upstream/is_asked_for_the_same_target[ipv4]"),
        Need::UpstreamH2c => Some("upstream_http2/a_connect_has_no_scheme_and_no_path[h2c]"),
        Need::UpstreamH2 => Some("upstream_http2/a_connect_has_no_scheme_and_no_path[h2]"),
        Need::TlsListener => Some("target@tls/an_ordinary_request_opens_a_tunnel"),
        Need::H2c => Some("target@h2c/an_ordinary_request_opens_a_tunnel"),
        Need::H2 => Some("target@h2/an_ordinary_request_opens_a_tunnel"),
        Need::Websocket => Some("websocket@h2c/a_websocket_opens_with_a_success"),
        // Ports that no server of the suite can listen on.
        Need::DefaultPorts => None,
        // Each waits for a timer.
        Need::ConnectTimeout | Need::IdleTimeout | Need::HeaderTimeout => None,
        Need::SourcePort => Some("source_port_elsewhere/is_no_field_of_the_request"),
        Need::LoggedStatus => {
            Some("source_port_elsewhere/stands_in_a_line_that_nobody_forges[backslash]")
        }
        // No keys of [offers].
        Need::ConfigCheck | Need::AccessLog | Need::Launched => None,
    }
}

/// The same, over the version of HTTP that the proxy serves first, where it serves no HTTP/1.1.
fn probe_over(protocol: Protocol, need: Need) -> Option<String> {
    // What is about HTTP/2 alone is asked over the one that there is.
    let plain = probe(need)?;
    match (need, protocol) {
        (_, Protocol::Http1) => Some(plain.to_owned()),
        (Need::Websocket, _) => Some(case_over(protocol, &plain.replace("@h2c", ""))),
        _ => Some(case_over(protocol, plain)),
    }
}

/// A case by its plain id, over that protocol where it is asked over it.
fn case_over(protocol: Protocol, plain: &str) -> String {
    let (Some(suffix), Some((suite, rest))) = (protocol.suffix(), plain.split_once('/')) else {
        return plain.to_owned();
    };
    let other = format!("{suite}@{suffix}/{rest}");
    let suites = crate::suites();
    let mut cases = suites.iter().flat_map(|suite| &suite.cases);
    match cases.any(|case| case.id == *other) {
        true => other,
        false => plain.to_owned(),
    }
}

/// Cases that need nothing, and say what others follow from.
const ALWAYS: [&str; 2] = [
    "close/the_last_words_arrive",
    "close/much_arrives_before_the_end_of_the_client",
];

/// Writes or checks.
pub(super) fn main(command: &Command) -> Result<Status, Trouble> {
    match command {
        Command::Check(arguments) => check(&arguments.profile),
        Command::New(arguments) => scaffold::main(arguments),
        Command::Serve(arguments) => serve::main(arguments),
        Command::List => built_in::list(),
        Command::Show(arguments) => built_in::show(arguments),
        Command::Export(arguments) => built_in::export(arguments),
    }
}

fn check(name: &str) -> Result<Status, Trouble> {
    let profile = subjects::profile(name).map_err(Trouble::usage)?;
    // An ordinary tunnel is proven before any case runs, and one case runs whatever is offered.
    let protocol = subjects::first_protocol(&profile);
    let cases = Need::ALL.iter();
    let cases = cases.filter_map(|need| probe_over(protocol, *need));
    let always = ALWAYS.map(|case| case_over(protocol, case));
    let probes: Vec<String> = cases.chain(always).collect();
    let which = Which::as_they_are(probes);
    let report = run::judge_quietly(&run::Arguments::of_profile(name, which)?)?;
    if let Some(refused) = &report.run.refused {
        super::say(&format!("{}: {refused}\n", plain(&profile.title)));
        return Ok(Status::NotJudged);
    }
    let subject = report.subject.name();
    super::say(&format!("{subject}: it starts, and a tunnel works\n"));
    if report.subject.version.is_none() {
        super::say("  version        not known; say how to ask for it in [launch] version\n");
    }
    let mut status = Status::Conformant;
    for need in Need::ALL {
        let case = probe_over(protocol, *need);
        let of = |result: &&CaseResult| Some(result.case.as_str()) == case.as_deref();
        let Some(result) = report.results.iter().find(of) else {
            continue;
        };
        let misread = |reason: &String| reason.starts_with(NOT_UNDERSTOOD);
        let leads_nowhere = |seen: &String| seen.contains(TO_NOBODY);
        let said = match result.verdict {
            Verdict::Skip if result.reason.as_ref().is_some_and(misread) => {
                status = Status::Failed;
                format!(
                    "does not work: {}",
                    result.reason.as_deref().unwrap_or_default()
                )
            }
            Verdict::Skip => format!(
                "not judged: {}",
                result.reason.as_deref().unwrap_or_default()
            ),
            // It answers before it decides: a run says what is wrong with that, and an offer may be true all the same.
            Verdict::Fail if result.observed.as_ref().is_some_and(leads_nowhere) => {
                "not judged: a 2xx that leads nowhere says nothing of it".to_owned()
            }
            Verdict::Fail | Verdict::Warn | Verdict::Blocked | Verdict::Broken => {
                status = Status::Failed;
                let seen = result.observed.as_ref().or(result.reason.as_ref());
                let seen = seen.map_or("", String::as_str);
                format!("does not work: {seen}{}", remedy(*need))
            }
            _ => "works".to_owned(),
        };
        super::say(&format!("  {:<13}  {said}\n", offered_by(*need)));
    }
    Ok(status)
}

/// The key that offers it; where a key offers several things, the first has its name.
fn offered_by(need: Need) -> &'static str {
    let key = |need: Need| need.offer().map(|offer| offer.key);
    match key(need) {
        Some(known)
            if Need::ALL.iter().find(|other| key(**other) == Some(known)) == Some(&need) =>
        {
            known
        }
        _ => need.word(),
    }
}

/// What to look at where it does not work.
fn remedy(need: Need) -> String {
    let Some(offer) = need.offer() else {
        return String::new();
    };
    let key = offer.key;
    match offer.variables[..] {
        [] => format!("; see that {}, or remove `{key}` from [offers]", offer.says),
        _ => format!(
            "; see what its arguments and files make of `{}`, or remove `{key}` from [offers]",
            offer.variables.join("`, `")
        ),
    }
}

#[cfg(test)]
mod tests {
    use connectspec_harness::subject::Offer;

    use super::*;

    #[test]
    fn every_probe_is_a_case() {
        let cases: Vec<_> = crate::suites()
            .iter()
            .flat_map(|suite| &suite.cases)
            .map(|case| case.id.clone())
            .collect();
        for case in Need::ALL.iter().filter_map(|need| probe(*need)) {
            assert!(cases.iter().any(|id| id == case), "{case}");
        }
    }

    #[test]
    fn a_proxy_without_http_1_is_asked_over_what_it_serves() {
        let over = |need| probe_over(Protocol::H2, need);
        let listed = over(Need::PortList);
        assert_eq!(
            listed.as_deref(),
            Some("policy@h2/a_listed_port_is_reached")
        );
        let socket = "websocket@h2/a_websocket_opens_with_a_success";
        assert_eq!(over(Need::Websocket).as_deref(), Some(socket));
        let plain = probe_over(Protocol::Http1, Need::Websocket);
        assert_eq!(plain.as_deref(), probe(Need::Websocket));
        // It has no other version.
        assert_eq!(over(Need::H2c).as_deref(), probe(Need::H2c));
        let plain = probe_over(Protocol::Http1, Need::PortList);
        assert_eq!(plain.as_deref(), probe(Need::PortList));
    }

    #[test]
    fn every_probe_needs_what_it_shows() {
        let suites = crate::suites();
        for need in Need::ALL {
            let cases = suites.iter().flat_map(|suite| &suite.cases);
            let shown = probe(*need).and_then(|id| cases.clone().find(|case| case.id == id));
            let needs = shown.map(|case| (case.all_needs(), case.slow));
            let right = needs.is_none_or(|(needs, slow)| needs.contains(need) && !slow);
            assert!(right, "{need}: {:?}", probe(*need));
        }
    }

    /// What stands in the table of the page that people write a profile from.
    #[test]
    fn the_page_has_a_row_for_each_key() {
        let page = include_str!("../../../docs/describe-your-proxy.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains(" = "))
            .map(|line| line.split(" | ").collect())
            .collect();
        assert_eq!(rows.len(), Offer::all().count());
        for offer in Offer::all() {
            let written = format!("`{} = {}`", offer.key, offer.example);
            let row = rows.iter().find(|row| row[0].contains(&written));
            let made_of = row.unwrap_or_else(|| panic!("no row for {written}"))[1];
            for variable in &offer.variables {
                assert!(
                    made_of.contains(&format!("`{variable}`")),
                    "{written}: {variable}"
                );
            }
            assert_eq!(
                made_of == "nothing",
                offer.variables.is_empty(),
                "{written}"
            );
        }
    }
}
