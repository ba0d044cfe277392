//! A transcript as a capture file that Wireshark opens: both legs, each connection a TCP stream.
//!
//! The packets are synthesised: what the harness knows is which bytes passed when, and that each stream began and ended.
//! Handshakes, acknowledgements, sequence numbers and checksums are made so that a dissector reassembles exactly those
//! bytes; they say nothing about the packets that the kernel sent. The format is pcapng (draft-ietf-opsawg-pcapng) with
//! raw IP packets; times are counted in nanoseconds.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

use crate::{
    transcript::{redact::Secrets, steps::hidden},
    wire::{Event, Leg, Way, What},
};

/// Bytes of a packet's payload: what loopback would carry, and far below the 64 KiB that an IP packet holds.
const SEGMENT: usize = 16 * 1024;

/// The window that every packet announces. Nothing is ever held back here.
const WINDOW: u16 = u16::MAX;

/// The first sequence number of each direction, so that they can be told apart in a dump.
const FIRST: [u32; 2] = [1_000, 2_000];

/// What a capture file is made from.
#[derive(Debug)]
pub struct Capture<'c> {
    /// What passed.
    pub events: &'c [Event],
    /// What must not be in it: replaced by as many `x`.
    pub secrets: &'c Secrets,
    /// What the file is about, for example the id of a case.
    pub comment: &'c str,
    /// When the transcript began, since 1970.
    pub began: Duration,
    /// The secrets of TLS sessions, in the format that `SSLKEYLOGFILE` names; with them Wireshark shows plain text.
    pub key_log: Option<&'c str>,
}

/// The capture file.
#[must_use]
pub fn pcapng(capture: &Capture<'_>) -> Vec<u8> {
    let mut file = File::begin(capture.comment);
    if let Some(key_log) = capture.key_log {
        file.key_log(key_log);
    }
    let mut streams: HashMap<usize, Stream> = HashMap::new();
    let hidden = hidden(capture.events, capture.secrets);
    let on_tcp = |(event, _): &(&Event, _)| event.layer == 0;
    for (event, hidden) in capture.events.iter().zip(hidden).filter(on_tcp) {
        let at = capture.began + event.at;
        if let What::Opened { local, peer } = event.what {
            let stream = Stream::between(event.leg, local, peer);
            let opener = event.way;
            file.packet(at, &stream, opener, Flags::SYN, &[]);
            let stream = streams.entry(event.connection).or_insert(stream);
            stream.sent(opener, 1);
            file.packet(at, stream, opposite(opener), Flags::SYN_ACK, &[]);
            stream.sent(opposite(opener), 1);
            file.packet(at, stream, opener, Flags::ACK, &[]);
            continue;
        }
        // An event without an opening lies past what the transcript keeps.
        let Some(stream) = streams.get_mut(&event.connection) else {
            continue;
        };
        match &event.what {
            // Questions to the name server belong to no connection.
            What::Opened { .. } | What::Datagram(_) | What::Frame(_) => {}
            What::Data {
                kept,
                length,
                digest,
            } => {
                let mut bytes = kept.clone();
                for place in hidden {
                    bytes[place].fill(b'x');
                }
                for segment in bytes.chunks(SEGMENT) {
                    file.packet(at, stream, event.way, Flags::DATA, segment);
                    stream.sent(event.way, segment.len() as u64);
                    file.packet(at, stream, opposite(event.way), Flags::ACK, &[]);
                }
                let missing = length - kept.len() as u64;
                if missing > 0 {
                    let digest = digest.as_deref().unwrap_or("unknown");
                    let comment = format!("{missing} bytes were not kept here, blake3 {digest}");
                    stream.sent(event.way, missing);
                    let back = opposite(event.way);
                    file.comment(at, stream, back, &comment);
                }
            }
            What::Fin => {
                file.packet(at, stream, event.way, Flags::FIN, &[]);
                stream.sent(event.way, 1);
                file.packet(at, stream, opposite(event.way), Flags::ACK, &[]);
            }
            What::Reset => file.packet(at, stream, event.way, Flags::RST, &[]),
        }
    }
    file.bytes
}

const fn opposite(way: Way) -> Way {
    match way {
        Way::Out => Way::In,
        Way::In => Way::Out,
    }
}

/// One TCP connection.
#[derive(Debug)]
struct Stream {
    leg: Leg,
    harness: SocketAddr,
    proxy: SocketAddr,
    /// The next sequence number of each way.
    next: [u32; 2],
}

impl Stream {
    fn between(leg: Leg, harness: SocketAddr, proxy: SocketAddr) -> Self {
        Self {
            leg,
            harness,
            proxy,
            next: FIRST,
        }
    }

    fn sent(&mut self, way: Way, count: u64) {
        // Sequence numbers wrap, by RFC 9293 §3.4.
        let count = (count % (1 << 32)) as u32;
        let next = &mut self.next[way as usize];
        *next = next.wrapping_add(count);
    }

    fn packet(&self, way: Way, flags: Flags, payload: &[u8]) -> Vec<u8> {
        let (from, to) = match way {
            Way::Out => (self.harness, self.proxy),
            Way::In => (self.proxy, self.harness),
        };
        let sequence = self.next[way as usize];
        let acknowledged = self.next[opposite(way) as usize];
        let mut header = TcpHeader::new(from.port(), to.port(), sequence, WINDOW);
        header.syn = flags.syn;
        header.fin = flags.fin;
        header.rst = flags.rst;
        header.psh = !payload.is_empty();
        header.ack = flags.ack;
        header.acknowledgment_number = if flags.ack { acknowledged } else { 0 };

        let packet = ip(from.ip(), to.ip()).tcp_header(header);
        let mut bytes = Vec::with_capacity(packet.size(payload.len()));
        // A segment is far below what an IP packet holds, and writing to memory cannot fail.
        let _ = packet.write(&mut bytes, payload);
        bytes
    }
}

fn ip(from: IpAddr, to: IpAddr) -> PacketBuilderStep<etherparse::IpHeaders> {
    /// As Linux sends packets.
    const TTL: u8 = 64;
    match (from.to_canonical(), to.to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), TTL),
        (from, to) => {
            let octets = |address| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            PacketBuilder::ipv6(octets(from), octets(to), TTL)
        }
    }
}

#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the flags of a TCP header"
)]
struct Flags {
    syn: bool,
    ack: bool,
    fin: bool,
    rst: bool,
}

impl Flags {
    const NONE: Self = Self {
        syn: false,
        ack: false,
        fin: false,
        rst: false,
    };
    const SYN: Self = Self {
        syn: true,
        ..Self::NONE
    };
    const ACK: Self = Self {
        ack: true,
        ..Self::NONE
    };
    const SYN_ACK: Self = Self {
        syn: true,
        ..Self::ACK
    };
    const DATA: Self = Self::ACK;
    const FIN: Self = Self {
        fin: true,
        ..Self::ACK
    };
    const RST: Self = Self {
        rst: true,
        ..Self::ACK
    };
}

/// The blocks of a pcapng file.
struct File {
    bytes: Vec<u8>,
}

impl File {
    const SECTION: u32 = 0x0A0D_0D0A;
    const INTERFACE: u32 = 1;
    const PACKET: u32 = 6;
    const SECRETS: u32 = 10;

    const COMMENT: u16 = 1;
    const APPLICATION: u16 = 4;
    const NAME: u16 = 2;
    const RESOLUTION: u16 = 9;

    /// The section, and an interface for each leg.
    fn begin(comment: &str) -> Self {
        const BYTE_ORDER: u32 = 0x1A2B_3C4D;
        const VERSION: [u16; 2] = [1, 0];
        const UNKNOWN_LENGTH: i64 = -1;
        const RAW_IP: u16 = 101;

        let mut file = Self { bytes: Vec::new() };
        let mut body = BYTE_ORDER.to_le_bytes().to_vec();
        body.extend(VERSION.into_iter().flat_map(u16::to_le_bytes));
        body.extend(UNKNOWN_LENGTH.to_le_bytes());
        option(&mut body, Self::COMMENT, comment.as_bytes());
        option(&mut body, Self::APPLICATION, b"connectspec");
        end_of_options(&mut body);
        file.block(Self::SECTION, &body);

        for leg in ["client leg", "server leg", "upstream leg"] {
            let mut body = RAW_IP.to_le_bytes().to_vec();
            // A reserved field, and no limit to the length of a packet.
            body.extend([0; 6]);
            option(&mut body, Self::NAME, leg.as_bytes());
            option(&mut body, Self::RESOLUTION, &[9]);
            end_of_options(&mut body);
            file.block(Self::INTERFACE, &body);
        }
        file
    }

    fn key_log(&mut self, key_log: &str) {
        /// `TLSK`.
        const TLS_KEY_LOG: u32 = 0x544C_534B;
        let mut body = TLS_KEY_LOG.to_le_bytes().to_vec();
        body.extend((key_log.len() as u32).to_le_bytes());
        body.extend(key_log.as_bytes());
        pad(&mut body);
        self.block(Self::SECRETS, &body);
    }

    fn packet(&mut self, at: Duration, stream: &Stream, way: Way, flags: Flags, payload: &[u8]) {
        let packet = stream.packet(way, flags, payload);
        self.captured(at, stream.leg, &packet, None);
    }

    /// A packet that carries nothing but an acknowledgement, and words for whoever reads the file.
    fn comment(&mut self, at: Duration, stream: &Stream, way: Way, comment: &str) {
        let packet = stream.packet(way, Flags::ACK, &[]);
        self.captured(at, stream.leg, &packet, Some(comment));
    }

    fn captured(&mut self, at: Duration, leg: Leg, packet: &[u8], comment: Option<&str>) {
        // 64 bits of nanoseconds reach to the year 2554.
        let at = at.as_nanos() as u64;
        let mut body = (leg as u32).to_le_bytes().to_vec();
        body.extend(((at >> 32) as u32).to_le_bytes());
        body.extend((at as u32).to_le_bytes());
        for _captured_and_original in 0..2 {
            body.extend((packet.len() as u32).to_le_bytes());
        }
        body.extend(packet);
        pad(&mut body);
        if let Some(comment) = comment {
            option(&mut body, Self::COMMENT, comment.as_bytes());
            end_of_options(&mut body);
        }
        self.block(Self::PACKET, &body);
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        /// Type, and the length before and after the body.
        const AROUND: usize = 12;
        let length = ((body.len() + AROUND) as u32).to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.extend(length);
    }
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(u16::MAX.into())];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Everything is aligned to 32 bits.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests;
