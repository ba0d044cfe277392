//! The report for the person who waits: what it means, what is broken by its causes, then the details, then what was left out. A
//! long one ends as it began, where the reader's eye is.
//!
//! Passes are counted, not listed. Colours are always written; give a writer that knows whether they are wanted, such as
//! `anstream::stdout()`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, Write},
};

use anstyle::Style;

mod aside;
mod asked;
mod overview;

use crate::{
    report::{
        CaseResult, Progress, Report, ReportError, Reporter,
        cause::causes,
        evidence::failure::{Detail, paint, style, styled},
        format::{
            progress::Tally,
            terminal::{
                aside::{beside, fingerprint, known, reason, skipped},
                asked::asked,
                overview::{causes_of, ending, opening},
            },
        },
        known_deviations,
    },
    run::Event,
    verdict::Verdict,
};

/// Blocked or broken results for one and the same reason that are shown in full; the others are only named.
const SHOWN_OF_A_REASON: usize = 2;

/// How many of those others are named one by one.
const NAMED_OF_A_REASON: usize = 12;

/// Failures that are all written out, unless somebody asks for more: past that, the first one of each cause is.
const WRITTEN_OUT: usize = 40;

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
    /// Whether every failure is written out, however many there are.
    pub full: bool,
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
    if report.run.refused.is_some() {
        return opening(report, out);
    }
    if options.verbosity == Verbosity::Quiet {
        headlines(report, out)?;
        return opening(report, out);
    }
    let mut below = Vec::new();
    if options.verbosity == Verbosity::Verbose {
        for result in &report.results {
            let detail = match result.verdict {
                Verdict::Pass | Verdict::Info | Verdict::Skip => Detail::Brief,
                _ => Detail::Full,
            };
            let shown = styled(report, result, detail, options.width);
            writeln!(below, "{shown}")?;
        }
    } else {
        asked(report, &mut below, options.width)?;
        causes_of(report, &mut below, options.width)?;
        failures(report, &mut below, options)?;
        trouble(report, &mut below, options)?;
        warnings(report, &mut below, options)?;
        known(report, &mut below, options.width)?;
    }
    fingerprint(report, &mut below, options.width)?;
    skipped(report, &mut below, options.width)?;
    opening(report, out)?;
    if below.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    out.write_all(&below)?;
    ending(report, out)
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

/// Every failure with its evidence; of very many, the clearest one of each cause.
fn failures(report: &Report, out: &mut impl Write, options: Options) -> io::Result<()> {
    for result in report.with(Verdict::Healed) {
        let shown = styled(report, result, Detail::Full, options.width);
        writeln!(out, "{shown}")?;
    }
    let causes = causes(report, &[Verdict::Fail]);
    let all = options.full || report.totals.fail <= WRITTEN_OUT;
    let first: BTreeSet<_> = causes.iter().map(|cause| &cause.clearest.case).collect();
    let mut left_out = 0;
    for result in causes.iter().flat_map(|cause| &cause.results) {
        if all || first.contains(&result.case) {
            let shown = styled(report, result, Detail::Full, options.width);
            writeln!(out, "{shown}")?;
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let text = format!(
            "{left_out} more results of the same causes are not written out; --full writes all, --report html=FILE too"
        );
        let head = (paint(style(Verdict::Fail).bold(), "FAIL"), 4);
        let shown = beside(&head, " ", &text, Style::new(), options.width);
        writeln!(out, "{shown}\n")?;
    }
    Ok(())
}

/// What could not be judged, a reason at a time.
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
    Ok(())
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

#[cfg(test)]
mod tests;
