//! Which section decides about a target, and what is refused instead of being skipped.

use crate::support::{Proxy, check, refused, server, was_contacted};
use std::net::TcpListener;

const GRANTED: &str = "Require all granted";
const DENIED: &str = "Require all denied";

/// A section of that name and pattern.
fn section(name: &str, pattern: &str, line: &str) -> String {
    format!("<{name} \"{pattern}\">\n{line}\n</{name}>\n")
}

/// Denied, but for what the second section says.
fn only(name: &str, pattern: &str) -> String {
    section("Proxy", "*", DENIED) + &section(name, pattern, GRANTED)
}

/// Granted, but for what the second section says.
fn all_but(name: &str, pattern: &str) -> String {
    section("Proxy", "*", GRANTED) + &section(name, pattern, DENIED)
}

/// The statuses for these hosts at the port of `server`. `PORT` in the configuration is that port.
fn statuses(config: &str, server: &TcpListener, hosts: &[&str]) -> Vec<u16> {
    let port = server.local_addr().unwrap().port().to_string();
    let config = config.replace("PORT", &port).replace("HALF", &port[..2]);
    let proxy = Proxy::with(&format!("AllowCONNECT {port}\n{config}"));
    let status = |host: &&str| proxy.connect_status(&format!("{host}:{port}"), "");
    hosts.iter().map(status).collect()
}

#[test]
fn the_pattern_tells_the_targets() {
    let (server, _) = server();
    let hosts = ["127.0.0.1", "localhost", "LOCALHOST"];
    for (config, expected) in [
        (all_but("Proxy", "localhost"), [200, 403, 403]),
        (only("Proxy", "127.0.0.1"), [200, 403, 403]),
        (only("Proxy", "127.0.0.1:"), [200, 403, 403]),
        (only("Proxy", "127.0.0.1:PORT"), [200, 403, 403]),
        // Half a port takes away and does not give.
        (only("Proxy", "127.0.0.1:HALF"), [403, 403, 403]),
        (all_but("Proxy", "127.0.0.1:HALF"), [403, 403, 403]),
        (only("Proxy", "local*"), [403, 200, 403]),
        (all_but("Proxy", "local*"), [200, 403, 403]),
        (only("Proxy", "LOCAL*"), [403, 403, 200]),
        (only("Proxy", "[a-z]?cal*:PORT"), [403, 200, 403]),
        (only("ProxyMatch", "^local.*:\\d+$"), [403, 200, 403]),
        (only("ProxyMatch", "^(?i)LOCAL"), [403, 200, 200]),
        (all_but("Location", "*"), [403, 403, 403]),
        (all_but("Location", "/"), [200, 200, 200]),
        (all_but("LocationMatch", "127"), [403, 403, 403]),
        (only("Location", "localhost:PORT"), [403, 200, 403]),
        (all_but("Directory", "/"), [200, 200, 200]),
        (all_but("Files", "*"), [200, 200, 200]),
    ] {
        // What a name is denied for its address is another test's.
        let open = |statuses: &[u16]| {
            statuses
                .iter()
                .map(|&status| status == 200)
                .collect::<Vec<_>>()
        };
        let seen = statuses(&config, &server, &hosts);
        assert_eq!(open(&seen), open(&expected), "{config}");
    }
}

#[test]
fn no_spelling_passes_a_section_that_denies() {
    let (server, _) = server();
    let hosts = ["127.0.0.1", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]"];
    for pattern in ["127.0.0.1:*", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let config = all_but("Proxy", pattern);
        assert_eq!(statuses(&config, &server, &hosts), [403; 3], "{pattern}");
    }
    let hosts = ["localhost", "LocalHost", "localhost.", "LOCALHOST."];
    for pattern in ["localhost:PORT", "LOCALHOST.:PORT", "local*:PORT"] {
        let config = all_but("Proxy", pattern);
        assert_eq!(statuses(&config, &server, &hosts), [403; 4], "{pattern}");
    }
    let zeros = "AllowCONNECT PORT\n".to_owned() + &all_but("Proxy", "127.0.0.1:PORT");
    let port = server.local_addr().unwrap().port().to_string();
    let proxy = Proxy::with(&zeros.replace("PORT", &port));
    assert_eq!(proxy.connect_status(&format!("127.0.0.1:0{port}"), ""), 403);
    assert!(!was_contacted(&server));
}

#[test]
fn a_name_does_not_lead_to_an_address_that_is_denied() {
    let (server, _) = server();
    let hosts = ["127.0.0.1", "localhost"];
    let config = all_but("Proxy", "127.0.0.1:*") + &section("Proxy", "\\[::1]:*", DENIED);
    assert_eq!(statuses(&config, &server, &hosts), [403, 403]);
    assert!(!was_contacted(&server));
    // Whoever is let in by name needs no section for the address.
    let config = only("Proxy", "localhost:*");
    assert_eq!(statuses(&config, &server, &hosts), [403, 200]);
}

#[test]
fn the_later_section_decides_and_the_virtual_host_comes_later() {
    let (server, _) = server();
    let hosts = ["127.0.0.1", "localhost"];
    let host = |name: &str, inside: &str| {
        format!("<VirtualHost *>\nServerName {name}\n{inside}</VirtualHost>\n")
    };
    let (all, none) = (
        section("Proxy", "*", GRANTED),
        section("Proxy", "*", DENIED),
    );
    let place = |line: &str| section("Location", "*", line);
    for (config, expected) in [
        (none.clone() + &all, [200, 200]),
        (all.clone() + &none, [403, 403]),
        (
            all.clone() + &host("other.test", &none) + &host("localhost", ""),
            [403, 200],
        ),
        // Wherever it stands in the file.
        (
            host("other.test", &all) + &host("localhost", "") + &none,
            [200, 403],
        ),
        (place(DENIED) + &all, [403, 403]),
        (place(GRANTED) + &none, [200, 200]),
        (
            place(DENIED) + &host("other.test", &all) + &host("localhost", &place(GRANTED)),
            [403, 200],
        ),
    ] {
        assert_eq!(statuses(&config, &server, &hosts), expected, "{config}");
    }
}

#[test]
fn limits_are_about_methods() {
    let (server, _) = server();
    for (inside, expected) in [
        ("<Limit CONNECT>\nRequire all denied\n</Limit>", 403),
        (
            "<Limit GET POST>\nRequire all denied\n</Limit>\nRequire local",
            200,
        ),
        ("<LimitExcept GET>\nRequire all denied\n</LimitExcept>", 403),
        (
            "Require local\n<LimitExcept CONNECT>\nRequire all denied\n</LimitExcept>",
            200,
        ),
        ("Deny from all\n<Limit GET>\nAllow from all\n</Limit>", 403),
        (
            "Deny from all\n<Limit CONNECT>\nAllow from all\n</Limit>",
            200,
        ),
    ] {
        let config = section("Proxy", "*", inside);
        assert_eq!(
            statuses(&config, &server, &["127.0.0.1"]),
            [expected],
            "{inside}"
        );
    }
}

#[test]
fn what_could_change_access_is_never_skipped() {
    let open = section("Proxy", "*", GRANTED);
    let in_proxy = |line: &str| section("Proxy", "*", line);
    for (config, line, remedy) in [
        (
            section("If", "%{HTTP_HOST} =~ /localhost/", DENIED),
            DENIED,
            "Require in <If> would apply where an expression holds",
        ),
        (
            in_proxy(&section("If", "true", "Deny from all")),
            "Deny from all",
            "write <Proxy>, <ProxyMatch> or <VirtualHost>",
        ),
        (
            section("Location", "*", "<Else>\nAuthType None\n</Else>"),
            "AuthType None",
            "AuthType in <Else> would apply",
        ),
        (
            in_proxy("Require expr \"true\""),
            "Require expr \"true\"",
            "SetEnvIf and Require env",
        ),
        (
            in_proxy("Require ldap-user ann"),
            "Require ldap-user ann",
            "load authnz_ldap_module",
        ),
        (
            in_proxy("AuthType Digest"),
            "AuthType Digest",
            "write AuthType Basic",
        ),
        (
            in_proxy("AuthBasicProvider dbm"),
            "AuthBasicProvider dbm",
            "write AuthBasicProvider file",
        ),
        (
            in_proxy("Deny from 127.*"),
            "Deny from 127.*",
            "can be the name of no host",
        ),
        (
            section("AuthnProviderAlias", "file", "AuthUserFile x"),
            "<AuthnProviderAlias \"file\">",
            "another source of users",
        ),
        (
            section("Limit", "CONNECT", DENIED),
            "<Limit \"CONNECT\">",
            "not allowed here",
        ),
        (
            section("ProxyMatch", "^a++", GRANTED),
            "<ProxyMatch \"^a++\">",
            "two quantifiers in a row",
        ),
        (
            "<Proxy ~ \"local\">\nRequire all denied\n</Proxy>\n".into(),
            "<Proxy ~ \"local\">",
            "write <ProxyMatch \"local\">",
        ),
    ] {
        let (named, said) = refused(&format!("{open}{config}"));
        assert_eq!(named, line, "{said}");
        assert!(said.contains(remedy), "{config}: {said}");
    }
}

#[test]
fn what_says_nothing_about_access_may_stand_where_it_likes() {
    let idle = section("If", "true", "ServerSignature Off");
    let (good, said) = check(&idle);
    assert!(good && said.contains("<If>"), "{said}");
}

#[test]
fn a_proxy_for_this_machine_only_says_so() {
    let (good, said) = check("ProxyRequests On\n");
    assert!(
        good && said.contains("only this machine is served"),
        "{said}"
    );
    let (good, said) = check(&format!(
        "ProxyRequests On\n{}",
        section("Proxy", "*", "Require ip 10")
    ));
    assert!(good && !said.contains("only this machine"), "{said}");
}

#[test]
fn a_pattern_that_says_something_else_than_it_seems_is_told() {
    for (pattern, told) in [
        ("[::1]:443", "write '\\[::1]:443*'"),
        ("http://a.test/", "fits no CONNECT"),
    ] {
        let (good, said) = check(&section("Proxy", pattern, DENIED));
        assert!(good && said.contains(told), "{said}");
    }
}
