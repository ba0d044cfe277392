//! Which clients are let in: lists of hosts, groups, variables, names, and how they combine.

use crate::support::{Proxy, accept, head, octets, server};
use std::io::Write;
use std::net::TcpListener;

/// `ann` and `bob` with the password "open sesame".
const USERS: &str = "\
ann:$apr1$I1irUAh6$9OlwtR0XqKcQRaZbN9kHc0
bob:$apr1$I1irUAh6$9OlwtR0XqKcQRaZbN9kHc0
";
const GROUPS: &str = "# those of the house\nstaff: ann\nguests: carl\n";
const ANN: &str = "Proxy-Authorization: Basic YW5uOm9wZW4gc2VzYW1l\r\n";
const BOB: &str = "Proxy-Authorization: Basic Ym9iOm9wZW4gc2VzYW1l\r\n";
const AUTH: &str = "AuthType Basic\nAuthName staff\nAuthUserFile users\n";

/// A proxy whose one section holds `lines`, and which lets in where they do.
struct Guarded {
    proxy: Proxy,
    target: String,
    /// The files, which are read for each request.
    _files: tempfile::TempDir,
}

impl Guarded {
    fn with(server: &TcpListener, lines: &str) -> Self {
        let target = server.local_addr().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("users"), USERS).unwrap();
        std::fs::write(scratch.path().join("groups"), GROUPS).unwrap();
        let folder = scratch.path().display().to_string();
        let lines = ["users", "groups"]
            .iter()
            .fold(lines.to_owned(), |lines, name| {
                lines.replace(&format!("File {name}"), &format!("File {folder}/{name}"))
            });
        let proxy = Proxy::with(&format!(
            "AllowCONNECT {}\nSetEnvIf X-In yes in\nSetEnv always 1\n<Proxy \"*\">\n{lines}\n</Proxy>\n",
            target.port()
        ));
        Self {
            proxy,
            target: target.to_string(),
            _files: scratch,
        }
    }

    fn status(&self, fields: &str) -> u16 {
        self.proxy.connect_status(&self.target, fields)
    }
}

#[test]
fn lists_of_hosts_mean_what_they_mean_to_httpd() {
    let (server, _) = server();
    for (lines, expected) in [
        ("Order deny,allow\nDeny from all\nAllow from 127", 200),
        ("Order allow,deny\nAllow from 127\nDeny from all", 403),
        ("Order allow,deny\nAllow from 127.0.0.0/8", 200),
        ("Order allow,deny", 403),
        ("Deny from 10.0.0.0/8", 200),
        ("Deny from 127.0.0.1", 403),
        ("Order mutual-failure\nAllow from 127 10", 200),
        ("Deny from all\nAllow from localhost", 200),
        ("Deny from localhost", 403),
        ("Deny from host", 200),
        ("Deny from all\nRequire all granted", 403),
        ("Allow from all\nRequire all denied", 403),
        ("Satisfy any\nDeny from all\nRequire all granted", 200),
        ("Satisfy any\nAllow from 127\nRequire all denied", 200),
        // In httpd both would let everybody in.
        ("Satisfy any\nDeny from all", 403),
        ("Satisfy any\nRequire all denied", 403),
    ] {
        let guarded = Guarded::with(&server, lines);
        assert_eq!(guarded.status(""), expected, "{lines}");
    }
}

#[test]
fn hosts_and_users_combine() {
    let (server, _) = server();
    for (lines, expected) in [
        (
            "Deny from all\nSatisfy any\nRequire valid-user",
            [407, 200, 200],
        ),
        (
            "Allow from 127\nSatisfy any\nRequire valid-user",
            [200, 200, 200],
        ),
        ("Allow from 127\nRequire user ann", [407, 200, 407]),
        ("Deny from all\nRequire user ann", [403, 403, 403]),
        ("AuthGroupFile groups\nRequire group staff", [407, 200, 407]),
        (
            "AuthGroupFile groups\nRequire group staff guests",
            [407, 200, 407],
        ),
        ("Require group staff", [407, 407, 407]),
        (
            "<RequireAll>\nRequire valid-user\nRequire not user bob\n</RequireAll>",
            [407, 200, 407],
        ),
        (
            "AuthzSendForbiddenOnFailure On\nRequire user ann",
            [407, 200, 403],
        ),
        (
            "AuthBasicAuthoritative Off\nAuthBasicProvider file\nRequire valid-user",
            [407, 200, 200],
        ),
        // Users who are asked for by nothing are a mistake.
        ("", [500, 500, 500]),
    ] {
        let guarded = Guarded::with(&server, &format!("{AUTH}{lines}"));
        let seen = ["", ANN, BOB].map(|fields| guarded.status(fields));
        assert_eq!(seen, expected, "{lines}");
    }
}

#[test]
fn what_is_needed_to_ask_for_users_is_missed() {
    let (server, _) = server();
    for (lines, expected) in [
        ("Require valid-user", [500, 500]),
        (
            "AuthType None\nAuthName x\nAuthUserFile users\nRequire valid-user",
            [500, 500],
        ),
        (
            "AuthType Basic\nAuthUserFile users\nRequire valid-user",
            [500, 500],
        ),
        ("AuthType Basic\nAuthName x\nRequire valid-user", [407, 500]),
    ] {
        let guarded = Guarded::with(&server, lines);
        let seen = ["", ANN].map(|fields| guarded.status(fields));
        assert_eq!(seen, expected, "{lines}");
    }
}

#[test]
fn variables_names_and_merging_decide() {
    let (server, _) = server();
    let set = "X-In: yes\r\n";
    for (lines, expected) in [
        ("Require env in", [403, 200]),
        // What SetEnv sets comes too late.
        ("Require env always", [403, 403]),
        (
            "Order deny,allow\nDeny from all\nAllow from env=in",
            [403, 200],
        ),
        ("Order allow,deny\nAllow from env=!in", [200, 403]),
        ("Require host localhost", [200, 200]),
        ("Require host ocalhost", [403, 403]),
        ("Require forward-dns localhost", [200, 200]),
        ("Require forward-dns name.invalid", [403, 403]),
        ("Require method CONNECT", [200, 200]),
        ("Require method GET", [403, 403]),
        (
            "Require all denied\n</Proxy>\n<Proxy \"127.0.0.1\">\nAuthMerging Or\nRequire env in",
            [403, 200],
        ),
        (
            "Require all granted\n</Proxy>\n<Proxy \"127.0.0.1\">\nAuthMerging And\nRequire env in",
            [403, 200],
        ),
    ] {
        let guarded = Guarded::with(&server, lines);
        let seen = ["", set].map(|fields| guarded.status(fields));
        assert_eq!(seen, expected, "{lines}");
    }
}

#[test]
fn a_group_is_read_anew_for_each_request() {
    let (server, _) = server();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("users"), USERS).unwrap();
    std::fs::write(file("groups"), "staff: bob\n").unwrap();
    let target = server.local_addr().unwrap();
    let proxy = Proxy::with(&format!(
        "AllowCONNECT {}\n<Proxy \"*\">\nAuthType Basic\nAuthName x\nAuthUserFile {}\nAuthGroupFile {}\n\
         Require group staff\n</Proxy>\n",
        target.port(),
        file("users").display(),
        file("groups").display()
    ));
    let ann = || proxy.connect_status(&target.to_string(), ANN);
    assert_eq!(ann(), 407);
    std::fs::write(file("groups"), "staff: bob ann\n").unwrap();
    assert_eq!(ann(), 200);
    std::fs::remove_file(file("groups")).unwrap();
    assert_eq!(ann(), 407);
    proxy.says("No group file?");
}

#[test]
fn a_client_that_is_let_in_by_name_gets_its_tunnel() {
    let (server, _) = server();
    let guarded = Guarded::with(&server, "Require host localhost");
    let mut client = guarded.proxy.dial();
    let target = &guarded.target;
    write!(
        client,
        "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\nearly"
    )
    .unwrap();
    let mut accepted = accept(&server);
    assert_eq!(octets(&mut accepted), *b"early");
    assert!(head(&mut client).starts_with("HTTP/1.1 200 "));
}
