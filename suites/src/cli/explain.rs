//! `connectspec explain`: what a case asks, why it matters, what is sent, what is accepted.
//!
//! The case is its own explanation: its doc comment says why, and its body reads like the sentence that it tests. Both
//! are shown from the source that this program was built from, so that they cannot drift apart.

use std::{collections::BTreeMap, fmt::Write as _};

use clap::Parser;
use connectspec_harness::case::{Case, Suite, select::matches};

use crate::{
    cli::{Status, Trouble},
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
    super::run::check_selectors(std::slice::from_ref(&arguments.case), &catalogue)?;
    let register = super::coverage::register()?;
    let mut out = String::new();
    let mut explained: Option<String> = None;
    for suite in &catalogue {
        for case in suite
            .cases
            .iter()
            .filter(|case| matches(&arguments.case, &case.id))
        {
            // The rows of a family share their text.
            let family = family(case);
            if explained.as_deref() != Some(family) {
                explain(suite, case, &register, &mut out);
                explained = Some(family.to_owned());
            }
        }
    }
    super::say(&out);
    Ok(Status::Conformant)
}

fn explain(suite: &Suite, case: &Case, register: &Register, out: &mut String) {
    let name = family(case).rsplit('/').next().unwrap_or_default();
    let text = Text::of(suite.text, name);
    let rows: Vec<_> = suite
        .cases
        .iter()
        .filter(|other| family(other) == family(case))
        .filter_map(|other| {
            other
                .id
                .split_once('[')
                .map(|(_, row)| row.trim_end_matches(']'))
        })
        .collect();
    let _ = writeln!(out, "{}", family(case));
    let _ = writeln!(out, "  {} ({})\n", case.title, case.level);
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

/// Which of the proxies whose profiles come with the program are known to fail it, and why.
fn deviants(case: &Case, out: &mut String) {
    let of_family = |id: &str| id.split('[').next() == Some(family(case));
    let mut known = String::new();
    for built_in in connectspec_fixtures::profiles() {
        let Ok(profile) = crate::subjects::profile(built_in.name) else {
            continue;
        };
        let entries = profile.deviations.iter();
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for deviation in entries.filter(|deviation| of_family(&deviation.case)) {
            let row = deviation.case.split_once('[');
            let rows = by_reason.entry(&deviation.why).or_default();
            rows.extend(row.map(|(_, row)| row.trim_end_matches(']')));
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

fn family(case: &Case) -> &str {
    case.id.split('[').next().unwrap_or(&case.id)
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
                let name = family(case).rsplit('/').next().unwrap();
                let text = Text::of(suite.text, name);
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
