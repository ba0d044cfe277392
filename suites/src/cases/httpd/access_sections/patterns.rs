//! Which targets a section is about: beginnings, wildcards, expressions, letters.

use connectspec_harness::prelude::*;

use crate::{
    cases::httpd::access_sections::{
        ADDRESS, CAPITALS, DENIED, GRANTED, NAME, NOBODY, Row, judged,
    },
    documents::MOD_PROXY,
};

const BEGINNINGS: &[Row] = &[
    (
        "a_host_denied",
        "REF-SEC-1",
        &[("Proxy", NAME, DENIED)],
        &[(NAME, 'a', false), (NAME, 'b', false), (ADDRESS, 'a', true)],
    ),
    (
        "a_host_granted",
        "REF-SEC-1",
        &[NOBODY, ("Proxy", ADDRESS, GRANTED)],
        &[
            (ADDRESS, 'a', true),
            (ADDRESS, 'b', true),
            (NAME, 'a', false),
        ],
    ),
    (
        "a_port_denied",
        "REF-SEC-1",
        &[("Proxy", "localhost:{b}", DENIED)],
        &[(NAME, 'b', false), (NAME, 'a', true)],
    ),
    (
        "a_port_granted",
        "REF-SEC-1",
        &[NOBODY, ("Proxy", "127.0.0.1:{a}", GRANTED)],
        &[
            (ADDRESS, 'a', true),
            (ADDRESS, 'b', false),
            (NAME, 'a', false),
        ],
    ),
    (
        "half_a_host_denied",
        "REF-SEC-1",
        &[("Proxy", "local", DENIED)],
        &[(NAME, 'a', false), (ADDRESS, 'a', true)],
    ),
    (
        "half_a_host_granted",
        "REF-SEC-1",
        &[NOBODY, ("Proxy", "127.0", GRANTED)],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "the_end_of_a_host",
        "REF-SEC-1",
        &[NOBODY, ("Proxy", "0.0.1:{a}", GRANTED)],
        &[(ADDRESS, 'a', false)],
    ),
    (
        "a_url",
        "REF-SEC-1",
        &[NOBODY, ("Proxy", "http://127.0.0.1", GRANTED)],
        &[(ADDRESS, 'a', false)],
    ),
];

/// A section without wildcards is about every target that begins with what it says: a host, a host and a port, and
/// half of either.
///
/// Only this conforms for a proxy like httpd; one that grants whole hosts only lists the row as a deviation.
pub(super) fn are_about_what_begins_so() -> Family {
    each(BEGINNINGS, |row| {
        let claim = "A <Proxy> without wildcards is about the targets that begin with it";
        judged(claim, MOD_PROXY.section("proxy"), row)
    })
}

const WILDCARDS: &[Row] = &[
    (
        "a_star_behind",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "local*", GRANTED)],
        &[(NAME, 'a', true), (ADDRESS, 'a', false)],
    ),
    (
        "a_star_before_a_port",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "*:{a}", GRANTED)],
        &[
            (ADDRESS, 'a', true),
            (NAME, 'a', true),
            (ADDRESS, 'b', false),
        ],
    ),
    (
        "a_star_before_a_host",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "*host", GRANTED)],
        &[(NAME, 'a', false)],
    ),
    (
        "a_question_mark",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "?27.0.0.1:{a}", GRANTED)],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "a_set",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "[k-m]ocalhost:*", GRANTED)],
        &[(NAME, 'a', true), (ADDRESS, 'a', false)],
    ),
    (
        "a_set_of_others",
        "REF-SEC-2",
        &[NOBODY, ("Proxy", "[!k-m]*", GRANTED)],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
];

/// With wildcards a pattern is about the whole target, and the port belongs to that: `*host` is about none.
///
/// Only this conforms for a proxy like httpd.
pub(super) fn have_wildcards() -> Family {
    each(WILDCARDS, |row| {
        let claim = "A <Proxy> with wildcards is about the targets that fit it as a whole";
        judged(claim, MOD_PROXY.section("proxy"), row)
    })
}

const EXPRESSIONS: &[Row] = &[
    (
        "the_beginning",
        "REF-SEC-3",
        &[NOBODY, ("ProxyMatch", "^local", GRANTED)],
        &[(NAME, 'a', true), (ADDRESS, 'a', false)],
    ),
    (
        "the_middle",
        "REF-SEC-3",
        &[NOBODY, ("ProxyMatch", "7.0.0.1:", GRANTED)],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "the_end_is_the_port",
        "REF-SEC-3",
        &[NOBODY, ("ProxyMatch", "(host|:{a})$", GRANTED)],
        &[
            (ADDRESS, 'a', true),
            (NAME, 'a', true),
            (NAME, 'b', false),
            (ADDRESS, 'b', false),
        ],
    ),
    (
        "all_but_one",
        "REF-SEC-3",
        &[("ProxyMatch", "^(?!127\\.)", DENIED)],
        &[(NAME, 'a', false), (ADDRESS, 'a', true)],
    ),
];

/// Behind it stands a regular expression, which may fit anywhere in `host:port`.
///
/// Only this conforms for a proxy like httpd.
pub(super) fn have_expressions() -> Family {
    each(EXPRESSIONS, |row| {
        let claim = "A <ProxyMatch> is about the targets in which its expression is found";
        judged(claim, MOD_PROXY.section("proxymatch"), row)
    })
}

const LETTERS: &[Row] = &[
    (
        "a_pattern_in_capitals",
        "REF-SEC-4",
        &[NOBODY, ("Proxy", CAPITALS, GRANTED)],
        &[(NAME, 'a', false)],
    ),
    (
        "an_expression_in_capitals",
        "REF-SEC-4",
        &[NOBODY, ("ProxyMatch", "^LOCAL", GRANTED)],
        &[(NAME, 'a', false)],
    ),
    (
        "an_expression_in_any_case",
        "REF-SEC-4",
        &[NOBODY, ("ProxyMatch", "(?i)^LOCAL", GRANTED)],
        &[(NAME, 'a', true), (ADDRESS, 'a', false)],
    ),
    (
        "a_grant_does_not_reach_capitals",
        "REF-SEC-4",
        &[NOBODY, ("Proxy", NAME, GRANTED)],
        &[(NAME, 'a', true), (CAPITALS, 'a', false)],
    ),
    (
        "a_denial_does_not_reach_capitals",
        "REF-SEC-4",
        &[("Proxy", NAME, DENIED)],
        &[(NAME, 'a', false), (CAPITALS, 'a', true)],
    ),
];

/// Names of hosts are the same in any letters, and sections about them are not: whoever is denied a host can ask for it in
/// capitals.
///
/// Only this conforms for a proxy like httpd. That is a reason to do it otherwise, and to list the row as a deviation.
pub(super) fn mind_letter_case() -> Family {
    each(LETTERS, |row| {
        let claim = "A section is about a target in the letters that it is written in";
        judged(claim, MOD_PROXY.section("proxy"), row)
    })
}
