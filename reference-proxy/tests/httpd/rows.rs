//! Single behaviours of httpd, one after another.

use super::pair::{Home, Who, both, config, echo};
use super::random::{comparable, complaint};
use super::{Test, known};

pub(crate) fn trials() -> Vec<Test> {
    vec![
        ("rows::what_allow_connect_takes", what_allow_connect_takes),
        ("rows::what_allow_connect_means", what_allow_connect_means),
        (
            "rows::what_a_virtual_host_inherits",
            what_a_virtual_host_inherits,
        ),
        ("rows::what_a_directive_needs", what_a_directive_needs),
        ("rows::what_the_log_says", what_the_log_says),
        ("rows::what_a_refusal_says", what_a_refusal_says),
    ]
}

fn checked(more: &str) -> [(bool, String); 2] {
    [Who::Httpd, Who::Reference].map(|who| Home::new(who, &config(more)).check())
}

/// Both take it, or both refuse it with the same words.
fn agree(more: &str) {
    let [theirs, ours] = checked(more);
    assert_eq!(
        (theirs.0, complaint(&theirs.1)),
        (ours.0, complaint(&ours.1)),
        "{more}"
    );
}

fn what_allow_connect_takes() {
    for words in WORDS {
        agree(&format!("AllowCONNECT {words}\n"));
    }
    agree("allowconnect 443\n");
    agree(&format!("AllowCONNECT {}\n", "443 ".repeat(5000)));
    for section in ["Location /", "Proxy *", "Directory /", "Files x", "If true"] {
        let name = section.split(' ').next().unwrap();
        agree(&format!("<{section}>\nAllowCONNECT 1\n</{name}>\n"));
    }
    agree(
        "<IfModule mod_proxy_connect.c>\nAllowCONNECT 1\n</IfModule>\n<IfDefine NO>\nAllowCONNECT x\n</IfDefine>\n",
    );
    // Here they part, by name.
    for word in MISREAD {
        let [theirs, ours] = checked(&format!("AllowCONNECT \"{word}\"\n"));
        assert!(
            theirs.0 && !ours.0 && known::of_word(word).is_some(),
            "{word}: {theirs:?} {ours:?}"
        );
    }
    let [theirs, ours] = checked("AllowCONNECT 443 \"\" 563\n");
    assert!(theirs.0 && !ours.0 && known::of_word("").is_some());
}

/// The statuses that both give for a port on 127.0.0.1.
fn statuses(pair: &[super::pair::Running; 2], host: &str, port: u16) -> [u16; 2] {
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
    [0, 1].map(|index| pair[index].exchange(request.as_bytes()).status)
}

fn what_allow_connect_means() {
    let ports = {
        let mut ports = [echo(), echo(), echo()];
        ports.sort_unstable();
        ports
    };
    let [low, middle, high] = ports;
    for (list, allowed) in [
        (format!("AllowCONNECT {low}-{high}\n"), [true, true, true]),
        (format!("AllowCONNECT {low} {high}\n"), [true, false, true]),
        (
            format!("AllowCONNECT {low}\nAllowCONNECT {middle}\n"),
            [true, true, false],
        ),
        (format!("AllowCONNECT 00{middle}\n"), [false, true, false]),
        (
            format!("AllowCONNECT {low} {low}-{low}\n"),
            [true, false, false],
        ),
        (String::new(), [false, false, false]),
    ] {
        let pair = both(&config(&list));
        for (port, allowed) in ports.into_iter().zip(allowed) {
            assert_eq!(
                statuses(&pair, "127.0.0.1", port),
                if allowed { [200; 2] } else { [403; 2] },
                "{list} {port}"
            );
        }
    }
}

fn what_a_virtual_host_inherits() {
    let (one, two) = (echo(), echo());
    let hosts = |main: &str, own: &str| {
        format!(
            "{main}<VirtualHost *>\nServerName first.test\n</VirtualHost>\n\
             <VirtualHost *>\nServerName second.test\nServerAlias 127.0.0.1\n{own}</VirtualHost>\n"
        )
    };
    let (allow_one, allow_two) = (
        format!("AllowCONNECT {one}\n"),
        format!("AllowCONNECT {two}\n"),
    );
    for (text, expected) in [
        // One for each of: second/one, second/two, first/one, first/two.
        (hosts(&allow_one, &allow_two), [200, 200, 200, 403]),
        (hosts(&allow_one, ""), [200, 403, 200, 403]),
        (hosts("", &allow_two), [403, 200, 403, 403]),
        (hosts("", ""), [403, 403, 403, 403]),
    ] {
        let pair = both(&config(&text));
        let mut got = Vec::new();
        for (host, port) in [
            ("127.0.0.1", one),
            ("127.0.0.1", two),
            ("localhost", one),
            ("localhost", two),
        ] {
            let [theirs, ours] = statuses(&pair, host, port);
            assert_eq!(theirs, ours, "{text} {host}:{port}");
            got.push(ours);
        }
        assert_eq!(got, expected, "{text}");
    }
}

fn what_a_directive_needs() {
    let with = |modules: &str, more: &str| {
        let text = format!(
            "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n{modules}\
             ServerRoot ${{SCRATCH}}\nDefaultRuntimeDir ${{SCRATCH}}\nErrorLog ${{SCRATCH}}/error.log\nListen ${{LISTEN}}\n{more}"
        );
        [Who::Httpd, Who::Reference].map(|who| Home::new(who, &text).check())
    };
    for line in [
        "AllowCONNECT 443",
        "ProxyRequests On",
        "AuthName x",
        "RequestReadTimeout header=5",
        "SSLEngine On",
        "Nonsense",
    ] {
        let [theirs, ours] = with("", &format!("{line}\n"));
        let start = "Invalid command '";
        assert!(!theirs.0 && !ours.0, "{line}: {theirs:?} {ours:?}");
        assert!(
            complaint(&theirs.1).starts_with(start) && complaint(&ours.1).starts_with(start),
            "{line}"
        );
    }
    for more in WRONG {
        let [theirs, ours] = checked(&format!("{more}\n"));
        assert!(!theirs.0 && !ours.0, "{more}: {theirs:?} {ours:?}");
    }
    for more in RIGHT {
        let [theirs, ours] = checked(&format!("{more}\n"));
        assert!(theirs.0 && ours.0, "{more}: {theirs:?} {ours:?}");
    }
}

fn what_the_log_says() {
    let (open, denied) = (echo(), echo());
    let log = "LogFormat \"%b|%B|%X|%k|%m|%U|%H|%q|%l|%u|%v|%p|%{local}p|%f|%R|%s|%T\" more\nCustomLog ${SCRATCH}/more.log more\n";
    let pair = both(&config(&format!(
        "AllowCONNECT {open}\nLogLevel info\n{log}"
    )));
    let tunnel = format!(
        "CONNECT 127.0.0.1:{open} HTTP/1.1\r\nHost: x\r\nUser-Agent: a\"b\\c\u{1b}d\r\n\r\n"
    );
    for request in [
        tunnel.replace('\u{1b}', ""),
        format!("CONNECT localhost:{open} HTTP/1.0\r\n\r\n"),
        format!("CONNECT 127.0.0.1:{denied} HTTP/1.1\r\nHost: x\r\n\r\n"),
        "CONNECT 127.0.0.1 HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        format!("CONNECT name.invalid:{open} HTTP/1.1\r\nHost: x\r\n\r\n"),
    ] {
        let [theirs, ours] = [0, 1].map(|index| pair[index].exchange(request.as_bytes()));
        assert_eq!(comparable(&theirs), comparable(&ours), "{request}");
    }
    let [theirs, ours] = pair.map(|running| running.first_line("more.log"));
    assert_eq!(theirs, ours);
}

fn what_a_refusal_says() {
    let denied = echo();
    let pair = both(&config(""));
    let request = format!("CONNECT 127.0.0.1:{denied} HTTP/1.1\r\nHost: x\r\n\r\n");
    for seen in [0, 1].map(|index| pair[index].exchange(request.as_bytes())) {
        for part in [
            "HTTP/1.1 403 Proxy Error\r\n",
            "\r\nContent-Type: text/html; charset=iso-8859-1\r\n",
            "Reason: <strong>Connect to remote machine blocked</strong>",
        ] {
            assert!(seen.answer.contains(part), "{part} in {}", seen.answer);
        }
    }
    let request = "CONNECT name.invalid:443 HTTP/1.1\r\nHost: x\r\n\r\n";
    for seen in [0, 1].map(|index| pair[index].exchange(request.as_bytes())) {
        assert!(
            seen.answer.starts_with("HTTP/1.1 502 Proxy Error\r\n"),
            "{}",
            seen.answer
        );
        assert!(
            seen.answer.contains("DNS lookup failure for: name.invalid"),
            "{}",
            seen.answer
        );
    }
}

/// Arguments of `AllowCONNECT` about which both agree.
const WORDS: &[&str] = &[
    "",
    "\"\"",
    "443",
    "443 563",
    "443-",
    "-443",
    "+443",
    "*",
    "all",
    "https",
    "443a",
    "443-a",
    "443-500a",
    "443-500-600",
    "443,563",
    "0x1bb",
    "443\u{2013}500",
    "443 # c",
    "\"443 \"",
    "\" 443\"",
    "\"443 -500\"",
    "0",
    "0-0",
    "65535",
    "00443 0443",
    "443 443",
    "443 443-443",
    "1-500 400-600",
    "443 abc",
    "'443'",
    "\"443\" \"563-600\"",
    "443 -500",
    "443- 500",
    "443\\ 500",
    "443-\"500\"",
    "443-0x10",
    "${NOT_DEFINED_ANYWHERE}",
];

/// Words that httpd takes and means something else than it says.
const MISREAD: &[&str] = &[
    "443- 500",
    "443-+5",
    "443--5",
    "500-443",
    "65535-1",
    "443-0",
    "65536",
    "99999",
    "1-99999",
    "2147483647",
    "2147483648",
    "2147483648-65535",
    "4294967739",
    "99999999999999999999",
    "1-99999999999999999999",
];

/// Lines that are errors to both.
const WRONG: &[&str] = &[
    "ProxyTimeout 0",
    "ProxyRequests Maybe",
    "ProxyVia Loud",
    "LogLevel loud",
    "ServerName a:b",
    "CustomLog x",
    "CustomLog x %j",
    "LogFormat \"%{x\" a",
    "ErrorLogFormat \"%Z\"",
    "Listen x",
    "Define",
    "Include none.conf",
    "<Proxy *>",
    "</Proxy>",
    "<VirtualHost *>\nListen 1\n</VirtualHost>",
    "Require all granted",
    "<Proxy *>\nRequire nobody\n</Proxy>",
    "<Proxy *>\nRequire ip x\n</Proxy>",
    "<Proxy *>\nRequire not ip 1.2.3.4\n</Proxy>",
    "<Nonsense>\n</Nonsense>",
];

/// Lines that both take.
const RIGHT: &[&str] = &[
    "Timeout 5",
    "Timeout 500ms",
    "ProxyTimeout 2",
    "LogLevel info proxy:debug",
    "LimitRequestLine 4000",
    "ServerName a.test:80",
    "ProxyBlock a b",
    "NoProxy 10.0.0.0/8 .a.test b.test",
    "ProxyRemote * http://a.test:3128",
    "ProxyVia Full",
    "ErrorLogFormat \"[%{u}t] [%l] %M\"",
    "LogFormat \"%h %{x}i %{remote}p %{ms}T %{begin:%Y}t\" a",
    "KeepAlive On",
    "RequestReadTimeout header=5-10,MinRate=100 body=5",
    "Define A 1\nTimeout ${A}",
    "IncludeOptional none*.conf",
    "<Proxy *>\n<RequireAll>\nRequire all granted\nRequire not ip 1.2.3.4\n</RequireAll>\n</Proxy>",
];
