//! What a proxy answered: the head to the byte, and the body as its framing says.

use crate::{
    http1::head::values,
    verdict::{Finding, Outcome},
};

/// A longer head is called garbage: real proxies stay far below it.
pub const HEAD_LIMIT: usize = 64 * 1024;

/// Fields that a head may have.
const FIELDS_LIMIT: usize = 256;

/// A response: status line and header section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The head as it came, with its empty line.
    pub head: Vec<u8>,
    /// The minor version: 1 for HTTP/1.1.
    pub minor: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Name and value of each field line, in order.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The interim (1xx) responses that came before it.
    pub interim: Vec<Self>,
}

impl Reply {
    /// Whether it says that the tunnel is there.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The values of a field, in order; names are compared without case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        values(&self.fields, name)
    }

    /// Whether it has a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Whether a comma-separated field contains a token; compared without case.
    #[must_use]
    pub fn lists(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// The status line, for a reader.
    #[must_use]
    pub fn status_line(&self) -> String {
        let end = self
            .head
            .iter()
            .position(|&byte| byte == b'\n')
            .unwrap_or(self.head.len());
        String::from_utf8_lossy(self.head[..end].trim_ascii_end()).into_owned()
    }

    /// Passes when `holds`; `expected` says what that means.
    ///
    /// # Errors
    /// A violation where it does not hold.
    pub fn expect(&self, expected: &str, holds: impl FnOnce(&Self) -> bool) -> Outcome {
        if holds(self) {
            Ok(())
        } else {
            Err(Finding::violation(expected, self.status_line()))
        }
    }

    /// Passes when it has no such field.
    ///
    /// # Errors
    /// A violation where it has one.
    pub fn expect_no_field(&self, name: &str) -> Outcome {
        match self.values(name).next() {
            None => Ok(()),
            Some(value) => Err(Finding::violation(
                format!("no {name} in {}", self.status_line()),
                format!("{name}: {}", String::from_utf8_lossy(value)),
            )),
        }
    }
}

/// Understands a head, or says why not.
pub(crate) fn parse(head: &[u8]) -> Result<Reply, String> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_LIMIT];
    let mut response = httparse::Response::new(&mut fields);
    let config = {
        let mut config = httparse::ParserConfig::default();
        // Tolerant where a case of its own judges: the rest of the reply still has to be seen.
        config
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true);
        config
    };
    let mut legible = without_controls_in_the_phrase(head);
    let later = later_minor_version(head);
    if later.is_some() {
        legible[MINOR_AT] = b'1';
    }
    match config.parse_response(&mut response, &legible) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err("the head is not complete".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let (Some(minor), Some(status)) = (response.version, response.code) else {
        return Err("there is no status line".to_owned());
    };
    Ok(Reply {
        head: head.to_vec(),
        minor: later.unwrap_or(minor),
        status,
        reason: response.reason.unwrap_or_default().to_owned(),
        fields: response
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), field.value.to_vec()))
            .collect(),
        interim: Vec::new(),
    })
}

/// Where the minor version stands in `HTTP/1.1 200`.
const MINOR_AT: usize = 7;

/// The minor version of HTTP/1.2 and above, which any recipient of HTTP/1.1 understands, and this parser does not.
fn later_minor_version(head: &[u8]) -> Option<u8> {
    let minor = head.strip_prefix(b"HTTP/1.")?;
    match minor {
        [digit @ b'2'..=b'9', b' ', ..] => Some(digit - b'0'),
        _ => None,
    }
}

/// `head`, with question marks for control characters in its status line: a phrase that repeats an odd target is a fault
/// of the phrase, which has a case of its own, and no less a refusal.
fn without_controls_in_the_phrase(head: &[u8]) -> Vec<u8> {
    let mut legible = head.to_vec();
    let line = legible.iter_mut().take_while(|byte| **byte != b'\n');
    for byte in line.filter(|byte| byte.is_ascii_control() && !b"\t\r".contains(byte)) {
        *byte = b'?';
    }
    legible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_as_it_stands() {
        let reply =
            parse(b"HTTP/1.0 200 Connection Established\r\nX: a\r\nx: b, C\r\n\r\n").unwrap();
        assert_eq!((reply.minor, reply.status), (0, 200));
        assert_eq!(
            reply.values("X").collect::<Vec<_>>(),
            [b"a".as_slice(), b"b, C"]
        );
        assert!(reply.lists("x", "c"));
        assert_eq!(reply.status_line(), "HTTP/1.0 200 Connection Established");
    }

    #[test]
    fn a_phrase_that_repeats_control_characters_leaves_the_status_what_it_is() {
        let head = b"HTTP/1.1 403 no way to a\x00b\x0b\x7f\r\nX: a\r\n\r\n";
        let reply = parse(head).unwrap();
        assert_eq!(
            (reply.status, reply.head.as_slice()),
            (403, head.as_slice())
        );
        assert!(reply.has("X"));
    }

    #[test]
    fn a_later_minor_version_is_as_good_as_the_first() {
        let reply = parse(b"HTTP/1.2 200 OK\r\nX: a\r\n\r\n").unwrap();
        assert_eq!((reply.minor, reply.status), (2, 200));
        assert_eq!(reply.status_line(), "HTTP/1.2 200 OK");
        for version in ["HTTP/1.12", "HTTP/2.0", "HTTP/0.0", "HTTP/1."] {
            let head = format!("{version} 200 OK\r\n\r\n");
            assert!(parse(head.as_bytes()).is_err(), "{version}");
        }
    }

    #[test]
    fn garbage_is_no_reply() {
        assert!(parse(b"SSH-2.0-x\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 4\x000 x\r\n\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200\x0b OK\r\n\r\n").is_err());
    }
}
