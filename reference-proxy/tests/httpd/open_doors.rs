//! Access rules that once denied in httpd and opened here, and the other way round, one after another.

use super::Test;
use super::beside::{MODULES, Refusal};
use super::known;
use super::pair::{Ask, Decision, Home, Who, config_with, echo};
use super::users::{GROUPS, USERS};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        (
            "open_doors::a_later_section_about_one_host_denies",
            a_later_section_about_one_host_denies,
        ),
        (
            "open_doors::a_location_denies_whatever_stands_before_it",
            a_location_denies_whatever_stands_before_it,
        ),
        ("open_doors::a_condition_denies", a_condition_denies),
        ("open_doors::one_host_is_granted", one_host_is_granted),
        (
            "open_doors::a_prefix_of_the_target_counts",
            a_prefix_of_the_target_counts,
        ),
        ("open_doors::case_counts", case_counts),
    ]
}

/// How the reference may meet what httpd does.
enum Here {
    /// It decides alike.
    Same,
    /// It does not start, and its error names a line with these words in it.
    Refused(&'static str),
    /// It denies, by this row of the table of deviations.
    Denies(&'static str),
}

/// Both on `sections`, about a server of `host`.
fn held(sections: &str, host: &str, theirs: Decision, here: &Here) {
    held_at(echo(), sections, host, theirs, here);
}

fn held_at(port: u16, sections: &str, host: &str, theirs: Decision, here: &Here) {
    let directives = format!("AllowCONNECT 1-65535\n{sections}");
    let text = config_with(MODULES, &directives);
    let ask = Ask::new(&format!("{host}:{port}"));
    let [httpd, reference] = [Who::Httpd, Who::Reference].map(|who| {
        let home = Home::new(who, &text).with_file("users", USERS);
        home.with_file("groups", GROUPS).launch_or_refusal()
    });
    assert_eq!(httpd.unwrap().decides(&ask), theirs, "httpd: {sections}");
    match (here, reference) {
        (Here::Same, Ok(reference)) => assert_eq!(reference.decides(&ask), theirs, "{sections}"),
        (Here::Denies(row), Ok(reference)) => {
            assert!(known::is_documented(row), "{row}");
            assert_eq!(
                reference.decides(&ask),
                Decision::Denied,
                "{row}: {sections}"
            );
        }
        (Here::Refused(words), Err(said)) => {
            let refusal = Refusal::read(&said, &text).unwrap();
            assert!(refusal.line.contains(words), "{said}");
            // What is wrong, and what to do about it.
            assert!(refusal.says.contains(": write "), "{said}");
        }
        (_, Ok(_)) => panic!("it started: {sections}"),
        (_, Err(said)) => panic!("{said}"),
    }
}

/// A section about every target, as most configurations have one.
const GRANTED: &str = "<Proxy *>\nRequire all granted\n</Proxy>\n";
const DENIED: &str = "<Proxy *>\nRequire all denied\n</Proxy>\n";

fn a_later_section_about_one_host_denies() {
    let text = format!("{GRANTED}<Proxy localhost>\nRequire all denied\n</Proxy>\n");
    held(&text, "localhost", Decision::Denied, &Here::Same);
    held(&text, "127.0.0.1", Decision::Tunnel, &Here::Same);
}

fn a_location_denies_whatever_stands_before_it() {
    for (section, host) in [
        ("<Location \"*\">", "localhost"),
        ("<LocationMatch \"127\">", "127.0.0.1"),
    ] {
        let end = section[1..].split(' ').next().unwrap();
        let section = format!("{section}\nRequire all denied\n</{end}>\n");
        for text in [format!("{GRANTED}{section}"), format!("{section}{GRANTED}")] {
            held(&text, host, Decision::Denied, &Here::Same);
        }
    }
}

fn a_condition_denies() {
    let condition = "<If \"%{HTTP_HOST} =~ /localhost/\">\nRequire all denied\n</If>\n";
    for text in [
        format!("<Proxy *>\nRequire all granted\n{condition}</Proxy>\n"),
        format!("{condition}{GRANTED}"),
    ] {
        let here = Here::Refused("Require all denied");
        held(&text, "localhost", Decision::Denied, &here);
    }
}

fn one_host_is_granted() {
    let text = format!("{DENIED}<Proxy 127.0.0.1>\nRequire all granted\n</Proxy>\n");
    held(&text, "127.0.0.1", Decision::Tunnel, &Here::Same);
    held(&text, "localhost", Decision::Denied, &Here::Same);
}

fn a_prefix_of_the_target_counts() {
    let port = echo();
    let prefix = &port.to_string()[..2];
    let section =
        |what: &str| format!("<Proxy 127.0.0.1:{prefix}>\nRequire all {what}\n</Proxy>\n");
    let text = format!("{GRANTED}{}", section("denied"));
    held_at(port, &text, "127.0.0.1", Decision::Denied, &Here::Same);
    // It grants more than it says.
    let text = format!("{DENIED}{}", section("granted"));
    let here = Here::Denies("prefix-grants");
    held_at(port, &text, "127.0.0.1", Decision::Tunnel, &here);
}

fn case_counts() {
    let text = format!("{DENIED}<Proxy local*>\nRequire all granted\n</Proxy>\n");
    held(&text, "LOCALHOST", Decision::Denied, &Here::Same);
    held(&text, "localhost", Decision::Tunnel, &Here::Same);
}
