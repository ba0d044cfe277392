//! The request line: method, target, version, and exactly one space between them.
//!
//! RFC 9112, section 3, lets a server split on any whitespace. This one does not: two readers that split
//! differently see two targets.

use super::scan::is_token;
use crate::refusal::Refusal;

/// What the client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A tunnel.
    Connect,
    /// A method that is registered and not served here.
    Known,
    /// A method that nobody knows.
    Unknown,
}

/// The version that a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1 and every later minor version, which means 1.1 (RFC 9110, section 6.2).
    Http11,
    /// HTTP/2.
    Http2,
}

/// The parsed line, and its octets for the log.
#[derive(Clone, Debug)]
pub struct RequestLine {
    /// What the client asks for.
    pub method: Method,
    /// The method as sent.
    pub method_name: Box<str>,
    /// The request target as sent.
    pub target: Box<str>,
    /// The version that decides about the fields.
    pub version: Version,
    /// The version as sent.
    pub protocol: Box<str>,
}

impl RequestLine {
    /// Reads `line`, which has no CRLF.
    ///
    /// # Errors
    ///
    /// 400 for a malformed line, 505 for another major version.
    pub fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let line = std::str::from_utf8(line)
            .map_err(|_| Refusal::bad_request("the request line is not ASCII"))?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(protocol), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::bad_request(
                "the request line is not method, target and version",
            ));
        };
        if !method.bytes().all(is_token) {
            return Err(Refusal::bad_request("the method is no token"));
        }
        if !target.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(Refusal::bad_request(
                "the target holds whitespace or what is not ASCII",
            ));
        }
        Ok(Self {
            method: kind(method),
            method_name: method.into(),
            target: target.into(),
            version: version(protocol)?,
            protocol: protocol.into(),
        })
    }
}

pub(super) fn kind(method: &str) -> Method {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "QUERY",
    ];
    match method {
        "CONNECT" => Method::Connect,
        known if KNOWN.contains(&known) => Method::Known,
        _ => Method::Unknown,
    }
}

fn version(protocol: &str) -> Result<Version, Refusal> {
    let malformed = || Refusal::bad_request("the version is not HTTP/digit.digit");
    let [major, b'.', minor] = *protocol
        .strip_prefix("HTTP/")
        .ok_or_else(malformed)?
        .as_bytes()
    else {
        return Err(malformed());
    };
    match (major, minor) {
        (b'1', b'0') => Ok(Version::Http10),
        (b'1', b'1'..=b'9') => Ok(Version::Http11),
        (b'0'..=b'9', b'0'..=b'9') => Err(Refusal::version_not_supported()),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(line: &str) -> u16 {
        RequestLine::parse(line.as_bytes()).map_or_else(|refusal| refusal.status, |_| 0)
    }

    #[test]
    fn reads_versions() {
        let of = |line: &str| RequestLine::parse(line.as_bytes()).unwrap().version;
        assert_eq!(of("CONNECT a:1 HTTP/1.0"), Version::Http10);
        assert_eq!(of("CONNECT a:1 HTTP/1.1"), Version::Http11);
        assert_eq!(of("CONNECT a:1 HTTP/1.2"), Version::Http11);
        assert_eq!(status("CONNECT a:1 HTTP/2.0"), 505);
        for bad in [
            "HTTP/1.10",
            "HTTP/11.1",
            "HTTP/1",
            "http/1.1",
            "XTTP/1.1",
            "HTTP/1,1",
        ] {
            assert_eq!(status(&format!("CONNECT a:1 {bad}")), 400, "{bad}");
        }
    }

    #[test]
    fn refuses_other_spacing() {
        for bad in [
            "CONNECT  a:1 HTTP/1.1",
            "CONNECT a:1  HTTP/1.1",
            "CONNECT a:1 HTTP/1.1 ",
            " CONNECT a:1 HTTP/1.1",
            "CONNECT\ta:1 HTTP/1.1",
            "CONNECT a:1\tHTTP/1.1",
            "CONNECT a:1",
            "CONNECT",
            "",
            "CONNECT a: 1 HTTP/1.1",
        ] {
            assert_eq!(status(bad), 400, "{bad:?}");
        }
    }

    #[test]
    fn a_method_is_case_sensitive() {
        let of = |line: &str| RequestLine::parse(line.as_bytes()).unwrap().method;
        assert_eq!(of("CONNECT a:1 HTTP/1.1"), Method::Connect);
        assert_eq!(of("connect a:1 HTTP/1.1"), Method::Unknown);
        assert_eq!(of("GET a:1 HTTP/1.1"), Method::Known);
    }
}
