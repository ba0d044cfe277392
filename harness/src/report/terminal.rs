//! The report for the person who waits: what to look at first, then what was left out, then one line that sums it up.
//!
//! Passes are counted, not listed. Colours are always written; give a writer that knows whether they are wanted, such as
//! `anstream::stdout()`.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
};

use super::{
    CaseResult, Progress, Report, ReportError, ReportFold, Reporter,
    block::{BOLD, DIM, Detail, paint, style, styled},
    progress::Tally,
};
use crate::{
    run::Event,
    verdict::{Level, Verdict},
};

/// Blocked or broken results for one and the same reason that are shown in full; the others are only named.
const SHOWN_OF_A_REASON: usize = 2;

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
    fold: ReportFold,
}

impl<W: Write> Terminal<W> {
    /// Shows the result on `out`.
    pub fn new(out: W, progress: Progress, options: Options) -> Self {
        Self {
            out,
            progress,
            tally: Tally::default(),
            options,
            fold: ReportFold::new(),
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
        self.fold.event(event);
    }

    fn finish(&mut self) -> Result<(), ReportError> {
        self.progress.clear();
        write(&self.fold.report(), &mut self.out, self.options)?;
        Ok(self.out.flush()?)
    }
}

/// Writes the result of a run.
pub fn write(report: &Report, out: &mut impl Write, options: Options) -> io::Result<()> {
    match options.verbosity {
        Verbosity::Quiet => headlines(report, out)?,
        Verbosity::Normal => {
            skipped(report, out)?;
            known(report, out)?;
            fingerprint(report, out)?;
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
            fingerprint(report, out)?;
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
fn skipped(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for result in report.with(Verdict::Skip) {
        *reasons.entry(reason(result)).or_default() += 1;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Not judged"))?;
    for (reason, count) in reasons {
        writeln!(out, "  {count:>4}  {reason}")?;
    }
    writeln!(out)
}

fn known(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut known = report.with(Verdict::Known).peekable();
    if known.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "{}", paint(BOLD, "Known deviations"))?;
    for result in known {
        let reason = reason(result).lines().next().unwrap_or_default();
        writeln!(out, "  {}  {}", result.case, paint(DIM, reason))?;
    }
    writeln!(out)
}

/// What the subject does where it is free to choose.
fn fingerprint(report: &Report, out: &mut impl Write) -> io::Result<()> {
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
        writeln!(out, "  {title}: {}", paint(style(Verdict::Info), observed))?;
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
                let cases: Vec<&str> = others.iter().map(|result| &*result.case).collect();
                let count = cases.len();
                writeln!(
                    out,
                    "{word} {count} more for the same reason: {}\n",
                    cases.join(", ")
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

/// The last lines: who was judged, what came out, what it means.
fn summary(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let subject = report.subject.name();
    let run = &report.run;
    if let Some(refused) = &run.refused {
        let word = paint(style(Verdict::Fail).bold(), "NOT JUDGED");
        return writeln!(out, "{word}  {subject}: {refused}");
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
    let (verdict, meaning) = report.meaning();
    writeln!(out, "{} {meaning}", paint(style(verdict).bold(), &subject))
}

fn reason(result: &CaseResult) -> &str {
    result.reason.as_deref().unwrap_or("no reason was given")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::{super::sample::events, *};
    use crate::report::sample::report;

    fn shown(report: &Report, verbosity: Verbosity) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        let options = Options {
            verbosity,
            width: None,
        };
        write(report, &mut out, options).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn what_to_look_at_comes_with_its_evidence() {
        assert_snapshot!(shown(&report(), Verbosity::Normal), @r#"
Not judged
     2  the profile offers no upstream

Known deviations
  target/refuses_a_bad_port[past_65535]  The port is cut to 16 bits, so 65536+p reaches p.

Fingerprint
  What becomes of a half-closed tunnel: the other half stays open

WARN refuse/says_why   A refusal says why
     expected  a body
           or  a Proxy-Status field
     observed  an empty 403
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache refuse/says_why

BLOCKED auth/asks_for_credentials   A request without credentials is asked for them
     reason    the control tunnel of this setup failed: 500 where a 200 was due, for user [redacted]
     the proxy itself said:
       │ AH00526: Syntax error on line 3
       │ no such user: [redacted]
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache auth/asks_for_credentials

BROKEN tls/exports_the_same_key   Both ends export the same key
     reason    the case panicked: index out of bounds
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache tls/exports_the_same_key

HEALED host/two_hosts_are_refused   Two Host fields are refused
     listed    as a known deviation: It takes the first Host field.
     observed  400 Bad Request
     remedy    take the entry off the list
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache host/two_hosts_are_refused

FAIL close/the_last_words_arrive   Data sent before a close is delivered before the close
     expected  7 bytes, then the end
     observed  the end after 0 bytes
       0.0 ms  client ─▶ proxy             CONNECT 127.0.0.1:40123 HTTP/1.1 ⏎ Host: 127.0.0.1:40123 ⏎ ⏎
       0.7 ms            proxy ─▶ server   connects to 127.0.0.1:40123 from 127.0.0.1:50001
       1.2 ms  client ◀─ proxy             HTTP/1.1 200 Connection Established ⏎ ⏎
       1.3 ms            proxy ◀─ server   "goodbye" FIN
       1.4 ms  client ◀─ proxy             FIN
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache close/the_last_words_arrive

11 results in 0.8 s (seed 7): 1 pass, 1 fail, 1 warn, 2 info, 1 known, 1 healed, 2 skip, 1 blocked, 1 broken
Apache httpd 2.4.66 is not conformant: 1 requirement is not kept, 1 known deviation is healed (take it off the list), 1 case could not begin, 1 case failed in connectspec itself
"#);
    }

    #[test]
    fn quiet_is_one_line_each() {
        assert_snapshot!(shown(&report(), Verbosity::Quiet), @"
BLOCKED auth/asks_for_credentials   A request without credentials is asked for them
FAIL close/the_last_words_arrive   Data sent before a close is delivered before the close
HEALED host/two_hosts_are_refused   Two Host fields are refused
WARN refuse/says_why   A refusal says why
BROKEN tls/exports_the_same_key   Both ends export the same key
11 results in 0.8 s (seed 7): 1 pass, 1 fail, 1 warn, 2 info, 1 known, 1 healed, 2 skip, 1 blocked, 1 broken
Apache httpd 2.4.66 is not conformant: 1 requirement is not kept, 1 known deviation is healed (take it off the list), 1 case could not begin, 1 case failed in connectspec itself
");
    }

    #[test]
    fn verbose_shows_every_result() {
        let report = report();
        let text = shown(&report, Verbosity::Verbose);
        for result in &report.results {
            assert!(text.contains(&result.case), "{}", result.case);
        }
    }

    #[test]
    fn a_clean_run_is_two_lines() {
        let mut report = report();
        report
            .results
            .retain(|result| result.verdict == Verdict::Pass);
        report.totals = super::super::Totals::of(&report.results);
        assert_snapshot!(shown(&report, Verbosity::Normal), @"
1 result in 0.8 s (seed 7): 1 pass
Apache httpd 2.4.66 is conformant in all that was asked
");
    }

    #[test]
    fn a_subject_that_was_refused_is_one_line() {
        let mut report = report();
        report.results.clear();
        report.run.refused = Some("it exited with status 1 before it listened".to_owned());
        assert_snapshot!(shown(&report, Verbosity::Normal), @"NOT JUDGED  Apache httpd 2.4.66: it exited with status 1 before it listened");
    }

    #[test]
    fn a_stale_list_is_a_fault() {
        let mut report = report();
        report
            .results
            .retain(|result| result.verdict == Verdict::Pass);
        report.totals = super::super::Totals::of(&report.results);
        report.run.stale = vec!["`close/gone` names no case".to_owned()];
        assert_eq!(report.exit_status(), 1);
        assert_snapshot!(shown(&report, Verbosity::Normal), @"
STALE `close/gone` names no case
1 result in 0.8 s (seed 7): 1 pass
Apache httpd 2.4.66 is not conformant: 1 listed deviation is stale
");
    }

    #[test]
    fn many_blocked_cases_for_one_reason_are_shown_as_one_thing() {
        let mut report = report();
        let blocked = report.with(Verdict::Blocked).next().unwrap().clone();
        report.results = (0..5)
            .map(|number| CaseResult {
                case: format!("auth/case_{number}"),
                ..blocked.clone()
            })
            .collect();
        let text = shown(&report, Verbosity::Normal);
        assert!(
            text.contains(
                "BLOCKED 3 more for the same reason: auth/case_2, auth/case_3, auth/case_4"
            ),
            "{text}"
        );
    }

    #[test]
    fn the_result_comes_at_the_end_also_when_interrupted() {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, Progress::none(), Options::default());
        for event in events().iter().take(4) {
            terminal.event(event);
        }
        terminal.finish().unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert!(text.contains("interrupted after 1 of 11 cases"), "{text}");
    }
}
