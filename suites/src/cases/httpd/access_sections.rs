//! # Sections about targets
//!
//! Which `<Proxy>`, `<ProxyMatch>`, `<Location>` and `<LocationMatch>` a CONNECT is held to, and which of several decides.
//! An administrator who allows one host, or all but one, relies on it. Asked only of proxies that are like httpd.

use std::collections::BTreeSet;

use connectspec_harness::{citation::Citation, prelude::*};

mod patterns;

use crate::{
    cases::httpd::access_sections::patterns::{
        are_about_what_begins_so, have_expressions, have_wildcards, mind_letter_case,
    },
    cases::words::{
        httpd::{HTTPD, allow_connect, httpd},
        statuses::{denies, granted},
    },
    documents::{HTTPD_CORE, MOD_AUTHZ_CORE, MOD_PROXY},
};

/// Every case about sections.
pub(crate) fn suite() -> Suite {
    suite! {
        "access_sections": "Sections about targets", concat!(include_str!("access_sections.rs"), include_str!("access_sections/patterns.rs"));
        are_about_what_begins_so,
        have_wildcards,
        have_expressions,
        mind_letter_case,
        overrule_earlier_ones,
        of_a_virtual_host_come_last,
        about_locations_come_behind_those_about_proxies,
        join_what_they_require,
    }
}

/// The name of a section, its pattern, and what it says.
type Section = (&'static str, &'static str, &'static str);
/// A host, the letter of a port, and whether that is open.
type Probe = (&'static str, char, bool);
/// Name, row, sections in their order, what is open.
type Row = (
    &'static str,
    &'static str,
    &'static [Section],
    &'static [Probe],
);

const GRANTED: &str = "Require all granted";
const DENIED: &str = "Require all denied";
/// In front of a section that makes an exception.
const NOBODY: Section = ("Proxy", "*", DENIED);

const ADDRESS: &str = "127.0.0.1";
const NAME: &str = "localhost";
const CAPITALS: &str = "LOCALHOST";

const ORDER: &[Row] = &[
    (
        "the_general_one_comes_last",
        "REF-SEC-5",
        &[("Proxy", NAME, GRANTED), NOBODY],
        &[(NAME, 'a', false), (ADDRESS, 'a', false)],
    ),
    (
        "an_exception_of_an_exception",
        "REF-SEC-5",
        &[
            NOBODY,
            ("Proxy", NAME, GRANTED),
            ("Proxy", "localhost:{a}", DENIED),
        ],
        &[(NAME, 'b', true), (NAME, 'a', false), (ADDRESS, 'b', false)],
    ),
    (
        "expressions_among_them",
        "REF-SEC-5",
        &[
            ("ProxyMatch", "^local", DENIED),
            ("Proxy", "*:{a}", GRANTED),
            ("ProxyMatch", ":{b}$", DENIED),
        ],
        &[
            (NAME, 'a', true),
            (NAME, 'b', false),
            (ADDRESS, 'a', true),
            (ADDRESS, 'b', false),
        ],
    ),
    (
        "one_without_a_word_changes_nothing",
        "REF-SEC-5",
        &[NOBODY, ("Proxy", NAME, "")],
        &[(NAME, 'a', false)],
    ),
];

/// All that fit apply, and of several that require something the last one decides, however exact the others are.
///
/// Only this conforms for a proxy like httpd.
fn overrule_earlier_ones() -> Family {
    each(ORDER, |row| {
        let claim = "Of several sections that fit, the last one decides";
        judged(claim, MOD_PROXY.section("proxy"), row)
    })
}

/// Name, row, what stands in front of the virtual hosts, in the second of them, and after them; what is open.
type Hosts = (
    &'static str,
    &'static str,
    [&'static str; 3],
    &'static [Probe],
);

const HOSTS: &[Hosts] = &[
    (
        "denied_there",
        "REF-SEC-6",
        ["", "<Proxy *>\nRequire all denied\n</Proxy>", ""],
        &[(ADDRESS, 'a', false), (NAME, 'a', true)],
    ),
    (
        "granted_there",
        "REF-SEC-6",
        [
            "<Proxy *>\nRequire all denied\n</Proxy>",
            "<Proxy 127.0.0.1>\nRequire all granted\n</Proxy>",
            "",
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "the_main_server_is_written_later",
        "REF-SEC-6",
        [
            "",
            "<Proxy *>\nRequire all granted\n</Proxy>",
            "<Proxy *>\nRequire all denied\n</Proxy>",
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "a_location_there_is_later_than_one_of_the_main_server",
        "REF-SEC-6",
        [
            "",
            "<Location \"*\">\nRequire all granted\n</Location>",
            "<Location \"*\">\nRequire all denied\n</Location>",
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
];

/// The sections of the main server come first, wherever in the file they stand.
///
/// Only this conforms for a proxy like httpd.
fn of_a_virtual_host_come_last() -> Family {
    each(HOSTS, |&(_, row, [before, inside, behind], probes)| {
        let text = format!(
            "{before}\n\
             <VirtualHost *>\nServerName first.invalid\n</VirtualHost>\n\
             <VirtualHost *>\nServerName second.invalid\nServerAlias {ADDRESS}\n{inside}\n</VirtualHost>\n\
             {behind}"
        );
        let claim = "The sections of a virtual host come after those of the main server";
        under(claim, HTTPD_CORE.section("virtualhost"), row, text, probes)
    })
}

const LOCATIONS: &[Row] = &[
    (
        "every_one",
        "REF-SEC-7",
        &[("Location", "*", DENIED)],
        &[(ADDRESS, 'a', false), (NAME, 'a', false)],
    ),
    (
        "a_path",
        "REF-SEC-7",
        &[NOBODY, ("Location", "/", GRANTED)],
        &[(ADDRESS, 'a', false)],
    ),
    (
        "a_host_and_a_port",
        "REF-SEC-7",
        &[NOBODY, ("Location", "127.0.0.1:{a}", GRANTED)],
        &[(ADDRESS, 'a', true), (ADDRESS, 'b', false)],
    ),
    (
        "a_host_alone",
        "REF-SEC-7",
        &[NOBODY, ("Location", ADDRESS, GRANTED)],
        &[(ADDRESS, 'a', false)],
    ),
    (
        "an_expression",
        "REF-SEC-7",
        &[NOBODY, ("LocationMatch", "^127", GRANTED)],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "written_earlier",
        "REF-SEC-7",
        &[("Location", "localhost:*", DENIED), ("Proxy", "*", GRANTED)],
        &[(NAME, 'a', false), (ADDRESS, 'a', true)],
    ),
    (
        "folders_and_files_are_none",
        "REF-SEC-7",
        &[NOBODY, ("Directory", "/", GRANTED), ("Files", "*", GRANTED)],
        &[(ADDRESS, 'a', false)],
    ),
];

/// To httpd the URI of a CONNECT is its target, which no path is like. A `<Location "*">` that was written for a website
/// decides about the tunnels as well, and has the last word.
///
/// Only this conforms for a proxy like httpd.
fn about_locations_come_behind_those_about_proxies() -> Family {
    each(LOCATIONS, |row| {
        let claim = "A <Location> that is the target as a whole decides after every <Proxy>";
        judged(claim, HTTPD_CORE.section("location"), row)
    })
}

const MERGED: &[Row] = &[
    (
        "both",
        "REF-SEC-8",
        &[
            NOBODY,
            ("Proxy", ADDRESS, "AuthMerging And\nRequire all granted"),
        ],
        &[(ADDRESS, 'a', false)],
    ),
    (
        "either",
        "REF-SEC-8",
        &[
            NOBODY,
            ("Proxy", ADDRESS, "AuthMerging Or\nRequire all granted"),
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "the_later_one",
        "REF-SEC-8",
        &[
            NOBODY,
            ("Proxy", ADDRESS, "AuthMerging Off\nRequire all granted"),
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
    (
        "only_for_the_next_section",
        "REF-SEC-8",
        &[
            NOBODY,
            ("Proxy", "*", "AuthMerging And"),
            ("Proxy", ADDRESS, GRANTED),
        ],
        &[(ADDRESS, 'a', true), (NAME, 'a', false)],
    ),
];

/// What a section requires takes the place of what earlier ones require, unless `AuthMerging` joins them.
///
/// Only this conforms for a proxy like httpd.
fn join_what_they_require() -> Family {
    each(MERGED, |row| {
        let claim = "What sections require is joined as AuthMerging says, and otherwise the last one decides";
        judged(claim, MOD_AUTHZ_CORE.section("authmerging"), row)
    })
}

/// A case about sections after the one that grants everything.
fn judged(claim: &'static str, cited: Citation, &(_, row, sections, probes): &Row) -> Case {
    let text = sections
        .iter()
        .map(|(name, pattern, line)| format!("<{name} \"{pattern}\">\n{line}\n</{name}>\n"));
    let all = format!("<Proxy \"*\">\n{GRANTED}\n</Proxy>\n");
    under(claim, cited, row, all + &text.collect::<String>(), probes)
}

fn under(
    claim: &'static str,
    cited: Citation,
    row: &'static str,
    text: String,
    probes: &'static [Probe],
) -> Case {
    httpd(claim)
        .cites(cited)
        .covers([row])
        .needs([Need::ConfigLines, Need::Names])
        .under(allow_connect("{a} {b}").with_lines(HTTPD, text))
        .run(async move |lab| judges(lab, probes).await)
}

async fn judges(lab: &Lab, probes: &[Probe]) -> Outcome {
    // A denial comes before any look-up.
    let leads = |(host, _, open): &Probe| *open && host.eq_ignore_ascii_case(NAME);
    if probes.iter().any(leads) {
        lab.knows_localhost().await?;
    }
    let letters: BTreeSet<char> = probes.iter().map(|(_, letter, _)| *letter).collect();
    for letter in letters {
        lab.server_at(lab.port(letter)?, echo()).await?;
    }
    for &(host, letter, open) in probes {
        let target = format!("{host}:{}", lab.port(letter)?);
        let request = lab.client().request(target);
        if open {
            granted(lab, &request).await?.echoes(lab.nonce()).await?;
        } else {
            denies(lab, &request).await?;
        }
    }
    Ok(())
}
