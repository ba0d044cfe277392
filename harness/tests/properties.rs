//! The properties of the fuzz targets on random input, bounded, with nothing but stable Rust.
//!
//! cargo-fuzz finds more, as it sees which code an input reaches; `ci/fuzz` runs it where it is installed. Here an input is
//! something right that was damaged in a few places. `CONNECTSPEC_FUZZ_INPUTS` says how many each property gets.

use std::cell::Cell;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

#[path = "../properties/http2.rs"]
mod http2;
#[path = "../properties/profile.rs"]
mod profile;
#[path = "../properties/reply.rs"]
mod reply;
#[path = "../properties/report.rs"]
mod report;

/// How many inputs a property gets in an ordinary run: some seconds without optimisation.
const INPUTS: u32 = 4_000;

/// One of so many inputs has to be accepted, at least.
const ACCEPTED: u32 = 50;

/// Pages are made of each report, which takes longer than to read it.
const LIGHTER: u32 = 20;

#[test]
fn an_answer_in_pieces() {
    let cuts = vec(any::<u8>(), 0..5);
    let octets = prop_oneof![
        2 => pieces(REPLY),
        3 => pieces(REPLY).prop_map(|rest| [b"HTTP/1.1 403 No\r\n".to_vec(), rest].concat()),
        2 => pieces(CHUNKS).prop_map(|rest| [CHUNKED.to_vec(), rest].concat()),
    ];
    check(1, &(cuts, octets), |(cuts, octets)| {
        reply::holds(&cuts, &octets)
    });
}

#[test]
fn frames_in_pieces() {
    let cuts = vec(any::<u8>(), 0..5);
    let frame = prop_oneof![
        16 => select(FRAMES).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..12),
    ];
    let octets =
        vec(frame, 0..12).prop_map(|frames| [FRAMES[0].to_vec(), frames.concat()].concat());
    check(1, &(cuts, octets), |(cuts, octets)| {
        http2::holds(&cuts, &octets)
    });
}

#[test]
fn a_profile() {
    let input = (damaged(PROFILE), damaged(TEMPLATE));
    check(1, &input, |(text, template)| {
        profile::holds(&text, &template)
    });
}

#[test]
fn a_report_with_odd_values() {
    let report: Value = serde_json::from_str(REPORT).unwrap();
    let mut places = Vec::new();
    leaves(&report, "", &mut places);
    let edits = vec((any::<Index>(), odd_value()), 0..4);
    let reports = edits.prop_map(move |edits| {
        let mut report = report.clone();
        for (place, value) in edits {
            let place: &String = place.get(&places);
            let place = report.pointer_mut(place);
            // What was inside of something that has been replaced is not there any more.
            if let Some(place) = place {
                *place = value;
            }
        }
        report.to_string()
    });
    check(LIGHTER, &reports, |text| report::holds(&text));
}

#[test]
fn a_damaged_report() {
    check(LIGHTER, &damaged(REPORT), |text| report::holds(&text));
}

/// Tries `holds` on a share of the inputs; a panic is shown with the smallest input that causes it.
#[track_caller]
fn check<S: Strategy>(share: u32, inputs: &S, holds: impl Fn(S::Value) -> bool) {
    let asked = std::env::var("CONNECTSPEC_FUZZ_INPUTS").ok();
    let inputs_in_all = asked.map_or(INPUTS, |asked| {
        asked
            .parse()
            .unwrap_or_else(|_| panic!("CONNECTSPEC_FUZZ_INPUTS is no number: {asked}"))
    });
    let config = Config {
        cases: inputs_in_all.div_ceil(share),
        failure_persistence: None,
        ..Config::default()
    };
    let cases = config.cases;
    let accepted = Cell::new(0);
    let outcome = TestRunner::new(config).run(inputs, |input| {
        accepted.set(accepted.get() + u32::from(holds(input)));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    // Inputs that are all refused at once try nothing.
    let accepted = accepted.get();
    assert!(
        accepted > cases / ACCEPTED,
        "{accepted} of {cases} were accepted"
    );
}

/// Words of the parser's language for the most part, and some octets that are anything.
fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(words).prop_map(|word| word.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..4),
        1 => vec(select(b"\r\n \t:;,\0\x80".as_slice()), 1..4),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// `text`, in which some places were cut out, doubled or written over.
fn damaged(text: &'static str) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => select(WORDS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(at, length)| part(text, &at, &length).2),
    ];
    let edit = (any::<Index>(), any::<Index>(), word);
    vec(edit, 0..4).prop_map(move |edits| {
        edits
            .iter()
            .fold(text.to_owned(), |text, (at, length, word)| {
                let (before, after, _) = part(&text, at, length);
                before + word + &after
            })
    })
}

/// What stands before, behind and in a place of at most some words.
fn part(text: &str, at: &Index, length: &Index) -> (String, String, String) {
    let characters: Vec<char> = text.chars().collect();
    let at = at.index(characters.len() + 1);
    let end = characters.len().min(at + length.index(24));
    let of = |range: std::ops::Range<usize>| characters[range].iter().collect();
    (of(0..at), of(end..characters.len()), of(at..end))
}

/// The places of all that a report is made of.
fn leaves(value: &Value, place: &str, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                leaves(value, &format!("{place}/{name}"), places);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                leaves(value, &format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(place.to_owned());
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(WORDS).prop_map(Value::from),
        3 => any::<String>().prop_map(Value::from),
        2 => any::<u64>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(Value::Array(Vec::new())),
        1 => vec(select(WORDS), 1..3).prop_map(Value::from),
        1 => vec(select(VERDICTS), 1).prop_map(|verdict| Value::from(verdict[0])),
    ]
}

/// What answers are made of.
const REPLY: &[&str] = &[
    "HTTP/1.1 100 Continue\r\n",
    "HTTP/1.1 103 Early Hints\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 407 No\r\n",
    "HTTP/1.1 502 \r\n",
    "HTTP/2 200\r\n",
    "Link: </x>; rel=preload\r\n",
    "Content-Length: 2\r\n",
    "Content-Length: 2, 2\r\n",
    "Transfer-Encoding: chunked\r\n",
    "X: y\r\n z\r\n",
    "X : y\r\n",
    "\r\n",
    "\r\n\r\n",
    "\n\n",
    "hi",
];

const CHUNKED: &[u8] = b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a proxy says in HTTP/2 is made of these.
const FRAMES: &[&[u8]] = &[
    // SETTINGS, as httpd has them.
    b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d",
    b"\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\x01\0",
    b"\0\0\0\x04\x01\0\0\0\0",
    b"\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0",
    b"\0\0\x04\x08\0\0\0\0\x01\0\0\x01\0",
    // 200, with a name in Huffman coding.
    b"\0\0\x1d\x01\x04\0\0\0\x01\x88@\x88\xae\xc3\xf9\xf4\xb0\xe6-I\x91\x86\xb1\x92r\xb0%\xda]\xd0\xa9\xfd_,f\x1d_\xdf",
    b"\0\0\x01\x01\x05\0\0\0\x03\x8c",
    b"\0\0\x01\x01\0\0\0\0\x03\x88",
    b"\0\0\x05\x09\x04\0\0\0\x03\0\x01x\x01y",
    // Padded DATA.
    b"\0\0\x09\0\x08\0\0\0\x01\x03hello\0\0\0",
    b"\0\0\0\0\x01\0\0\0\x01",
    b"\0\0\x04\0\0\0\0\0\x03data",
    b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x0a",
    b"\0\0\x08\x06\0\0\0\0\x0012345678",
    b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x03\0\0\0\0",
    // Of an unknown type.
    b"\0\0\x03M\x03\0\0\0\x05odd",
    // A header that promises much.
    b"\0\xff\xff\0\0\0\0\0\x01",
];

/// What bodies in chunks are made of.
const CHUNKS: &[&str] = &[
    "2\r\nhi\r\n",
    "00A;x=y\r\n0123456789\r\n",
    "0\r\n",
    "X: y\r\n",
    "\r\n",
    "\n",
    "ffffffffffffffff\r\n",
    "-1\r\n",
    "rest",
];

/// What is put into texts and reports, where it may be a word, or may break something.
const WORDS: &[&str] = &[
    "",
    "\"",
    "'''",
    "\n",
    "\r\n",
    "[",
    "]",
    "[[",
    "}",
    "{{ listen.port }}",
    "{% if allow %}",
    "{% endif %}",
    "{{ allow[0].first }}",
    "{{ listn }}",
    "{{ upstream.port + 1 }}",
    "{% raw %}",
    "why",
    "a/b[c]",
    "[a]",
    "/",
    "]]>",
    "</script>",
    "\u{0}",
    "\u{1b}[31m",
    "\u{202e}",
    "👩‍👩‍👧",
    "|",
    "`",
    "1/2",
    "9999-12-31T23:59:59Z",
    "(?P<status>",
    "10s",
    "18446744073709551615",
    "-1",
    "1e400",
    "connects to [::1]:1 from 127.0.0.1:2",
];

const VERDICTS: &[&str] = &[
    "pass", "fail", "warn", "info", "known", "healed", "skip", "blocked", "broken", "must",
    "survey", "server", "in", "fin",
];

const REPORT: &str = include_str!("../fuzz/seeds/report/three.json");

const TEMPLATE: &str = "Listen {{ listen.authority }}\n\
    {% if allow is not none %}Ports{{ allow[0].first }}\n{% endif %}\
    {{ credentials.username if credentials else 'nobody' }}\n\
    {{ timeouts.idle|default(5) }} {{ spare_ports[0] }} {{ scratch|tojson }}\n";

const PROFILE: &str = r#"
name = "some"
title = "Some proxy"
like = "httpd-2.4"

[launch]
program = "some"
args = ["-f", "{{ scratch }}/some.conf", "{% if allow %}--ports{% endif %}"]
env = { LANG = "C" }
version = { args = ["-v"], pattern = 'Some/(\S+)' }
ready = { within = "1500ms" }
stop = { signal = "INT", within = "5s" }
check = ["-t"]

[[file]]
path = "conf/some.conf"
template = "some.jinja"

[[file]]
path = "other.conf"
text = '''
Port {{ listen.port }}
'''

[offers]
allowed-ports = "list"
default-ports = [443]
timeouts = ["connect", "idle"]

[access-log]
from = "stdout"
pattern = 'status=(?P<status>\d+)'

[[deviation]]
case = "target/x[y]"
why = "It is cut."
until = "2027-06-30"
"#;
