//! The command line and config files: what is checked, shown and refused.

use crate::support::{MODULES, Proxy, check, connect, head, run, server};
use std::io::Write;

#[test]
fn a_config_is_checked() {
    let (good, said) = check("AllowCONNECT 443 8000-8100\nKeepAlive On\n");
    assert!(good && said.ends_with("Syntax OK\n"), "{said}");
    assert!(
        said.contains("means anything to a CONNECT proxy: KeepAlive (line 17)"),
        "{said}"
    );
    for (config, message) in [
        (
            "AllowCONNECT\n",
            "AllowCONNECT requires at least one argument",
        ),
        (
            "AllowCONNECT 443 abc\n",
            "AllowCONNECT: port numbers must be numeric",
        ),
        ("AllowCONNECT 443-a\n", "Cannot parse 'a' as port number"),
        ("AllowCONNECT 500-443\n", "ends before it starts"),
        (
            "AllowConect 443\n",
            "the nearest known directive is AllowCONNECT",
        ),
        (
            "<Location />\nAllowCONNECT 1\n</Location>\n",
            "AllowCONNECT not allowed in <Location> context",
        ),
        ("ProxyRemote * socks://a:1\n", "is not http://HOST:PORT"),
        ("SSLEngine On\n", "say which SSLCertificateFile"),
        (
            "Include none.conf\n",
            "Could not open configuration file none.conf",
        ),
        ("Include none*.conf\n", "No matches"),
    ] {
        let (good, said) = check(config);
        assert!(!good && said.contains(message), "{config}: {said}");
    }
    let (_, said) = check("\n\nFoo\n");
    assert!(
        said.contains("AH00526: Syntax error on line 18 of "),
        "{said}"
    );
}

/// In the manner of the file that httpd's own distribution and its container images have.
#[test]
fn the_file_that_httpd_comes_with_is_taken() {
    let config = "\
LoadModule filter_module modules/mod_filter.so
LoadModule mime_module modules/mod_mime.so
LoadModule headers_module modules/mod_headers.so
LoadModule setenvif_module modules/mod_setenvif.so
LoadModule alias_module modules/mod_alias.so
LoadModule dir_module modules/mod_dir.so
LoadModule mpm_event_module modules/mod_mpm_event.so
ServerAdmin you@example.test
<IfModule unixd_module>
User nobody
Group nogroup
</IfModule>
<Directory />
    AllowOverride none
    Require all denied
</Directory>
DocumentRoot /srv/htdocs
<Directory /srv/htdocs>
    Options Indexes FollowSymLinks
    Require all granted
</Directory>
<Files \".ht*\">
    Require all denied
</Files>
<IfModule log_config_module>
    LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common
    <IfModule logio_module>
        LogFormat \"%h %>s %I %O\" combinedio
    </IfModule>
    CustomLog /proc/self/fd/1 common
</IfModule>
<IfModule alias_module>
    ScriptAlias /cgi-bin/ /srv/cgi-bin/
</IfModule>
<IfModule cgid_module>
    Scriptsock cgisock
</IfModule>
<IfModule headers_module>
    RequestHeader unset Proxy early
</IfModule>
<IfModule mime_module>
    TypesConfig conf/mime.types
    AddType application/x-compress .Z
</IfModule>
<IfModule proxy_html_module>
    Include conf/extra/proxy-html.conf
</IfModule>
BrowserMatch \"Mozilla/2\" nokeepalive
<IfModule ssl_module>
    SSLRandomSeed startup builtin
</IfModule>
ProxyRequests On
<Proxy *>
    Require local
</Proxy>
";
    let (good, said) = check(config);
    assert!(good, "{said}");
    let warnings: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 1, "{said}");
    assert!(warnings[0].contains("<Directory> (lines "), "{said}");
    assert!(warnings[0].contains("RequestHeader (line "), "{said}");
    assert!(!said.contains("CustomLog ("), "{said}");
}

#[test]
fn what_could_change_access_names_its_line() {
    for (line, words) in [
        ("RemoteIPHeader X-Forwarded-For", "mod_remoteip.c"),
        ("SSLVerifyClient require", "lets in who has a certificate"),
        (
            "RewriteOptions AllowAnyURI",
            "lets RewriteRule forbid a CONNECT",
        ),
        ("LoadModule evasive20_module x.so", "is none of httpd's own"),
    ] {
        let modules = "LoadModule remoteip_module x.so\nLoadModule rewrite_module x.so\n";
        let (good, said) = check(&format!("{modules}{line}\n"));
        assert!(!good && said.contains(words), "{line}: {said}");
        let number = MODULES.lines().count() + 4;
        let place = format!("Syntax error on line {number} of ");
        assert!(said.contains(&place), "{line}: {said}");
    }
}

#[test]
fn hosts_are_shown_with_what_they_allow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("httpd.conf");
    let hosts = "AllowCONNECT 1\n<VirtualHost 127.0.0.1:1>\nServerName one.test\nAllowCONNECT 2-3\n</VirtualHost>\n";
    std::fs::write(&file, format!("Listen 127.0.0.1:1\n{MODULES}{hosts}")).unwrap();
    let output = run(&["-S", "-f", file.to_str().unwrap()]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(
        shown.contains("127.0.0.1:1 one.test AllowCONNECT 1 2-3"),
        "{shown}"
    );
    assert!(
        shown.contains("main server") && shown.contains("AllowCONNECT 1\n"),
        "{shown}"
    );
}

#[test]
fn wrong_arguments_are_told_from_wrong_configs() {
    assert_eq!(run(&["--no-such-flag"]).status.code(), Some(3));
    assert_eq!(run(&["-t", "-f", "/no/such/file"]).status.code(), Some(1));
    let version = run(&["-v"]);
    assert!(
        String::from_utf8(version.stdout)
            .unwrap()
            .starts_with("Server version: reference-proxy/")
    );
}

#[test]
fn the_target_picks_the_virtual_host_and_its_ports() {
    let (one, _) = server();
    let (two, _) = server();
    let port = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port();
    let proxy = Proxy::with(&format!(
        "AllowCONNECT {}\n<VirtualHost *>\nServerName other.test\n</VirtualHost>\n\
         <VirtualHost *>\nServerName named.test\nServerAlias 127.0.0.1\nAllowCONNECT {}\n</VirtualHost>\n",
        port(&one),
        port(&two)
    ));
    let status = |target: String, host: &str| {
        let mut client = proxy.dial();
        write!(client, "CONNECT {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
        head(&mut client)[9..12].to_owned()
    };
    assert_eq!(status(format!("127.0.0.1:{}", port(&one)), "x"), "200");
    assert_eq!(
        status(format!("127.0.0.1:{}", port(&two)), "other.test"),
        "200"
    );
    assert_eq!(
        status(format!("localhost:{}", port(&one)), "named.test"),
        "200"
    );
    assert_eq!(
        status(format!("localhost:{}", port(&two)), "named.test"),
        "403"
    );
}

#[test]
fn flags_do_what_directives_do() {
    let (server, _) = server();
    let port = server.local_addr().unwrap().port().to_string();
    let output = run(&[
        "-t",
        "--listen",
        "127.0.0.1:1",
        "--allow-connect",
        &port,
        "--require",
        "all granted",
    ]);
    assert!(output.status.success(), "{output:?}");
    let output = run(&["-t", "--allow-connect", "x"]);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("port numbers must be numeric")
    );
    let _ = connect(&server, "");
}
