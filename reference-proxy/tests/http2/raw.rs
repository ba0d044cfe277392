//! A client whose frames are written by hand.

use crate::support::Proxy;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
/// The field block octets that say `:status: 200` and `:status: 400`.
pub(crate) const STATUS_200: u8 = 0x88;
pub(crate) const STATUS_400: u8 = 0x8c;

/// One frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection whose frames are written by hand.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) fn of(proxy: &Proxy) -> Self {
        let mut raw = Self(proxy.dial());
        raw.0
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .unwrap();
        raw.sends(SETTINGS, 0, 0, &[]);
        raw
    }

    pub(crate) fn sends(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.0
            .write_all(&frame(kind, flags, stream, payload))
            .unwrap();
    }

    pub(crate) fn asks(&mut self, stream: u32, block: &[u8]) {
        self.sends(HEADERS, END_HEADERS, stream, block);
    }

    /// The next frame; `None`: the end.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        match self.0.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing comes"),
            Err(_) => return None,
        }
        let [a, b, c, kind, flags, s0, s1, s2, s3] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).unwrap();
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        if kind == SETTINGS && flags & ACK == 0 {
            self.sends(SETTINGS, ACK, 0, &[]);
        }
        Some(Frame {
            kind,
            flags,
            stream,
            payload,
        })
    }

    /// The next frame of a stream.
    pub(crate) fn of_stream(&mut self, stream: u32) -> Frame {
        loop {
            let frame = self.next().expect("the connection ends");
            assert_ne!(frame.kind, GOAWAY, "{frame:?}");
            if frame.stream == stream && frame.kind != WINDOW_UPDATE {
                return frame;
            }
        }
    }

    /// The next frame of a stream, also where the other side has said that it goes.
    pub(crate) fn of_stream_or_goaway(&mut self, stream: u32) -> Frame {
        loop {
            let frame = self.next().expect("the connection ends");
            if frame.stream == stream && frame.kind != WINDOW_UPDATE {
                return frame;
            }
        }
    }

    /// Whether a malformed request is answered as such on its stream: with a 400 that ends it, or with a reset.
    pub(crate) fn is_refused(&mut self, stream: u32, block: &[u8]) {
        let frame = self.of_stream(stream);
        let said = String::from_utf8_lossy(block);
        match frame.kind {
            HEADERS => {
                assert_eq!(frame.payload[0], STATUS_400, "{said:?}: {frame:?}");
                let mut last = frame;
                while last.flags & END_STREAM == 0 {
                    last = self.of_stream(stream);
                    assert_eq!(last.kind, DATA, "{last:?}");
                }
            }
            RST_STREAM => assert_eq!(frame.payload, [0, 0, 0, 1], "{said:?}"),
            _ => panic!("{said:?}: {frame:?}"),
        }
    }

    /// The proxy has read all that was sent, and has not ended the connection.
    pub(crate) fn fence(&mut self) {
        self.sends(PING, 0, 0, b"12345678");
        loop {
            let frame = self.next().expect("the connection ends");
            assert_ne!(frame.kind, GOAWAY, "{frame:?}");
            if frame.kind == PING {
                return;
            }
        }
    }

    /// The code with which the connection ends.
    pub(crate) fn goes_away(&mut self) -> u8 {
        while let Some(frame) = self.next() {
            if frame.kind == GOAWAY {
                return frame.payload[7];
            }
        }
        panic!("no GOAWAY");
    }

    /// A tunnel on that stream.
    pub(crate) fn tunnel(&mut self, stream: u32, target: SocketAddr) {
        self.asks(stream, &connect(target));
        let answer = self.of_stream(stream);
        assert_eq!((answer.kind, answer.payload[0]), (HEADERS, STATUS_200));
        assert_eq!(answer.flags & END_STREAM, 0);
    }
}

/// The octets of a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut octets = length[1..].to_vec();
    octets.extend_from_slice(&[kind, flags]);
    octets.extend_from_slice(&stream.to_be_bytes());
    octets.extend_from_slice(payload);
    octets
}

/// A field as a literal that enters no table.
pub(crate) fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let string = |octets: &[u8]| {
        let mut string = Vec::new();
        match octets.len() {
            short @ 0..127 => string.push(short as u8),
            long => {
                string.push(127);
                let mut rest = long - 127;
                while rest >= 128 {
                    string.push((rest % 128) as u8 | 128);
                    rest /= 128;
                }
                string.push(rest as u8);
            }
        }
        string.extend_from_slice(octets);
        string
    };
    [vec![0], string(name), string(value)].concat()
}

pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let literals = fields
        .iter()
        .map(|(name, value)| literal(name.as_bytes(), value.as_bytes()));
    literals.collect::<Vec<_>>().concat()
}

pub(crate) fn connect(target: SocketAddr) -> Vec<u8> {
    block(&[(":method", "CONNECT"), (":authority", &target.to_string())])
}
