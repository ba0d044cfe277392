//! A failure as a test that needs Rust and nothing else.
//!
//! The words of a case cannot be written as code for everybody, but what the proxy did can: the test fails as long as the
//! proxy does what it did in the run.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use crate::{
    report::evidence::repro::{Cast, Repro, shape},
    wire::{Event, Way, What},
};

/// Both sides; and what is compared in the end.
const PLAYERS: &str = include_str!("play.rs");
const SHAPE: &str = include_str!("shape.rs");

/// The test, a file for the folder `tests` of any crate.
#[must_use]
pub fn rust(repro: &Repro<'_>) -> String {
    let cast = Cast::of(repro);
    let mut text = String::new();
    for line in repro.heading() {
        // Here and below: writing to a string cannot fail.
        let _ = writeln!(text, "{}", format!("//! {line}").trim_end());
    }
    text.push_str(
        "//!\n//! Needs nothing but the standard library. In the folder `tests` of any crate:\n",
    );
    text.push_str("//! `PROXY=127.0.0.1:3128 cargo test --test repro`\n\n");
    let name = function_name(repro.result.case.name());
    let _ = writeln!(
        text,
        "#[test]\nfn {name}() {{\n    let play = Play::default();"
    );
    for (address, names) in &cast.servers {
        let _ = writeln!(text, "    play.listen(\"{address}\", &{names:?});");
    }
    text.push_str(&steps(repro, &cast));
    let observed = repro.result.observed.as_deref().unwrap_or_default();
    let observed = format!("{}: {observed}", repro.result.case);
    text.push_str("    // It fails as long as the proxy does what it did in the run.\n");
    text.push_str("    let seen = play.seen();\n    let fault = [\n");
    for line in fault(repro.events, &cast) {
        let _ = writeln!(text, "        {line:?},");
    }
    text.push_str(
        "    ];\n    let again = |line: &&str| seen.iter().any(|seen| seen.starts_with(line));\n",
    );
    let _ = writeln!(
        text,
        "    assert!(!fault.iter().all(again), \"{{}}\\n{{seen:#?}}\", {observed:?});\n}}\n"
    );
    text.push_str(PLAYERS);
    text.push('\n');
    text.push_str(SHAPE);
    text
}

fn steps(repro: &Repro<'_>, cast: &Cast) -> String {
    let mut text = String::new();
    let mut waiting = false;
    let (steps, hidden) = repro.steps();
    for ((event, step), hidden) in repro.events.iter().zip(&steps).zip(&hidden) {
        let Some(name) = cast.names.get(&event.connection) else {
            continue;
        };
        if event.way == Way::In {
            let said = step.text.replace(char::is_control, " ");
            let _ = writeln!(text, "    // {name} hears: {said}");
            waiting = true;
            continue;
        }
        if std::mem::take(&mut waiting) {
            text.push_str("    play.pause();\n");
        }
        let _ = match &event.what {
            What::Opened { .. } => writeln!(text, "    play.dial({name:?});"),
            What::Data { kept, length, .. } => {
                let missing = length - kept.len() as u64;
                if missing > 0 {
                    let _ = writeln!(text, "    // {missing} bytes more were not kept.");
                }
                writeln!(text, "    play.send({name:?}, &{});", bytes(kept, hidden))
            }
            // A name server is no part of it.
            What::Datagram(_) | What::Frame(_) => Ok(()),
            What::Fin => writeln!(text, "    play.end({name:?});"),
            What::Reset => writeln!(
                text,
                "    play.end({name:?}); // a reset in the run: the standard library can only close"
            ),
        };
    }
    text
}

/// Bytes as an expression; secrets are asked for.
fn bytes(bytes: &[u8], hidden: &[Range<usize>]) -> String {
    let literal = |bytes: &[u8]| format!("b\"{}\"", bytes.escape_ascii());
    if hidden.is_empty() {
        return format!("{}[..]", literal(bytes));
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for place in hidden {
        parts.push(format!("&{}[..]", literal(&bytes[from..place.start])));
        parts.push(
            "std::env::var(\"SECRET\").expect(\"SECRET: the credentials in base64\").as_bytes()"
                .to_owned(),
        );
        from = place.end;
    }
    parts.push(format!("&{}[..]", literal(&bytes[from..])));
    format!("[{}].concat()", parts.join(", "))
}

/// What the proxy did on each connection.
pub(super) fn fault(events: &[Event], cast: &Cast) -> Vec<String> {
    let mut heard: BTreeMap<&str, (Vec<u8>, u64, &str)> = BTreeMap::new();
    for event in events {
        let Some(name) = cast.names.get(&event.connection) else {
            continue;
        };
        let (bytes, all, end) = heard.entry(name).or_insert((Vec::new(), 0, ""));
        match &event.what {
            What::Data { kept, length, .. } if event.way == Way::In => {
                bytes.extend(kept);
                *all += length;
            }
            What::Fin if event.way == Way::In => *end = ", the end",
            What::Reset if event.way == Way::In => *end = ", a reset",
            _ => {}
        }
    }
    heard
        .into_iter()
        .map(|(name, (bytes, all, end))| shape::shape(name, &bytes, all, end))
        .collect()
}

fn function_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        process::Command,
    };

    use super::*;
    use crate::report::sample::report;
    use crate::report::sample::transcript;
    use crate::transcript::redact::Secrets;
    use crate::verdict::Verdict;

    fn test_of(secrets: &Secrets) -> String {
        let report = report();
        rust(&Repro {
            result: report.with(Verdict::Fail).next().unwrap(),
            events: &transcript(),
            servers: &["127.0.0.1:40124".parse().unwrap()],
            secrets,
            serve: None,
        })
    }

    #[test]
    fn a_test_plays_both_sides() {
        let text = test_of(&Secrets::default());
        let test = text.split(PLAYERS).next().unwrap();
        insta::assert_snapshot!(test, @r##"
//! close/the_last_words_arrive: Data sent before a close is delivered before the close
//!
//! expected: 7 bytes, then the end
//! observed: the end after 0 bytes
//! see: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
//!
//! In the run the proxy was set up for `allow`.
//! Let it allow the ports that are listened on below, and no others.
//!
//! Needs nothing but the standard library. In the folder `tests` of any crate:
//! `PROXY=127.0.0.1:3128 cargo test --test repro`

#[test]
fn the_last_words_arrive() {
    let play = Play::default();
    play.listen("127.0.0.1:40123", &["server1"]);
    play.listen("127.0.0.1:40124", &[]);
    play.dial("client1");
    play.send("client1", &b"CONNECT 127.0.0.1:40123 HTTP/1.1\r\nHost: 127.0.0.1:40123\r\n\r\n"[..]);
    // server1 hears: connects to 127.0.0.1:40123 from 127.0.0.1:50001
    // client1 hears: HTTP/1.1 200 Connection Established ⏎ ⏎
    play.pause();
    play.send("server1", &b"goodbye"[..]);
    play.end("server1");
    // client1 hears: FIN
    // It fails as long as the proxy does what it did in the run.
    let seen = play.seen();
    let fault = [
        "client1: 200, 0 bytes behind, the end",
        "server1: 0 bytes",
    ];
    let again = |line: &&str| seen.iter().any(|seen| seen.starts_with(line));
    assert!(!fault.iter().all(again), "{}\n{seen:#?}", "close/the_last_words_arrive: the end after 0 bytes");
}
"##);
    }

    #[test]
    fn a_secret_is_asked_for() {
        let text = test_of(&Secrets::new(["goodbye"]));
        assert!(!text.contains("goodbye"));
        assert!(text.contains("expect(\"SECRET"));
    }

    /// An address of the loopback network that no other process uses, and no other test.
    pub(in super::super) fn own_address(test: u8) -> String {
        let [low, high, ..] = std::process::id().to_le_bytes();
        format!("127.{test}.{high}.{}", 1 + low % 250)
    }

    /// Joins a client to the server of the sample; a wrong proxy drops the last words.
    pub(in super::super) fn proxy(server: &str, forwards: bool) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = format!("{server}:40123");
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let mut head = [0; 512];
            let _ = client.read(&mut head).unwrap();
            let mut server = TcpStream::connect(&server).unwrap();
            client
                .write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n")
                .unwrap();
            let mut words = Vec::new();
            server.read_to_end(&mut words).unwrap();
            if forwards {
                client.write_all(&words).unwrap();
            }
        });
        address
    }

    #[test]
    fn it_fails_for_the_fault_and_passes_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("repro.rs");
        let own = own_address(77);
        let text = test_of(&Secrets::default()).replace("127.0.0.1:4012", &format!("{own}:4012"));
        std::fs::write(&source, text).unwrap();
        let program = folder.path().join("repro");
        let built = Command::new("rustc")
            .args(["--edition", "2024", "--test", "-D", "warnings", "-o"])
            .args([&program, &source])
            .output()
            .unwrap();
        assert!(built.status.success(), "{built:?}");
        for (forwards, passes) in [(false, false), (true, true)] {
            let address = proxy(&own, forwards).to_string();
            let run = Command::new(&program)
                .env("PROXY", address)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&run.stdout);
            assert_eq!(run.status.success(), passes, "{said}");
            assert_eq!(said.contains("the end after 0 bytes"), !passes, "{said}");
        }
    }
}
