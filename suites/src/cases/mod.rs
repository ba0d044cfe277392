//! The catalogue: every suite, in the order of a report.

mod abuse;
mod admission;
mod allow_connect;
mod allow_connect_places;
mod authority;
mod bad_framing;
mod challenges;
mod close;
mod connection;
mod credentials;
mod denials;
mod disclosure;
mod early;
mod endings;
mod establish;
mod fields;
mod framing;
mod host;
mod host_spelling;
mod httpd_addresses;
mod httpd_answers;
mod httpd_limits;
mod httpd_log_formats;
mod httpd_log_items;
mod httpd_logs;
mod httpd_order;
mod httpd_requests;
mod httpd_tunnels;
mod idle;
mod integrity;
mod lines;
mod load;
mod needless;
mod occasion;
mod odd_lines;
mod opaque;
mod persistence;
mod policy;
mod port;
mod port_list;
mod port_range;
mod proxy_remote;
mod proxy_status;
mod races;
mod refuse;
mod replies;
mod request_line;
mod resources;
mod robustness;
mod secrecy;
mod secrets;
mod section;
mod smuggling;
mod source_port;
mod source_port_elsewhere;
mod sweep;
mod target;
mod tls_listener;
mod unwelcome;
mod upstream;
mod upstream_fails;
mod upstream_grants;
mod upstream_refuses;
mod upstream_relays;
mod virtual_hosts;
mod ways;

use connectspec_harness::case::Suite;

/// Every suite.
#[must_use]
pub fn suites() -> Vec<Suite> {
    vec![
        target::suite(),
        authority::suite(),
        host_spelling::suite(),
        port::suite(),
        port_range::suite(),
        request_line::suite(),
        lines::suite(),
        odd_lines::suite(),
        sweep::suite(),
        host::suite(),
        fields::suite(),
        section::suite(),
        needless::suite(),
        framing::suite(),
        bad_framing::suite(),
        smuggling::suite(),
        establish::suite(),
        replies::suite(),
        refuse::suite(),
        disclosure::suite(),
        proxy_status::suite(),
        challenges::suite(),
        credentials::suite(),
        admission::suite(),
        secrets::suite(),
        tls_listener::suite(),
        connection::suite(),
        persistence::suite(),
        early::suite(),
        races::suite(),
        opaque::suite(),
        integrity::suite(),
        secrecy::suite(),
        close::suite(),
        endings::suite(),
        idle::suite(),
        robustness::suite(),
        load::suite(),
        resources::suite(),
        upstream::suite(),
        upstream_grants::suite(),
        upstream_refuses::suite(),
        upstream_relays::suite(),
        upstream_fails::suite(),
        proxy_remote::suite(),
        policy::suite(),
        port_list::suite(),
        denials::suite(),
        allow_connect::suite(),
        allow_connect_places::suite(),
        virtual_hosts::suite(),
        abuse::suite(),
        httpd_requests::suite(),
        httpd_limits::suite(),
        httpd_order::suite(),
        httpd_answers::suite(),
        httpd_addresses::suite(),
        source_port::suite(),
        source_port_elsewhere::suite(),
        httpd_logs::suite(),
        httpd_log_items::suite(),
        httpd_log_formats::suite(),
        httpd_tunnels::suite(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
