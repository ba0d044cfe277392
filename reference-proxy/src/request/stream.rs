//! A request that came as a field section of HTTP/2: its pseudo-fields and its fields, held to RFC 9113, section 8.
//!
//! What it amounts to is the same [`Request`] that a head of HTTP/1.1 is, so that everything behind decides about both alike.

use super::line::kind;
use super::scan::{HeadLimits, is_token};
use super::{Authority, Field, Fields, Host, Method, Request, RequestLine, Version, framing};
use crate::refusal::Refusal;

/// The version, as logs have it.
const PROTOCOL: &str = "HTTP/2.0";
/// Fields that are about one connection of HTTP/1.1 (RFC 9113, section 8.2.2).
const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// The pseudo-fields of a request; of a CONNECT the first two.
const PSEUDO: [&[u8]; 4] = [b":method", b":authority", b":scheme", b":path"];

/// A name and its value.
type Line = (Box<[u8]>, Box<[u8]>);

/// What a stream was opened with: names and values in order, whatever they are.
#[derive(Clone, Debug, Default)]
pub struct Section {
    lines: Vec<Line>,
}

impl Section {
    /// One line more, behind the others.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.lines.push((name.into(), value.into()));
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The first value of that name.
    #[must_use]
    pub fn first(&self, name: &[u8]) -> Option<&[u8]> {
        let mut lines = self.iter();
        lines.find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Option<&[u8]> {
        self.first(b":method")
    }

    /// What a request line of HTTP/1.1 would say of it, for the log.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let method = self.first(b":method").unwrap_or_default();
        [method, self.target(), PROTOCOL.as_bytes()].join(&b' ')
    }

    fn target(&self) -> &[u8] {
        let path = self.first(b":path");
        let authority = self.first(b":authority");
        let first = match self.first(b":method") {
            Some(b"CONNECT") => authority,
            _ => path.or(authority),
        };
        first.unwrap_or_default()
    }
}

impl Request {
    /// Reads what a stream was opened with.
    ///
    /// # Errors
    ///
    /// 400 for what is malformed, 414 and 431 for what is longer than `limits`.
    pub fn of_stream(section: &Section, limits: &HeadLimits) -> Result<Self, Refusal> {
        within(section, limits)?;
        let mut fields = Fields::default();
        for (at, (name, value)) in section.iter().enumerate() {
            match name.first() {
                Some(b':') => pseudo(section, at, name)?,
                _ => fields.push(field(name, value)?),
            }
        }
        let text = |octets: &[u8], wrong: &'static str| {
            let graphic = octets.iter().all(u8::is_ascii_graphic);
            let text = graphic.then(|| String::from_utf8_lossy(octets).into_owned());
            text.ok_or_else(|| Refusal::bad_request(wrong))
        };
        let name = section.first(b":method").unwrap_or_default();
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Refusal::bad_request("the :method is no token"));
        }
        let name = text(name, "the :method is no token")?;
        let method = kind(&name);
        complete(section, method)?;
        let authority = match method {
            Method::Connect => Some(Authority::parse(section.target())?),
            Method::Known | Method::Unknown => None,
        };
        if let Some(authority) = &authority {
            host(&mut fields, authority)?;
        }
        framing::check(&fields, Version::Http2)?;
        let target = text(section.target(), "the target holds what no target holds")?;
        Ok(Self {
            line: RequestLine {
                method,
                method_name: name.into(),
                target: target.into(),
                version: Version::Http2,
                protocol: PROTOCOL.into(),
            },
            authority,
            fields,
        })
    }
}

/// The limits of a head of HTTP/1.1.
fn within(section: &Section, limits: &HeadLimits) -> Result<(), Refusal> {
    if section.line().len() > limits.line {
        return Err(Refusal::line_too_long());
    }
    let fields = || section.iter().filter(|(name, _)| !name.starts_with(b":"));
    if fields().count() > limits.fields_most() {
        return Err(Refusal::head_too_large("there are too many fields"));
    }
    if fields().any(|(name, value)| name.len() + ": ".len() + value.len() > limits.field) {
        return Err(Refusal::head_too_large("a field is too long"));
    }
    Ok(())
}

/// RFC 9113, section 8.3: known, before all fields, and once.
fn pseudo(section: &Section, at: usize, name: &[u8]) -> Result<(), Refusal> {
    if !PSEUDO.contains(&name) {
        return Err(Refusal::bad_request("a pseudo-field is not known"));
    }
    for (earlier, _) in section.iter().take(at) {
        if !earlier.starts_with(b":") {
            return Err(Refusal::bad_request("a pseudo-field stands behind a field"));
        }
        if earlier == name {
            return Err(Refusal::bad_request("a pseudo-field is there twice"));
        }
    }
    Ok(())
}

/// RFC 9113, sections 8.3.1 and 8.5: which pseudo-fields a request has.
fn complete(section: &Section, method: Method) -> Result<(), Refusal> {
    let has = |name: &[u8]| section.first(name).is_some_and(|value| !value.is_empty());
    let [_, authority, scheme, path] = PSEUDO;
    let complete = match method {
        Method::Connect => {
            has(authority) && section.first(scheme).is_none() && section.first(path).is_none()
        }
        Method::Known | Method::Unknown => has(scheme) && has(path),
    };
    let wrong = match method {
        Method::Connect => "a CONNECT has :method and :authority, and nothing else",
        Method::Known | Method::Unknown => "there is no :scheme, or no :path",
    };
    complete
        .then_some(())
        .ok_or_else(|| Refusal::bad_request(wrong))
}

/// A field, held to RFC 9113, sections 8.2.1 and 8.2.2.
pub(crate) fn field(name: &[u8], value: &[u8]) -> Result<Field, Refusal> {
    let letters = |octet: u8| is_token(octet) && !octet.is_ascii_uppercase();
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty() && name.bytes().all(letters))
        .ok_or_else(|| Refusal::bad_request("a field name is no token in lower case"))?;
    let control = |octet: &u8| (*octet < 0x20 && *octet != b'\t') || *octet == 0x7f;
    if value.iter().any(control) || value.trim_ascii().len() != value.len() {
        return Err(Refusal::bad_request("a field value is malformed"));
    }
    if OF_A_CONNECTION.contains(&name) || (name == "te" && value != b"trailers") {
        return Err(Refusal::bad_request(
            "a field is about a connection of HTTP/1.1",
        ));
    }
    Ok(Field {
        name: name.into(),
        value: value.into(),
    })
}

/// RFC 9113, section 8.3.1: `Host` may be there and say the same as `:authority`. Rules and logs that look at it find what
/// `:authority` says where it is not there.
fn host(fields: &mut Fields, authority: &Authority) -> Result<(), Refusal> {
    let hosts: Vec<&[u8]> = fields.all("host").collect();
    match hosts.as_slice() {
        [] => {
            let value = authority.to_string().into_bytes();
            fields.push(Field {
                name: "host".into(),
                value: value.into(),
            });
            Ok(())
        }
        [host] if names(host, authority) => Ok(()),
        [_] => Err(Refusal::bad_request(
            "the Host field and :authority name two hosts",
        )),
        _ => Err(Refusal::bad_request("there are two Host fields")),
    }
}

/// Whether a `Host` is that host, with its port or without any.
fn names(value: &[u8], authority: &Authority) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    if Authority::parse(value).is_ok_and(|host| host == *authority) {
        return true;
    }
    let text = text.strip_suffix(':').unwrap_or(text);
    match text.strip_prefix('[') {
        // An address in brackets; with any port it is an authority.
        Some(_) => {
            let with_port = format!("{text}:{}", authority.port);
            Authority::parse(with_port.as_bytes()).is_ok_and(|host| host == *authority)
        }
        None => Host::parse(text).is_some_and(|host| host == authority.host),
    }
}

#[cfg(test)]
mod tests;
