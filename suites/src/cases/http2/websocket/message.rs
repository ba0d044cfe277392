//! Frames of WebSockets (RFC 6455, section 5), and the messages that they make.

use connectspec_harness::prelude::*;

/// Goes on with a message.
pub(in crate::cases::http2) const CONTINUATION: u8 = 0;
/// A message of text.
pub(in crate::cases::http2) const TEXT: u8 = 1;
/// A message of octets.
pub(in crate::cases::http2) const BINARY: u8 = 2;
/// Says goodbye.
const CLOSE: u8 = 8;
/// Asks whether anybody is there.
pub(in crate::cases::http2) const PING: u8 = 9;

/// From here on, frames control the connection, and stand between those of a message.
const CONTROL: u8 = 8;

/// A normal end (RFC 6455, section 7.4.1).
const NORMAL: u16 = 1000;

/// The mask of a client; any will do where nobody attacks.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// More than any message of a case.
const LONGEST: u64 = 1 << 20;

/// A frame, or a message: a message is one frame where nobody has taken it apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cases::http2) struct Frame {
    is_last: bool,
    opcode: u8,
    payload: Vec<u8>,
}

impl Frame {
    /// A whole message, or the end of one.
    pub(in crate::cases::http2) fn last(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        Self {
            is_last: true,
            opcode,
            payload,
        }
    }

    /// A message of which more is to come.
    pub(in crate::cases::http2) fn more(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            is_last: false,
            ..Self::last(opcode, payload)
        }
    }

    /// An orderly end.
    pub(in crate::cases::http2) fn goodbye() -> Self {
        Self::last(CLOSE, NORMAL.to_be_bytes())
    }

    /// As a client sends it.
    pub(in crate::cases::http2) fn masked(&self) -> Vec<u8> {
        let mut octets = self.head(0x80);
        octets.extend(MASK);
        octets.extend(unmasked(&self.payload, MASK));
        octets
    }

    /// As a server sends it.
    pub(in crate::cases::http2) fn bare(&self) -> Vec<u8> {
        let mut octets = self.head(0);
        octets.extend(&self.payload);
        octets
    }

    fn head(&self, mask: u8) -> Vec<u8> {
        let mut octets = vec![u8::from(self.is_last) << 7 | self.opcode];
        match self.payload.len() {
            length @ ..126 => octets.push(mask | length.to_le_bytes()[0]),
            length => match u16::try_from(length) {
                Ok(length) => {
                    octets.push(mask | 126);
                    octets.extend(length.to_be_bytes());
                }
                Err(_) => {
                    octets.push(mask | 127);
                    octets.extend((length as u64).to_be_bytes());
                }
            },
        }
        octets
    }

    /// It is that one.
    pub(in crate::cases::http2) fn is(&self, expected: &Self) -> Outcome {
        match self == expected {
            true => Ok(()),
            false => Err(Finding::violation(expected.describe(), self.describe())),
        }
    }

    fn describe(&self) -> String {
        let beginning = &self.payload[..self.payload.len().min(40)];
        format!(
            "opcode {}, {} octets: {}",
            self.opcode,
            self.payload.len(),
            String::from_utf8_lossy(beginning).escape_debug()
        )
    }
}

/// What frames make together.
pub(in crate::cases::http2) fn whole(frames: &[Frame]) -> Frame {
    let opcode = frames.first().map_or(CONTINUATION, |first| first.opcode);
    Frame::last(
        opcode,
        frames
            .iter()
            .flat_map(|frame| frame.payload.clone())
            .collect::<Vec<u8>>(),
    )
}

/// The next frame, without its mask.
pub(in crate::cases::http2) async fn next(end: &mut End) -> Outcome<Frame> {
    let head = end.receives_any(2).await?;
    let length = match head[1] & 0x7f {
        126 => number(&end.receives_any(2).await?),
        127 => number(&end.receives_any(8).await?),
        short => short.into(),
    };
    if head[0] & 0x70 != 0 || length > LONGEST {
        return Err(Finding::violation(
            "a frame as one was sent",
            format!("{head:02x?}"),
        ));
    }
    let mask = match head[1] & 0x80 {
        0 => [0; 4],
        _ => {
            let mask = end.receives_any(4).await?;
            [mask[0], mask[1], mask[2], mask[3]]
        }
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let payload = end.receives_any(length).await?;
    Ok(Frame {
        is_last: head[0] & 0x80 != 0,
        opcode: head[0] & 0x0f,
        payload: unmasked(&payload, mask).collect(),
    })
}

/// The next message, out of as many frames as it takes; what controls the connection between them is passed over.
pub(in crate::cases::http2) async fn next_message(end: &mut End) -> Outcome<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    loop {
        let frame = next(end).await?;
        if frame.opcode >= CONTROL {
            continue;
        }
        let is_last = frame.is_last;
        frames.push(frame);
        if is_last {
            return Ok(whole(&frames));
        }
    }
}

fn unmasked(payload: &[u8], mask: [u8; 4]) -> impl Iterator<Item = u8> {
    payload
        .iter()
        .zip(mask.into_iter().cycle())
        .map(|(octet, mask)| octet ^ mask)
}

fn number(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0, |number, &octet| number << 8 | u64::from(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_specification() {
        let hello = Frame::last(TEXT, "Hello");
        // RFC 6455, section 5.7.
        assert_eq!(hello.bare(), b"\x81\x05Hello");
        assert_eq!(Frame::more(TEXT, "Hel").bare(), b"\x01\x03Hel");
        assert_eq!(Frame::last(CONTINUATION, "lo").bare(), b"\x80\x02lo");
        assert_eq!(
            Frame::last(BINARY, vec![0; 256]).bare()[..4],
            [0x82, 0x7e, 1, 0]
        );
        assert_eq!(
            Frame::last(BINARY, vec![0; 65536]).bare()[..10],
            [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]
        );
        assert_eq!(hello.masked()[..2], [0x81, 0x85]);
        assert_eq!(
            whole(&[Frame::more(TEXT, "Hel"), Frame::last(CONTINUATION, "lo")]),
            hello
        );
    }
}
