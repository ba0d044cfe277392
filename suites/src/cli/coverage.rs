//! `connectspec coverage`: the register with its cases, and what is not tested and why.

use std::fmt::Write as _;

use clap::{Parser, ValueEnum};
use connectspec_harness::{
    case::{Suite, select::matches},
    case_id::CaseId,
    protocol::EVERY,
    verdict::Level,
};
use serde::Serialize;

use crate::{
    cli::{Status, Trouble},
    register::{Cite, Register, Requirement},
    suites,
};

/// Show which requirements have cases.
#[derive(Debug, Parser)]
pub(super) struct Arguments {
    /// Which requirements: globs over their ids (`CLS-001`, `H1-*`), over their sections (`CLS`), or over the cases that they have
    /// (`close/*`); none means all
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Those without a case alone
    #[arg(long)]
    untested: bool,
    /// Those of this level alone: must, httpd, should, practice, may or survey
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// For people, or for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the register.
pub(super) fn main(arguments: &Arguments) -> Result<Status, Trouble> {
    let coverage = Coverage::of(register()?, &suites(), arguments);
    if coverage.sections.is_empty() {
        return Err(Trouble::usage(
            "no requirement is selected; `connectspec coverage` shows all of them",
        ));
    }
    let out = match arguments.format {
        Format::Json => {
            let json = serde_json::to_string_pretty(&coverage).map_err(Trouble::not_judged)?;
            json + "\n"
        }
        Format::Text => coverage.text(),
    };
    super::say(&out);
    Ok(Status::Conformant)
}

impl Arguments {
    /// Whether it asks for that requirement.
    fn means(&self, section: &str, row: &Row) -> bool {
        let named = |selector: &String| {
            let of_cases = |case: &CaseId| matches(selector, case.plain());
            selector == section || matches(selector, &row.id) || row.cases.iter().any(of_cases)
        };
        (self.selectors.is_empty() || self.selectors.iter().any(named))
            && (!self.untested || !row.is_tested())
            && self.level.is_none_or(|level| level == row.level)
    }
}

/// The register that comes with the program.
pub(super) fn register() -> Result<Register, Trouble> {
    Register::built_in().map_err(|error| {
        Trouble::not_judged(format_args!(
            "could not read the register of requirements: {error}"
        ))
    })
}

#[derive(Serialize)]
struct Coverage {
    sections: Vec<Section>,
    totals: Vec<Total>,
}

#[derive(Serialize)]
struct Section {
    section: String,
    title: String,
    requirements: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    level: Level,
    also: Option<Level>,
    requirement: String,
    experiment: Option<String>,
    stands_in: Vec<String>,
    links: Vec<String>,
    cases: Vec<CaseId>,
    untestable: Option<String>,
    proven_by: Option<String>,
}

/// How many requirements of a level there are.
#[derive(Serialize)]
struct Total {
    level: Level,
    requirements: usize,
    /// With a case at least.
    tested: usize,
    /// Without a case, but proven by a test of this repository.
    proven: usize,
    /// With a reason why there is no case.
    untestable: usize,
    /// With neither.
    waiting: usize,
}

impl Coverage {
    fn of(register: Register, catalogue: &[Suite], arguments: &Arguments) -> Self {
        let sections = register.by_section().into_iter();
        let sections = sections.map(|(section, title, rows)| {
            let rows = rows.iter().map(|row| Row::of(row, catalogue));
            Section {
                section: section.to_owned(),
                title: title.to_owned(),
                requirements: rows.filter(|row| arguments.means(section, row)).collect(),
            }
        });
        let sections: Vec<_> = sections
            .filter(|section| !section.requirements.is_empty())
            .collect();
        let totals = Level::ALL.map(|level| Total::of(level, &sections));
        Self {
            sections,
            totals: totals.into(),
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for section in &self.sections {
            let tested = section.requirements.iter().filter(|row| row.is_tested());
            let _ = writeln!(
                out,
                "{}: {} ({} of {})",
                section.section,
                section.title,
                tested.count(),
                section.requirements.len()
            );
            for row in &section.requirements {
                let (level, id) = (row.level.word(), &row.id);
                let _ = writeln!(out, "  {level:<8} {id}  {}", row.requirement);
                for case in row.cases_by_sentence() {
                    let _ = writeln!(out, "             {case}");
                }
                if let Some(test) = &row.proven_by {
                    let _ = writeln!(out, "             proven by {test}");
                } else if !row.is_tested() {
                    let why = row.untestable.as_deref().unwrap_or("waits for a case");
                    let _ = writeln!(out, "             none: {why}");
                }
            }
            let _ = writeln!(out);
        }
        let _ = writeln!(
            out,
            "level     requirements  tested  proven  untestable  waiting for a case"
        );
        for total in &self.totals {
            let _ = writeln!(
                out,
                "{:<8}  {:>12}  {:>6}  {:>6}  {:>10}  {:>18}",
                total.level.word(),
                total.requirements,
                total.tested,
                total.proven,
                total.untestable,
                total.waiting
            );
        }
        out
    }
}

impl Row {
    fn of(row: &Requirement, catalogue: &[Suite]) -> Self {
        let cases = row.cases(catalogue).into_iter();
        Self {
            id: row.id.clone(),
            level: row.level,
            also: row.also,
            requirement: row.requirement.clone(),
            experiment: row.experiment.clone(),
            stands_in: row.cites.iter().map(Cite::to_string).collect(),
            links: row.cites.iter().map(Cite::link).collect(),
            cases: cases.map(|case| case.id.clone()).collect(),
            untestable: row.untestable.clone(),
            proven_by: row.proven_by.clone(),
        }
    }

    /// Its cases, those that differ in the version of HTTP alone in one line.
    fn cases_by_sentence(&self) -> Vec<String> {
        let is_there = |case: &CaseId| self.cases.contains(case);
        let alone = |case: &&CaseId| case.version().is_none() || !is_there(&case.plain());
        let lines = self.cases.iter().filter(alone).map(|case| {
            let others = EVERY.iter().filter(|&&other| {
                let id = case.over(other);
                id != *case && is_there(&id)
            });
            let others: Vec<_> = others.map(|other| other.word()).collect();
            match others.as_slice() {
                [] => case.to_string(),
                others => format!("{case}  also over {}", others.join(", ")),
            }
        });
        lines.collect()
    }

    const fn is_tested(&self) -> bool {
        !self.cases.is_empty()
    }
}

impl Total {
    fn of(level: Level, sections: &[Section]) -> Self {
        let rows = sections.iter().flat_map(|section| &section.requirements);
        let rows: Vec<_> = rows.filter(|row| row.level == level).collect();
        let tested = rows.iter().filter(|row| row.is_tested()).count();
        let proven = rows
            .iter()
            .filter(|row| !row.is_tested() && row.proven_by.is_some())
            .count();
        let untestable = rows.iter().filter(|row| row.untestable.is_some()).count();
        Self {
            level,
            requirements: rows.len(),
            tested,
            proven,
            untestable,
            waiting: rows.len() - tested - proven - untestable,
        }
    }
}
