//! A CONNECT request, from octets to meaning, parsed by hand.
//!
//! Two passes: [`Scanner`] finds the end of the head in octets that arrive in any pieces and stops at the
//! first one that cannot belong to a head, so that nobody waits for the end of garbage; [`Request::parse`]
//! then reads the complete head. Strictness is the point: whatever a filter in front of this proxy could
//! read differently is refused here.

pub mod fields;
pub mod framing;
pub mod host;
pub mod line;
pub mod scan;
pub mod stream;
pub mod target;

pub use fields::{Field, Fields};
pub use line::{Method, RequestLine, Version};
pub use scan::{HeadLimits, Scan, Scanner};
pub use stream::Section;
pub use target::{Authority, Host};

use crate::refusal::Refusal;

/// A complete request head whose every element was checked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line.
    pub line: RequestLine,
    /// Where the tunnel shall lead; only CONNECT has it.
    pub authority: Option<Authority>,
    /// The fields, in order, as sent.
    pub fields: Fields,
}

impl Request {
    /// Reads the head that a [`Scanner`] delimited: request line to empty line, without the empty lines
    /// before it.
    ///
    /// # Errors
    ///
    /// The refusal that the client is owed. RFC 9112, sections 2 to 6.
    pub fn parse(head: &[u8]) -> Result<Self, Refusal> {
        let mut lines = Lines { rest: head };
        let line = RequestLine::parse(lines.next().unwrap_or_default())?;
        let fields = Fields::parse(lines)?;
        let authority = match line.method {
            Method::Connect => Some(Authority::parse(line.target.as_bytes())?),
            Method::Known | Method::Unknown => None,
        };
        host::check(&fields, line.version)?;
        framing::check(&fields, line.version)?;
        Ok(Self {
            line,
            authority,
            fields,
        })
    }

    /// The values of the fields of that name as one, as rules and logs see them. Of `Host` that is what the target
    /// says: RFC 9112, section 3.2.2, tells a proxy to ignore what was sent.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Vec<u8>> {
        self.fields.first(name)?;
        if name.eq_ignore_ascii_case("host")
            && self.authority.is_some()
            && let Some((host, port)) = self.line.target.rsplit_once(':')
        {
            let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
            return Some(format!("{host}:{port}").into_bytes());
        }
        let values: Vec<&[u8]> = self.fields.all(name).collect();
        Some(values.join(&b", "[..]))
    }
}

/// The lines of a head, without their CRLF, up to the empty one.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 2..];
        (!line.is_empty()).then_some(line)
    }
}

impl<'a> Lines<'a> {
    /// The lines of `head`.
    #[must_use]
    pub fn of(head: &'a [u8]) -> Self {
        Self { rest: head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_host_is_that_of_the_target() {
        let host = |target: &str, field: &str| {
            let head = format!("CONNECT {target} HTTP/1.0\r\n{field}X: 1\r\nx: 2\r\n\r\n");
            let request = Request::parse(head.as_bytes()).unwrap();
            assert_eq!(request.field("x").unwrap(), b"1, 2");
            request
                .field("HOST")
                .map(|host| String::from_utf8(host).unwrap())
        };
        assert_eq!(host("A.test.:0443", "Host: b\r\n").unwrap(), "a.test:0443");
        assert_eq!(host("[::1]:443", "Host: b\r\n").unwrap(), "[::1]:443");
        assert_eq!(host("a.test:443", ""), None);
    }

    fn parsed(head: &str) -> Result<Request, u16> {
        Request::parse(head.as_bytes()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn reads_a_plain_connect() {
        let request =
            parsed("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nX: y\r\n\r\n").unwrap();
        assert_eq!(request.authority.unwrap().port, 443);
        assert_eq!(request.fields.first("x"), Some(&b"y"[..]));
    }

    #[test]
    fn other_methods_have_no_authority() {
        let request = parsed("GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
        assert!(request.authority.is_none());
    }

    #[test]
    fn old_requests_need_no_host_but_never_two() {
        assert!(parsed("CONNECT a.test:443 HTTP/1.0\r\n\r\n").is_ok());
        assert_eq!(
            parsed("CONNECT a.test:443 HTTP/1.1\r\n\r\n").unwrap_err(),
            400
        );
        let twice = "CONNECT a.test:443 HTTP/1.0\r\nHost: a.test\r\nHost: a.test\r\n\r\n";
        assert_eq!(parsed(twice).unwrap_err(), 400);
    }

    proptest! {
        #[test]
        fn no_head_makes_it_panic(head in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Request::parse(&head);
        }

        #[test]
        fn nothing_near_a_head_makes_it_panic(
            host in "[a-z0-9:.\\[\\]%-]{0,20}", port in "[0-9+-]{0,7}", junk in "[ -~\r\n\t]{0,60}",
        ) {
            let _ = Request::parse(format!("CONNECT {host}:{port} HTTP/1.1\r\n{junk}\r\n\r\n").as_bytes());
        }
    }
}
