//! `connectspec list`: the cases.

use std::fmt::Write as _;

use clap::{Parser, ValueEnum};
use connectspec_harness::{
    case::{Case, Suite},
    case_id::CaseId,
    citation::Citation,
};
use serde::Serialize;

use crate::{
    cli::{Status, Trouble, which::Which},
    suites,
};

/// List the cases.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// For people, or for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Serialize)]
struct Listing<'a> {
    cases: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    case: &'a str,
    over: &'static str,
    title: &'a str,
    level: &'static str,
    covers: &'a [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    relies_on: &'a [CaseId],
    cites: Vec<String>,
    needs: Vec<&'static str>,
    slow: bool,
    source: String,
}

/// Prints the cases.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let catalogue = suites();
    arguments.which.check(&catalogue)?;
    let selection = arguments.which.selection();
    let selected = |case: &&Case| selection.means(&case.id);
    let mut out = String::new();
    match arguments.format {
        Format::Json => {
            let cases = catalogue
                .iter()
                .flat_map(|suite| &suite.cases)
                .filter(selected);
            let listing = Listing {
                cases: cases.map(entry).collect(),
            };
            let json = serde_json::to_string_pretty(&listing).map_err(Trouble::not_judged)?;
            let _ = writeln!(out, "{json}");
        }
        Format::Text => catalogue
            .iter()
            .for_each(|suite| print(suite, &selected, &mut out)),
    }
    super::say(&out);
    Ok(Status::Conformant)
}

fn print(suite: &Suite, selected: &dyn Fn(&&Case) -> bool, out: &mut String) {
    let cases: Vec<_> = suite.cases.iter().filter(selected).collect();
    for cases in cases.chunk_by(|one, other| one.protocol == other.protocol) {
        let title = suite.title_over(cases[0].protocol);
        let _ = writeln!(out, "{}: {title}", cases[0].id.group());
        for case in cases {
            print_case(case, out);
        }
        let _ = writeln!(out);
    }
}

fn print_case(case: &Case, out: &mut String) {
    let slow = if case.slow { ", slow" } else { "" };
    let needs: Vec<_> = case.all_needs().iter().map(|need| need.word()).collect();
    let needs = if needs.is_empty() {
        String::new()
    } else {
        format!("  needs {}", needs.join(", "))
    };
    let others: Vec<_> = case.others().map(|other| other.word()).collect();
    let also = match others.as_slice() {
        [] => String::new(),
        others => format!("  also over {}", others.join(", ")),
    };
    let _ = writeln!(
        out,
        "  {:<8} {}\n           {}",
        case.level.word(),
        case.id,
        case.title
    );
    let cites: Vec<_> = case.cites.iter().map(ToString::to_string).collect();
    let _ = writeln!(
        out,
        "           {} · {}{slow}{needs}{also}",
        cites.join(", "),
        case.covers.join(" ")
    );
}

fn entry(case: &Case) -> Entry<'_> {
    Entry {
        case: case.id.as_str(),
        over: case.protocol.word(),
        title: &case.title,
        level: case.level.word(),
        covers: &case.covers,
        relies_on: &case.relies_on,
        cites: case
            .cites
            .iter()
            .map(|&citation| Citation::url(citation))
            .collect(),
        needs: case.all_needs().iter().map(|need| need.word()).collect(),
        slow: case.slow,
        source: format!("{}:{}", case.source.file(), case.source.line()),
    }
}
