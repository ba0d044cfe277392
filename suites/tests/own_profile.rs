//! Profiles as people write them, for proxies with ways of their own.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{fs, time::Duration};

use assert_cmd::Command;

const CONNECTSPEC: &str = env!("CARGO_BIN_EXE_connectspec");

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// What a run with a profile of the reference proxy says, with a script before and after its command.
#[track_caller]
fn run(launch: &str, offers: &str, cases: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("mine.toml");
    let text = format!("name = 'mine'\ntitle = 'mine'\n[launch]\n{launch}\n[offers]\n{offers}\n");
    fs::write(&profile, text).unwrap();
    let mut command = Command::new(CONNECTSPEC);
    command.args(["run", "--profile"]).arg(&profile).args(cases);
    let command = command.env("NO_COLOR", "1").timeout(LIMIT);
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    text
}

/// The template is an error where the list is longer than it said.
#[test]
fn a_short_list_is_never_exceeded() {
    let launch = format!(
        r#"program = '{CONNECTSPEC}'
args = ["proxy", "--listen", "{{{{ listen.authority }}}}",
    "{{% if allow is not none and allow | length > 16 %}}{{{{ allow[10000].first }}}}{{% elif allow is not none %}}--allow-connect{{% endif %}}",
    "{{% for range in allow or [] %}}{{{{ range.first }}}} {{% endfor %}}"]"#
    );
    let offers = "allowed-ports = { kind = 'list', most = 16 }";
    let cases = ["policy", "port_list", "establish", "integrity"];
    let text = run(&launch, offers, &cases);
    assert!(!text.contains("could not begin"), "{text}");
    assert!(
        text.contains("its list of ports has room for 16 entries, and this takes 301"),
        "{text}"
    );
}

#[test]
fn one_that_goes_into_the_background_is_judged() {
    let launch = format!(
        r#"program = 'sh'
args = ["-c", "setsid '{CONNECTSPEC}' proxy --listen {{{{ listen.authority }}}} --allow-connect 1-65535 > /dev/null 2>&1 & echo $! > logs/it.pid"]
pid-file = "{{{{ scratch }}}}/logs/it.pid""#
    );
    let text = run(&launch, "", &["establish", "close"]);
    assert!(text.contains(" pass"), "{text}");
}

/// Without what was done before, the program would not start; without a folder for it, what was done would not be found.
#[test]
fn something_may_be_done_before_it_starts() {
    let launch = format!(
        r#"program = '{CONNECTSPEC}'
args = ["proxy", "-f", "{{{{ scratch }}}}/made.conf"]
before = """
connectspec proxy -v
printf '%s\\n' 'Listen {{{{ listen.authority }}}}' 'LoadModule proxy_module a' \
  'LoadModule proxy_connect_module a' 'LoadModule authz_core_module a' 'LoadModule authz_host_module a' 'ProxyRequests On' 'AllowCONNECT 1-65535' \
  '<Proxy "*">' 'Require ip 127.0.0.0/8' '</Proxy>' > made.conf
""""#
    );
    let text = run(&launch, "", &["establish", "close"]);
    assert!(text.contains(" pass"), "{text}");
}

/// Nobody has said over what.
#[test]
fn one_without_http_1_is_judged_over_what_it_serves() {
    let launch = format!(
        r#"program = '{CONNECTSPEC}'
args = ["proxy", "-f", "{{{{ scratch }}}}/made.conf"]
before = """
printf '%s\\n' 'Listen {{{{ listen.authority }}}}' 'LoadModule proxy_module a' 'LoadModule http2_module a' 'Protocols h2c' \
  'LoadModule proxy_connect_module a' 'LoadModule authz_core_module a' 'LoadModule authz_host_module a' 'ProxyRequests On' 'AllowCONNECT 1-65535' \
  '<Proxy "*">' 'Require ip 127.0.0.0/8' '</Proxy>' > made.conf
""""#
    );
    let text = run(&launch, "versions = ['h2c']", &["establish"]);
    assert!(text.contains(" pass"), "{text}");
    assert!(!text.contains("does not serve HTTP/1.1"), "{text}");
}
