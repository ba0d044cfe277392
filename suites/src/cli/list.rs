//! `connectspec list`: the cases.

use std::fmt::Write as _;

use clap::{Parser, ValueEnum};
use connectspec_harness::{
    case::{Case, Suite, select::matches},
    citation::Citation,
};
use serde::Serialize;

use crate::{
    cli::{Status, Trouble},
    suites,
};

/// List the cases.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    /// Which cases: globs over their ids; none means all
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
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
    title: &'a str,
    level: &'static str,
    covers: &'a [&'static str],
    cites: Vec<String>,
    needs: Vec<&'static str>,
    slow: bool,
    source: String,
}

/// Prints the cases.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let catalogue = suites();
    super::run::check_selectors(&arguments.selectors, &catalogue)?;
    let selected = |case: &&Case| {
        arguments.selectors.is_empty()
            || arguments
                .selectors
                .iter()
                .any(|selector| matches(selector, &case.id))
    };
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
    if cases.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}: {}", suite.id, suite.title);
    for case in cases {
        let slow = if case.slow { ", slow" } else { "" };
        let needs: Vec<_> = case.all_needs().iter().map(|need| need.word()).collect();
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!("  needs {}", needs.join(", "))
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
            "           {} · {}{slow}{needs}",
            cites.join(", "),
            case.covers.join(" ")
        );
    }
    let _ = writeln!(out);
}

fn entry(case: &Case) -> Entry<'_> {
    Entry {
        case: &case.id,
        title: &case.title,
        level: case.level.word(),
        covers: &case.covers,
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
