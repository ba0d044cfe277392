//! What an audit was about: the policy, and what was asked of it.

use std::io::{self, Write};

use anstyle::Style;

use crate::{
    report::{
        Report, audit,
        evidence::failure::{BOLD, DIM, paint, style},
        format::terminal::aside::beside,
    },
    verdict::Verdict,
};

/// Different answers that are named; the others are in the other reports.
const ANSWERS: usize = 4;

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
        let verdict = match asked.all == asked.as_meant {
            true => Verdict::Pass,
            false => Verdict::Fail,
        };
        let count = format!("  {:>4} of {:<4}", asked.as_meant, asked.all);
        let head = (paint(style(verdict), &count), count.len());
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
            writeln!(
                out,
                "{}",
                beside(&(" ".repeat(16), 16), "", &text, DIM, width)
            )?;
        }
    }
    writeln!(out)
}
