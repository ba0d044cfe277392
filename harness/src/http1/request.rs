//! A request as bytes: right unless the case says otherwise, and then wrong in exactly that way.

use crate::http2::Fields;

/// A CONNECT request.
///
/// What is not said is right: the Host field names the target, lines end in CRLF, the version is HTTP/1.1.
#[derive(Clone, Debug)]
pub struct Request {
    method: Vec<u8>,
    target: Vec<u8>,
    version: Vec<u8>,
    line: Option<Vec<u8>>,
    host: Host,
    fields: Vec<Vec<u8>>,
    behind: Vec<u8>,
    before: Vec<u8>,
    /// All of the head, where it is not made from the rest.
    verbatim: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Host {
    /// The request-target.
    Target,
    Value(Vec<u8>),
    Absent,
}

impl Request {
    /// `CONNECT target HTTP/1.1` with a Host field that names the target.
    pub fn connect(target: impl AsRef<[u8]>) -> Self {
        Self {
            method: b"CONNECT".to_vec(),
            target: target.as_ref().to_vec(),
            version: b"HTTP/1.1".to_vec(),
            line: None,
            host: Host::Target,
            fields: Vec::new(),
            behind: Vec::new(),
            before: Vec::new(),
            verbatim: None,
        }
    }

    /// Exactly these bytes in place of a request.
    pub fn verbatim(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            verbatim: Some(bytes.as_ref().to_vec()),
            ..Self::connect(b"")
        }
    }

    /// Another method.
    #[must_use]
    pub fn method(mut self, method: impl AsRef<[u8]>) -> Self {
        self.method = method.as_ref().to_vec();
        self
    }

    /// Another request-target; the Host field follows it unless it was set.
    #[must_use]
    pub fn target(mut self, target: impl AsRef<[u8]>) -> Self {
        self.target = target.as_ref().to_vec();
        self
    }

    /// Another version, for example `HTTP/1.0`.
    #[must_use]
    pub fn version(mut self, version: impl AsRef<[u8]>) -> Self {
        self.version = version.as_ref().to_vec();
        self
    }

    /// The whole request-line, without its line end.
    #[must_use]
    pub fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.line = Some(line.as_ref().to_vec());
        self
    }

    /// Another value of the Host field.
    #[must_use]
    pub fn host(mut self, value: impl AsRef<[u8]>) -> Self {
        self.host = Host::Value(value.as_ref().to_vec());
        self
    }

    /// No Host field.
    #[must_use]
    pub fn without_host(mut self) -> Self {
        self.host = Host::Absent;
        self
    }

    /// One more line in the header section, without its line end, as it is.
    #[must_use]
    pub fn field(mut self, line: impl AsRef<[u8]>) -> Self {
        self.fields.push(line.as_ref().to_vec());
        self
    }

    /// Bytes right after the header section.
    #[must_use]
    pub fn followed_by(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.behind.extend_from_slice(bytes.as_ref());
        self
    }

    /// Bytes in front of the request-line.
    #[must_use]
    pub fn preceded_by(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.before.extend_from_slice(bytes.as_ref());
        self
    }

    /// The request without anything after its header section.
    #[must_use]
    pub fn head_only(mut self) -> Self {
        self.behind.clear();
        self
    }

    /// Whether something follows the header section.
    #[must_use]
    pub const fn has_something_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// What goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        if let Some(verbatim) = &self.verbatim {
            bytes.extend_from_slice(verbatim);
            bytes.extend_from_slice(&self.behind);
            return bytes;
        }
        if let Some(line) = &self.line {
            bytes.extend_from_slice(line);
        } else {
            bytes.extend_from_slice(&[&*self.method, &*self.target, &*self.version].join(&b' '));
        }
        bytes.extend_from_slice(b"\r\n");
        match &self.host {
            Host::Target => push_field(&mut bytes, &[b"Host: ", &*self.target].concat()),
            Host::Value(value) => push_field(&mut bytes, &[b"Host: ", &**value].concat()),
            Host::Absent => {}
        }
        for field in &self.fields {
            push_field(&mut bytes, field);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.behind);
        bytes
    }
}

impl Request {
    /// The field section that asks for the same in HTTP/2 (RFC 9113 §8.5), and what follows it.
    ///
    /// # Errors
    /// What of it HTTP/2 cannot say.
    pub(super) fn section(&self) -> Result<(Fields, &[u8]), String> {
        let differs = [
            (self.verbatim.is_some(), "a verbatim head"),
            (self.line.is_some(), "a request-line of its own"),
            (self.method != b"CONNECT", "another method"),
            (self.version != b"HTTP/1.1", "another version"),
            (!matches!(self.host, Host::Target), "a Host of its own"),
            (!self.before.is_empty(), "octets in front of it"),
        ];
        if let Some((_, what)) = differs.iter().find(|(differs, _)| *differs) {
            return Err(format!("a request with {what} cannot be said over HTTP/2"));
        }
        let mut fields = Fields::new()
            .with(":method", "CONNECT")
            .with(":authority", &self.target);
        for line in &self.fields {
            let colon = line.iter().position(|&octet| octet == b':');
            let (name, value) = colon
                .map(|at| (line[..at].to_ascii_lowercase(), line[at + 1..].trim_ascii()))
                .filter(|(name, _)| !OF_THE_CONNECTION.contains(&&**name))
                .ok_or_else(|| {
                    let line = String::from_utf8_lossy(line);
                    format!("`{line}` cannot be said over HTTP/2")
                })?;
            fields.push(name, value);
        }
        Ok((fields, &self.behind))
    }
}

/// Fields that are about a connection of HTTP/1.1 (RFC 9113 §8.2.2), and the one that `:authority` replaces.
const OF_THE_CONNECTION: [&[u8]; 6] = [
    b"connection",
    b"host",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
];

fn push_field(bytes: &mut Vec<u8>, line: &[u8]) {
    bytes.extend_from_slice(line);
    bytes.extend_from_slice(b"\r\n");
}

impl From<&Request> for Vec<u8> {
    fn from(request: &Request) -> Self {
        request.bytes()
    }
}

impl From<Request> for Vec<u8> {
    fn from(request: Request) -> Self {
        request.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_right() {
        let request = Request::connect("a:1").field("X: y").followed_by("early");
        let bytes = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nX: y\r\n\r\nearly";
        assert_eq!(request.bytes(), bytes);
    }

    #[test]
    fn what_is_said_is_wrong_in_exactly_that_way() {
        let request = Request::connect("a:1").without_host().version("HTTP/1.0");
        assert_eq!(request.bytes(), b"CONNECT a:1 HTTP/1.0\r\n\r\n");
        let request = Request::connect("a:1").line("CONNECT  a:1").host("b");
        assert_eq!(request.bytes(), b"CONNECT  a:1\r\nHost: b\r\n\r\n");
    }
}
