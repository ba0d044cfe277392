//! What is known of one exchange, gathered while it lasts, written when it ends.
//!
//! The access line is written when the record is dropped. So it is written exactly once however the exchange
//! ends: both directions closed, a reset, a timeout, a panic, the end of the process.

use super::format::Format;
use super::{Condition, Sink};
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
    /// The client's address.
    pub client: SocketAddr,
    /// Where the client arrived.
    pub local: SocketAddr,
    /// When the first octet came.
    pub began: SystemTime,
    /// The same, on a clock that only moves forward.
    pub clock: Instant,
    /// What the request said, once there is one.
    pub request: Option<Box<Asked>>,
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
    /// The name of the server (`ServerName`).
    pub server_name: Option<Arc<str>>,
    /// The port of the server.
    pub server_port: u16,
    /// Which server of the configuration it is.
    pub server_index: usize,
    /// What `SetEnvIf` and its kin have set.
    pub variables: Variables,
    logs: Option<Arc<[AccessSink]>>,
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
    /// The request line as received, and behind it its words. A standing tunnel keeps it, and four pieces of memory weigh more
    /// than one.
    text: Box<[u8]>,
    /// Where the line ends in it, and the method, and the target.
    ends: [usize; 3],
    /// The fields that some format names.
    fields: Box<[Field]>,
}

impl Asked {
    fn new(line: &[u8], [method, target, protocol]: [&[u8]; 3], fields: Vec<Field>) -> Self {
        let method_end = line.len() + method.len();
        Self {
            text: [line, method, target, protocol].concat().into(),
            ends: [line.len(), method_end, method_end + target.len()],
            fields: fields.into(),
        }
    }

    /// The request line as received.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.text[..self.ends[0]]
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        &self.text[self.ends[0]..self.ends[1]]
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        &self.text[self.ends[1]..self.ends[2]]
    }

    /// The version.
    #[must_use]
    pub fn protocol(&self) -> &[u8] {
        &self.text[self.ends[2]..]
    }
}

impl Record {
    /// A record of nothing yet: no line is written before [`Self::log_to`].
    #[must_use]
    pub fn new(client: SocketAddr, local: SocketAddr) -> Self {
        Self {
            client,
            local,
            began: SystemTime::now(),
            clock: Instant::now(),
            request: None,
            user: None,
            status: 0,
            body_sent: 0,
            traffic: Traffic::default(),
            source_port: None,
            server_name: None,
            server_port: local.port(),
            server_index: 0,
            variables: Variables::default(),
            logs: None,
        }
    }

    /// Notes when the request began: a connection may have been idle before.
    pub fn begin(&mut self) {
        self.began = SystemTime::now();
        self.clock = Instant::now();
    }

    /// Notes what a request said, and of its fields those that are `wanted`, each once.
    pub fn ask(&mut self, line: &[u8], request: &Request, wanted: &[String]) {
        let mut fields: Vec<Field> = Vec::new();
        for name in wanted {
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
        self.request = Some(Box::new(Asked::new(line, words, fields)));
    }

    /// A field of the request that a format names; `name` is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let fields = &self.request.as_ref()?.fields;
        fields
            .iter()
            .find(|(own, _)| **own == *name)
            .map(|(_, value)| &**value)
    }

    /// Notes the line of a request that could not be read.
    pub fn ask_malformed(&mut self, line: &[u8]) {
        let mut words = line.split(|&octet| octet == b' ');
        let words = [(); 3].map(|()| words.next().unwrap_or_default());
        self.request = Some(Box::new(Asked::new(line, words, Vec::new())));
    }

    /// Writes the lines now; the end of this record writes none then.
    pub fn write(&mut self) {
        let Some(logs) = self.logs.take() else {
            return;
        };
        for log in &*logs {
            let wanted = log.condition.as_ref();
            if wanted.is_none_or(|condition| condition.holds(self)) {
                log.sink.write(&log.format.line(self));
            }
        }
    }

    /// From now on, the end of this record writes these lines.
    pub fn log_to(&mut self, logs: &Arc<[AccessSink]>) {
        self.logs = Some(Arc::clone(logs));
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.write();
    }
}
