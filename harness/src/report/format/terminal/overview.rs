//! The first lines and the last ones: who was judged, what that means, and what is broken, by its causes.

use std::io::{self, Write};

use crate::{
    report::{
        Report,
        cause::{Cause, causes},
        evidence::failure::{BOLD, DIM, paint, style},
        format::terminal::aside::BELOW,
    },
    transcript::columns::wrapped,
    verdict::Verdict,
};

/// Names in the last lines; more of them would push the verdict off the screen.
const NAMED: usize = 20;

/// What it means, and what came out.
pub(super) fn opening(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let subject = report.subject.name();
    let run = &report.run;
    if let Some(refused) = &run.refused {
        let word = paint(style(Verdict::Fail).bold(), "NOT JUDGED");
        return writeln!(out, "{word}  {subject}: {refused}");
    }
    let (verdict, meaning) = report.meaning();
    writeln!(out, "{} {meaning}", paint(style(verdict).bold(), &subject))?;
    let crashes: Vec<Cause<'_>> = causes(report, &[Verdict::Fail])
        .into_iter()
        .filter(Cause::is_a_crash)
        .collect();
    for crash in &crashes {
        let word = paint(style(Verdict::Fail).bold(), "DIED");
        let how = crash.clearest.observed.as_deref().unwrap_or_default();
        writeln!(out, "{word} of {}: {how}", crash.clearest.case)?;
    }
    for death in &run.deaths {
        let word = paint(style(Verdict::Broken).bold(), "DIED");
        writeln!(out, "{word} {death}")?;
    }
    for stale in &run.stale {
        writeln!(
            out,
            "{} {stale}",
            paint(style(Verdict::Fail).bold(), "STALE")
        )?;
    }
    writeln!(out, "{}", counts(report))?;
    if gone(report) {
        let hint = "it went away during the run; where connectspec launches it (connectspec profile new), the case that ends it is found";
        writeln!(out, "{hint}")?;
    }
    Ok(())
}

/// `1190 results in 7.4 s (seed 1): 1000 pass, 190 skip`.
fn counts(report: &Report) -> String {
    let run = &report.run;
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|&verdict| report.totals.get(verdict) > 0)
        .map(|verdict| {
            let count = format!("{} {verdict}", report.totals.get(verdict));
            paint(style(verdict), count)
        })
        .collect();
    let seconds = run.took_ms / 1000;
    let tenths = run.took_ms % 1000 / 100;
    let share = match &run.partition {
        Some(share) => format!(", share {share}"),
        None => String::new(),
    };
    let all = report.totals.all();
    let results = if all == 1 { "result" } else { "results" };
    format!(
        "{all} {results} in {seconds}.{tenths} s (seed {}{share}): {}",
        run.seed,
        counts.join(", ")
    )
}

/// A few lines a cause: the requirement, what was seen of it, and the command that shows it again.
pub(super) fn causes_of(
    report: &Report,
    out: &mut impl Write,
    width: Option<usize>,
) -> io::Result<()> {
    let causes = causes(report, &[Verdict::Fail]);
    // One failure is its own list.
    if causes
        .iter()
        .map(|cause| cause.results.len() + cause.follow.len())
        .sum::<usize>()
        < 2
    {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "What is broken, the gravest first"))?;
    let room = width.map(|width| width.saturating_sub(BELOW.len()));
    for cause in &causes {
        let clearest = cause.clearest;
        let level = clearest.level;
        let id = paint(style(Verdict::Fail).bold(), &cause.family);
        writeln!(out, "  {level}  {id}")?;
        let observed = clearest.observed.as_deref().unwrap_or_default();
        let row = clearest.case.row().map(|row| format!(" [{row}]"));
        let seen = format!("{}{}: {observed}", clearest.title, row.unwrap_or_default());
        let seen = seen.lines().next().unwrap_or_default();
        for line in wrapped(seen, room) {
            writeln!(out, "{BELOW}{line}")?;
        }
        for line in wrapped(&cause.weight(), room) {
            writeln!(out, "{BELOW}{}", paint(DIM, line))?;
        }
        // Never broken, so that it can be copied.
        let again = report.again_as(&cause.family);
        writeln!(out, "{BELOW}{}", paint(DIM, format!("again: {again}")))?;
    }
    writeln!(out)
}

/// The last lines of a long report: what failed, by name, and what it means.
pub(super) fn ending(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for verdict in [
        Verdict::Fail,
        Verdict::Healed,
        Verdict::Blocked,
        Verdict::Broken,
    ] {
        let causes = causes(report, &[verdict]);
        if causes.is_empty() {
            continue;
        }
        let word = paint(style(verdict).bold(), verdict.word().to_uppercase());
        let named = causes
            .iter()
            .take(NAMED)
            .map(|cause| match cause.results.len() {
                1 => cause.clearest.case.to_string(),
                count => format!("{} ({count})", cause.family),
            });
        let named: Vec<String> = named.collect();
        let more = match causes.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        writeln!(out, "{word} {}{more}", named.join(", "))?;
    }
    let (verdict, meaning) = report.meaning();
    let subject = report.subject.name();
    writeln!(out, "{} {meaning}", paint(style(verdict).bold(), &subject))
}

/// A proxy that nobody watched, and that was gone in the end.
fn gone(report: &Report) -> bool {
    report.subject.command.is_empty() && report.run.gone
}
