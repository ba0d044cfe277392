//! What is read at all: conditions, variables and included files.
//!
//! What was read is told by an `Error` at the end, in which each line has left its mark.

use super::Test;
use super::pair::{Home, Who, config};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        (
            "reading::what_a_condition_lets_in",
            what_a_condition_lets_in,
        ),
        ("reading::what_an_include_brings", what_an_include_brings),
        (
            "reading::what_a_variable_stands_for",
            what_a_variable_stands_for,
        ),
    ]
}

/// The words of the `Error` that ends it; `None` when it ends otherwise, or not at all.
fn mark(who: Who, text: &str) -> Option<String> {
    let home = FILES
        .iter()
        .fold(Home::new(who, text), |home, (path, name)| {
            let folder = home.scratch.path().join(path);
            std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
            home.with_file(path, &format!("Define {name} {name}\n"))
        });
    let (good, said) = home.with_name("GIVEN", "given").check();
    assert!(!good, "{who:?}: {said}\n{text}");
    let (_, rest) = said.split_once("mark:")?;
    Some(rest.lines().next().unwrap_or_default().to_owned())
}

/// The same mark of both, or both end otherwise.
fn agree(text: &str) -> Option<String> {
    let text = config(text);
    let [theirs, ours] = [Who::Httpd, Who::Reference].map(|who| mark(who, &text));
    assert_eq!(theirs, ours, "{text}");
    ours
}

fn what_a_condition_lets_in() {
    let mut let_in = 0;
    for condition in CONDITIONS {
        let kind = condition.split(' ').next().unwrap();
        let held = agree(&format!(
            "<{condition}>\nError \"mark: in\"\n</{kind}>\nError \"mark: not in\"\n"
        ));
        let_in += usize::from(held.as_deref() == Some(" in"));
    }
    assert!(let_in > CONDITIONS.len() / 3, "{let_in}");
}

fn what_an_include_brings() {
    let names = FILES.map(|(_, name)| name);
    let none: String = names
        .iter()
        .map(|name| format!("Define {name} -\n"))
        .collect();
    let all = names.map(|name| format!("${{{name}}}")).join(" ");
    let mut brought = 0;
    for pattern in PATTERNS {
        for kind in ["Include", "IncludeOptional"] {
            let text = format!("{none}{kind} \"{pattern}\"\nError \"mark: {all}\"\n");
            brought += usize::from(agree(&text).is_some_and(|mark| mark.contains('f')));
        }
    }
    assert!(brought > PATTERNS.len(), "{brought}");
}

fn what_a_variable_stands_for() {
    for lines in VARIABLES {
        let mark = agree(&format!(
            "{lines}\nError \"mark: ${{A}} ${{B}} ${{GIVEN}}\"\n"
        ));
        assert_eq!(mark.is_none(), lines.contains(':'), "{lines}");
    }
}

/// Files of the folder, and the name that each defines.
const FILES: [(&str, &str); 8] = [
    ("d/a.conf", "f1"),
    ("d/.b.conf", "f2"),
    ("d/c.CONF", "f3"),
    ("d/sub/x.conf", "f4"),
    ("d/z.txt", "f5"),
    ("e1/m.conf", "f6"),
    ("e2/m.conf", "f7"),
    (".hid/h.conf", "f8"),
];

const PATTERNS: &[&str] = &[
    "d",
    "d/",
    "d/a.conf",
    "d/*",
    "d/*.conf",
    "d/*.CONF",
    "d/[a-b].conf",
    "d/[!a].conf",
    "d/?.conf",
    "d/*/x.conf",
    "*/m.conf",
    "e[12]/m.conf",
    "e?/*.conf",
    ".hid",
    ".*/h.conf",
    "d/.*",
    "d/sub",
    "d/sub/../a.conf",
    "d/nope*",
    "nope/*.conf",
    "nope",
    "nope*/x.conf",
    "*/*/x.conf",
    "[.]hid/*",
    "d/a.conf/x",
];

const VARIABLES: &[&str] = &[
    "",
    "Define A",
    "Define A \"\"",
    "Define A b\nDefine B ${A}c",
    "Define A b\nUnDefine A",
    "Define A ${A}x",
    "Define A 1\nDefine A 2",
    "Define A b\n<VirtualHost *>\nDefine B c\n</VirtualHost>",
    "<IfDefine A>\nDefine B x\n</IfDefine>\n<IfDefine !A>\nDefine B y\n</IfDefine>",
    "Define GIVEN mine",
    "Define A:b c",
];

const CONDITIONS: &[&str] = &[
    "IfModule mod_proxy.c",
    "IfModule !mod_proxy.c",
    "IfModule proxy_module",
    "IfModule MOD_PROXY.C",
    "IfModule core.c",
    "IfModule mod_so.c",
    "IfModule http_core.c",
    "IfModule event.c",
    "IfModule mpm_event.c",
    "IfModule mpm_event_module",
    "IfModule mpm_prefork_module",
    "IfModule ssl_module",
    "IfModule",
    "IfModule mod_watchdog.c",
    "IfModule mod_security2.c",
    "IfDefine NO",
    "IfDefine !NO",
    "IfDirective ProxyRemote",
    "IfDirective proxyremote",
    "IfDirective !ProxyRemote",
    "IfDirective SSLEngine",
    "IfDirective Nonsense",
    "IfDirective ThreadsPerChild",
    "IfDirective MaxSpareServers",
    "IfDirective \"<Proxy\"",
    "IfSection Proxy",
    "IfSection Macro",
    "IfSection RequireAny",
    "IfSection !Nonsense",
    "IfFile /etc/passwd",
    "IfFile d/a.conf",
    "IfFile d",
    "IfFile !d",
    "IfFile nope",
    "IfVersion 2.4",
    "IfVersion = 2.4",
    "IfVersion > 2.4",
    "IfVersion >= 2",
    "IfVersion < 2.2",
    "IfVersion !< 2.4",
    "IfVersion <= 2.4",
    "IfVersion ~ ^2\\.4",
    "IfVersion !~ ^2\\.4",
    "IfVersion = /^2/",
    "IfVersion >> 2.4",
    "IfVersion >= 2.4x",
    "IfVersion >= 2 4",
    "IfVersion",
];
