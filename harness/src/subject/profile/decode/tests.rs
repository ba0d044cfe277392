//! Baselines: what is read, and how a mistake is named.

use super::*;

const BASELINE: &str = "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nuntil = '2027-06-30'\n";

#[test]
fn a_baseline_is_read() {
    let deviations = parse_baseline("b.toml", BASELINE).unwrap();
    assert_eq!(deviations[0].case, "a/b");
    let day = |text: &str| text.parse().unwrap();
    assert!(!deviations[0].has_expired(day("2027-06-30")));
    assert!(deviations[0].has_expired(day("2027-07-01")));
}

#[test]
fn a_deviation_may_be_known_over_several_versions() {
    let text = "[[deviation]]\ncase = 'a/b[c]'\nwhy = 'w'\nover = ['http/1.1', 'tls']\n";
    let deviations = parse_baseline("b.toml", text).unwrap();
    let cases: Vec<_> = deviations[0].cases().map(|case| case.to_string()).collect();
    assert_eq!(cases, ["a/b[c]", "a@tls/b[c]"]);
    assert!(deviations[0].is_of(&"a@tls/b[c]".parse().unwrap()));
    assert!(!deviations[0].is_of(&"a@tls/b[d]".parse().unwrap()));
}

#[test]
fn rows_may_share_a_reason() {
    let text = "[[deviation]]\ncase = 'a@tls/b'\nrows = ['c', 'd']\nwhy = 'w'\n";
    let deviations = parse_baseline("b.toml", text).unwrap();
    let cases: Vec<_> = deviations[0].cases().map(|case| case.to_string()).collect();
    assert_eq!(cases, ["a@tls/b[c]", "a@tls/b[d]"]);
}

#[test]
fn mistakes_in_a_baseline_are_named() {
    for (text, message) in [
        (
            "[[deviation]]\ncase = 'a/b[c]'\nwhy = 'w'\nrows = ['d']\n",
            "b.toml:4:9: the id names a row already; take it out of the id, or leave `rows` out",
        ),
        (
            "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nover = ['tls']\nrows = ['d']\n",
            "b.toml:5:9: an entry has either `rows` or `over`; write an entry for each version, with the version in the id",
        ),
        (
            "[[deviation]]\ncase = 'a'\nwhy = 'w'\n",
            "b.toml:2:8: `a` is no id of a case: one is written suite/sentence, suite/sentence[row] or suite@tls/sentence",
        ),
        (
            "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nover = ['tsl']\n",
            "b.toml:4:9: there is no `tsl` to run over; there are http/1.1, tls, h2c, h2",
        ),
        (
            "[[deviation]]\ncase = 'a@tls/b'\nwhy = 'w'\nover = ['tls']\n",
            "b.toml:4:9: the id names a version already; take it out of the id, or leave `over` out",
        ),
        (
            &format!("{BASELINE}over = ['tls']\n[[deviation]]\ncase = 'a@tls/b'\nwhy = 'w'\n"),
            "b.toml:7:8: `a@tls/b` has a deviation already; keep one of them",
        ),
        (
            "name = 'x'\n",
            "b.toml:1:1: unknown key `name` at the top; the keys are: deviation",
        ),
        (
            "[[deviation]]\ncase = 'a/b'\nwy = 'w'\n",
            "b.toml:3:1: unknown key `wy` in [deviation]; did you mean `why`?",
        ),
        (
            "[[deviation]]\ncase = 'a/b'\nwhy = 'w'\nuntil = 'June'\n",
            "b.toml:4:9: `June` is no date; write it like \"2027-06-30\"",
        ),
        (
            &format!("{BASELINE}\n{BASELINE}"),
            "b.toml:7:8: `a/b` has a deviation already; keep one of them",
        ),
    ] {
        assert_eq!(
            parse_baseline("b.toml", text).unwrap_err().to_string(),
            message
        );
    }
}
