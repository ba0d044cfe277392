//! What an audit was about: the policy, and what was asked of it.

use std::io::{self, Write};

use anstyle::Style;

use crate::{
    report::{
        Report,
        audit::{self, Asked},
        evidence::failure::{BOLD, DIM, paint, style},
        format::terminal::aside::beside,
    },
    verdict::Verdict,
};

/// Different answers that are named; the others are in the other reports.
const ANSWERS: usize = 4;

/// Targets of one kind that are named; the others are in the details and in the other reports.
const TARGETS: usize = 20;

/// In front of what belongs to a kind of question.
const INSIDE: &str = "                ";

/// The policy in its lines, and each kind of question with the answers.
pub(super) fn asked(report: &Report, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
    if !report.is_an_audit() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Meant to be reached"))?;
    for line in &report.run.policy {
        writeln!(
            out,
            "{}",
            beside(&("  ".to_owned(), 2), "", line, Style::new(), width)
        )?;
    }
    writeln!(out, "\n{}", paint(BOLD, "Asked, and as it is meant"))?;
    for asked in audit::asked(report) {
        let count = format!("  {:>4} of {:<4}", asked.as_meant, asked.all);
        let head = (paint(style(asked.tone), &count), count.len());
        writeln!(
            out,
            "{}",
            beside(&head, "  ", asked.title, Style::new(), width)
        )?;
        let named = asked.said.iter().take(ANSWERS);
        let named: Vec<String> = named
            .map(|(said, count)| format!("{count} × {said}"))
            .collect();
        if !named.is_empty() {
            let more = match asked.said.len().saturating_sub(ANSWERS) {
                0 => String::new(),
                more => format!(", and {more} other answers"),
            };
            let text = format!("{}{more}", named.join(", "));
            let head = (INSIDE.to_owned(), INSIDE.len());
            writeln!(out, "{}", beside(&head, "", &text, DIM, width))?;
        }
        if asked.others.len() == asked.all && asked.tone == Verdict::Skip {
            let why = "open: why stands under `Not judged`";
            writeln!(out, "{INSIDE}{}", paint(DIM, why))?;
        }
        targets(&asked, out, width)?;
    }
    writeln!(out)
}

/// What did not come out as it is meant, a target a line.
fn targets(asked: &Asked<'_>, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
    // Why nothing could be told stands at the end, each reason once.
    let told = asked.others.iter();
    let told: Vec<_> = told
        .filter(|other| other.verdict != Verdict::Skip)
        .collect();
    for other in told.iter().take(TARGETS) {
        let word = other.verdict.word();
        let head = format!(
            "{INSIDE}{} {}: ",
            paint(style(other.verdict), word),
            other.target
        );
        let columns = INSIDE.len() + word.len() + 3 + other.target.chars().count();
        let shown = beside(&(head, columns), "", other.said, Style::new(), width);
        writeln!(out, "{shown}")?;
    }
    match told.len().saturating_sub(TARGETS) {
        0 => Ok(()),
        more => writeln!(out, "{INSIDE}and {more} more"),
    }
}
