use insta::assert_snapshot;

use crate::report::{
    ReportFold,
    format::terminal::*,
    sample::{events, report},
};

fn shown(report: &Report, verbosity: Verbosity) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    let options = Options {
        verbosity,
        width: None,
        full: false,
    };
    write(report, &mut out, options).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

#[test]
fn what_to_look_at_comes_with_its_evidence() {
    assert_snapshot!(shown(&report(), Verbosity::Normal), @r#"
Apache httpd 2.4.66 is not conformant: 1 requirement is not kept, 1 known deviation is healed (take it off the list), 1 case could not begin, 1 case failed in connectspec itself
11 results in 0.8 s (seed 7): 1 pass, 1 fail, 1 warn, 2 info, 1 known, 1 healed, 2 skip, 1 blocked, 1 broken

HEALED host/two_hosts_are_refused   Two Host fields are refused
     now       the requirement is kept: 400 Bad Request
     listed    as failing: It takes the first Host field.
     remedy    take the entry off the list (in a baseline: --update-baseline)
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

BLOCKED auth/asks_for_credentials   A request without credentials is asked for them
     reason    the control tunnel of this setup failed: 500 where a 200 was due, for user [redacted]
     the proxy itself said:
       │ AH00526: Syntax error on line 3
       │ no such user: [redacted]
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache auth/asks_for_credentials

BROKEN tls/exports_the_same_key   Both ends export the same key
     reason    the case panicked: index out of bounds
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache tls/exports_the_same_key

WARN refuse/says_why   A refusal says why
     expected  a body
           or  a Proxy-Status field
     observed  an empty 403
     RFC 9110 §9.3.6 · suites/src/close.rs:24 · again: connectspec run --profile apache refuse/says_why

Known deviations
     1  The port is cut to 16 bits, so 65536+p reaches p.
        target/refuses_a_bad_port[past_65535]

Fingerprint
  What becomes of a half-closed tunnel: the other half stays open

Not judged
     2  the profile offers no upstream

FAIL close/the_last_words_arrive
HEALED host/two_hosts_are_refused
BLOCKED auth/asks_for_credentials
BROKEN tls/exports_the_same_key
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
Apache httpd 2.4.66 is not conformant: 1 requirement is not kept, 1 known deviation is healed (take it off the list), 1 case could not begin, 1 case failed in connectspec itself
11 results in 0.8 s (seed 7): 1 pass, 1 fail, 1 warn, 2 info, 1 known, 1 healed, 2 skip, 1 blocked, 1 broken
");
}

#[test]
fn verbose_shows_every_result() {
    let report = report();
    let text = shown(&report, Verbosity::Verbose);
    for result in &report.results {
        assert!(text.contains(result.case.as_str()), "{}", result.case);
    }
}

#[test]
fn a_clean_run_is_two_lines() {
    let mut report = report();
    report
        .results
        .retain(|result| result.verdict == Verdict::Pass);
    report.totals = crate::report::Totals::of(&report.results);
    assert_snapshot!(shown(&report, Verbosity::Normal), @"
Apache httpd 2.4.66 is conformant in all that was asked
1 result in 0.8 s (seed 7): 1 pass
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
    report.totals = crate::report::Totals::of(&report.results);
    report.run.stale = vec!["`close/gone` names no case".to_owned()];
    assert_eq!(report.exit_status(), 1);
    assert_snapshot!(shown(&report, Verbosity::Normal), @"
Apache httpd 2.4.66 is not conformant: 1 listed deviation is stale
STALE `close/gone` names no case
1 result in 0.8 s (seed 7): 1 pass
");
}

#[test]
fn many_blocked_cases_for_one_reason_are_shown_as_one_thing() {
    let mut report = report();
    let blocked = report.with(Verdict::Blocked).next().unwrap().clone();
    report.results = (0..5)
        .map(|number| CaseResult {
            case: format!("auth/case_{number}").parse().unwrap(),
            ..blocked.clone()
        })
        .collect();
    let text = shown(&report, Verbosity::Normal);
    assert!(
        text.contains("BLOCKED 3 more for the same reason: auth/case_2, auth/case_3, auth/case_4"),
        "{text}"
    );
}

#[test]
fn a_proxy_that_went_away_fills_no_page() {
    let mut report = report();
    let blocked = report.with(Verdict::Blocked).next().unwrap().clone();
    report.results = (0..40)
        .map(|number| CaseResult {
            case: format!("suite_{}/case_{number}", number % 2)
                .parse()
                .unwrap(),
            reason: Some("could not connect to 127.0.0.1:3128: nobody listens there".to_owned()),
            ..blocked.clone()
        })
        .collect();
    report.subject.command.clear();
    report.run.gone = true;
    let text = shown(&report, Verbosity::Normal);
    assert!(
        text.contains("BLOCKED 38 more for the same reason: suite_0 19, suite_1 19\n"),
        "{text}"
    );
    assert!(text.contains("it went away during the run"), "{text}");
}

#[test]
fn the_result_comes_at_the_end_also_when_interrupted() {
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, Progress::none(), Options::default());
    let mut fold = ReportFold::new();
    for event in events().iter().take(4) {
        terminal.event(event);
        fold.event(event);
    }
    terminal.finish(&fold.report()).unwrap();
    let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
    assert!(text.contains("interrupted after 1 of 11 cases"), "{text}");
}

/// What is never broken stands on a line of its own: the command that repeats a case.
#[test]
fn no_line_is_wider_than_the_screen_but_commands_and_ids() {
    let mut report = report();
    report.results[0].observed = Some("a word ".repeat(40));
    for width in [60, 80, 120] {
        let mut out = anstream::StripStream::new(Vec::new());
        let options = Options {
            verbosity: Verbosity::Normal,
            width: Some(width),
            full: false,
        };
        write(&report, &mut out, options).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        for line in text.lines() {
            let whole = line.trim_start().starts_with("again: ") || !line.trim().contains(' ');
            let summary = line.contains("is not conformant") || line.contains(" results in ");
            assert!(
                whole || summary || line.chars().count() <= width,
                "{width}: {line}"
            );
        }
    }
}

/// Sixty failures of three cases: one of them a crash, one with two results that follow from it.
fn very_bad() -> Report {
    let mut report = report();
    let failed = report.with(Verdict::Fail).next().unwrap().clone();
    let skipped = report.with(Verdict::Skip).next().unwrap().clone();
    report.results = (0..56)
        .map(|number| CaseResult {
            case: format!("port/many[row_{number}]").parse().unwrap(),
            ..failed.clone()
        })
        .collect();
    report.results.extend([
        CaseResult {
            case: "early/lost".parse().unwrap(),
            ..failed.clone()
        },
        CaseResult {
            case: "head/long".parse().unwrap(),
            observed: Some("it ended: signal 11".to_owned()),
            ..failed
        },
    ]);
    report.results.extend((0..2).map(|number| CaseResult {
        case: format!("sweep/{number}").parse().unwrap(),
        follows_from: Some("early/lost".parse().unwrap()),
        ..skipped.clone()
    }));
    report.totals = crate::report::Totals::of(&report.results);
    report
}

#[test]
fn what_is_broken_comes_first_by_its_causes() {
    let text = shown(&very_bad(), Verbosity::Normal);
    let first: Vec<&str> = text.lines().take(18).collect();
    assert_snapshot!(first.join("\n"), @"
Apache httpd 2.4.66 is not conformant: it died of 1 case, 3 requirements are not kept (58 results)
DIED of head/long: it ended: signal 11
60 results in 0.8 s (seed 7): 58 fail, 2 skip

What is broken, the gravest first
  must  head/long
        Data sent before a close is delivered before the close: it ended: signal 11
        1 result
        again: connectspec run --profile apache head/long
  must  port/many
        Data sent before a close is delivered before the close [row_0]: the end after 0 bytes
        56 results
        again: connectspec run --profile apache port/many
  must  early/lost
        Data sent before a close is delivered before the close: the end after 0 bytes
        1 result, 2 more follow from it
        again: connectspec run --profile apache early/lost
");
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert!(last[0].contains("it died of 1 case"), "{text}");
    assert_eq!(last[1], "FAIL head/long, port/many (56), early/lost");
    // What follows from a failure stands there, and nowhere else.
    assert!(!text.contains("Not judged"), "{text}");
}

#[test]
fn of_very_many_failures_one_of_each_cause_is_written_out() {
    let report = very_bad();
    let blocks = |full| {
        let mut out = anstream::StripStream::new(Vec::new());
        let options = Options {
            full,
            ..Options::default()
        };
        write(&report, &mut out, options).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let of_a_failure = |line: &&str| line.trim_start().starts_with("expected");
        (text.lines().filter(of_a_failure).count(), text)
    };
    let (few, text) = blocks(false);
    assert_eq!(few, 3, "{text}");
    assert!(
        text.contains("55 more results of the same causes"),
        "{text}"
    );
    assert_eq!(blocks(true).0, 58);
}
