//! A CONNECT has no content, and a request that claims some is refused.
//!
//! RFC 9110, section 9.3.6, gives CONNECT no content; RFC 9112, section 6, frames every request by its
//! fields. Two hops that choose differently disagree about where the tunnel starts, so neither reading is
//! tried. `Content-Length: 0` says what is true anyway and passes.

use super::{Fields, Version};
use crate::refusal::Refusal;

/// Checks the fields that frame a message.
///
/// # Errors
///
/// 400 for any length but 0 and for chunks, 501 for a transfer coding that is not known.
pub fn check(fields: &Fields, version: Version) -> Result<(), Refusal> {
    let mut codings = fields.elements("transfer-encoding");
    if fields.first("transfer-encoding").is_some() {
        let known = codings.all(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        return Err(match (known, version) {
            (false, Version::Http11) => {
                Refusal::not_implemented("the transfer coding is not known")
            }
            (true, _) | (false, Version::Http10 | Version::Http2) => {
                Refusal::bad_request("a request with Transfer-Encoding is not served")
            }
        });
    }
    let mut lengths = fields.all("content-length");
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(()),
        // Of a stream it would be about what the tunnel carries (RFC 9113, section 8.1.1).
        (Some(b"0"), None) if version != Version::Http2 => Ok(()),
        _ => Err(Refusal::bad_request(
            "a request is served without Content-Length, or with 0",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Lines;

    fn status(lines: &str, version: Version) -> u16 {
        let fields = Fields::parse(Lines::of(lines.as_bytes())).unwrap();
        check(&fields, version).map_or_else(|refusal| refusal.status, |()| 0)
    }

    #[test]
    fn content_is_refused() {
        for (lines, expected) in [
            ("", 0),
            ("Content-Length: 0\r\n", 0),
            ("Content-Length: 5\r\n", 400),
            ("Content-Length: -1\r\n", 400),
            ("Content-Length:\r\n", 400),
            ("Content-Length: 0\r\nContent-Length: 0\r\n", 400),
            ("Transfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: foo, chunked\r\n", 501),
            ("Transfer-Encoding: gzip\r\n", 501),
            ("Transfer-Encoding:\r\n", 400),
        ] {
            assert_eq!(status(lines, Version::Http11), expected, "{lines:?}");
        }
        assert_eq!(status("Transfer-Encoding: foo\r\n", Version::Http10), 400);
    }
}
