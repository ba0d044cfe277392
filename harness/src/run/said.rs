//! What the subject itself said during a case, for a reader who asks why.
//!
//! Cases run at the same time, and a subject prints about all of them. Of what it printed since a case began, a line that
//! names ports, and none of this case, belongs to another one.

use std::{collections::BTreeSet, net::SocketAddr, sync::LazyLock};

use regex::Regex;

use crate::{
    lab::Running,
    wire::{self, What},
};

/// The end of what a subject printed that is shown with a failure.
const SAID_BYTES: usize = 2000;

/// A port behind an address or a name.
static PORT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r":(\d{4,5})\b").expect("the pattern is a constant"));

/// All that the subject printed.
pub(super) fn output(running: &Running) -> String {
    let process = running.process();
    process.map(|process| process.output()).unwrap_or_default()
}

/// The end of what it printed after its first `before` bytes.
pub(super) fn said_since(running: &Running, before: u64) -> Option<String> {
    end_of(&running.process()?.output_since(before))
}

/// The same, without the lines about other cases than that to which `transcript` and `servers` belong.
pub(super) fn said_of(
    running: &Running,
    before: u64,
    transcript: &[wire::Event],
    servers: &[SocketAddr],
) -> Option<String> {
    let opened = transcript.iter().filter_map(|event| match &event.what {
        What::Opened { local, peer } => Some([local.port(), peer.port()]),
        _ => None,
    });
    let mut own: BTreeSet<u16> = opened.flatten().collect();
    own.extend(servers.iter().map(SocketAddr::port));
    // Everybody's.
    own.remove(&running.address().port());
    let text = running.process()?.output_since(before);
    let lines: Vec<&str> = text.lines().filter(|line| is_about(line, &own)).collect();
    end_of(&lines.join("\n"))
}

/// Whether a line names one of these ports, or none at all.
fn is_about(line: &str, own: &BTreeSet<u16>) -> bool {
    let ports = PORT.captures_iter(line);
    let mut ports = ports.filter_map(|port| port[1].parse().ok()).peekable();
    ports.peek().is_none() || ports.any(|port| own.contains(&port))
}

fn end_of(text: &str) -> Option<String> {
    let text = text.trim();
    let from = text.len().saturating_sub(SAID_BYTES);
    let from = (from..=text.len()).find(|&at| text.is_char_boundary(at))?;
    (!text.is_empty()).then(|| text[from..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_belongs_to_the_case_whose_ports_it_names_or_to_everybody() {
        let own = BTreeSet::from([12_345]);
        assert!(is_about(
            "CONNECT 127.0.0.1:12345 from 127.0.0.1:40000",
            &own
        ));
        assert!(is_about("thread 'main' panicked at src/main.rs:10:5", &own));
        assert!(!is_about(
            "CONNECT 127.0.0.1:12346 from 127.0.0.1:40000",
            &own
        ));
    }

    #[test]
    fn of_much_the_end_is_shown() {
        let shown = end_of(&format!("{}é", "x".repeat(2 * SAID_BYTES))).unwrap();
        assert!(shown.ends_with("xé") && shown.len() <= SAID_BYTES);
        assert_eq!(end_of(" \n"), None);
    }
}
