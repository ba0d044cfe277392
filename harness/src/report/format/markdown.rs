//! The report as Markdown, for the summary of a job or a comment on a change: what to look at, folded away after its
//! first line, and everything else in numbers.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    report::{
        CaseResult, Report, audit, cause::causes, evidence::failure::block, known_deviations,
    },
    verdict::{Level, Verdict},
};

/// Characters of a whole report. A comment on GitHub holds 65 536, and whoever posts one may want to add to it.
pub const MOST: usize = 60_000;

/// Causes in the table of what is broken; each has its evidence below it, as far as there is room.
const CAUSES: usize = 60;

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let (tone, meaning) = report.meaning();
    let mut text = format!(
        "### {} {} {meaning}\n\n",
        sign(tone),
        plain(&report.subject.name())
    );
    // Here and below: writing to a string cannot fail.
    let run_itself = &report.run;
    let beside = run_itself.deaths.iter().chain(&run_itself.stale);
    for said in run_itself.refused.iter().chain(beside) {
        let _ = write!(text, "> {}\n\n", plain(said));
    }
    text.push_str(&totals(report));
    text.push_str(&asked(report));
    // What has to be said comes before what may have to be left out.
    let rest = [
        known(report),
        fingerprint(report),
        skipped(report),
        run(report),
    ]
    .concat();
    let room = MOST.saturating_sub(rest.len());
    text.push_str(&broken(report));
    trouble(report, &mut text, room);
    if text.len() + rest.len() <= MOST {
        text.push_str(&rest);
    }
    text
}

fn totals(report: &Report) -> String {
    let there = Verdict::ALL
        .into_iter()
        .filter(|&verdict| report.totals.get(verdict) > 0);
    let there: Vec<Verdict> = there.collect();
    if there.is_empty() {
        return String::new();
    }
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let words = there.iter().map(ToString::to_string).collect();
    let lines = there.iter().map(|_| "--:".to_owned()).collect();
    let counts = there
        .iter()
        .map(|&verdict| report.totals.get(verdict).to_string())
        .collect();
    format!("{}{}{}\n", row(words), row(lines), row(counts))
}

/// Of an audit: the policy, and each kind of question.
fn asked(report: &Report) -> String {
    if !report.is_an_audit() {
        return String::new();
    }
    let mut text = String::from("Meant to be reached:\n\n");
    for line in &report.run.policy {
        let _ = writeln!(text, "- {}", plain(line));
    }
    text.push_str("\n| asked | as it is meant | the proxy said |\n|---|--:|---|\n");
    for kind in audit::asked(report) {
        let said = kind.said.iter();
        let said: Vec<String> = said
            .map(|(said, count)| format!("{count} × {}", cell(said)))
            .collect();
        let (as_meant, all) = (kind.as_meant, kind.all);
        let _ = writeln!(
            text,
            "| {} | {as_meant} of {all} | {} |",
            cell(kind.title),
            said.join(", ")
        );
    }
    text.push('\n');
    text
}

/// What is broken, a line a cause, the gravest first.
fn broken(report: &Report) -> String {
    let causes = causes(report, &[Verdict::Fail]);
    // One failure is its own list.
    if causes.iter().all(|cause| cause.follow.is_empty()) && causes.len() < 2 {
        return String::new();
    }
    let mut text = String::from("| what is broken | observed | |\n|---|---|---|\n");
    for cause in causes.iter().take(CAUSES) {
        let seen = cause.clearest.observed.as_deref().unwrap_or_default();
        // Here and below: writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}`<br>{} | {} | {} |",
            cause.family,
            cell(&cause.clearest.title),
            cell(seen),
            cause.weight()
        );
    }
    if let more @ 1.. = causes.len().saturating_sub(CAUSES) {
        let _ = writeln!(text, "| …and {more} more | | |");
    }
    text.push('\n');
    text
}

/// Each result that has to be looked at, the gravest first, as far as there is room: one of each cause, then the others.
fn trouble(report: &Report, text: &mut String, room: usize) {
    let causes = causes(report, &[Verdict::Fail]);
    let is_first = |result: &&CaseResult| {
        let mut first = causes.iter().map(|cause| &cause.clearest.case);
        first.any(|case| *case == result.case)
    };
    let failed = causes
        .iter()
        .flat_map(|cause| cause.results.iter().copied());
    let (first, others): (Vec<_>, Vec<_>) = failed.partition(is_first);
    let order = [
        Verdict::Healed,
        Verdict::Broken,
        Verdict::Blocked,
        Verdict::Warn,
    ];
    let rest = order.into_iter().flat_map(|verdict| report.with(verdict));
    let mut left_out = 0;
    for result in first.into_iter().chain(others).chain(rest) {
        let folded = folded(report, result);
        // One line for those that find no room.
        if text.len() + folded.len() + 200 > room {
            left_out += 1;
        } else {
            text.push_str(&folded);
        }
    }
    if left_out > 0 {
        let _ = write!(
            text,
            "…and {left_out} more, for which there was no room here.\n\n"
        );
    }
}

fn folded(report: &Report, result: &CaseResult) -> String {
    let block = block(report, result);
    let fence = fence(&block);
    let mut links = Vec::new();
    for (name, url) in result.citations.iter().zip(&result.cites) {
        links.push(format!(
            "[{}]({})",
            plain(name),
            url.replace([' ', '(', ')', '<', '>'], "")
        ));
    }
    format!(
        "<details><summary><b>{}</b> <code>{}</code> {}</summary>\n\n{fence}text\n{block}{fence}\n\n{}\n\n</details>\n\n",
        result.verdict.word().to_uppercase(),
        html(result.case.as_str()),
        html(&result.title),
        links.join(" · "),
    )
}

fn known(report: &Report) -> String {
    let rows: Vec<String> = known_deviations::known(report)
        .into_iter()
        .map(|known| {
            let cases: Vec<String> = known.cases.iter().map(|case| format!("`{case}`")).collect();
            format!(
                "| {} | {} | {} |\n",
                cell(known.reason),
                known.count,
                cases.join(", ")
            )
        })
        .collect();
    section(
        "Known deviations",
        "| why | results | cases |\n|---|---:|---|\n",
        &rows,
    )
}

fn fingerprint(report: &Report) -> String {
    let rows: Vec<String> = report
        .results
        .iter()
        .filter(|result| result.level == Level::Survey && result.verdict == Verdict::Info)
        .filter_map(|result| Some((&result.title, result.observed.as_ref()?)))
        .map(|(title, observed)| format!("| {} | {} |\n", cell(title), cell(observed)))
        .collect();
    section("Fingerprint", "| what | observed |\n|---|---|\n", &rows)
}

fn skipped(report: &Report) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let unrelated = |result: &&CaseResult| result.follows_from.is_none();
    for result in report.with(Verdict::Skip).filter(unrelated) {
        *reasons
            .entry(result.reason.as_deref().unwrap_or_default())
            .or_default() += 1;
    }
    let rows: Vec<String> = reasons
        .into_iter()
        .map(|(reason, count)| format!("| {count} | {} |\n", cell(reason)))
        .collect();
    section("Not judged", "| cases | why |\n|--:|---|\n", &rows)
}

fn section(title: &str, head: &str, rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let count = rows.len();
    let rows = rows.concat();
    format!("<details><summary>{title} ({count})</summary>\n\n{head}{rows}\n</details>\n\n")
}

fn run(report: &Report) -> String {
    let run = &report.run;
    let share = run
        .partition
        .as_ref()
        .map_or_else(String::new, |share| format!(", share {share}"));
    format!(
        "<sub>connectspec {}, {} results in {}.{} s, seed {}{share}</sub>\n",
        plain(&run.connectspec),
        report.totals.all(),
        run.took_ms / 1000,
        run.took_ms % 1000 / 100,
        run.seed
    )
}

/// The sign for a verdict, in the text of a job.
pub(crate) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail | Verdict::Broken => "❌",
        Verdict::Warn | Verdict::Blocked => "⚠️",
        Verdict::Healed => "🩹",
        Verdict::Info => "ℹ️",
        Verdict::Known => "📌",
        Verdict::Skip => "➖",
    }
}

/// Text that stays text in a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    plain(text).replace('|', "\\|")
}

/// Text that is no markup: what a proxy says shall not make links or mention people.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' => {
                plain.push('\\');
                plain.push(c);
            }
            c => plain.push(c),
        }
    }
    html(&plain)
}

/// Text inside HTML, where Markdown is not read.
fn html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    // A person is mentioned by `@name`, also inside HTML.
    let unmentioned = escaped.replace('@', "@\u{200b}");
    unmentioned.replace(char::is_control, " ")
}

/// A fence longer than any run of backticks inside.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::sample::report;

    #[test]
    fn a_summary_shows_what_to_look_at() {
        assert_snapshot!(markdown(&report()));
    }

    #[test]
    fn it_always_fits_into_a_comment() {
        let mut report = report();
        let failed = report.with(Verdict::Fail).next().unwrap().clone();
        report.results.extend(vec![failed; 500]);
        let text = markdown(&report);
        assert!(text.len() <= MOST, "{}", text.len());
        assert!(text.contains("for which there was no room here"));
    }

    #[test]
    fn what_a_proxy_says_is_no_markup() {
        let said = "</details> @someone [x](javascript:1) | `a` ```";
        assert_snapshot!(cell(said).replace('\u{200b}', "<gap>"), @r"&lt;/details&gt; @<gap>someone \[x\](javascript:1) \| \`a\` \`\`\`");
        let mut report = report();
        for result in &mut report.results {
            result.observed = Some("````".to_owned());
        }
        assert!(markdown(&report).contains("`````text"));
    }
}
