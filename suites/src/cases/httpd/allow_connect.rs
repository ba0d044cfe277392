//! # The words of AllowCONNECT
//!
//! What httpd 2.4 takes as a port or a range of ports, what it says of anything else, and which ports are open then.
//! Asked only of proxies that are like httpd: they take its configuration, so they have to take it in its meaning.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::httpd::{allow_connect, httpd},
    documents::MOD_PROXY_CONNECT,
};

/// Every case about the words of AllowCONNECT.
pub(crate) fn suite() -> Suite {
    suite! {
        "allow_connect": "The words of AllowCONNECT", include_str!("allow_connect.rs");
        takes,
        rejects,
        opens_exactly,
        a_bad_word_keeps_the_proxy_from_serving,
    }
}

/// Words that httpd takes.
const GOOD: &[(&str, &str, &str)] = &[
    ("one_port", "RNG-003", "443"),
    ("two_ports", "RNG-003", "443 563"),
    (
        "another_line_in_lower_case",
        "RNG-003",
        "443\nallowconnect 563",
    ),
    ("a_range", "RNG-003", "8000-8100"),
    ("quoted_words", "RNG-031", r#"'443' "563-600""#),
    ("port_65535", "RNG-015", "65535"),
    ("port_0", "RNG-014", "0"),
    ("leading_zeros", "RNG-024", "00443"),
    ("octal_looking", "RNG-024", "0443"),
    ("the_same_port_twice", "RNG-025", "443 443"),
    ("overlapping_ranges", "RNG-025", "443 443-443 400-500"),
    ("blank_in_a_quoted_range", "RNG-010", r#""443- 500""#),
    ("plus_sign_in_a_range", "RNG-011", "443-+5"),
    ("minus_sign_in_a_range", "RNG-012", "443--5"),
    ("inverted_range", "RNG-013", "500-443"),
    ("past_65535", "RNG-016", "65536"),
    ("range_past_65535", "RNG-017", "1-99999"),
    ("the_largest_of_32_bits", "RNG-018", "2147483647"),
    ("past_31_bits", "RNG-019", "2147483648"),
    ("twenty_digits", "RNG-022", "99999999999999999999"),
    ("empty_word_in_the_middle", "RNG-030", r#"443 "" 563"#),
];

/// A configuration that runs under httpd has to run unchanged.
///
/// Only this conforms for a proxy like httpd; one that is stricter on purpose lists the row as a deviation.
fn takes() -> Family {
    each(GOOD, |&(_, row, words)| {
        httpd("AllowCONNECT takes what httpd takes")
            .cites(MOD_PROXY_CONNECT.section("allowconnect"))
            .covers([row])
            .needs([Need::ConfigCheck])
            .needs([Need::Directive])
            .run(async move |lab| {
                let check = lab.check_configuration(&allow_connect(words)).await?;
                if check.accepted {
                    return Ok(());
                }
                let expected = format!("`AllowCONNECT {words}` is taken");
                Err(Finding::violation(expected, check.last_line()))
            })
    })
}

/// What httpd says where a word does not begin with a digit.
const NOT_NUMERIC: &str = "port numbers must be numeric";

/// Words that httpd rejects, and a part of what it says.
const BAD: &[(&str, &str, &str, &str)] = &[
    ("no_word", "RNG-001", " ", "requires at least one argument"),
    (
        "one_empty_word",
        "RNG-002",
        r#""""#,
        "requires at least one argument",
    ),
    (
        "range_without_end",
        "RNG-004",
        "443-",
        "Cannot parse '' as port number",
    ),
    ("range_without_begin", "RNG-005", "-443", NOT_NUMERIC),
    ("plus_sign", "RNG-005", "+443", NOT_NUMERIC),
    ("star", "RNG-005", "*", NOT_NUMERIC),
    ("all", "RNG-005", "all", NOT_NUMERIC),
    ("service_name", "RNG-005", "https", NOT_NUMERIC),
    ("full_width_digits", "RNG-005", "４４３", NOT_NUMERIC),
    (
        "letter_behind",
        "RNG-006",
        "443a",
        "Cannot parse '443a' as port number",
    ),
    (
        "letter_as_end",
        "RNG-007",
        "443-a",
        "Cannot parse 'a' as port number",
    ),
    (
        "letter_behind_the_end",
        "RNG-007",
        "443-500a",
        "Cannot parse '500a' as port number",
    ),
    (
        "two_dashes",
        "RNG-007",
        "443-500-600",
        "Cannot parse '500-600' as port number",
    ),
    (
        "comma",
        "RNG-007",
        "443,563",
        "Cannot parse '443,563' as port number",
    ),
    (
        "hexadecimal",
        "RNG-007",
        "0x1bb",
        "Cannot parse '0x1bb' as port number",
    ),
    ("en_dash", "RNG-007", "443–500", "as port number"),
    ("comment_behind", "RNG-008", "443 # comment", NOT_NUMERIC),
    (
        "blank_behind",
        "RNG-009",
        r#""443 ""#,
        "Cannot parse '443 ' as port number",
    ),
    ("blank_before", "RNG-009", r#"" 443""#, NOT_NUMERIC),
    (
        "blank_before_the_dash",
        "RNG-009",
        r#""443 -500""#,
        "Cannot parse '443 -500' as port number",
    ),
    ("dash_as_second_word", "RNG-031", "443 -500", NOT_NUMERIC),
    (
        "end_as_second_word",
        "RNG-031",
        "443- 500",
        "Cannot parse '' as port number",
    ),
    (
        "hexadecimal_end",
        "RNG-031",
        "443-0x10",
        "Cannot parse '0x10' as port number",
    ),
    ("bad_second_word", "RNG-028", "443 abc", NOT_NUMERIC),
];

/// A typing error that is swallowed opens or closes ports that nobody looks at again.
///
/// Also accepted: any other words around the sentence that httpd's administrators look for.
fn rejects() -> Family {
    each(BAD, |&(_, row, words, said)| {
        httpd("AllowCONNECT rejects what httpd rejects, and says why")
            .cites(MOD_PROXY_CONNECT.section("allowconnect"))
            .covers([row])
            .needs([Need::ConfigCheck])
            .needs([Need::Directive])
            .run(async move |lab| {
                let check = lab.check_configuration(&allow_connect(words)).await?;
                let expected = format!("an error that says `{said}`");
                if check.accepted {
                    let observed = format!("`AllowCONNECT {words}` was taken");
                    return Err(Finding::violation(expected, observed));
                }
                if check.output.contains(said) {
                    return Ok(());
                }
                Err(Finding::violation(expected, check.last_line()))
            })
    })
}

/// Words, the ports that they open, and ports that they do not: letters of the set-up.
type Opening = (
    &'static str,
    &'static str,
    &'static str,
    &'static [Probe],
    &'static [Probe],
);

/// A letter, and how far the port is from the one that it stands for.
type Probe = (char, i16);

const OPENINGS: &[Opening] = &[
    ("leading_zeros", "RNG-024", "0{a}", &[('a', 0)], &[('a', 1)]),
    (
        "overlapping_ranges",
        "RNG-025",
        "{a}-{b} {b}-{c}",
        &[('a', 0), ('b', 0), ('c', 0)],
        &[('c', 1)],
    ),
    (
        "range_with_its_ends",
        "POL-007",
        "{a}-{b}",
        &[('a', 0), ('a', 2), ('b', 0)],
        &[('a', -1), ('b', 1)],
    ),
    (
        "several_lines",
        "POL-008",
        "{a}\nAllowCONNECT {c}-{d}",
        &[('a', 0), ('c', 0), ('d', 0)],
        &[('b', 0)],
    ),
    (
        "the_largest_of_32_bits",
        "RNG-018",
        "2147483647",
        &[],
        &[('a', 0)],
    ),
    (
        "range_from_past_31_bits",
        "RNG-020",
        "2147483648-65535",
        &[('a', 0), ('b', 0), ('c', 1)],
        &[],
    ),
    (
        "range_to_past_64_bits",
        "RNG-023",
        "1-99999999999999999999",
        &[],
        &[('a', 0), ('b', 0)],
    ),
    (
        "inverted_range",
        "RNG-013",
        "{c}-{a}",
        &[],
        &[('a', 0), ('b', 0), ('c', 0)],
    ),
    (
        "empty_word_in_the_middle",
        "RNG-030",
        r#"{a} "" {b}"#,
        &[('a', 0)],
        &[('b', 0)],
    ),
];

/// That a word is taken does not say which ports it opens.
///
/// Only this conforms for a proxy like httpd; one that refuses such words lists the row as a deviation.
fn opens_exactly() -> Family {
    each(OPENINGS, |&(_, row, words, open, closed)| {
        httpd("AllowCONNECT opens the ports that httpd opens")
            .cites(MOD_PROXY_CONNECT.section("allowconnect"))
            .covers([row])
            .needs([Need::Directive, Need::ConfigCheck])
            .run(async move |lab| {
                let lab = lab.reconfigured(&allow_connect(words)).await?;
                let port = |&(letter, offset): &Probe| {
                    Ok::<_, Finding>(lab.port(letter)?.saturating_add_signed(offset))
                };
                for probe in open {
                    let server = lab.server_at(port(probe)?, echo()).await?;
                    lab.lets_through(&server).await?;
                }
                for probe in closed {
                    let server = lab.server_at(port(probe)?, echo()).await?;
                    lab.refuses(&lab.request(&server)).await?;
                }
                Ok(())
            })
            .under(allow_connect("{a}"))
    })
}

/// A proxy that serves with half of its configuration is worse than one that does not serve.
///
/// Only this conforms for a proxy like httpd.
fn a_bad_word_keeps_the_proxy_from_serving() -> Case {
    httpd("With a bad AllowCONNECT the proxy does not listen")
        .cites(MOD_PROXY_CONNECT.section("allowconnect"))
        .covers(["RNG-028", "RNG-029"])
        .needs([Need::Directive, Need::Launched])
        .run(
            async |lab| match lab.relaunched_if_it_will(&allow_connect("443 abc")).await? {
                Err(_) => Ok(()),
                Ok(_) => Err(Finding::violation(
                    "the proxy ends with an error",
                    "it listens",
                )),
            },
        )
}
