//! What is known of one exchange, gathered while it lasts, written when it ends.
//!
//! The access line is written when the record is dropped. So it is written exactly once however the exchange
//! ends: both directions closed, a reset, a timeout, a panic, the end of the process.

use super::error::Level;
use super::format::Format;
use super::{Condition, Journal, Sink};
use crate::config::environment::Variables;
use crate::relay::Traffic;
use crate::request::Request;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

/// The most of one field value that is kept for the log: enough for every agent, and a bound on what a
/// client can make a standing tunnel hold.
const FIELD_KEPT_MOST: usize = 2048;

/// Fields whose values never get into a log, whatever a format asks for.
const SECRETS: [&str; 2] = ["authorization", "proxy-authorization"];

/// The facts that log formats can name.
#[derive(Debug)]
pub struct Record {
    /// Where the client is, and where it arrived.
    pub ends: Arc<Ends>,
    /// When the first octet came.
    pub began: SystemTime,
    /// The same, on a clock that only moves forward.
    pub clock: Instant,
    /// What the request said, once there is one.
    pub request: Option<Asked>,
    /// The user who gave valid credentials.
    pub user: Option<Box<str>>,
    /// The final status.
    pub status: u16,
    /// Octets of response body.
    pub body_sent: u64,
    /// Octets from and to the client, heads included.
    pub traffic: Traffic,
    /// The note `proxy-source-port`: the local port of the connection to the next hop.
    pub source_port: Option<u16>,
    /// What `SetEnvIf` and its kin have set.
    pub variables: Variables,
    /// The server of the configuration, once it is known.
    pub journal: Option<Arc<Journal>>,
    written: bool,
}

/// Where a connection is from and where it has arrived: what all of its streams share.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The client's address.
    pub peer: SocketAddr,
    /// Where the client arrived.
    pub local: SocketAddr,
}

/// An open access log.
#[derive(Clone, Debug)]
pub struct AccessSink {
    /// Where lines go.
    pub sink: Arc<Sink>,
    /// What they say.
    pub format: Arc<Format>,
    /// Which records get one; `None`: all.
    pub condition: Option<Condition>,
}

/// A field's name and value.
type Field = (Box<str>, Box<[u8]>);

/// What the log keeps of a request.
#[derive(Debug)]
pub struct Asked {
    /// The request line as received, and behind it its words, where it does not consist of them. A standing tunnel keeps it, and
    /// four pieces of memory weigh more than one.
    text: Box<[u8]>,
    /// Where the line ends in it.
    line: u32,
    /// Whether its words are those of the line.
    within: bool,
    /// Where each word ends: the method, the target, the protocol.
    words: [u32; 3],
    /// The fields that some format names.
    fields: Option<Box<Fields>>,
}

/// Most often none.
#[derive(Debug)]
struct Fields(Vec<Field>);

impl Asked {
    fn new(line: &[u8], words: [&[u8]; 3], fields: Vec<Field>) -> Self {
        let joined = words.join(&b' ');
        let within = joined == line;
        let mut end = if within { 0 } else { line.len() };
        let ends = words.map(|word| {
            end += word.len() + usize::from(within);
            (end - usize::from(within)) as u32
        });
        let [method, target, protocol] = words;
        Self {
            text: match within {
                true => joined.into(),
                false => [line, method, target, protocol].concat().into(),
            },
            // It is no longer than a head may be.
            line: line.len() as u32,
            within,
            words: ends,
            fields: (!fields.is_empty()).then(|| Box::new(Fields(fields))),
        }
    }

    /// The word between these ends of words.
    fn word(&self, before: Option<u32>, end: u32) -> &[u8] {
        let start = match (before, self.within) {
            (None, true) => 0,
            (None, false) => self.line,
            (Some(before), within) => before + u32::from(within),
        };
        &self.text[start as usize..end as usize]
    }

    /// The request line as received.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.text[..self.line as usize]
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.word(None, self.words[0])
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.word(Some(self.words[0]), self.words[1])
    }

    /// The version.
    #[must_use]
    pub fn protocol(&self) -> &[u8] {
        self.word(Some(self.words[1]), self.words[2])
    }
}

impl Record {
    /// A record of nothing yet: no line is written before its server is known.
    #[must_use]
    pub fn new(ends: Arc<Ends>) -> Self {
        Self {
            ends,
            began: SystemTime::now(),
            clock: Instant::now(),
            request: None,
            user: None,
            status: 0,
            body_sent: 0,
            traffic: Traffic::default(),
            source_port: None,
            variables: Variables::default(),
            journal: None,
            written: false,
        }
    }

    /// Notes when the request began: a connection may have been idle before.
    pub fn begin(&mut self) {
        self.began = SystemTime::now();
        self.clock = Instant::now();
    }

    /// Notes what a request said, and of its fields those that the logs of its server name, each once.
    pub fn ask(&mut self, line: &[u8], request: &Request) {
        let mut fields: Vec<Field> = Vec::new();
        for name in self.journal.iter().flat_map(|journal| &journal.fields) {
            if let Some(mut value) = request.field(name) {
                value.truncate(FIELD_KEPT_MOST);
                if SECRETS.contains(&name.as_str()) {
                    value = b"(not logged)".to_vec();
                }
                fields.push((name.as_str().into(), value.into()));
            }
        }
        let asked = &request.line;
        let words = [&*asked.method_name, &*asked.target, &*asked.protocol].map(str::as_bytes);
        self.request = Some(Asked::new(line, words, fields));
    }

    /// A field of the request that a format names; `name` is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let fields = self.request.as_ref()?.fields.as_ref()?;
        let mut fields = fields.0.iter();
        fields
            .find(|(own, _)| **own == *name)
            .map(|(_, value)| &**value)
    }

    /// Notes the line of a request that could not be read.
    pub fn ask_malformed(&mut self, line: &[u8]) {
        let mut words = line.split(|&octet| octet == b' ');
        let words = [(); 3].map(|()| words.next().unwrap_or_default());
        self.request = Some(Asked::new(line, words, Vec::new()));
    }

    /// Writes the lines now; the end of this record writes none then.
    pub fn write(&mut self) {
        let Some(journal) = self.journal.as_ref().filter(|_| !self.written) else {
            return;
        };
        for log in &journal.access {
            let wanted = log.condition.as_ref();
            if wanted.is_none_or(|condition| condition.holds(self)) {
                log.sink.write(&log.format.line(self));
            }
        }
        self.written = true;
    }

    /// Tells the error log of its server, once that is known.
    pub fn tell(&self, level: Level, text: &str) {
        if let Some(journal) = &self.journal {
            journal.error.write(level, Some(self), text);
        }
    }

    /// The name of the server (`ServerName`).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.journal.as_ref()?.name.as_deref()
    }

    /// The port of the server.
    #[must_use]
    pub fn server_port(&self) -> u16 {
        let journal = self.journal.as_ref();
        journal.map_or_else(|| self.ends.local.port(), |journal| journal.port)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_words_are_kept() {
        let words: [&[u8]; 3] = [b"CONNECT", b"a:1", b"HTTP/2.0"];
        let lines: [&[u8]; 3] = [b"CONNECT a:1 HTTP/2.0", b"CONNECT  a:1  HTTP/2.0", b""];
        let empty: [&[u8]; 3] = [b""; 3];
        let with_empty: [&[u8]; 3] = [b"", b" ", b"  "];
        let all = lines.map(|line| (line, words)).into_iter();
        for (line, words) in all.chain(with_empty.map(|line| (line, empty))) {
            let asked = Asked::new(line, words, Vec::new());
            assert_eq!(asked.line(), line);
            assert_eq!([asked.method(), asked.target(), asked.protocol()], words);
        }
        // A line that consists of its words is kept once.
        let asked = Asked::new(lines[0], words, Vec::new());
        assert_eq!(asked.text.len(), lines[0].len());
    }
}
