//! What passed on the wire, in order.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// Lines that are kept, of each case: five for each of some hundred sessions.
pub(super) const KEPT_LINES: usize = 512;

/// Bytes that are kept, of each connection and direction. Two TLS handshakes and any head fit; what is past it is
/// counted and digested, so that a transfer of gigabytes costs no memory.
pub const KEPT_BYTES: usize = 32 * 1024;

/// Events that are kept, of each case. A case that makes more (a byte a write, hundreds of tunnels) is counted on.
pub const KEPT_EVENTS: usize = 4096;

/// Which of the connections that a proxy joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// Between the harness's client and the proxy.
    Client,
    /// Between the proxy and the harness's server.
    Server,
    /// Between the proxy and the upstream proxy that the harness plays.
    Upstream,
    /// Between the proxy and the name server that the harness plays.
    Names,
}

/// Which way something went, seen from the harness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// From the harness to the proxy.
    Out,
    /// From the proxy to the harness.
    In,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The connection was made: dialled by the client ([`Way::Out`]), or accepted by a server ([`Way::In`]).
    Opened {
        /// The harness's address.
        local: SocketAddr,
        /// The proxy's address.
        peer: SocketAddr,
    },
    /// Bytes.
    Data {
        /// Those that are kept; fewer than `length` where the transcript's cap was reached.
        kept: Vec<u8>,
        /// How many there were.
        length: u64,
        /// For bytes past the cap: the BLAKE3 digest of all that followed it on this connection and way, so far.
        digest: Option<String>,
    },
    /// A datagram, as people read it: a question to the name server, or its answer.
    Datagram(String),
    /// A frame of HTTP/2, as people read it; its octets stand beside it as [`What::Data`].
    Frame(String),
    /// The end of the stream.
    Fin,
    /// A reset.
    Reset,
}

/// Something that happened on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Since the case began.
    pub at: Duration,
    /// Which leg.
    pub leg: Leg,
    /// Which connection of the case, counted from 0 over both legs in the order in which they were opened.
    pub connection: usize,
    /// Which way.
    pub way: Way,
    /// Inside how many TLS sessions: 0 is what TCP carries, 1 the plaintext of a session on it, 2 of a session inside that.
    pub layer: usize,
    /// What. In a session, the end of the stream is its `close_notify`.
    pub what: What,
}

/// Where something passes: a connection, and how deep in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which leg.
    pub(crate) leg: Leg,
    /// Which connection of the case.
    pub(crate) connection: usize,
    /// Inside how many TLS sessions.
    pub(crate) layer: usize,
}

/// All that happened on the wire during one case. Clones share the same record.
#[derive(Clone, Debug)]
pub struct Transcript {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
pub(super) struct Inner {
    began: Instant,
    events: Vec<Event>,
    /// Of each connection, the layers that have spoken.
    flows: Vec<Vec<[Flow; 2]>>,
    left_out: u64,
    /// The number of all that passed between the proxy and the name server.
    names: Option<usize>,
    /// Lines of the key log, in the order in which they came.
    keys: Vec<String>,
    /// Where servers listened, also those that nobody came to.
    servers: Vec<SocketAddr>,
    /// The words of `connectspec profile serve` for a process that the case had for itself.
    served: Option<String>,
    /// What was wrong with frames of the proxy.
    pub(super) odd_frames: Vec<String>,
}

/// One direction of one connection.
#[derive(Debug, Default)]
struct Flow {
    kept: usize,
    past: Option<Box<blake3::Hasher>>,
    /// The event that stands for everything past the cap.
    rest: Option<usize>,
}

impl Transcript {
    /// An empty transcript that begins now.
    #[must_use]
    pub fn begin() -> Self {
        let inner = Inner {
            began: Instant::now(),
            events: Vec::new(),
            flows: Vec::new(),
            left_out: 0,
            names: None,
            keys: Vec::new(),
            servers: Vec::new(),
            served: None,
            odd_frames: Vec::new(),
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// What happened so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let inner = self.lock();
        let mut events = inner.events.clone();
        for (connection, layers) in inner.flows.iter().enumerate() {
            for flow in layers.iter().flatten() {
                let (Some(rest), Some(hasher)) = (flow.rest, &flow.past) else {
                    continue;
                };
                debug_assert_eq!(events[rest].connection, connection);
                if let What::Data { digest, .. } = &mut events[rest].what {
                    *digest = Some(hasher.finalize().to_hex().to_string());
                }
            }
        }
        events
    }

    /// How many events were not kept.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.lock().left_out
    }

    /// The secrets of the harness's TLS sessions, in the format that `SSLKEYLOGFILE` names; empty where there were none.
    #[must_use]
    pub fn key_log(&self) -> String {
        self.lock().keys.concat()
    }

    /// Where servers listened, also those that nobody came to.
    #[must_use]
    pub fn servers(&self) -> Vec<SocketAddr> {
        self.lock().servers.clone()
    }

    /// How the last process was brought into its set-up that the case had for itself.
    #[must_use]
    pub fn served(&self) -> Option<String> {
        self.lock().served.clone()
    }

    /// Notes that a server listens.
    pub(crate) fn listens(&self, address: SocketAddr) {
        self.lock().servers.push(address);
    }

    /// Notes that the case has a process for itself.
    pub(crate) fn serves(&self, words: Option<String>) {
        self.lock().served = words;
    }

    /// Notes a line of the key log.
    pub(super) fn keys(&self, line: String) {
        let keys = &mut self.lock().keys;
        if keys.len() < KEPT_LINES && !keys.contains(&line) {
            keys.push(line);
        }
    }

    /// When it began.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.lock().began
    }

    /// Notes that a connection was made, and gives it a number.
    pub(crate) fn opened(&self, leg: Leg, local: SocketAddr, peer: SocketAddr) -> usize {
        let mut inner = self.lock();
        let connection = inner.flows.len();
        inner.flows.push(Default::default());
        let way = match leg {
            Leg::Client => Way::Out,
            Leg::Server | Leg::Upstream | Leg::Names => Way::In,
        };
        let place = Place {
            leg,
            connection,
            layer: 0,
        };
        inner.push(place, way, What::Opened { local, peer });
        connection
    }

    /// Notes bytes.
    pub(crate) fn data(&self, place: Place, way: Way, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let flow = inner.flow(place, way);
        let room = KEPT_BYTES - flow.kept;
        let (kept, past) = bytes.split_at(bytes.len().min(room));
        flow.kept += kept.len();
        if !kept.is_empty() {
            let length = kept.len() as u64;
            let what = What::Data {
                kept: kept.to_vec(),
                length,
                digest: None,
            };
            inner.push(place, way, what);
        }
        if !past.is_empty() {
            inner.pass(place, way, past);
        }
    }

    /// Notes a question to the name server ([`Way::In`]), or its answer. All of a case count as one connection.
    pub(crate) fn datagram(&self, way: Way, text: String) {
        let mut inner = self.lock();
        let connection = inner.names.unwrap_or_else(|| {
            inner.flows.push(Vec::new());
            inner.flows.len() - 1
        });
        inner.names = Some(connection);
        let place = Place {
            leg: Leg::Names,
            connection,
            layer: 0,
        };
        inner.push(place, way, What::Datagram(text));
    }

    /// Notes a frame of HTTP/2.
    pub(crate) fn frame(&self, place: Place, way: Way, text: String) {
        self.lock().push(place, way, What::Frame(text));
    }

    /// Notes the end of a stream.
    pub(crate) fn fin(&self, place: Place, way: Way) {
        self.lock().push(place, way, What::Fin);
    }

    /// Notes a reset.
    pub(crate) fn reset(&self, place: Place, way: Way) {
        self.lock().push(place, way, What::Reset);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn flow(&mut self, place: Place, way: Way) -> &mut Flow {
        let layers = &mut self.flows[place.connection];
        if layers.len() <= place.layer {
            layers.resize_with(place.layer + 1, Default::default);
        }
        &mut layers[place.layer][way as usize]
    }

    fn push(&mut self, place: Place, way: Way, what: What) {
        if self.events.len() < KEPT_EVENTS {
            let at = self.began.elapsed();
            self.events.push(Event {
                at,
                leg: place.leg,
                connection: place.connection,
                way,
                layer: place.layer,
                what,
            });
        } else {
            self.left_out += 1;
        }
    }

    /// Counts and digests bytes past the cap, in one event for each connection and way.
    fn pass(&mut self, place: Place, way: Way, bytes: &[u8]) {
        let known = self.flow(place, way).rest;
        if let Some(What::Data { length, .. }) = known
            .and_then(|rest| self.events.get_mut(rest))
            .map(|event| &mut event.what)
        {
            *length += bytes.len() as u64;
        } else {
            let next = self.events.len();
            let length = bytes.len() as u64;
            let what = What::Data {
                kept: vec![],
                length,
                digest: None,
            };
            self.push(place, way, what);
            if self.events.len() > next {
                self.flow(place, way).rest = Some(next);
            }
        }
        let flow = self.flow(place, way);
        flow.past.get_or_insert_with(Default::default).update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 1))
    }

    const fn at(leg: Leg, connection: usize) -> Place {
        Place {
            leg,
            connection,
            layer: 0,
        }
    }

    #[test]
    fn bytes_past_the_cap_are_counted_and_digested() {
        let transcript = Transcript::begin();
        let connection = transcript.opened(Leg::Client, address(), address());
        transcript.data(at(Leg::Client, connection), Way::Out, &[7; KEPT_BYTES - 1]);
        transcript.data(at(Leg::Client, connection), Way::Out, &[8; 3]);
        transcript.data(at(Leg::Client, connection), Way::Out, &[9; 1000]);

        let events = transcript.events();
        assert_eq!(events.len(), 4);
        let mut past = vec![8; 2];
        past.extend([9; 1000]);
        let digest = blake3::hash(&past).to_hex().to_string();
        let what = What::Data {
            kept: vec![],
            length: 1002,
            digest: Some(digest),
        };
        assert_eq!(events[3].what, what);
    }

    #[test]
    fn the_number_of_events_is_bounded() {
        let transcript = Transcript::begin();
        let connection = transcript.opened(Leg::Server, address(), address());
        for _ in 0..KEPT_EVENTS {
            transcript.data(at(Leg::Server, connection), Way::In, b"x");
        }
        assert_eq!(transcript.events().len(), KEPT_EVENTS);
        assert_eq!(transcript.left_out(), 1);
    }
}
