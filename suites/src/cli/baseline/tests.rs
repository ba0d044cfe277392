//! What an update changes, and what it leaves.

use super::*;

const BASELINE: &str = "\
# Known failures of our proxy.

# A bug of the parser.
[[deviation]]
case = 'a/healed'
why  = 'soon mended'

# Nobody minds this one.
[[deviation]]
case = 'b/stays'   # by design
why  = 'it is what it is'
observed = 'a tunnel'
";

fn result(case: &str, verdict: Verdict, observed: Option<&str>) -> CaseResult {
    let json = serde_json::json!({
        "case": case, "title": case, "level": "must", "verdict": verdict.to_string(), "expected": [],
        "observed": observed, "reason": null, "covers": [], "cites": [], "source": "x.rs:1", "took_ms": 0,
        "setup": "",
    });
    serde_json::from_value(json).unwrap()
}

fn update_of(text: &str, results: Vec<CaseResult>) -> Update {
    let report = Report {
        schema: String::new(),
        run: Default::default(),
        subject: Default::default(),
        totals: Totals::of(&results),
        results,
    };
    let known = parse_baseline("b.toml", text).unwrap();
    updated(text, &known, &report, "2026-01-01".parse().unwrap()).unwrap()
}

#[test]
fn comments_reasons_and_order_stay() {
    let update = update_of(
        BASELINE,
        vec![
            result("a/healed", Verdict::Healed, None),
            result("b/stays", Verdict::Known, Some("a tunnel")),
            result("c/new", Verdict::Fail, Some("a \"close\"")),
        ],
    );
    let expected = "\
# Known failures of our proxy.

# Nobody minds this one.
[[deviation]]
case = 'b/stays'   # by design
why  = 'it is what it is'
observed = 'a tunnel'

[[deviation]]
case = \"c/new\"
why = \"not explained yet\"
observed = 'a \"close\"'
";
    assert_eq!(update.text, expected);
    assert_eq!((update.added, update.changed, update.removed), (1, 0, 1));
}

#[test]
fn a_failure_with_another_face_keeps_its_reason() {
    let update = update_of(
        BASELINE,
        vec![result("b/stays", Verdict::Fail, Some("a reset"))],
    );
    assert_eq!(update.text, BASELINE.replace("'a tunnel'", "\"a reset\""));
    assert_eq!((update.added, update.changed, update.removed), (0, 1, 0));
}

#[test]
fn each_version_comes_and_goes_alone() {
    let text = "[[deviation]]\ncase = 'a/b'\nover = ['http/1.1', 'tls']\nwhy = 'it does'\n";
    let update = update_of(
        text,
        vec![
            result("a/b", Verdict::Healed, None),
            result("a@tls/b", Verdict::Known, Some("a reset")),
        ],
    );
    let expected = text.replace("['http/1.1', 'tls']", "[\"tls\"]");
    assert_eq!(update.text, expected);
    assert_eq!((update.added, update.changed, update.removed), (0, 1, 0));
    let both = ["a/b", "a@tls/b"].map(|case| result(case, Verdict::Healed, None));
    assert_eq!(update_of(text, both.into()).text, "");
    let update = update_of(
        text,
        vec![result("a@tls/b", Verdict::Fail, Some("silence"))],
    );
    let expected = text.replace("['http/1.1', 'tls']", "[\"http/1.1\"]")
        + "\n[[deviation]]\ncase = \"a@tls/b\"\nwhy = \"it does\"\nobserved = \"silence\"\n";
    assert_eq!(update.text, expected);
}

#[test]
fn nothing_to_do_changes_nothing_and_the_last_entry_leaves_the_heading() {
    assert_eq!(update_of(BASELINE, vec![]).text, BASELINE);
    let healed = |case| result(case, Verdict::Healed, None);
    let update = update_of(BASELINE, vec![healed("a/healed"), healed("b/stays")]);
    assert_eq!(update.text, "# Known failures of our proxy.\n");
}

#[test]
fn a_new_file_begins_with_its_first_entry() {
    let update = update_of("", vec![result("c/new", Verdict::Fail, None)]);
    assert_eq!(
        update.text,
        "[[deviation]]\ncase = \"c/new\"\nwhy = \"not explained yet\"\n"
    );
}

#[test]
fn rows_that_fail_alike_share_an_entry() {
    let failed = |case: &str, observed| result(case, Verdict::Fail, Some(observed));
    let rows = vec![
        failed("a/b[one]", "a tunnel to 127.0.0.1:20001"),
        failed("a/b[three]", "silence"),
        failed("a/b[two]", "a tunnel to 127.0.0.1:20002"),
    ];
    let text = update_of("", rows).text;
    let expected = "[[deviation]]\ncase = \"a/b\"\nrows = [\"one\", \"two\"]\nwhy = \"not explained yet\"\n\
         observed = \"a tunnel to 127.0.0.1:20001\"\n\n\
         [[deviation]]\ncase = \"a/b[three]\"\nwhy = \"not explained yet\"\nobserved = \"silence\"\n";
    assert_eq!(text, expected);
    // One heals, one fails otherwise: the entry keeps the others.
    let changed = vec![
        result("a/b[one]", Verdict::Healed, None),
        failed("a/b[three]", "a reset"),
        result("a/b[two]", Verdict::Known, Some("a tunnel")),
    ];
    let update = update_of(&text, changed);
    assert!(update.text.contains("rows = [\"two\"]"), "{}", update.text);
    assert!(
        update.text.contains("observed = \"a reset\""),
        "{}",
        update.text
    );
    assert_eq!((update.added, update.changed, update.removed), (0, 2, 0));
}
