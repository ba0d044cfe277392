//! An audit, from its command line: a proxy that keeps a policy, some that do not, and what is asked of a running one.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

mod running;

use std::{fs, path::Path, time::Duration};

use assert_cmd::Command;
use connectspec_harness::{report::Report, verdict::Verdict};

/// An audit that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(180);

/// What the proxies of these tests are meant to lead to.
const POLICY: &str = "\
[[allow]]
names = [\"registry.example.org\", \"*.pkg.example.net\"]
ports = \"443\"

[[allow]]
networks = [\"10.20.0.0/16\"]
ports = \"8443\"

[[deny]]
names = [\"secret.pkg.example.net\"]
networks = [\"10.20.30.0/24\"]
";

/// The reference proxy with these lines, as an operator writes a profile for a configuration that there is.
fn profile(folder: &Path, lines: &str) -> String {
    let program = assert_cmd::cargo::cargo_bin("connectspec");
    let text = format!(
        r#"
name = "office"

[launch]
program = {program:?}
args = ["proxy", "-D", "FOREGROUND", "-f", "{{{{ scratch }}}}/proxy.conf"]
stop = {{ signal = "TERM", within = "5s" }}

[[file]]
path = "proxy.conf"
text = '''
Listen {{{{ listen.authority }}}}
ErrorLog "{{{{ error_log }}}}"
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_connect_module modules/mod_proxy_connect.so
ProxyRequests On
AllowCONNECT 443 8443
{lines}
'''
"#
    );
    written(folder, "office.toml", &text)
}

/// What keeps [`POLICY`].
const RIGHT: &str = r#"
DenyDestination loopback private shared benchmark
AllowDestination 10.20.0.0/16
DenyDestination 10.20.30.0/24
<Proxy "*">
    Require all denied
</Proxy>
<ProxyMatch "(?i)^(registry\.example\.org|([a-z0-9_-]+\.)+pkg\.example\.net):443$">
    Require ip 127.0.0.0/8
</ProxyMatch>
<ProxyMatch "^10\.20\.[0-9]+\.[0-9]+:8443$">
    Require ip 127.0.0.0/8
</ProxyMatch>
<ProxyMatch "(?i)^secret\.pkg\.example\.net\.?:">
    Require all denied
</ProxyMatch>
"#;

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn connectspec(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.args(arguments).timeout(LIMIT).env("NO_COLOR", "1");
    command
}

/// What an audit of the proxy with these lines says, its status, and its report.
#[track_caller]
fn audit(lines: &str, policy: &str, more: &[&str]) -> (String, i32, Report) {
    let folder = tempfile::tempdir().unwrap();
    let profile = profile(folder.path(), lines);
    let policy = written(folder.path(), "policy.toml", policy);
    let json = folder.path().join("audit.json");
    let report = format!("json={}", json.display());
    let said = [
        "audit",
        "--profile",
        &profile,
        "--policy",
        &policy,
        "--report",
        &report,
    ];
    let output = connectspec(&[&said[..], more].concat()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let report = Report::read(&json).unwrap_or_else(|error| panic!("{error}: {text}"));
    (text, output.status.code().unwrap(), report)
}

#[test]
fn a_proxy_that_keeps_the_policy_is_green() {
    let (text, status, report) = audit(RIGHT, POLICY, &[]);
    assert_eq!(status, 0, "{text}");
    assert!(
        text.contains("leads to what the policy names and to nothing else"),
        "{text}"
    );
    assert!(report.totals.pass > 100, "{}", report.totals);
    assert_eq!(report.totals.fail + report.totals.warn, 0, "{text}");
}

/// The ids of what was found, without the suite.
fn failed(report: &Report) -> Vec<&str> {
    let failed = report
        .results
        .iter()
        .filter(|result| result.verdict == Verdict::Fail);
    failed.map(|result| result.case.name()).collect()
}

#[test]
fn a_name_that_leads_to_the_inside_is_red() {
    // Nothing is said of addresses.
    let lines = RIGHT.replace("DenyDestination loopback private shared benchmark\n", "");
    let (text, status, report) = audit(&lines, POLICY, &[]);
    assert_eq!(status, 1, "{text}");
    let failed = failed(&report);
    let astray = |id: &&str| id.starts_with("names_that_lead_to_special_use_are_refused[");
    assert!(
        !failed.is_empty() && failed.iter().all(astray),
        "{failed:#?}"
    );
    // Each leak has a line, above the details.
    let line = "fail registry.example.org:443 leads to 127.0.0.1: a connection to 127.0.0.1:443";
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(place("Asked, and as it is meant") < place(line), "{text}");
    assert!(place(line) < place("FAIL audit/"), "{text}");
    for leak in [
        "[registry.example.org:443 leads to 127.0.0.1]",
        "[registry.example.org:443 leads to 10.7.7.7]",
        "[astray-5.pkg.example.net:443 leads to 10.7.7.7 as an address of IPv6]",
    ] {
        assert!(
            failed.iter().any(|id| id.ends_with(leak)),
            "{leak}: {failed:#?}"
        );
    }
    assert!(
        text.contains("does not keep the policy: it leads to"),
        "{text}"
    );
    assert!(
        text.contains("a connection to 127.0.0.1:443 (leads to 127.0.0.1), and HTTP/1.1 200"),
        "{text}"
    );
    assert!(
        text.contains("again: connectspec audit --profile "),
        "{text}"
    );
}

#[test]
fn a_name_that_only_looks_like_one_of_the_list_is_red() {
    let lines = RIGHT.replace("(?i)^(registry", "(?i)(registry");
    let (text, status, report) = audit(&lines, POLICY, &[]);
    assert_eq!(
        (status, failed(&report)),
        (
            1,
            vec![
                "other_names_are_refused[audit.registry.example.org:443]",
                "other_names_are_refused[evilregistry.example.org:443]",
            ]
        ),
        "{text}"
    );
}

#[test]
fn what_is_lost_and_a_port_of_another_rule_are_red() {
    let policy = POLICY.replace(
        "[[deny]]",
        "[[allow]]\nnames = [\"mirror.example.org\"]\nports = \"443\"\n\n[[deny]]",
    );
    let lines = RIGHT.replace(":443$", ":[0-9]+$");
    let (text, status, report) = audit(
        &lines,
        &policy,
        &["audit/what_is_meant*", "audit/other_ports*"],
    );
    let failed = failed(&report);
    assert_eq!(status, 1, "{text}");
    assert!(
        failed.contains(&"what_is_meant_is_reached[mirror.example.org:443]"),
        "{failed:#?}"
    );
    assert!(
        failed.contains(&"other_ports_are_refused[registry.example.org:8443]"),
        "{failed:#?}"
    );
    assert!(
        text.contains("it does not lead to 1 target that it should"),
        "{text}"
    );
}

#[test]
fn a_proxy_that_refuses_everything_proves_nothing() {
    let lines = "<Proxy \"*\">\n    Require all denied\n</Proxy>";
    let (text, status, report) = audit(lines, POLICY, &[]);
    assert_eq!(status, 1, "{text}");
    assert!(
        failed(&report)
            .iter()
            .all(|id| id.starts_with("what_is_meant_is_reached[")),
        "{text}"
    );
    assert_eq!(report.totals.pass, 0, "{text}");
    assert!(
        text.contains("so that this says nothing of a rule"),
        "{text}"
    );
}

#[test]
fn a_policy_with_a_mistake_names_file_place_and_remedy() {
    for (policy, said) in [
        (
            "[[allow]]\nnames = [\"10.0.0.1\"]\nports = \"443\"",
            "policy.toml:2:10: `10.0.0.1` is an address; write it under `networks`",
        ),
        (
            "[[allow]]\nnames = [\".example.org\"]\nports = \"443\"",
            "write `*.example.org` for the names below it",
        ),
        (
            "[[allow]]\nnames = [\"https://example.org\"]\nports = \"443\"",
            "policy.toml:2:10: `https://example.org` is no name; one is written",
        ),
        (
            "[[allow]]\nnetworks = [\"10.1.2.3/16\"]\nports = \"443\"",
            "policy.toml:2:13: `10.1.2.3/16` has bits behind its first 16; did you mean `10.1.0.0/16`?",
        ),
        (
            "[[allow]]\nnames = [\"*\"]\nports = \"https\"",
            "policy.toml:3:9: `https` is neither a port",
        ),
        (
            "[[allow]]\nnames = [\"*\"]",
            "policy.toml:1:1: an [[allow]] has no ports; say which: ports = \"443\"",
        ),
        (
            "[[allow]]\nports = \"443\"",
            "policy.toml:1:1: an [[allow]] names nothing; give it `names` or `networks`",
        ),
        (
            "[[allow]]\nname = [\"*\"]",
            "policy.toml:2:1: unknown key `name` in [allow]; did you mean `names`?",
        ),
        ("", "the policy allows nothing"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "policy.toml", policy);
        let output = connectspec(&["audit", "--profile", "reference", "--policy", &path])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said), "no `{said}` in: {text}");
        assert_eq!(output.status.code(), Some(3), "{text}");
    }
}
