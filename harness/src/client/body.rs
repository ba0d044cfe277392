//! What follows a head, read as its framing says and not a byte further.
//!
//! Whether the framing is right is for a case to say: what was promised and what came are both kept.

use std::time::Duration;

use tokio::{io::AsyncReadExt, time::Instant, time::timeout_at};

use crate::{client::Connection, http1::Reply, tunnel::Ending};

/// Bodies of refusals are pages for people; a longer one is a flood.
const BODY_LIMIT: usize = 1024 * 1024;

/// A size, its extensions and a trailer line are short.
const LINE_LIMIT: usize = 8 * 1024;

/// Trailers are rare, and then few.
const TRAILERS_LIMIT: usize = 64;

/// What followed a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The content, without its framing.
    pub content: Vec<u8>,
    /// The field lines after the last chunk, as they came.
    pub trailers: Vec<Vec<u8>>,
    /// What marks its end.
    pub framing: Framing,
    /// How it ended.
    pub end: BodyEnd,
}

/// What marks the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This status has none.
    Nothing,
    /// So many bytes, as Content-Length says.
    Length(usize),
    /// The last chunk.
    Chunked,
    /// The end of the connection.
    Close,
}

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// As its framing said.
    Complete,
    /// With the connection.
    Closed(Ending),
    /// Not at all: the connection stayed open, and silent for so long.
    Silence(Duration),
    /// Not within any sensible length.
    Flood,
    /// In bytes that are no such framing, and why not.
    Malformed(String),
}

impl Connection {
    /// Reads what follows the head of `reply`.
    pub async fn body(&mut self, reply: &Reply) -> Body {
        let framing = match self.framing(reply) {
            Ok(framing) => framing,
            Err(why) => {
                return Body {
                    content: Vec::new(),
                    trailers: Vec::new(),
                    framing: Framing::Close,
                    end: BodyEnd::Malformed(why),
                };
            }
        };
        let mut decoder = Decoder::new(framing);
        let end = self.decode(&mut decoder).await;
        Body {
            content: decoder.content,
            trailers: decoder.trailers,
            framing,
            end,
        }
    }

    /// A stream of HTTP/2 ends where the body does.
    fn framing(&self, reply: &Reply) -> Result<Framing, String> {
        match self.stream.handle() {
            Some(_) => Ok(Framing::Close),
            None => framing(reply),
        }
    }

    async fn decode(&mut self, decoder: &mut Decoder) -> BodyEnd {
        let limit = self.patience.end();
        let deadline = Instant::now() + limit;
        let mut piece = [0; 4096];
        while !decoder.is_done() {
            let fresh = match timeout_at(deadline, self.stream.read(&mut piece)).await {
                Ok(Ok(0)) => return decoder.closed(),
                Ok(Ok(fresh)) => &piece[..fresh],
                Ok(Err(error)) => {
                    return BodyEnd::Closed(Ending::by(&error).unwrap_or(Ending::Abrupt));
                }
                Err(_) => return BodyEnd::Silence(limit),
            };
            match decoder.feed(fresh) {
                Ok(rest) => self.stream.unread(rest),
                Err(end) => return end,
            }
        }
        BodyEnd::Complete
    }
}

/// What marks the end of the body of `reply`, or why nobody can tell.
///
/// # Errors
/// Why nobody can tell.
pub fn framing(reply: &Reply) -> Result<Framing, String> {
    if reply.status < 200 || matches!(reply.status, 204 | 304) {
        return Ok(Framing::Nothing);
    }
    if reply.lists("Transfer-Encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    if reply.has("Transfer-Encoding") {
        return Ok(Framing::Close);
    }
    let mut lengths = reply
        .values("Content-Length")
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(decimal);
    let Some(first) = lengths.next() else {
        return Ok(Framing::Close);
    };
    let length = first.ok_or("a Content-Length that is no number")?;
    if lengths.any(|other| other != first) {
        return Err("two values of Content-Length".to_owned());
    }
    Ok(Framing::Length(length))
}

/// Digits and nothing else: `parse` would take a sign, too.
fn decimal(value: &[u8]) -> Option<usize> {
    let digits = value.trim_ascii();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Takes a body out of its framing as it arrives, in whatever pieces.
#[derive(Debug)]
pub struct Decoder {
    /// The content so far.
    pub content: Vec<u8>,
    /// The field lines after the last chunk so far.
    pub trailers: Vec<Vec<u8>>,
    awaits: Awaits,
    /// The part of a line that has arrived.
    line: Vec<u8>,
}

/// What has to come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    /// Whatever comes before the end of the connection.
    Close,
    /// So many bytes of content, and then nothing.
    Content(usize),
    /// The line with the size of a chunk.
    Size,
    /// So many bytes of a chunk.
    Chunk(usize),
    /// The line end after a chunk.
    ChunkEnd,
    /// A trailer line, or the empty line after them.
    Trailer,
    /// Nothing more.
    Nothing,
}

impl Decoder {
    /// For a body with this framing, of which nothing has come.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        let awaits = match framing {
            Framing::Nothing | Framing::Length(0) => Awaits::Nothing,
            Framing::Length(length) => Awaits::Content(length),
            Framing::Chunked => Awaits::Size,
            Framing::Close => Awaits::Close,
        };
        Self {
            content: Vec::new(),
            trailers: Vec::new(),
            awaits,
            line: Vec::new(),
        }
    }

    /// Whether it is complete.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.awaits == Awaits::Nothing
    }

    /// The connection has ended in order.
    fn closed(&self) -> BodyEnd {
        if self.awaits == Awaits::Close {
            BodyEnd::Complete
        } else {
            BodyEnd::Closed(Ending::Orderly)
        }
    }

    /// Takes what belongs to the body; the rest is handed back.
    ///
    /// # Errors
    /// How it has ended, if not as its framing says.
    pub fn feed<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], BodyEnd> {
        while !bytes.is_empty() && !self.is_done() {
            bytes = match self.awaits {
                Awaits::Nothing => bytes,
                Awaits::Close => {
                    self.content.extend_from_slice(bytes);
                    &[]
                }
                Awaits::Content(due) => {
                    let (left, rest) = self.take(bytes, due);
                    self.awaits = match left {
                        0 => Awaits::Nothing,
                        left => Awaits::Content(left),
                    };
                    rest
                }
                Awaits::Chunk(due) => {
                    let (left, rest) = self.take(bytes, due);
                    self.awaits = match left {
                        0 => Awaits::ChunkEnd,
                        left => Awaits::Chunk(left),
                    };
                    rest
                }
                Awaits::Size | Awaits::ChunkEnd | Awaits::Trailer => {
                    self.feed_line(bytes).map_err(BodyEnd::Malformed)?
                }
            };
            if self.content.len() > BODY_LIMIT {
                return Err(BodyEnd::Flood);
            }
        }
        Ok(bytes)
    }

    fn take<'a>(&mut self, bytes: &'a [u8], due: usize) -> (usize, &'a [u8]) {
        let (content, rest) = bytes.split_at(due.min(bytes.len()));
        self.content.extend_from_slice(content);
        (due - content.len(), rest)
    }

    fn feed_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        self.line
            .extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
        if self.line.len() > LINE_LIMIT {
            return Err("a line without end in chunked framing".to_owned());
        }
        let Some(at) = end else {
            return Ok(&[]);
        };
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r");
        let line = line.ok_or("a bare LF in chunked framing")?;
        self.awaits = match self.awaits {
            Awaits::Size => match size(line).ok_or("a chunk without a size")? {
                0 => Awaits::Trailer,
                size => Awaits::Chunk(size),
            },
            Awaits::ChunkEnd if line.is_empty() => Awaits::Size,
            Awaits::ChunkEnd => return Err("a chunk that is longer than its size".to_owned()),
            _ if line.is_empty() => Awaits::Nothing,
            _ => {
                if self.trailers.len() < TRAILERS_LIMIT {
                    self.trailers.push(line.to_vec());
                }
                Awaits::Trailer
            }
        };
        Ok(&bytes[at + 1..])
    }
}

/// The size of a chunk, whatever extensions follow it.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `bytes` cut into pieces of `cut`: the content, and what is left over.
    fn decode(framing: Framing, bytes: &[u8], cut: usize) -> Result<(Vec<u8>, Vec<u8>), BodyEnd> {
        let mut decoder = Decoder::new(framing);
        let mut rest = Vec::new();
        for piece in bytes.chunks(cut) {
            rest.extend_from_slice(decoder.feed(piece)?);
        }
        assert!(decoder.is_done() || rest.is_empty());
        assert!(decoder.trailers.iter().all(|line| line == b"X: y"));
        Ok((decoder.content, rest))
    }

    #[test]
    fn chunks_are_joined_however_they_arrive() {
        let bytes = b"4;x=\"a\"\r\nWiki\r\n00B\r\npedia 0\r\n\r\n\r\n0\r\nX: y\r\n\r\nHTTP/1.1";
        for cut in 1..bytes.len() {
            let (content, rest) = decode(Framing::Chunked, bytes, cut).unwrap();
            assert_eq!(content, b"Wikipedia 0\r\n\r\n", "in pieces of {cut}");
            assert_eq!(rest, b"HTTP/1.1", "in pieces of {cut}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_malformed() {
        for bytes in [
            "\r\n",
            "x\r\n",
            "+4\r\n",
            "4\nWiki",
            "4\r\nWikip\r\n",
            "-1\r\n",
        ] {
            assert!(
                decode(Framing::Chunked, bytes.as_bytes(), 1).is_err(),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_length_is_kept_to_the_byte() {
        let (content, rest) = decode(Framing::Length(4), b"WikiHTTP", 3).unwrap();
        assert_eq!(
            (content.as_slice(), rest.as_slice()),
            (b"Wiki".as_slice(), b"HTTP".as_slice())
        );
    }

    #[test]
    fn the_head_says_what_marks_the_end() {
        let of = |fields: &str| {
            let head = format!("HTTP/1.1 403 Forbidden\r\n{fields}\r\n");
            framing(&crate::http1::reply::parse(head.as_bytes()).unwrap())
        };
        assert_eq!(of(""), Ok(Framing::Close));
        assert_eq!(of("Content-Length: 12\r\n"), Ok(Framing::Length(12)));
        assert_eq!(of("Content-Length: 5, 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(of("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        for bad in ["5, 6", "+5", "x"] {
            assert!(of(&format!("Content-Length: {bad}\r\n")).is_err(), "{bad}");
        }
    }
}
