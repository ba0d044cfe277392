//! The catalogue: every suite, in the order of a report.

mod access;
mod connection;
mod httpd;
mod log;
mod operation;
mod reply;
mod request;
mod tunnel;
mod upstream;
mod words;

use connectspec_harness::case::Suite;

/// Every suite, room by room.
#[must_use]
pub fn suites() -> Vec<Suite> {
    [
        request::suites(),
        reply::suites(),
        access::suites(),
        connection::suites(),
        tunnel::suites(),
        operation::suites(),
        upstream::suites(),
        httpd::suites(),
        log::suites(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectspec_harness::{subject::Need, verdict::Level};
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_in_snake_case() {
        let mut seen = BTreeSet::new();
        for case in suites().iter().flat_map(|suite| &suite.cases) {
            assert!(seen.insert(&case.id), "{} is there twice", case.id);
            let right =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_/[]".contains(c);
            assert!(
                case.id.chars().all(right),
                "{} is not in snake case",
                case.id
            );
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
}
