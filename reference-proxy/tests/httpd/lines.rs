//! Directives that are not about CONNECT: what the reference takes with a warning changes nothing in httpd, and what
//! changes something there is refused.
//!
//! Each line stands in a virtual host of its own, at a port of its own, so that one httpd is enough for all.

use super::Test;
use super::beside::Refusal;
use super::pair::{Ask, Decision, Home, Running, Who, bare, echo};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("lines::that_change_nothing", that_change_nothing),
        ("lines::that_change_something", that_change_something),
    ]
}

/// The modules that bring them.
const MODULES: &[&str] = &[
    "access_compat",
    "actions",
    "alias",
    "allowmethods",
    "authz_groupfile",
    "buffer",
    "cache",
    "cache_socache",
    "deflate",
    "dir",
    "env",
    "expires",
    "filter",
    "headers",
    "log_debug",
    "mime",
    "negotiation",
    "proxy_http",
    "remoteip",
    "request",
    "rewrite",
    "session",
    "session_cookie",
    "setenvif",
    "socache_shmcb",
    "speling",
    "ssl",
    "status",
    "substitute",
    "userdir",
    "usertrack",
    "vhost_alias",
];

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the virtual host.
    Server,
    /// In its `<Proxy *>`.
    Proxy,
    /// In its `<Location "*">`.
    Location,
}

/// A virtual host at `port` that grants everything, and has `line` in it.
fn host(line: &str, place: Place, port: u16) -> String {
    let (server, proxy, location) = match place {
        Place::Server => (line, "", String::new()),
        Place::Proxy => ("", line, String::new()),
        Place::Location => {
            let location = format!("<Location \"*\">\nRequire all granted\n{line}\n</Location>\n");
            ("", "", location)
        }
    };
    format!(
        "Listen ${{ADDRESS}}:{port}\n<VirtualHost ${{ADDRESS}}:{port}>\nServerName one.test\nProxyRequests On\nAllowCONNECT 1-65535\n{server}\n\
         <Proxy *>\nRequire all granted\n{proxy}\n</Proxy>\n{location}</VirtualHost>\n"
    )
}

/// The text of a config of such hosts.
fn text(hosts: &str) -> String {
    bare(
        MODULES,
        &format!("TypesConfig /dev/null\nListen ${{LISTEN}}\n{hosts}"),
    )
}

/// One line in one place, and the port of its host.
type Placed = (&'static str, Place, u16);

/// The lines in the places that they are listed for.
fn placed(lines: &[(&'static str, &[Place])]) -> Vec<Placed> {
    let all = lines
        .iter()
        .flat_map(|(line, places)| places.iter().map(|&place| (*line, place)));
    all.zip(4000..)
        .map(|((line, place), port)| (line, place, port))
        .collect()
}

fn launched(who: Who, placed: &[Placed]) -> Running {
    let hosts: String = placed
        .iter()
        .map(|&(line, place, port)| host(line, place, port))
        .collect();
    Home::new(who, &text(&hosts)).launch()
}

/// Asks each host for the same server.
fn decisions(running: &Running, placed: &[Placed]) -> Vec<Decision> {
    let target = format!("localhost:{}", echo());
    let asks = placed.iter().map(|&(_, _, port)| Ask {
        port: Some(port),
        ..Ask::new(&target)
    });
    asks.map(|ask| running.decides(&ask)).collect()
}

/// What the reference says against one line alone.
fn refusal((line, place, port): Placed) -> Option<Refusal> {
    let text = text(&host(line, place, port));
    let (good, said) = Home::new(Who::Reference, &text).check();
    (!good).then(|| Refusal::read(&said, &text).unwrap())
}

fn that_change_nothing() {
    let placed = placed(IDLE);
    let httpd = launched(Who::Httpd, &placed);
    for (placed, decision) in placed.iter().zip(decisions(&httpd, &placed)) {
        assert_eq!(decision, Decision::Tunnel, "httpd: {placed:?}");
    }
    // It may be stricter, but seldom is.
    let (refused, taken): (Vec<_>, Vec<_>) = placed
        .iter()
        .partition(|&&placed| refusal(placed).is_some());
    assert!(refused.len() * 10 < placed.len(), "{refused:?}");
    // Each listening socket takes one of the places that MaxRequestWorkers gives.
    for taken in taken.chunks(12) {
        let reference = launched(Who::Reference, taken);
        for (placed, decision) in taken.iter().zip(decisions(&reference, taken)) {
            assert_eq!(decision, Decision::Tunnel, "{placed:?}");
        }
    }
}

fn that_change_something() {
    let placed = placed(CHANGING);
    let httpd = launched(Who::Httpd, &placed);
    for (&placed, decision) in placed.iter().zip(decisions(&httpd, &placed)) {
        assert_ne!(decision, Decision::Tunnel, "httpd: {placed:?}");
        let Some(refusal) = refusal(placed) else {
            let alone = launched(Who::Reference, &[placed]);
            assert_eq!(decisions(&alone, &[placed]), [decision], "{placed:?}");
            continue;
        };
        // Where one of several lines is refused, it need not be the first.
        assert!(
            placed.0.contains(&refusal.line),
            "{placed:?}: {}",
            refusal.line
        );
        let remedies = ["write", "move", "leave", "say", "let", "name"];
        assert!(
            remedies.iter().any(|word| refusal.says.contains(word)),
            "{placed:?}: {}",
            refusal.says
        );
    }
}

use Place::{Location as L, Proxy as P, Server as S};

const IDLE: &[(&str, &[Place])] = &[
    ("RewriteEngine On\nRewriteRule ^ - [F]", &[S]),
    ("RewriteEngine On\nRewriteRule . http://x.test/ [R]", &[S]),
    (
        "RewriteEngine On\nRewriteCond %{REQUEST_METHOD} CONNECT\nRewriteRule . - [F]",
        &[S],
    ),
    ("Redirect 403 /", &[S]),
    ("RedirectMatch 403 .", &[S]),
    ("Alias / /tmp", &[S]),
    ("AliasMatch . /tmp", &[S]),
    ("ScriptAliasMatch . /tmp", &[S]),
    ("ErrorDocument 403 \"no\"", &[S, P, L]),
    ("Action x-y /y", &[S, P, L]),
    ("Script GET /y", &[S]),
    ("SetHandler none", &[S, P, L]),
    ("SetHandler server-status", &[S, P, L]),
    ("ForceType text/html", &[P, L]),
    ("AddType text/html .test", &[S, P, L]),
    ("AddHandler server-status .test", &[S, P, L]),
    ("DirectoryIndex x", &[S, P, L]),
    ("VirtualDocumentRoot /tmp/%0", &[S]),
    ("UserDir public_html", &[S]),
    ("CheckSpelling On", &[S]),
    ("TraceEnable Off", &[S]),
    ("HttpProtocolOptions Strict Require1.0", &[S]),
    ("UseCanonicalName On", &[S, P, L]),
    ("ServerPath /x", &[S]),
    ("AllowEncodedSlashes NoDecode", &[S]),
    ("AcceptPathInfo Off", &[S, P, L]),
    ("FileETag None", &[S, P, L]),
    ("LimitRequestBody 1", &[S, P, L]),
    ("KeepAlive Off", &[S]),
    ("CacheEnable socache /", &[S]),
    ("CacheDisable /", &[S]),
    ("ProxyPass / http://127.0.0.1:1/", &[S]),
    ("ProxyPass / !", &[S]),
    ("ProxyPassMatch . !", &[S]),
    ("ProxyPassMatch . http://127.0.0.1:1/", &[S]),
    ("ProxyPassReverse / http://127.0.0.1:1/", &[S]),
    ("ProxyErrorOverride On", &[S, P, L]),
    ("ProxyMaxForwards 0", &[S]),
    ("ProxyBadHeader IsError", &[S]),
    ("ProxyStatus On", &[S]),
    ("ProxyAddHeaders Off", &[S, P, L]),
    ("ProxyPreserveHost On", &[S, P, L]),
    ("ProxyVia Block", &[S]),
    ("ProxyIOBufferSize 8192", &[S]),
    ("ProxyReceiveBufferSize 4096", &[S]),
    ("ProxyDomain .in.test", &[S]),
    ("Header always set X y", &[S, P, L]),
    ("RequestHeader set Host x", &[S, P, L]),
    ("RequestHeader unset Proxy-Authorization", &[S, P, L]),
    ("SetEnv no-proxy 1", &[S, P, L]),
    ("SetEnv proxy-nokeepalive 1", &[S, P, L]),
    ("SetEnvIf Request_URI . seen", &[S, P, L]),
    ("BrowserMatch . downgrade-1.0", &[S, P, L]),
    ("PassEnv PATH", &[S, P, L]),
    ("SetInputFilter DEFLATE", &[S, P, L]),
    ("SetOutputFilter DEFLATE", &[S, P, L]),
    ("ExpiresActive On", &[S, P, L]),
    ("Substitute s/a/b/", &[P, L]),
    ("BufferSize 10", &[P, L]),
    ("Session On", &[S, P, L]),
    ("CookieTracking On", &[S, P, L]),
    ("ServerSignature On", &[S, P, L]),
    ("ServerAdmin a@b.test", &[S]),
    ("Options None", &[P, L]),
    ("LogLevel warn", &[S, P, L]),
    ("EnableSendfile Off", &[S, P, L]),
    ("LanguagePriority en", &[S, P, L]),
    ("AddDefaultCharset utf-8", &[S, P, L]),
    ("AuthzSendForbiddenOnFailure On", &[P, L]),
    ("AllowMethods CONNECT", &[P, L]),
    ("AllowMethods GET CONNECT", &[P, L]),
    ("AllowMethods reset", &[P, L]),
    ("<Directory />\nRequire all denied\n</Directory>", &[S]),
    (
        "<DirectoryMatch .>\nRequire all denied\n</DirectoryMatch>",
        &[S],
    ),
    ("<Files *>\nRequire all denied\n</Files>", &[S]),
    ("<FilesMatch .>\nRequire all denied\n</FilesMatch>", &[S]),
    ("<Location />\nRequire all denied\n</Location>", &[S]),
    ("<Location /a>\nRequire all denied\n</Location>", &[S]),
    (
        "<LocationMatch ^/>\nRequire all denied\n</LocationMatch>",
        &[S],
    ),
    ("<Proxy http://a.test/>\nRequire all denied\n</Proxy>", &[S]),
    ("<Limit GET>\nRequire all denied\n</Limit>", &[P]),
];

/// In httpd each of them keeps a tunnel from being made.
const CHANGING: &[(&str, &[Place])] = &[
    ("RewriteEngine On\nRewriteRule ^ - [F]", &[P, L]),
    (
        "RewriteEngine On\nRewriteCond %{REQUEST_METHOD} CONNECT\nRewriteRule . - [F]",
        &[P, L],
    ),
    ("RewriteEngine On\nRewriteRule . - [G]", &[P, L]),
    (
        "RewriteEngine On\nRewriteRule . http://x.test/ [R]",
        &[P, L],
    ),
    ("RedirectMatch 403 .", &[P, L]),
    ("Redirect 403", &[P, L]),
    ("AllowMethods GET", &[P, L]),
    ("StrictHostCheck On", &[S]),
    ("SSLRequireSSL", &[P, L]),
    ("<Location \"*\">\nRequire all denied\n</Location>", &[S]),
    ("<Location \"\">\nRequire all denied\n</Location>", &[S]),
    (
        "<LocationMatch ^/?local>\nRequire all denied\n</LocationMatch>",
        &[S],
    ),
    (
        "<LocationMatch .>\nRequire all denied\n</LocationMatch>",
        &[S],
    ),
    ("<If true>\nRequire all denied\n</If>", &[S, P, L]),
    (
        "<If \"%{HTTP_HOST} =~ /^localhost/\">\nRequire all denied\n</If>",
        &[S, P, L],
    ),
    ("Order allow,deny", &[P, L]),
    ("Deny from all", &[P, L]),
    ("ProxyBlock *", &[S]),
    ("ProxyRequests Off", &[S]),
    ("LimitRequestLine 10", &[S]),
    (
        "SetEnvIf Request_Method . out\n<Proxy *>\nDeny from env=out\n</Proxy>",
        &[S],
    ),
];
