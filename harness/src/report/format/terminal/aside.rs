//! What stands beside the findings: known deviations, the fingerprint, and what was not judged, each reason once.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use anstyle::Style;

use crate::{
    report::{
        CaseResult, Report,
        evidence::failure::{BOLD, DIM, paint, style},
        known_deviations::{self, Known},
    },
    transcript::columns::wrapped,
    verdict::{Level, Verdict},
};

/// In front of what does not fit beside its head.
pub(super) const BELOW: &str = "        ";

/// Why cases were not judged, each reason once.
pub(super) fn skipped(
    report: &Report,
    out: &mut impl Write,
    width: Option<usize>,
) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in report.with(Verdict::Skip) {
        // What follows from a failure stands with its cause.
        if result.follows_from.is_none() {
            *reasons.entry(reason(result)).or_default() += 1;
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Not judged"))?;
    for (reason, count) in reasons {
        let count = format!("  {count:>4}");
        let head = (count.clone(), count.len());
        writeln!(out, "{}", beside(&head, "  ", reason, Style::new(), width))?;
    }
    writeln!(out)
}

/// Why failures are expected, each reason once, with its cases.
pub(super) fn known(report: &Report, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
    let known = known_deviations::known(report);
    if known.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Known deviations"))?;
    let room = width.map(|width| width.saturating_sub(BELOW.len()));
    for Known {
        reason,
        count,
        cases,
    } in known
    {
        let count = format!("  {count:>4}");
        let head = (count.clone(), count.len());
        writeln!(out, "{}", beside(&head, "  ", reason, Style::new(), width))?;
        for line in cases.iter().flat_map(|case| wrapped(case, room)) {
            writeln!(out, "{BELOW}{}", paint(DIM, line))?;
        }
    }
    writeln!(out)
}

/// What the subject does where it is free to choose.
pub(super) fn fingerprint(
    report: &Report,
    out: &mut impl Write,
    width: Option<usize>,
) -> io::Result<()> {
    let mut seen = report
        .with(Verdict::Info)
        .filter(|result| result.level == Level::Survey)
        .filter_map(|result| Some((&result.title, result.observed.as_ref()?)))
        .peekable();
    if seen.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Fingerprint"))?;
    for (title, observed) in seen {
        let title = format!("  {title}:");
        let head = (title.clone(), title.chars().count());
        let style = style(Verdict::Info);
        writeln!(out, "{}", beside(&head, " ", observed, style, width))?;
    }
    writeln!(out)
}

/// `text` beside a head of so many columns; where the screen is too narrow for both, below it and further in.
pub(super) fn beside(
    head: &(String, usize),
    gap: &str,
    text: &str,
    style: Style,
    width: Option<usize>,
) -> String {
    let (head, columns) = head;
    let taken = columns + gap.len() + text.chars().count();
    let Some(width) = width.filter(|&width| taken > width) else {
        return format!("{head}{gap}{}", paint(style, text));
    };
    let lines = wrapped(text, Some(width.saturating_sub(BELOW.len())));
    lines.iter().fold(head.clone(), |shown, line| {
        format!("{shown}\n{BELOW}{}", paint(style, line))
    })
}

/// Why it was not judged, or is known.
pub(super) fn reason(result: &CaseResult) -> &str {
    result.reason.as_deref().unwrap_or("no reason was given")
}
