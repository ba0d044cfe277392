//! What `SetEnvIf`, `SetEnv` and their kin set, and which log lines depend on it.

use super::Test;
use super::pair::{PATIENCE, Running, both, config, echo};
use std::time::Instant;

pub(crate) fn trials() -> Vec<Test> {
    vec![
        (
            "variables::are_set_as_httpd_sets_them",
            are_set_as_httpd_sets_them,
        ),
        (
            "variables::decide_which_log_lines_are_written",
            decide_which_log_lines_are_written,
        ),
    ]
}

const LOADED: &str = "\
LoadModule env_module /usr/lib/apache2/modules/mod_env.so
LoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so
";

/// A log before the one that `exchange` waits for, so that its line is there by then.
fn with_log(log: &str, lines: &str) -> String {
    let text = config(&format!("AllowCONNECT 1-65535\n{lines}"));
    text.replacen("CustomLog ", &format!("{LOADED}{log}CustomLog "), 1)
}

/// What both write for this request, once it is the same or should have been.
fn both_write(pair: &[Running; 2], request: &str) -> [String; 2] {
    let own = || pair.each_ref().map(|running| running.file("own.log"));
    let before = own().map(|text| text.len());
    for running in pair {
        running.exchange(request.as_bytes());
    }
    let end = Instant::now() + PATIENCE;
    let [theirs, ours] = loop {
        let [theirs, ours] = own();
        // The reference writes its logs in threads, of which none waits for another.
        if theirs == ours || Instant::now() > end {
            break [theirs, ours];
        }
        std::thread::yield_now();
    };
    [theirs[before[0]..].to_owned(), ours[before[1]..].to_owned()]
}

fn are_set_as_httpd_sets_them() {
    let port = echo();
    let head = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n");
    let log =
        "LogFormat \"[%{a}e] [%{B}e] [%{c}e] [%{d}e]\" own\nCustomLog ${SCRATCH}/own.log own\n";
    for lines in LINES {
        let pair = both(&with_log(log, lines));
        for fields in FIELDS {
            let [theirs, ours] = both_write(&pair, &format!("{head}{fields}\r\n"));
            assert!(theirs.starts_with('['), "{lines} {fields}: {theirs}");
            assert_eq!(theirs, ours, "{lines} {fields}");
        }
    }
}

fn decide_which_log_lines_are_written() {
    let port = echo();
    let log = "LogFormat \"%v %U\" own\nLogFormat \"global %v\" global\n\
        CustomLog ${SCRATCH}/own.log own env=a\nCustomLog ${SCRATCH}/own.log \"not %U\" env=!a\n\
        GlobalLog ${SCRATCH}/own.log global env=b\n";
    let hosts = "<VirtualHost *>\nServerName first.test\n</VirtualHost>\n\
        <VirtualHost *>\nServerName second.test\nServerAlias 127.0.0.1\n\
        CustomLog ${SCRATCH}/own.log \"of second\" env=a\nCustomLog ${SCRATCH}/access.log compared\n</VirtualHost>\n";
    let lines = format!(
        "SetEnvIf User-Agent one a\nSetEnvIf User-Agent two b\nSetEnv c\nProxyBlock bad\n{hosts}"
    );
    let pair = both(&with_log(log, &lines));
    let mut written = 0;
    for host in ["127.0.0.1", "localhost", "bad.test"] {
        for agent in ["one", "two", "one two", "zero"] {
            let request = format!(
                "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\r\n"
            );
            let [theirs, ours] = both_write(&pair, &request);
            assert_eq!(theirs, ours, "{host} {agent}");
            written += theirs.lines().count();
        }
    }
    assert_eq!(written, 6 + 2 + 8, "as many as httpd was seen to write");
}

/// Field lines of the requests.
const FIELDS: &[&str] = &[
    "Host: x\r\n",
    "Host: 127.0.0.1:1\r\nUser-Agent: Mozilla/5.0 (x)\r\nX-A: 1\r\nX-B: 2\r\nX-A: 3\r\n",
    "host: a\r\nUSER-AGENT:\r\nx-b: \u{e9}\"\\\r\n",
];

/// What stands in the config.
const LINES: &[&str] = &[
    "SetEnvIf Request_URI \"^(.*):\" a=$1\nSetEnvIf Request_Method . b=$0\nSetEnvIf request_protocol (.*) c=$1\n\
     SetEnvIf Remote_Addr ^127 d",
    "SetEnvIf Host (.*) a=$1\nSetEnvIf a x b=$0\nSetEnvIf HOST ^x$ c=[$0]\nSetEnvIfNoCase host X d",
    "BrowserMatch Mozilla a\nBrowserMatchNoCase ^moz(i)l.*/([0-9]) b=$1-$2-$3\nSetEnvIf User-Agent ^$ c=no !d",
    "SetEnvIf X-A (.*) a=$1\nSetEnvIf ^X-.$ (.*) b=$1\nSetEnvIf x-[ab] (.*) c=[$1]\nSetEnvIfNoCase x-[ab] (.*) d=[$1]",
    "SetEnvIf X-B ^(.)(.) a=$1 b=$2\nSetEnvIf X-B \\w c\nSetEnvIf X-B [^a-z] d",
    "SetEnvIf None ^$ a=&-\\&-\\$1-$9-$$ b=!\nSetEnvIf none . b\nSetEnvIf Host . c=\nSetEnvIf Host . d=x=y",
    "SetEnvIf Host x a=$0\nSetEnvIf Host 127\\.0 b=$0\nSetEnvIf Host 12[7] c=$0\nSetEnvIf Host ^(?!x) d",
    "SetEnvIf y ^$ y=7\nSetEnvIf y 7 a\nSetEnvIf z z b\nSetEnvIf y 7 c\nSetEnvIf Y 7 d",
    "SetEnv a 1\nSetEnv b\nSetEnvIf Host . c=if\nSetEnv c set\nUnsetEnv c\nSetEnv d \"x y\"",
    "UnsetEnv a\nSetEnv A 1\nSetEnv b 1\nUnsetEnv B\nPassEnv LISTEN NOT_DEFINED_ANYWHERE\nSetEnvIf Host . d\nUnsetEnv d",
    "SetEnv a 0\nSetEnv b 0\nSetEnvIf Host . c=1\n<VirtualHost *>\nUnsetEnv a\nSetEnv a 1\nSetEnv b 1\nUnsetEnv b\n\
     SetEnvIf c 1 d=2\n</VirtualHost>",
    "SetEnv a 0\nSetEnv b 0\nSetEnvIf Host . c=1\n<VirtualHost *>\nUnsetEnv a\nSetEnvIf Host . c=2\n</VirtualHost>",
    "SetEnv a 1\nSetEnvIf Host . b\nProxyBlock *",
    "SetEnv a 1\nSetEnvIf Host . b\n<Proxy *>\nRequire all denied\n</Proxy>",
];
