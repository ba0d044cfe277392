//! One result with all its evidence, as a block of text: what was demanded, what was seen, what passed on the wire, where
//! the demand stands, and how to see it again.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::{
    report::{CaseResult, Report},
    transcript::{
        columns::{Layout, lines, wrapped},
        screen::plain,
    },
    verdict::Verdict,
};

/// Lines of the subject's own output that are shown: the last words are those that explain.
const SUBJECT_LINES: usize = 12;

/// Columns in front of everything but the first line.
const INDENT: &str = "     ";

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// The block as plain text.
#[must_use]
pub fn block(report: &Report, result: &CaseResult) -> String {
    let styled = styled(report, result, Detail::Full, None);
    plain(&anstream::adapter::strip_str(&styled).to_string()).into_owned()
}

/// How much of a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Without the transcript.
    Brief,
    /// With it.
    Full,
}

/// The block with colours.
pub(crate) fn styled(
    report: &Report,
    result: &CaseResult,
    detail: Detail,
    width: Option<usize>,
) -> String {
    let mut text = heading(result, width);
    match result.verdict {
        Verdict::Healed => {
            let observed = result.observed.as_deref();
            let now = observed.map_or_else(
                || "the requirement is kept".to_owned(),
                |seen| format!("the requirement is kept: {seen}"),
            );
            labelled(&mut text, width, "now", &now);
            let reason = result.reason.as_deref().unwrap_or("no reason was given");
            labelled(&mut text, width, "listed", &format!("as failing: {reason}"));
            let remedy = "take the entry off the list (in a baseline: --update-baseline)";
            labelled(&mut text, width, "remedy", remedy);
        }
        _ => {
            for (index, expected) in result.expected.iter().enumerate() {
                labelled(
                    &mut text,
                    width,
                    if index == 0 { "expected" } else { "or" },
                    expected,
                );
            }
            if let Some(observed) = &result.observed {
                labelled(&mut text, width, "observed", observed);
            }
            if let Some(reason) = &result.reason {
                labelled(&mut text, width, "reason", reason);
            }
        }
    }
    if detail == Detail::Full {
        evidence(&mut text, result, width);
    }
    last(&mut text, report, result, width);
    text
}

/// Id and title; the title stands below an id that leaves it no room.
fn heading(result: &CaseResult, width: Option<usize>) -> String {
    let word = result.verdict.word().to_uppercase();
    let taken = word.len() + 1 + result.case.as_str().len() + 3 + result.title.chars().count();
    let word = paint(style(result.verdict).bold(), word);
    let mut text = format!("{word} {}", paint(BOLD, &result.case));
    let Some(width) = width.filter(|&width| taken > width) else {
        return format!("{text}   {}\n", result.title);
    };
    text.push('\n');
    for part in wrapped(&result.title, Some(width.saturating_sub(INDENT.len()))) {
        push(&mut text, &part);
    }
    text
}

/// Where the demand stands, and how to see it again.
fn last(text: &mut String, report: &Report, result: &CaseResult, width: Option<usize>) {
    let mut last: Vec<String> = result.citations.clone();
    // All questions of an audit stand in one place.
    if !report.is_an_audit() {
        last.push(result.source.clone());
    }
    // Never broken, so that it can be copied.
    let again = format!("again: {}", report.again(result));
    let columns: usize = last.iter().map(|part| part.chars().count() + 3).sum();
    let room = width.map(|width| width.saturating_sub(INDENT.len()));
    if room.is_none_or(|room| columns + again.len() <= room) {
        last.push(again);
        return push(text, &paint(DIM, last.join(" · ")));
    }
    for part in wrapped(&last.join(" · "), room) {
        push(text, &paint(DIM, part));
    }
    push(text, &paint(DIM, again));
}

pub(crate) fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Fail | Verdict::Broken => AnsiColor::Red,
        Verdict::Warn | Verdict::Blocked => AnsiColor::Yellow,
        Verdict::Info => AnsiColor::Cyan,
        Verdict::Healed => AnsiColor::Magenta,
        Verdict::Known => AnsiColor::Blue,
        Verdict::Skip => return DIM,
    };
    colour.on_default()
}

pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

fn evidence(text: &mut String, result: &CaseResult, width: Option<usize>) {
    let layout = Layout {
        width: width.map(|width| width.saturating_sub(INDENT.len())),
        ..Layout::default()
    };
    for line in lines(&result.transcript, result.left_out, &layout) {
        push(text, &line);
    }
    if let Some(said) = &result.subject_said {
        push(text, "the proxy itself said:");
        let said: Vec<&str> = said.lines().collect();
        for line in &said[said.len().saturating_sub(SUBJECT_LINES)..] {
            for part in wrapped(
                &printable(line),
                layout.width.map(|it| it.saturating_sub(4)),
            ) {
                push(text, &format!("  │ {part}"));
            }
        }
    }
}

/// What was said, under a label; further lines stand below the first.
fn labelled(text: &mut String, width: Option<usize>, label: &str, said: &str) {
    let mut label = match label {
        "or" => format!("{label:>8}"),
        _ => format!("{label:<8}"),
    };
    let room = width.map(|width| width.saturating_sub(INDENT.len() + label.len() + 2));
    let lines: Vec<String> = said
        .lines()
        .flat_map(|line| wrapped(&printable(line), room))
        .collect();
    // A label stands there also where nothing was said.
    for index in 0..lines.len().max(1) {
        let line = lines.get(index).map_or("", String::as_str);
        push(text, &format!("{}  {line}", paint(DIM, &label)));
        label = " ".repeat(label.len());
    }
}

fn push(text: &mut String, line: &str) {
    text.push_str(INDENT);
    text.push_str(line);
    text.push('\n');
}

/// Without control characters: what a proxy says shall not steer the reader's terminal.
fn printable(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    fn block_of(verdict: Verdict) -> String {
        let report = report();
        let result = report.with(verdict).next().unwrap();
        block(&report, result)
    }

    #[test]
    fn a_failure_shows_all_its_evidence() {
        assert_snapshot!(block_of(Verdict::Fail), @r#"
FAIL close/the_last_words_arrive   Data sent before a close is delivered before the close
     expected  7 bytes, then the end
     observed  the end after 0 bytes
       0.0 ms  client ─▶ proxy             CONNECT 127.0.0.1:40123 HTTP/1.1 ⏎ Host: 127.0.0.1:40123 ⏎ ⏎
       0.7 ms            proxy ─▶ server   connects to 127.0.0.1:40123 from 127.0.0.1:50001
       1.2 ms  client ◀─ proxy             HTTP/1.1 200 Connection Established ⏎ ⏎
       1.3 ms            proxy ◀─ server   "goodbye" FIN
       1.4 ms  client ◀─ proxy             FIN
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache close/the_last_words_arrive
"#);
    }

    #[test]
    fn a_healed_deviation_says_what_to_do() {
        assert_snapshot!(block_of(Verdict::Healed), @"
HEALED host/two_hosts_are_refused   Two Host fields are refused
     now       the requirement is kept: 400 Bad Request
     listed    as failing: It takes the first Host field.
     remedy    take the entry off the list (in a baseline: --update-baseline)
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache host/two_hosts_are_refused
");
    }

    #[test]
    fn each_accepted_outcome_is_named() {
        assert_snapshot!(block_of(Verdict::Warn), @"
WARN refuse/says_why   A refusal says why
     expected  a body
           or  a Proxy-Status field
     observed  an empty 403
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache refuse/says_why
");
    }

    #[test]
    fn a_blocked_case_shows_what_the_proxy_said() {
        assert_snapshot!(block_of(Verdict::Blocked), @"
BLOCKED auth/asks_for_credentials   A request without credentials is asked for them
     reason    the control tunnel of this setup failed: 500 where a 200 was due, for user [redacted]
     the proxy itself said:
       │ AH00526: Syntax error on line 3
       │ no such user: [redacted]
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache auth/asks_for_credentials
");
    }

    #[test]
    fn a_proxy_cannot_steer_the_terminal() {
        let mut report = report();
        report.results[0].observed = Some("\u{1b}]0;title\u{7}".to_owned());
        report.results[0].subject_said = Some("\u{1b}[2J".to_owned());
        let text = styled(&report, &report.results[0], Detail::Full, None);
        assert!(
            !text.contains("\u{1b}]0") && !text.contains("\u{1b}[2J"),
            "{text}"
        );
    }
}
