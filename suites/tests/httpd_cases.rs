//! Each case about httpd has been seen to fail.
//!
//! The faulty proxy is no httpd: it keeps to the specifications, and knows nothing of httpd's configuration. Where it says
//! that it takes such lines, it takes them and does nothing; that alone is a fault that most of these cases have to
//! notice. For the others it has faults of its own. What is listed as a deviation of the reference proxy is failed by
//! that, in every run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The suites whose cases need a proxy that is like httpd in more than its lists.
const SUITES: &[&str] = &[
    "access_sections",
    "allow_connect_places",
    "httpd_addresses",
    "httpd_answers",
    "httpd_limits",
    "httpd_log_formats",
    "httpd_log_items",
    "httpd_logs",
    "httpd_order",
    "httpd_requests",
    "httpd_tunnels",
    "source_port_elsewhere",
    "virtual_hosts",
];

/// What is set, and what has to be noticed then.
const FAULTS: &[(&str, &str, &[&str])] = &[
    (
        "CONNECTSPEC_FAULT",
        "first-word-only",
        &["allow_connect_places/takes_ten_thousand_ports"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "last-line-only",
        &["allow_connect_places/takes_ten_thousand_ports"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "default-list-open",
        &[
            "allow_connect_places/is_443_and_563_where_it_is_not_written",
            "virtual_hosts/without_any_list_have_the_default",
        ],
    ),
    (
        "CONNECTSPEC_FAULT",
        "denial-says-404",
        &["httpd_order/a_denial_comes_before_the_connection"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "missing-credentials-say-403",
        &["httpd_order/checks_come_in_their_order[credentials_before_the_port]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "malformed-says-404",
        &[
            "httpd_order/checks_come_in_their_order[form_before_the_port]",
            "httpd_order/checks_come_in_their_order[host_before_credentials]",
            "httpd_requests/a_host_is_a_strict_name_or_address",
            "httpd_answers/closes_the_connection_after_others[malformed]",
            "httpd_answers/refuses_with_its_own_phrases[malformed]",
            "httpd_requests/broken_lines_are_bad_requests",
        ],
    ),
    (
        "CONNECTSPEC_FAULT",
        "cut-head-is-whole",
        &["httpd_requests/half_a_head_is_a_bad_request"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "expect-waits-for-content",
        &["httpd_requests/only_one_expectation_is_known[continue]"],
    ),
    (
        "CONNECTSPEC_VARIANT",
        "resets-after-refusal",
        &["httpd_answers/listens_on_behind_the_end"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "missing-host-accepted",
        &["httpd_requests/a_missing_host_is_a_bad_request"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "leading-empty-line-refused",
        &["httpd_limits/skips_ten_empty_lines"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "malformed-says-404",
        &["httpd_limits/refuses_the_eleventh_empty_line"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "short-line-limit",
        &["httpd_limits/takes_lines_of_8190_bytes[request_line]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "ten-fields-at-most",
        &["httpd_limits/takes_a_hundred_fields"],
    ),
    (
        "CONNECTSPEC_VARIANT",
        "old-version-refused",
        &["httpd_requests/an_old_client_needs_no_host"],
    ),
    (
        "CONNECTSPEC_VARIANT",
        "other-host-refused",
        &["httpd_requests/another_host_is_ignored"],
    ),
    (
        "CONNECTSPEC_VARIANT",
        "leading-zero-refused",
        &["httpd_requests/a_port_is_read_as_c_reads_numbers"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "connect-timeout-says-408",
        &["httpd_tunnels/a_connection_attempt_has_the_timeout_of_the_proxy[proxy_timeout]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "client-fin-held",
        &["httpd_tunnels/a_half_that_is_left_goes_on[the_client]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "server-fin-held",
        &["httpd_tunnels/a_half_that_is_left_goes_on[the_server]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "buffers-up-without-bound",
        &["httpd_tunnels/takes_no_more_than_is_read[the_client]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "buffers-down-without-bound",
        &["httpd_tunnels/takes_no_more_than_is_read[the_server]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "own-port-is-itself",
        &["httpd_addresses/a_server_on_the_proxys_port_is_no_loop"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "life-of-half-a-second",
        &["httpd_tunnels/a_tunnel_in_which_something_moves_lives_on"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-no-port-for-ipv6",
        &["source_port_elsewhere/is_logged_for_ipv6"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-port-from-request",
        &["source_port_elsewhere/is_no_field_of_the_request"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-no-port-with-upstream",
        &["source_port_elsewhere/is_the_port_that_the_upstream_proxy_saw"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-not-escaped",
        &["source_port_elsewhere/stands_in_a_line_that_nobody_forges[quotes]"],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-tunnels-as-500",
        &[
            "source_port_elsewhere/stands_beside_200_whatever_the_upstream_says[granted]",
            "source_port_elsewhere/stands_beside_200_when_a_tunnel_timed_out",
        ],
    ),
    (
        "CONNECTSPEC_FAULT",
        "log-silent-upstream-as-200",
        &["source_port_elsewhere/stands_beside_504_when_the_upstream_says_nothing"],
    ),
];

/// What a proxy has to be blamed for that takes httpd's configuration and does nothing of what it says.
const DOES_NOTHING: &[&str] = &[
    "access_sections/*",
    "httpd_addresses/a_blocked_address_blocks_its_names",
    "httpd_addresses/a_client_is_let_in_by_its_name",
    "httpd_addresses/a_port_alone_listens_on_every_address",
    "httpd_addresses/a_silent_connection_leaves_no_line",
    "httpd_log_formats/are_errors",
    "httpd_log_formats/end_a_line",
    "httpd_log_items/count_the_page_of_a_refusal",
    "httpd_log_items/say_of_a_request_that_is_none[quote]",
    "httpd_log_items/say_of_a_tunnel[who]",
    "allow_connect_places/an_undefined_variable_is_told_and_no_port",
    "allow_connect_places/is_no_directive_of_a_section",
    "allow_connect_places/is_taken_inside_a_condition",
    "httpd_answers/denies_with_a_page_that_says_so",
    "httpd_answers/names_the_host_that_does_not_resolve",
    "httpd_answers/refuses_every_connect_while_it_is_no_proxy",
    "httpd_answers/requires_no_user_whom_it_cannot_know",
    "httpd_limits/refuses_longer_lines",
    "httpd_limits/refuses_one_field_more",
    "httpd_logs/*",
    "httpd_order/a_blocked_host_is_told_before_its_port",
    "httpd_requests/max_forwards_counts[no_number]",
    "httpd_requests/max_forwards_counts[zero]",
    "httpd_tunnels/an_idle_tunnel_lives_for_the_longer_timeout[of_the_server]",
    "virtual_hosts/are_chosen_by_the_target_and_not_by_host",
    "virtual_hosts/cannot_restore_the_default",
    "virtual_hosts/of_two_listeners_have_lists_of_their_own",
    "virtual_hosts/open_what_their_lists_say",
    "virtual_hosts/the_main_server_keeps_the_default",
];

/// What a proxy has to be blamed for whose check finds every configuration wrong.
const TAKES_NOTHING: &[&str] = &["httpd_log_formats/are_taken"];

/// Recommendations that Apache httpd itself leaves aside, as its published report says.
const APACHE: &str = include_str!("../../fixtures/results/apache.json");

#[test]
fn a_proxy_that_does_nothing_of_its_configuration_is_blamed() {
    all_fail("", "", DOES_NOTHING);
}

#[test]
fn a_proxy_that_takes_no_configuration_is_blamed() {
    let check = "check   = [\"--check\", ";
    let profile = profile_of_a_deaf_httpd();
    assert!(profile.contains(check));
    let profile = profile.replace(check, "check   = [\"--no-such-flag\", ");
    all_fail_of(&profile, "", "", TAKES_NOTHING);
}

#[test]
fn each_fault_is_noticed() {
    for (variable, fault, cases) in FAULTS {
        all_fail(variable, fault, cases);
    }
}

/// A case, or for a family of cases one of its rows, stands in a table above or in the reference proxy's profile.
#[test]
fn no_case_is_left_out() {
    let profiles = connectspec_fixtures::profiles();
    let reference = profiles.iter().find(|known| known.name == "reference");
    let deviations: toml::Table = reference.unwrap().text.parse().unwrap();
    let deviations = deviations["deviation"].as_array().unwrap();
    let deviations = deviations
        .iter()
        .map(|known| known["case"].as_str().unwrap());
    let faults = FAULTS.iter().flat_map(|(.., cases)| cases.iter().copied());
    let apache: serde_json::Value = serde_json::from_str(APACHE).unwrap();
    let apache = apache["results"].as_array().unwrap().iter();
    let apache =
        apache.filter(|result| ["fail", "known", "warn"].contains(&text(result, "verdict")));
    let seen: BTreeSet<&str> = deviations
        .chain(faults)
        .chain(DOES_NOTHING.iter().chain(TAKES_NOTHING).copied())
        .chain(apache.map(|result| text(result, "case")))
        .map(family)
        .collect();
    let suites = connectspec::suites();
    let suites: Vec<_> = suites.iter().filter(|s| SUITES.contains(&s.id)).collect();
    assert_eq!(suites.len(), SUITES.len());
    let cases = suites.iter().flat_map(|suite| &suite.cases);
    let unseen: BTreeSet<&str> = cases
        .filter(|case| {
            let whole = format!("{}/*", case.id.suite());
            !seen.contains(case.id.family()) && !seen.contains(&*whole)
        })
        .map(|case| case.id.family())
        .collect();
    assert!(unseen.is_empty(), "nothing makes these fail: {unseen:?}");
}

fn text<'a>(result: &'a serde_json::Value, key: &str) -> &'a str {
    result[key].as_str().unwrap()
}

/// An id, or a selector of one, without its row.
fn family(id: &str) -> &str {
    id.split('[').next().unwrap()
}

/// Runs `cases` against the faulty proxy with that in its environment, and expects each of them to blame it.
#[track_caller]
fn all_fail(variable: &str, fault: &str, cases: &[&str]) {
    all_fail_of(&profile_of_a_deaf_httpd(), variable, fault, cases);
}

/// The same of a proxy with this profile.
#[track_caller]
fn all_fail_of(description: &str, variable: &str, fault: &str, cases: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (profile, report) = (folder.path().join("p.toml"), folder.path().join("r.json"));
    let listed = format!("json={}", report.display());
    fs::write(&profile, description).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_connectspec"));
    run.args(["run", "--slow", "--patience", "0.5", "--report", &listed])
        .arg("--profile")
        .arg(&profile)
        .args(cases)
        .env_remove("CONNECTSPEC_FAULT")
        .env_remove("CONNECTSPEC_VARIANT");
    if !variable.is_empty() {
        run.env(variable, fault);
    }
    let output = run.output().unwrap();
    let text = fs::read_to_string(&report)
        .unwrap_or_else(|_| panic!("{fault}: {}", String::from_utf8_lossy(&output.stderr)));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = report["results"].as_array().unwrap();
    assert!(results.len() >= cases.len(), "{fault}: {}", results.len());
    let blind: Vec<_> = results
        .iter()
        .filter(|result| !["fail", "warn"].contains(&result["verdict"].as_str().unwrap()))
        .map(|result| (&result["case"], &result["verdict"], &result["reason"]))
        .collect();
    assert!(blind.is_empty(), "{fault} goes unnoticed: {blind:#?}");
}

/// The faulty proxy's profile, saying that it takes lines of httpd's configuration.
fn profile_of_a_deaf_httpd() -> String {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let profile = fs::read_to_string(fixtures.join("profiles/faulty.toml")).unwrap();
    let program = format!("{:?}", faulty_proxy().display().to_string());
    let deaf = profile
        .replace("\"faulty-proxy\"", &program)
        .replace("[offers]\n", "[offers]\nconfig-lines = true\n");
    assert!(deaf.contains(&program) && deaf.contains("config-lines = true"));
    deaf
}

/// The faulty proxy, which is built where it is not there yet.
fn faulty_proxy() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let connectspec = Path::new(env!("CARGO_BIN_EXE_connectspec"));
        let folder = connectspec.parent().unwrap();
        let program = folder.join("faulty-proxy");
        if !program.exists() {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "-p", "connectspec-faulty-proxy"]);
            if folder.ends_with("release") {
                cargo.arg("--release");
            }
            cargo.arg("--target-dir").arg(folder.parent().unwrap());
            cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
            assert!(cargo.status().unwrap().success(), "it is built");
        }
        program
    })
}
