//! An audit, from its command line: a proxy that keeps a policy, some that do not, and what is asked of a running one.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

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

/// A proxy that answers by what its targets are, and counts them; where it says yes, it is an echo itself.
struct Played {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    said_inside: Arc<Mutex<Vec<u8>>>,
}

fn plays(grants: fn(&str) -> bool) -> Played {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let played = Played {
        address: listener.local_addr().unwrap().to_string(),
        asked: Arc::default(),
        said_inside: Arc::default(),
    };
    let (asked, said_inside) = (Arc::clone(&played.asked), Arc::clone(&played.said_inside));
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut head = Vec::new();
            let mut octet = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut octet).unwrap_or(0) > 0 {
                head.push(octet[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let yes = grants(&target);
            asked.lock().unwrap().push(target);
            let answer: &[u8] = match yes {
                true => b"HTTP/1.1 200 OK\r\n\r\n",
                false => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            };
            let _ = socket.write_all(answer);
            if yes {
                let mut inside = vec![0; 4096];
                let count = socket.read(&mut inside).unwrap_or(0);
                let _ = socket.write_all(&inside[..count]);
                said_inside.lock().unwrap().extend(&inside[..count]);
            }
        }
    });
    played
}

/// What is said of the proxy, and the status.
fn of_a_running_one(played: &Played, more: &[&str]) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let policy = written(folder.path(), "policy.toml", POLICY);
    let said = ["audit", "--proxy", &played.address, "--policy", &policy];
    let output = connectspec(&[&said[..], more].concat()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (text, output.status.code())
}

#[test]
fn a_running_proxy_is_asked_nothing_before_somebody_says_yes() {
    let played = plays(|_| true);
    let (text, status) = of_a_running_one(&played, &[]);
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("  registry.example.org:443\n  "), "{text}");
    assert!(text.contains("  169.254.169.254:443\n"), "{text}");
    assert!(text.contains("nothing was asked: say --yes"), "{text}");
    assert_eq!(*played.asked.lock().unwrap(), Vec::<String>::new());
}

/// Targets that the policy of these tests names, or that have a special use.
fn may_be_asked(target: &str) -> bool {
    let (host, _) = target.rsplit_once(':').unwrap();
    let named = ["registry.example.org", "secret.pkg.example.net"];
    let number = host.starts_with(|c: char| c.is_ascii_digit()) || host.starts_with('[');
    // Every number of the list has a special use; these are not among them.
    let public = host.starts_with("93.") || host.starts_with("[2606:");
    named.contains(&host) || host.to_ascii_lowercase().starts_with("localhost") || number && !public
}

#[test]
fn a_running_proxy_that_keeps_the_policy_is_green() {
    let played = plays(|target| target == "registry.example.org:443");
    let (text, status) = of_a_running_one(&played, &["--yes"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("leads to what the policy names and to nothing else"),
        "{text}"
    );
    // What cannot be asked is said.
    assert!(
        text.contains("the policy does not name where that leads"),
        "{text}"
    );
    let asked = played.asked.lock().unwrap();
    let strange: Vec<&String> = asked
        .iter()
        .filter(|target| !may_be_asked(target))
        .collect();
    assert!(asked.len() > 50 && strange.is_empty(), "{strange:?}");
    let inside = String::from_utf8(played.said_inside.lock().unwrap().clone()).unwrap();
    let words = inside.split("nonce-").skip(1);
    assert!(words.clone().all(|word| word.len() == 16), "{inside}");
    assert!(words.count() > 50, "{inside}");
}

#[test]
fn a_running_proxy_that_leads_inside_is_red() {
    let played = plays(|target| {
        target == "registry.example.org:443"
            || target.starts_with("169.254.")
            || target.starts_with("127.")
    });
    let (text, status) = of_a_running_one(&played, &["--yes"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("FAIL audit/special_use_is_refused[169.254.169.254:443]"),
        "{text}"
    );
    assert!(text.contains("and octets come out of the tunnel"), "{text}");
}

/// A yes to everybody is no proof of a connection, and no is no proof of a rule where it is said to everybody.
#[test]
fn a_running_proxy_that_says_the_same_to_everybody_is_not_blamed_for_leaks() {
    let (text, status) = of_a_running_one(&plays(|_| true), &["--yes"]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("where nobody is, too: its yes is no proof of a connection"),
        "{text}"
    );
    let (text, status) = of_a_running_one(&plays(|_| false), &["--yes"]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("FAIL audit/what_is_meant_is_reached[registry.example.org:443]"),
        "{text}"
    );
    assert!(!text.contains("FAIL audit/special"), "{text}");
}
