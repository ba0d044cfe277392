//! The request that goes to an upstream proxy.

use crate::config::routes::Via;
use crate::request::{Request, Version};
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use std::borrow::Cow;

/// Fields that are about one connection, or about the framing that a CONNECT has not, or that are made anew.
/// RFC 9110, section 7.6.1.
const NOT_FORWARDED: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A name and a value.
type Line<'a> = (&'a str, Cow<'a, [u8]>);

/// Writes the CONNECT of HTTP/1.1 for the target of `request`. `pseudonym` is this proxy's name in `Via`, and `credentials` what it
/// sends as `Proxy-Authorization`: its own, never the client's.
///
/// Only for requests that have a target; without one the result is empty.
#[must_use]
pub fn write(request: &Request, pseudonym: &str, via: Via, credentials: Option<&str>) -> Vec<u8> {
    let Some(target) = &request.authority else {
        return Vec::new();
    };
    let mut octets = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    for (name, value) in forwarded(request, pseudonym, via, credentials) {
        octets.extend_from_slice(name.as_bytes());
        octets.extend_from_slice(b": ");
        octets.extend_from_slice(&value);
        octets.extend_from_slice(b"\r\n");
    }
    octets.extend_from_slice(b"\r\n");
    octets
}

/// The CONNECT of HTTP/2 for the same: RFC 9113, section 8.5. `None`: its target or a field is none that HTTP/2 can hold.
#[must_use]
pub fn of_stream(
    request: &Request,
    pseudonym: &str,
    via: Via,
    credentials: Option<&str>,
) -> Option<http::Request<()>> {
    let target = request.authority.as_ref()?.to_string();
    let mut asked = http::Request::connect(target).body(()).ok()?;
    for (name, value) in forwarded(request, pseudonym, via, credentials) {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_bytes(&value).ok()?;
        // No table of a connection remembers it (RFC 7541, section 7.1.3).
        value.set_sensitive(name == PROXY_AUTHORIZATION);
        asked.headers_mut().append(name, value);
    }
    Some(asked)
}

/// The fields of the request: this proxy's own credentials, what is end-to-end, and `Via`.
fn forwarded<'a>(
    request: &'a Request,
    pseudonym: &str,
    via: Via,
    credentials: Option<&'a str>,
) -> Vec<Line<'a>> {
    let own = credentials.map(|value| ("Proxy-Authorization", value.as_bytes().into()));
    let mut lines: Vec<Line<'_>> = own.into_iter().collect();
    let nominated: Vec<&[u8]> = request.fields.elements("connection").collect();
    for field in request.fields.iter() {
        let hop_by_hop = NOT_FORWARDED.iter().any(|name| field.is(name))
            || nominated
                .iter()
                .any(|name| name.eq_ignore_ascii_case(field.name.as_bytes()))
            || (via == Via::Block && field.is("via"));
        if !hop_by_hop {
            lines.push((&field.name, (&*field.value).into()));
        }
    }
    let received = match request.line.version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
        Version::Http2 => "2.0",
    };
    let comment = match via {
        Via::Full => concat!(" (reference-proxy/", env!("CARGO_PKG_VERSION"), ")"),
        Via::Off | Via::On | Via::Block => "",
    };
    let entry = format!("{received} {pseudonym}{comment}");
    lines.push(("Via", entry.into_bytes().into()));
    lines
}

/// Whether `request` has been through the proxy of that name already.
#[must_use]
pub fn went_through(request: &Request, pseudonym: &str) -> bool {
    let received_by = |entry: &[u8]| {
        let entry = String::from_utf8_lossy(entry);
        entry
            .split_ascii_whitespace()
            .nth(1)
            .is_some_and(|name| name.eq_ignore_ascii_case(pseudonym))
    };
    request.fields.elements("via").any(received_by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(head: &str, via: Via) -> String {
        let request = Request::parse(head.as_bytes()).unwrap();
        String::from_utf8(write(&request, "me", via, None)).unwrap()
    }

    #[test]
    fn forwards_what_is_end_to_end() {
        let head = "CONNECT [::1]:443 HTTP/1.0\r\nHost: other\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\n\
            X-L: 1\r\nVia: 1.0 fred\r\nx-l: 2\r\nProxy-Authorization: Basic eA==\r\nTE: gzip\r\n\
            Upgrade: x\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\n\r\n";
        assert_eq!(
            written(head, Via::Off),
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nX-L: 1\r\nVia: 1.0 fred\r\nx-l: 2\r\nVia: 1.0 me\r\n\r\n"
        );
        let request = Request::parse(head.as_bytes()).unwrap();
        let own = write(&request, "me", Via::Off, Some("Basic b3duOm93bg=="));
        let fields = String::from_utf8(own).unwrap();
        assert!(fields.contains("\r\nProxy-Authorization: Basic b3duOm93bg==\r\n"));
        assert!(!fields.contains("eA=="));
        assert!(!written(head, Via::Block).contains("fred"));
        assert!(written(head, Via::Full).contains("Via: 1.0 me (reference-proxy/"));
    }

    #[test]
    fn knows_its_own_entry() {
        let through = |via: &str| {
            let head = format!("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nVia: {via}\r\n\r\n");
            went_through(&Request::parse(head.as_bytes()).unwrap(), "me-1")
        };
        assert!(through("1.1 fred, 1.1 ME-1 (x)") && through("1.1 me-1"));
        assert!(!through("1.1 me-10") && !through("me-1") && !through(""));
    }
}
