//! The catalogue: every suite, in the order of a report.

mod access;
mod connection;
mod http2;
mod httpd;
mod log;
mod names;
mod operation;
mod reply;
mod request;
mod symptoms;
mod tunnel;
mod upstream;
mod words;

use connectspec_harness::case::Suite;

/// Every suite, room by room.
#[must_use]
pub fn suites() -> Vec<Suite> {
    let mut suites = [
        request::suites(),
        reply::suites(),
        access::suites(),
        connection::suites(),
        tunnel::suites(),
        names::suites(),
        operation::suites(),
        upstream::suites(),
        http2::suites(),
        httpd::suites(),
        log::suites(),
    ]
    .concat();
    for suite in &mut suites {
        let cases = std::mem::take(&mut suite.cases).into_iter();
        suite.cases = cases.map(symptoms::relying).collect();
    }
    suites
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectspec_harness::{
        case::Case, case_id::CaseId, protocol::Protocol, subject::Need, verdict::Level,
    };
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn ids_are_unique_and_in_snake_case() {
        let mut seen = BTreeSet::new();
        for case in suites().iter().flat_map(|suite| &suite.cases) {
            assert!(seen.insert(&case.id), "{} is there twice", case.id);
            let row = case.id.row().unwrap_or_default();
            let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(row.chars().all(right), "{} is not in snake case", case.id);
        }
    }

    /// Ids are never renamed: whoever adds one adds its line, and whoever takes one away says so in CHANGELOG.md, too.
    #[test]
    fn ids_over_http_1_1_are_those_that_are_listed() {
        are_listed(Protocol::Http1, include_str!("../tests/ids/http1.txt"));
    }

    #[test]
    fn ids_over_tls_are_those_that_are_listed() {
        are_listed(Protocol::Http1Tls, include_str!("../tests/ids/tls.txt"));
    }

    #[test]
    fn ids_over_http_2_are_those_that_are_listed() {
        are_listed(Protocol::H2c, include_str!("../tests/ids/h2c.txt"));
        are_listed(Protocol::H2, include_str!("../tests/ids/h2.txt"));
    }

    fn are_listed(over: Protocol, list: &str) {
        let suites = suites();
        let cases = suites.iter().flat_map(|suite| &suite.cases);
        let there: BTreeSet<&str> = cases
            .filter(|case| case.protocol == over)
            .map(|case| case.id.as_str())
            .collect();
        let listed: BTreeSet<&str> = list.lines().collect();
        let gone: Vec<_> = listed.difference(&there).collect();
        let fresh: Vec<_> = there.difference(&listed).collect();
        assert!(
            gone.is_empty() && fresh.is_empty(),
            "gone {gone:?}, new {fresh:?}"
        );
        assert!(list.lines().is_sorted(), "the list is sorted");
    }

    #[test]
    fn the_first_version_that_a_case_is_asked_over_is_in_the_clear() {
        for case in suites().iter().flat_map(|suite| &suite.cases) {
            let first = case.over.first();
            let in_the_clear = first.is_some_and(|first| !first.listener().is_tls());
            assert!(in_the_clear, "{}", case.id);
            let listener = case.setup.listener;
            let own = case.over.len() == 1 || listener == case.protocol.listener();
            assert!(own, "{} listens with {listener:?}", case.id);
        }
    }

    #[test]
    fn every_case_says_what_it_covers_and_where_that_stands() {
        for case in suites().iter().flat_map(|suite| &suite.cases) {
            assert!(!case.covers.is_empty(), "{} covers no row", case.id);
            assert!(!case.cites.is_empty(), "{} cites nothing", case.id);
        }
    }

    /// The language of a product is put before those alone who say that they speak it.
    #[test]
    fn whoever_is_given_text_of_a_product_is_like_it() {
        for case in suites().iter().flat_map(|suite| &suite.cases) {
            let needs = case.all_needs();
            let text = [Need::Directive, Need::ConfigLines];
            let given = text.iter().any(|need| needs.contains(need));
            let named = case.of.is_some() || case.setup.language().is_some();
            assert!(named || !given, "{} does not say whose text", case.id);
            let about_one = case.level == Level::Product;
            assert!(case.of.is_some() || !about_one, "{}", case.id);
        }
    }

    fn reliances(case: &Case) -> impl Iterator<Item = &CaseId> {
        let where_shown = case.relies_where.iter().map(|(_, id)| id);
        case.relies_on.iter().chain(where_shown)
    }

    /// The cases that each id means: itself, and its rows.
    fn meant(suites: &[Suite]) -> BTreeMap<&str, Vec<&Case>> {
        let mut meant: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in suites.iter().flat_map(|suite| &suite.cases) {
            meant.entry(case.id.as_str()).or_default().push(case);
            if case.id.family() != case.id.as_str() {
                meant.entry(case.id.family()).or_default().push(case);
            }
        }
        meant
    }

    /// A cause that weighs less than what follows from it would hide it.
    #[test]
    fn what_a_case_relies_on_is_there_and_weighs_no_less() {
        let suites = suites();
        let meant = meant(&suites);
        for case in suites.iter().flat_map(|suite| &suite.cases) {
            for id in reliances(case) {
                // What is asked over HTTP/1.1 alone is no cause over another version, and does no harm there.
                let plain = id.plain();
                let causes = meant.get(id.as_str()).or_else(|| meant.get(plain.as_str()));
                let Some(causes) = causes else {
                    panic!("{} relies on {id}, which is gone", case.id);
                };
                let lighter = causes.iter().find(|other| other.level > case.level);
                assert!(lighter.is_none(), "{} relies on {lighter:?}", case.id);
            }
        }
    }

    #[test]
    fn no_case_relies_on_itself_by_whatever_detour() {
        let suites = suites();
        let meant = meant(&suites);
        for case in suites.iter().flat_map(|suite| &suite.cases) {
            let (mut seen, mut next) = (BTreeSet::new(), vec![case]);
            while let Some(one) = next.pop() {
                let causes = reliances(one).filter_map(|id| meant.get(id.as_str()));
                next.extend(causes.flatten().filter(|other| seen.insert(&other.id)));
            }
            assert!(!seen.contains(&case.id), "{} relies on itself", case.id);
        }
    }
}
