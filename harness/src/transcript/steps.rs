//! A transcript as people read it: [`steps`], one for each thing that happened, and
//! [`lines`](super::columns::lines) of text in two legs.
//!
//! Nothing is left to guessing: ends of lines are ⏎ (CR LF), ␊ (a bare LF) and ␍ (a bare CR), a space that would be
//! overlooked is ␠, and every other octet outside printable ASCII is `\xNN`. Heads stand as they are, everything else
//! is quoted. Secrets are gone before anything is shown.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use serde::{Deserialize, Serialize};

use crate::{
    transcript::{
        redact::Secrets,
        voice::{Voice, begins_with_tls, blake3_note},
    },
    wire::{Event, Leg, Way, What},
};

/// Something that happened on the wire, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Microseconds since the case began.
    pub at_us: u64,
    /// Which leg.
    pub leg: Leg,
    /// Which connection of the case, counted from 0 over both legs in the order in which they were opened.
    #[serde(default)]
    pub connection: usize,
    /// Which way, seen from the harness.
    pub way: Way,
    /// Inside how many TLS sessions; absent for what TCP carries.
    #[serde(default, skip_serializing_if = "is_outermost")]
    pub layer: usize,
    /// What happened.
    #[serde(default)]
    pub what: Kind,
    /// How many bytes passed.
    pub bytes: u64,
    /// What is shown for it.
    pub text: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_outermost(layer: &usize) -> bool {
    *layer == 0
}

/// What a [`Step`] is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A connection was made.
    Open,
    /// Bytes passed.
    #[default]
    Data,
    /// The end of the stream.
    Fin,
    /// A reset.
    Reset,
}

/// Each event of a transcript, without the secrets.
#[must_use]
pub fn steps(events: &[Event], secrets: &Secrets) -> Vec<Step> {
    let hidden = hidden(events, secrets);
    let mut voices: HashMap<(usize, usize, Way), Voice> = HashMap::new();
    let mut handshakes: HashSet<(usize, usize)> = HashSet::new();
    events
        .iter()
        .zip(hidden)
        .map(|(event, hidden)| {
            let voice = voices
                .entry((event.connection, event.layer, event.way))
                .or_insert_with(|| {
                    // What is said inside of TLS begins with a head where nothing but TLS was spoken around it.
                    let around = (event.connection, event.layer.wrapping_sub(1));
                    let outermost = event.layer == 0 || handshakes.contains(&around);
                    if begins_with_tls(event) {
                        handshakes.insert((event.connection, event.layer));
                    }
                    Voice::of(event.leg, outermost)
                });
            let (what, bytes, text) = match &event.what {
                What::Opened { local, peer } => {
                    let (from, to) = match event.way {
                        Way::Out => (local, peer),
                        Way::In => (peer, local),
                    };
                    (Kind::Open, 0, format!("connects to {to} from {from}"))
                }
                What::Data {
                    kept,
                    length,
                    digest,
                } => {
                    let text = if kept.is_empty() {
                        let digest = digest.as_deref().unwrap_or_default();
                        format!("… {length} bytes more{}", blake3_note(digest))
                    } else {
                        voice.say(kept, &hidden)
                    };
                    (Kind::Data, *length, text)
                }
                What::Datagram(text) => (Kind::Data, 0, text.clone()),
                What::Frame(text) => (Kind::Data, 0, secrets.hide(text)),
                What::Fin if event.layer > 0 => (Kind::Fin, 0, "close_notify".to_owned()),
                What::Fin => (Kind::Fin, 0, "FIN".to_owned()),
                What::Reset => (Kind::Reset, 0, "RST".to_owned()),
            };
            Step {
                at_us: u64::try_from(event.at.as_micros()).unwrap_or(u64::MAX),
                leg: event.leg,
                connection: event.connection,
                way: event.way,
                layer: event.layer,
                what,
                bytes,
                text,
            }
        })
        .collect()
}

/// Where secrets stand in each event, also where one was sent in several pieces.
pub(crate) fn hidden(events: &[Event], secrets: &Secrets) -> Vec<Vec<Range<usize>>> {
    let mut hidden = vec![Vec::new(); events.len()];
    if secrets.is_empty() {
        return hidden;
    }
    /// All bytes of one direction, and for each event where its own begin.
    #[derive(Default)]
    struct Flow {
        bytes: Vec<u8>,
        pieces: Vec<(usize, usize)>,
    }

    let mut flows: HashMap<(usize, usize, Way), Flow> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        if let What::Data { kept, .. } = &event.what {
            let flow = (event.connection, event.layer, event.way);
            let flow = flows.entry(flow).or_default();
            flow.pieces.push((index, flow.bytes.len()));
            flow.bytes.extend(kept);
        }
    }
    for Flow { bytes, pieces } in flows.values() {
        let ends = pieces.iter().skip(1).map(|piece| piece.1);
        let places = secrets.places(bytes);
        for (&(index, start), end) in pieces.iter().zip(ends.chain([bytes.len()])) {
            hidden[index] = places
                .iter()
                .filter(|place| place.start < end && place.end > start)
                .map(|place| place.start.max(start) - start..place.end.min(end) - start)
                .collect();
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;

    use super::*;
    use crate::transcript::{
        ciphertext::without_ciphertext,
        columns::{Layout, lines},
    };

    fn event(ms: f64, leg: Leg, way: Way, what: What) -> Event {
        Event {
            at: Duration::from_secs_f64(ms / 1000.0),
            leg,
            connection: leg as usize,
            way,
            layer: 0,
            what,
        }
    }

    fn data(bytes: &[u8]) -> What {
        What::Data {
            kept: bytes.to_vec(),
            length: bytes.len() as u64,
            digest: None,
        }
    }

    fn text_of(leg: Leg, pieces: &[&[u8]], secrets: &[&str]) -> Vec<String> {
        let events: Vec<Event> = pieces
            .iter()
            .map(|bytes| event(0.0, leg, Way::Out, data(bytes)))
            .collect();
        let steps = steps(&events, &Secrets::new(secrets));
        steps.into_iter().map(|step| step.text).collect()
    }

    #[test]
    fn both_legs_of_a_tunnel_are_shown() {
        let (harness, proxy) = ("127.0.0.1:40123", "127.0.0.1:50000");
        let opened = What::Opened {
            local: harness.parse().unwrap(),
            peer: proxy.parse().unwrap(),
        };
        let request = b"CONNECT 127.0.0.1:40123 HTTP/1.1\r\nHost: 127.0.0.1:40123\r\n\r\n";
        let events = [
            event(0.0, Leg::Client, Way::Out, opened.clone()),
            event(0.0, Leg::Client, Way::Out, data(request)),
            event(0.7, Leg::Server, Way::In, opened),
            event(1.2, Leg::Client, Way::In, data(b"HTTP/1.1 200 OK\r\n\r\n")),
            event(1.3, Leg::Server, Way::Out, data(b"goodbye")),
            event(1.3, Leg::Server, Way::Out, What::Fin),
            event(1.4, Leg::Client, Way::In, What::Fin),
        ];
        let steps = steps(&events, &Secrets::default());
        assert_snapshot!(lines(&steps, 0, &Layout::default()).join("\n"), @r#"
0.0 ms  client ─▶ proxy             CONNECT 127.0.0.1:40123 HTTP/1.1 ⏎ Host: 127.0.0.1:40123 ⏎ ⏎
0.7 ms            proxy ─▶ server   connects to 127.0.0.1:40123 from 127.0.0.1:50000
1.2 ms  client ◀─ proxy             HTTP/1.1 200 OK ⏎ ⏎
1.3 ms            proxy ◀─ server   "goodbye" FIN
1.4 ms  client ◀─ proxy             FIN
"#);
    }

    #[test]
    fn every_octet_can_be_told_from_every_other() {
        let odd = b"GET  x HTTP/1.1 \nA:\tb\rc\\\x00\xff\r\n \r\n\r\n";
        assert_snapshot!(text_of(Leg::Client, &[odd], &[])[0], @r"GET␠␠x HTTP/1.1␠ ␊ A:\x09b ␍ c\\\x00\xff ⏎ ␠ ⏎ ⏎");
    }

    #[test]
    fn what_follows_a_head_is_quoted() {
        let pieces: [&[u8]; 3] = [
            b"CONNECT a:1 HTTP/1.1\r\n\r",
            b"\nsay \"hi\"",
            b"HTTP/1.1 200\r\n\r\n",
        ];
        assert_snapshot!(text_of(Leg::Client, &pieces, &[]).join("\n"), @r#"
CONNECT a:1 HTTP/1.1 ⏎ ␍
␊ "say \"hi\""
HTTP/1.1 200 ⏎ ⏎
"#);
        assert_snapshot!(text_of(Leg::Server, &[b"hello\n"], &[]).join("\n"), @r#""hello ␊""#);
    }

    #[test]
    fn long_and_binary_data_is_shortened_with_its_digest() {
        let mut hello = vec![22, 3, 1, 6, 0, 1];
        hello.resize(1541, 7);
        let pieces: [&[u8]; 3] = [&[b'x'; 1000], &[0; 40], &hello];
        assert_snapshot!(text_of(Leg::Server, &pieces, &[]).join("\n"), @r#"
"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" … "xxxxxxxxxxxxxxxxxxxxxxxx" (1000 bytes, blake3 ff6f2cf7750b)
"\x00\x00\x00\x00\x00\x00\x00\x00\x00" … "\x00\x00\x00" (40 bytes, blake3 352bd266dae5)
TLS ClientHello (1541 bytes, blake3 b68b0291ef2a)
"#);
    }

    #[test]
    fn what_is_said_in_tls_is_read_as_in_the_clear() {
        let hello = [22, 3, 1, 0, 1, 1];
        let request = b"CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic open-sesame\r\n\r\n";
        let says = |layer, bytes: &[u8]| Event {
            layer,
            ..event(0.0, Leg::Client, Way::Out, data(bytes))
        };
        let ends = Event {
            layer: 1,
            ..event(0.0, Leg::Client, Way::Out, What::Fin)
        };
        let events = [
            says(0, &hello),
            says(1, request),
            says(0, &[23, 3, 3, 0, 2, 9, 9]),
            says(1, &hello),
            says(2, b"ping"),
            ends,
        ];
        let steps = steps(&events, &Secrets::new(["open-sesame"]));
        let steps = without_ciphertext(&events, steps);
        assert_snapshot!(lines(&steps, 0, &Layout::default()).join("\n"), @r#"
0.0 ms  client ─▶ proxy             TLS ClientHello (6 bytes, blake3 11246ca1f326)
0.0 ms  client ─▶ proxy             in TLS: CONNECT a:1 HTTP/1.1 ⏎ Proxy-Authorization: Basic [redacted] ⏎ ⏎ ┊ TLS ClientHello (6 bytes, blake3 11246ca1f326)
0.0 ms  client ─▶ proxy             in TLS (2 deep): "ping"
0.0 ms  client ─▶ proxy             in TLS: close_notify
"#);
    }

    #[test]
    fn bytes_past_the_cap_are_counted() {
        let past = What::Data {
            kept: vec![],
            length: 1 << 28,
            digest: Some("0123456789abcdef".to_owned()),
        };
        let events = [event(0.0, Leg::Server, Way::In, past)];
        assert_snapshot!(steps(&events, &Secrets::default())[0].text, @"… 268435456 bytes more, blake3 0123456789ab");
    }

    #[test]
    fn a_secret_is_not_shown_even_when_it_came_in_pieces() {
        let pieces: [&[u8]; 3] = [
            b"CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpvcG",
            b"VuLXNlc2FtZQ==\r\nX: open-s",
            b"esame\r\n\r\n",
        ];
        assert_snapshot!(text_of(Leg::Client, &pieces, &["open-sesame"]).join("\n"), @"
CONNECT a:1 HTTP/1.1 ⏎ Proxy-Authorization: Basic [redacted]
[redacted] ⏎ X: [redacted]
[redacted] ⏎ ⏎
");
    }
}
