//! `connectspec explain`: what a case asks, why it matters, what is sent, what is accepted.
//!
//! The case is its own explanation: its doc comment says why, and its body reads like the sentence that it tests. Both
//! are shown from the source that this program was built from, so that they cannot drift apart.

use std::{collections::BTreeMap, fmt::Write as _};

use clap::Parser;
use connectspec_harness::{
    case::{Case, Suite},
    protocol::{Listener, Protocol},
};

use crate::{
    cli::{Status, Trouble, which::Which},
    register::Register,
    suites,
};

/// Explain a case.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    /// Its id, such as `close/the_last_words_arrive`
    #[arg(value_name = "CASE")]
    case: String,
}

/// Prints the explanation.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let catalogue = suites();
    let which = Which::as_they_are(vec![arguments.case.clone()]);
    which.check(&catalogue)?;
    let selection = which.selection();
    let register = super::coverage::register()?;
    let mut out = String::new();
    for suite in &catalogue {
        let meant = suite.cases.iter().filter(|case| selection.means(&case.id));
        let meant: Vec<_> = meant.collect();
        // The rows of a family share their text.
        for family in meant.chunk_by(|one, other| one.id.family() == other.id.family()) {
            explain(suite, family[0], &register, &mut out);
        }
    }
    super::say(&out);
    Ok(Status::Conformant)
}

fn explain(suite: &Suite, case: &Case, register: &Register, out: &mut String) {
    let text = Text::of(suite.text, case.id.sentence());
    let rows: Vec<_> = suite
        .cases
        .iter()
        .filter(|other| other.id.family() == case.id.family())
        .filter_map(|other| other.id.row())
        .collect();
    let _ = writeln!(out, "{}", case.id.family());
    let _ = writeln!(out, "  {} ({})\n", case.title, case.level);
    over(case, out);
    for line in &text.why {
        let _ = writeln!(out, "  {line}");
    }
    if !rows.is_empty() {
        let _ = writeln!(out, "\n  rows: {}", rows.join(", "));
    }
    let _ = writeln!(
        out,
        "\n  What is done and what is accepted ({}):",
        case.source.file()
    );
    for line in &text.body {
        let _ = writeln!(out, "    {line}");
    }
    let _ = writeln!(out);
    for id in &case.relies_on {
        let _ = writeln!(
            out,
            "  Relies on {id}: where a proxy breaks that, what is found here follows from it."
        );
    }
    for citation in &case.cites {
        let _ = writeln!(out, "  {citation}: {}", citation.url());
    }
    for (report, link) in &case.seen_in {
        let _ = writeln!(out, "  seen in {report}: {link}");
    }
    let _ = writeln!(out, "\n  What it covers:");
    for row in case.covers.iter().filter_map(|id| register.find(id)) {
        let _ = writeln!(out, "    {} ({})  {}", row.id, row.level, row.requirement);
    }
    let dissents = register.dissents.iter().filter(|dissent| {
        let covered = |row: &String| case.covers.contains(&row.as_str());
        dissent.rows.iter().any(covered)
    });
    for dissent in dissents {
        let _ = writeln!(
            out,
            "\n  Where specifications disagree:\n    {}",
            dissent.text
        );
    }
    deviants(case, out);
    let _ = writeln!(out);
}

/// What the case is asked over, and how that differs from HTTP/1.1 in the clear.
fn over(case: &Case, out: &mut String) {
    if case.protocol != Protocol::Http1 {
        let plain = case.id.plain();
        let _ = writeln!(
            out,
            "  As {}, but over {}: the proxy {}; all below is the same.\n",
            plain.family(),
            case.protocol,
            listens(case.protocol.listener())
        );
    }
    for other in case.others().filter(|other| *other != Protocol::Http1) {
        let id = case.id.over(other);
        let _ = writeln!(out, "  Asked over {other}, too: {}\n", id.family());
    }
}

const fn listens(listener: Listener) -> &'static str {
    match listener {
        Listener::Tcp => "listens in the clear",
        Listener::Tls => "has a TLS listener, and every client speaks TLS to it",
        Listener::H2c => "listens in the clear, and every client speaks HTTP/2 to it",
        Listener::H2 => "has a TLS listener, and every client speaks HTTP/2 to it",
    }
}

/// Which of the proxies whose profiles come with the program are known to fail it, and why.
fn deviants(case: &Case, out: &mut String) {
    let mut known = String::new();
    for built_in in connectspec_fixtures::profiles() {
        let Ok(profile) = crate::subjects::profile(built_in.name) else {
            continue;
        };
        let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for deviation in &profile.deviations {
            let ids = deviation.cases();
            for id in ids.filter(|id| id.family() == case.id.family()) {
                let rows = by_reason.entry(&deviation.why).or_default();
                rows.extend(id.row().map(str::to_owned));
            }
        }
        for (why, rows) in by_reason {
            let title = &profile.title;
            let rows = rows.join(", ");
            let _ = match rows.is_empty() {
                true => writeln!(known, "    {title}: {why}"),
                false => writeln!(known, "    {title} [{rows}]: {why}"),
            };
        }
    }
    if !known.is_empty() {
        let _ = writeln!(out, "\n  Known to fail it:\n{}", known.trim_end());
    }
}

/// The part of a source file that is one case.
#[derive(Debug, PartialEq, Eq)]
struct Text<'a> {
    /// Its doc comment.
    why: Vec<&'a str>,
    /// What its function contains.
    body: Vec<&'a str>,
}

impl<'a> Text<'a> {
    fn of(file: &'a str, name: &str) -> Self {
        let lines: Vec<&str> = file.lines().collect();
        let head = format!("fn {name}() ->");
        // One that stands in a file of its own beside its suite's is seen from there.
        let begins = |line: &str| line.trim_start_matches("pub(super) ").starts_with(&head);
        let Some(at) = lines.iter().position(|line| begins(line)) else {
            return Self {
                why: Vec::new(),
                body: Vec::new(),
            };
        };
        let documented = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with("///"));
        let mut why: Vec<_> = documented
            .map(|line| line.trim_start_matches("///").trim_start())
            .collect();
        why.reverse();
        let body = lines[at + 1..].iter().take_while(|line| **line != "}");
        let body = body
            .map(|line| line.strip_prefix("    ").unwrap_or(line))
            .collect();
        Self { why, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_text_that_says_why() {
        for suite in suites() {
            for case in &suite.cases {
                let text = Text::of(suite.text, case.id.sentence());
                assert!(
                    !text.why.is_empty(),
                    "{} has no doc comment in its suite's file",
                    case.id
                );
                assert!(
                    !text.body.is_empty(),
                    "{} has no body in its suite's file",
                    case.id
                );
            }
        }
    }
}
