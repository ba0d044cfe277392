//! What of a transcript nobody can read: the records of a TLS session whose plaintext stands beside them, and octets of
//! frames that stand beside them one by one.

use std::collections::{HashMap, HashSet};

use crate::{
    transcript::steps::Step,
    wire::{Event, Leg, Way, What},
};

/// The steps of these events, one a step, without the ciphertext of sessions whose plaintext is among them. Handshakes stay:
/// who began one, and with what, says something.
#[must_use]
pub fn without_ciphertext(events: &[Event], steps: Vec<Step>) -> Vec<Step> {
    let sessions: HashSet<(usize, usize)> = events
        .iter()
        .filter_map(|event| Some((event.connection, event.layer.checked_sub(1)?)))
        .collect();
    let framed: HashSet<(usize, usize)> = events
        .iter()
        .filter(|event| matches!(event.what, What::Frame(_)))
        .map(|event| (event.connection, event.layer))
        .collect();
    let mut records: HashMap<(usize, usize, Way), Records> = HashMap::new();
    let mut is_ciphertext = |event: &Event| {
        let place = (event.connection, event.layer);
        let What::Data { kept, .. } = &event.what else {
            return false;
        };
        if framed.contains(&place) {
            return true;
        }
        if !sessions.contains(&place) {
            return false;
        }
        let flow = records.entry((place.0, place.1, event.way)).or_default();
        // Past the cap nothing is kept: what is counted there is ciphertext, too.
        kept.is_empty() || flow.are_unreadable(kept)
    };
    events
        .iter()
        .zip(steps)
        .filter_map(|(event, step)| (!is_ciphertext(event)).then_some(step))
        .collect()
}

/// Whether some client spoke TLS to the proxy itself: its connection begins with a handshake, and not with a request.
#[must_use]
pub fn client_speaks_tls(events: &[Event]) -> bool {
    let mut begun: HashSet<usize> = HashSet::new();
    events
        .iter()
        .filter(|event| event.leg == Leg::Client && event.way == Way::Out && event.layer == 0)
        .any(|event| match &event.what {
            What::Data { kept, .. } => {
                begun.insert(event.connection) && kept.starts_with(&HANDSHAKE)
            }
            _ => false,
        })
}

/// How the first record of a handshake begins (RFC 8446 §5.1).
const HANDSHAKE: [u8; 2] = [22, 3];

/// Octets of a record's header (RFC 8446 §5.1).
const HEADER: usize = 5;

/// The types of records that hold nothing to be read: change_cipher_spec and application_data.
const UNREADABLE: [u8; 2] = [20, 23];

/// One direction, cut into records.
#[derive(Debug, Default)]
struct Records {
    /// What has come of a header.
    header: Vec<u8>,
    /// What is still to come of the record that has begun.
    left: usize,
    /// Whether that record is unreadable.
    unreadable: bool,
}

impl Records {
    /// Whether these octets belong to unreadable records alone.
    fn are_unreadable(&mut self, mut bytes: &[u8]) -> bool {
        let mut all = true;
        while !bytes.is_empty() {
            if self.left == 0 {
                let (more, rest) = bytes.split_at(bytes.len().min(HEADER - self.header.len()));
                self.header.extend_from_slice(more);
                bytes = rest;
                self.unreadable = UNREADABLE.contains(&self.header[0]);
                if self.header.len() == HEADER {
                    self.left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                    self.header.clear();
                }
            }
            let (_, rest) = bytes.split_at(bytes.len().min(self.left));
            self.left -= bytes.len() - rest.len();
            bytes = rest;
            all &= self.unreadable;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_however_they_are_cut() {
        let mut stream = vec![22, 3, 3, 0, 2, 1, 0];
        stream.extend([23, 3, 3, 0, 3, 9, 9, 9]);
        stream.extend([20, 3, 3, 0, 1, 1]);
        for cut in 7..stream.len() {
            let mut records = Records::default();
            assert!(!records.are_unreadable(&stream[..7]), "a handshake");
            assert!(records.are_unreadable(&stream[7..cut]), "cut at {cut}");
            assert!(records.are_unreadable(&stream[cut..]), "cut at {cut}");
        }
    }

    #[test]
    fn tls_to_the_proxy_is_told_from_tls_through_it() {
        let says = |bytes: &[u8]| Event {
            at: std::time::Duration::ZERO,
            leg: Leg::Client,
            connection: 0,
            way: Way::Out,
            layer: 0,
            what: What::Data {
                kept: bytes.to_vec(),
                length: bytes.len() as u64,
                digest: None,
            },
        };
        let (hello, request) = (
            says(&[22, 3, 1, 0, 1, 1]),
            says(b"CONNECT a:1 HTTP/1.1\r\n\r\n"),
        );
        assert!(client_speaks_tls(&[hello.clone(), request.clone()]));
        assert!(!client_speaks_tls(&[request, hello]));
    }

    #[test]
    fn an_alert_in_the_clear_is_shown() {
        assert!(!Records::default().are_unreadable(&[21, 3, 3, 0, 2, 2, 40]));
    }
}
