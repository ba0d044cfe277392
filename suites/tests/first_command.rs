//! The first commands of somebody who has a proxy running, or a program, and has read no more than the help.

#![expect(clippy::unwrap_used, reason = "what helps a test may panic like one")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use assert_cmd::Command;
use base64::Engine as _;
use connectspec_harness::{lab::pki::Pki, subject::remote::Remote};

/// A run that does not end within this has hung; each ends within seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// Ports that the proxies here allow: above those that a run of a profile takes, below those that the kernel gives out.
const ALLOWED: &str = "32010-32749";

fn connectspec(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("connectspec").unwrap();
    command.args(arguments).timeout(LIMIT).env("NO_COLOR", "1");
    command
}

#[track_caller]
fn expect(arguments: &[&str], status: i32, words: &[&str]) -> String {
    let output = connectspec(arguments).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for word in words {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// A proxy that hears a head and says one and the same to everybody.
fn says(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(answer);
        }
    });
    address
}

/// As httpd has them loaded.
const MODULES: &str = "\
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule authz_host_module modules/mod_authz_host.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule authz_user_module modules/mod_authz_user.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_connect_module modules/mod_proxy_connect.so
LoadModule ssl_module modules/mod_ssl.so
";

/// The reference proxy, running as somebody else has configured it.
struct Running(Child, SocketAddr);

impl Running {
    fn with(folder: &Path, lines: &str) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let config = folder.join("proxy.conf");
        let text = format!(
            "Listen {address}\n{MODULES}ProxyRequests On\nAllowCONNECT {ALLOWED}\nErrorLog \"{}\"\n{lines}\n",
            folder.join("error.log").display()
        );
        fs::write(&config, text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_connectspec"));
        command.args(["proxy", "-f"]).arg(config);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        let running = Self(child, address);
        let remote = Remote::new(&address.to_string()).unwrap();
        assert!(remote.is_reachable(LIMIT), "{address} does not listen");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_a_running_proxy_refuses_comes_with_the_option_that_is_lacking() {
    let forbidden = says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    expect(
        &["run", "--proxy", &forbidden],
        2,
        &["403", "--allow 20000-20099"],
    );
    let words = ["403", "it refused a port that --allow lists"];
    expect(
        &["run", "--proxy", &forbidden, "--allow", ALLOWED],
        2,
        &words,
    );

    let locked = says(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n");
    expect(
        &["run", "--proxy", &locked],
        2,
        &["say --credentials USER:PASSWORD"],
    );
    let known = format!("http://me:sesame-7@{locked}/");
    let text = expect(
        &["run", "--proxy", &known],
        2,
        &["it did not take these credentials"],
    );
    assert!(!text.contains("sesame-7"), "{text}");

    let lost = says(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    expect(&["run", "--proxy", &lost], 2, &["--backend-bind ADDR"]);
    let tls = says(b"\x15\x03\x01\x00\x02\x02\x46");
    let words = [&*format!("say --proxy https://{tls}"), "--ca FILE"];
    expect(&["run", "--proxy", &tls], 2, &words);
    let plain = format!("https://{}", says(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(
        &["run", "--proxy", &plain],
        2,
        &["say --proxy http://127.0.0.1"],
    );
}

#[test]
fn an_address_is_taken_as_it_stands_in_http_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    // `me` with the password `sesame/7`, as `htpasswd -bm` writes it.
    fs::write(&users, "me:$apr1$abcdefgh$QEe36.82pIvGbpBbiCGnP1\n").unwrap();
    let lines = format!(
        "<Proxy \"*\">\nAuthType Basic\nAuthName x\nAuthUserFile \"{}\"\nRequire valid-user\n</Proxy>",
        users.display()
    );
    let proxy = Running::with(folder.path(), &lines);
    let address = format!("http://me:sesame%2F7@{}", proxy.1);
    let arguments = [
        "run",
        "--proxy",
        &address,
        "--allow",
        "32010,32020-32399",
        "close",
    ];
    let text = expect(&arguments, 0, &[]);
    assert!(!text.contains("sesame"), "{text}");
    let twice = ["run", "--proxy", &address, "--credentials", "me:x"];
    expect(&twice, 3, &["say them once"]);
    for (address, words) in [("127.0.0.1", "no port"), ("socks5://x:1", "`socks5`")] {
        expect(&["run", "--proxy", address], 3, &[words]);
    }
}

#[test]
fn a_proxy_that_speaks_tls_is_judged_on_the_word_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new().unwrap();
    let identity = pki.identity(&["127.0.0.1"]).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = write("proxy.crt", &identity.pem.0);
    let key = write("proxy.key", &identity.pem.1);
    let base64 = base64::engine::general_purpose::STANDARD.encode(pki.authority());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let authority = write("ca.crt", &pem);
    let lines = format!(
        "SSLEngine On\nSSLCertificateFile \"{certificate}\"\nSSLCertificateKeyFile \"{key}\""
    );
    let proxy = Running::with(folder.path(), &lines);
    let (plain, tls) = (proxy.1.to_string(), format!("https://{}", proxy.1));
    // The authority's word, or the certificate itself.
    for file in [&authority, &certificate] {
        let ports = "32400-32749"; // not those of the test beside this one
        let asked = ["run", "--proxy", &tls, "--ca", file, "--allow", ports];
        let arguments = [
            &asked[..],
            &[
                "close/the_last_words_arrive",
                "tls_listener/what_was_negotiated_is_what_is_spoken[http_1_1]",
            ],
        ];
        let words = ["2 pass", "1 skip", "it is reached over TLS"];
        expect(&arguments.concat(), 0, &words);
    }
    let stranger = write(
        "other.crt",
        &Pki::new().unwrap().identity(&["x"]).unwrap().pem.0,
    );
    let words = ["certificate", "say with --ca FILE"];
    expect(&["run", "--proxy", &tls, "--ca", &stranger], 2, &words);
    expect(
        &["run", "--proxy", &plain, "--ca", &authority],
        3,
        &["--proxy https://"],
    );
    expect(
        &["run", "--proxy", &tls, "--ca", &key],
        3,
        &["proxy.key", "PEM"],
    );
    expect(&["run", "--proxy", &plain], 2, &["https://"]);
}

#[test]
fn the_name_of_a_profile_is_no_selector() {
    expect(&["run", "apache"], 3, &["say --profile apache"]);
    expect(&["run", "mine.toml"], 3, &["say --profile mine.toml"]);
}

#[test]
fn built_in_profiles_are_listed_shown_and_exported() {
    expect(
        &["profile", "list"],
        0,
        &["apache ", "apt-get install", "squid "],
    );
    let words = [
        "[offers]",
        "apache.conf.jinja",
        "AllowCONNECT {{ allow_text }}",
    ];
    expect(&["profile", "show", "apache"], 0, &words);
    expect(&["profile", "show", "apach"], 3, &["no profile `apach`"]);
    let folder = tempfile::tempdir().unwrap();
    let export = [
        "profile",
        "export",
        "squid",
        folder.path().to_str().unwrap(),
    ];
    expect(&export, 0, &["--profile ", "squid.toml"]);
    let text = fs::read_to_string(folder.path().join("squid.toml")).unwrap();
    assert!(text.contains("template = \"squid.conf.jinja\""), "{text}");
    expect(&export, 3, &["it is there already"]);
}

#[test]
fn exit_statuses_stand_in_the_help_and_in_the_manual() {
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["man"],
        &["man", "run"],
    ] {
        expect(
            command,
            0,
            &["Exit status:", "the list of deviations is out of date"],
        );
    }
    expect(&["compare", "--help"], 0, &["something got worse"]);
    expect(
        &["proxy", "--help"],
        0,
        &["Usage: connectspec proxy [OPTIONS]"],
    );
}

#[test]
fn a_report_on_standard_output_has_it_for_itself() {
    let case = "close/the_last_words_arrive";
    let run = connectspec(&["run", case, "--report", "json=-"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["totals"]["pass"], 1);
    let beside = String::from_utf8(run.stderr).unwrap();
    assert!(beside.contains("1 case against"), "{beside}");
    assert!(beside.contains("1 pass"), "{beside}");
    let both = ["run", case, "--report", "json=-", "--report", "html=-"];
    expect(&both, 3, &["room for one report"]);
}

#[test]
fn the_coverage_shows_what_is_asked_for() {
    let one = expect(
        &["coverage", "CLS-001"],
        0,
        &["close/the_last_words_arrive"],
    );
    assert!(
        !one.contains(" CLS-002 ") && !one.contains("H1-TGT-001"),
        "{one}"
    );
    expect(&["coverage", "CLS"], 0, &["CLS-001", "CLS-002"]);
    let of_a_case = expect(
        &["coverage", "close/the_last_words_arrive"],
        0,
        &["CLS-001"],
    );
    assert!(!of_a_case.contains("H1-TGT-001"), "{of_a_case}");
    let untested = expect(&["coverage", "--untested"], 0, &["none: "]);
    assert!(!untested.contains(" CLS-001 "), "{untested}");
    expect(
        &["coverage", "nothing-*"],
        3,
        &["no requirement is selected"],
    );
}

#[test]
fn a_comparison_is_text_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("a.json");
    let json = json.to_str().unwrap();
    let report = format!("json={json}");
    expect(
        &["run", "close/the_last_words_arrive", "--report", &report],
        0,
        &[],
    );
    expect(&["compare", json, json], 0, &["### "]);
    let text = expect(
        &["compare", json, json, "--format", "text"],
        0,
        &["no change in 1 result\n"],
    );
    assert!(text.starts_with("before  "), "{text}");
}

#[test]
fn what_a_setup_does_not_ask_for_has_no_members_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let script =
        "exec true{% for user in credentials.users or [] %} {{ user.username }}{% endfor %}";
    let text =
        format!("name = \"mine\"\n[launch]\nprogram = \"sh\"\nargs = [\"-c\", '''{script}''']\n");
    fs::write(&file, text).unwrap();
    let text = expect(&["run", "--profile", file.to_str().unwrap()], 2, &[]);
    assert!(!text.contains("not defined"), "{text}");
}
