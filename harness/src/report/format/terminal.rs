//! The report for the person who waits: what to look at first, then what was left out, then one line that sums it up.
//!
//! Passes are counted, not listed. Colours are always written; give a writer that knows whether they are wanted, such as
//! `anstream::stdout()`.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
};

use anstyle::Style;

use crate::{
    report::{
        CaseResult, Progress, Report, ReportError, Reporter,
        evidence::failure::{BOLD, DIM, Detail, paint, style, styled},
        format::progress::Tally,
        known_deviations::{self, Known},
    },
    run::Event,
    transcript::columns::wrapped,
    verdict::{Level, Verdict},
};

/// Blocked or broken results for one and the same reason that are shown in full; the others are only named.
const SHOWN_OF_A_REASON: usize = 2;

/// How many of those others are named one by one.
const NAMED_OF_A_REASON: usize = 12;

/// In front of what does not fit beside its head.
const BELOW: &str = "        ";

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What has to be looked at, one line each, and the summary.
    Quiet,
    /// What has to be looked at, with its evidence; everything else counted.
    #[default]
    Normal,
    /// Every result.
    Verbose,
}

/// How the terminal report looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How much is shown.
    pub verbosity: Verbosity,
    /// The columns of the terminal; `None` where lines may be as long as they like.
    pub width: Option<usize>,
}

/// Shows progress while a run goes on, and the result at its end.
pub struct Terminal<W: Write> {
    out: W,
    progress: Progress,
    tally: Tally,
    options: Options,
}

impl<W: Write> Terminal<W> {
    /// Shows the result on `out`.
    pub fn new(out: W, progress: Progress, options: Options) -> Self {
        Self {
            out,
            progress,
            tally: Tally::default(),
            options,
        }
    }
}

impl<W: Write> fmt::Debug for Terminal<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal")
            .field("progress", &self.progress)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) {
        self.progress.event(event, &mut self.tally);
    }

    fn finish(&mut self, report: &Report) -> Result<(), ReportError> {
        self.progress.clear();
        write(report, &mut self.out, self.options)?;
        Ok(self.out.flush()?)
    }
}

/// Writes the result of a run.
///
/// # Errors
/// What the system said, where `out` takes nothing more.
pub fn write(report: &Report, out: &mut impl Write, options: Options) -> io::Result<()> {
    match options.verbosity {
        Verbosity::Quiet => headlines(report, out)?,
        Verbosity::Normal => {
            skipped(report, out, options.width)?;
            known(report, out, options.width)?;
            fingerprint(report, out, options.width)?;
            warnings(report, out, options)?;
            trouble(report, out, options)?;
        }
        Verbosity::Verbose => {
            for result in &report.results {
                let detail = match result.verdict {
                    Verdict::Pass | Verdict::Info | Verdict::Skip => Detail::Brief,
                    _ => Detail::Full,
                };
                writeln!(out, "{}", styled(report, result, detail, options.width))?;
            }
            fingerprint(report, out, options.width)?;
        }
    }
    summary(report, out)
}

/// One line for each result that has to be looked at.
fn headlines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for result in report
        .results
        .iter()
        .filter(|result| result.verdict.is_trouble())
    {
        let word = paint(
            style(result.verdict).bold(),
            result.verdict.word().to_uppercase(),
        );
        writeln!(out, "{word} {}   {}", result.case, result.title)?;
    }
    Ok(())
}

/// Why cases were not judged, each reason once.
fn skipped(report: &Report, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in report.with(Verdict::Skip) {
        *reasons.entry(reason(result)).or_default() += 1;
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
fn known(report: &Report, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
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
fn fingerprint(report: &Report, out: &mut impl Write, width: Option<usize>) -> io::Result<()> {
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

fn warnings(report: &Report, out: &mut impl Write, options: Options) -> io::Result<()> {
    for result in report.with(Verdict::Warn) {
        writeln!(
            out,
            "{}",
            styled(report, result, Detail::Brief, options.width)
        )?;
    }
    Ok(())
}

/// What has to be looked at. The worst is at the end, where the reader's eye is.
fn trouble(report: &Report, out: &mut impl Write, options: Options) -> io::Result<()> {
    for verdict in [Verdict::Blocked, Verdict::Broken] {
        let mut reasons: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
        for result in report.with(verdict) {
            reasons.entry(reason(result)).or_default().push(result);
        }
        for results in reasons.values() {
            let (shown, others) = results.split_at(results.len().min(SHOWN_OF_A_REASON));
            for result in shown {
                writeln!(
                    out,
                    "{}",
                    styled(report, result, Detail::Full, options.width)
                )?;
            }
            if !others.is_empty() {
                let word = paint(style(verdict).bold(), verdict.word().to_uppercase());
                let text = format!(
                    "{} more for the same reason: {}",
                    others.len(),
                    named(others)
                );
                let head = (word, verdict.word().len());
                writeln!(
                    out,
                    "{}\n",
                    beside(&head, " ", &text, Style::new(), options.width)
                )?;
            }
        }
    }
    for verdict in [Verdict::Healed, Verdict::Fail] {
        for result in report.with(verdict) {
            writeln!(
                out,
                "{}",
                styled(report, result, Detail::Full, options.width)
            )?;
        }
    }
    Ok(())
}

/// Results in a line: by their cases, or, where those would fill a page, by their suites.
fn named(results: &[&CaseResult]) -> String {
    let mut cases = Vec::new();
    let mut suites: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        known_deviations::add(&mut cases, &result.case);
        *suites.entry(result.suite_id()).or_default() += 1;
    }
    if cases.len() <= NAMED_OF_A_REASON {
        return cases.join(", ");
    }
    let suites: Vec<_> = suites
        .into_iter()
        .map(|(suite, count)| format!("{suite} {count}"))
        .collect();
    suites.join(", ")
}

/// A proxy that nobody watched, and that was gone in the end.
fn gone(report: &Report) -> bool {
    report.subject.command.is_empty() && report.run.gone
}

/// The last lines: who was judged, what came out, what it means.
fn summary(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let subject = report.subject.name();
    let run = &report.run;
    if let Some(refused) = &run.refused {
        let word = paint(style(Verdict::Fail).bold(), "NOT JUDGED");
        return writeln!(out, "{word}  {subject}: {refused}");
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
    writeln!(
        out,
        "{all} {results} in {seconds}.{tenths} s (seed {}{share}): {}",
        run.seed,
        counts.join(", ")
    )?;
    if gone(report) {
        let hint = "it went away during the run; where connectspec launches it (connectspec profile new), the case that ends it is found";
        writeln!(out, "{hint}")?;
    }
    let (verdict, meaning) = report.meaning();
    writeln!(out, "{} {meaning}", paint(style(verdict).bold(), &subject))
}

/// `text` beside a head of so many columns; where the screen is too narrow for both, below it and further in.
fn beside(
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

fn reason(result: &CaseResult) -> &str {
    result.reason.as_deref().unwrap_or("no reason was given")
}

#[cfg(test)]
mod tests;
