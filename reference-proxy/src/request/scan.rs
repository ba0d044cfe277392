//! Finds the end of a request head in octets that arrive in any pieces.
//!
//! It looks at every octet once, and refuses at the first one that no head can hold: a client that speaks
//! another protocol, ends its lines with a bare LF or never ends its line gets its answer at once.

use crate::refusal::Refusal;

/// The longest method that is read to its end; the longest registered one has 17 octets.
const METHOD_LONGEST: usize = 64;

/// Empty lines that are skipped before the request line, as many as httpd skips.
const BLANK_LINES_MOST: usize = 10;

/// How much head a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Octets in the request line (`LimitRequestLine`).
    pub line: usize,
    /// Octets in one field line (`LimitRequestFieldSize`).
    pub field: usize,
    /// Field lines (`LimitRequestFields`); 0 stands for [`Self::FIELDS_EVER`].
    pub fields: usize,
}

impl HeadLimits {
    /// What `LimitRequestFields 0` (in httpd: no limit) means here, since there is a limit on everything.
    pub const FIELDS_EVER: usize = 10_000;

    /// The most field lines.
    #[must_use]
    pub const fn fields_most(&self) -> usize {
        match self.fields {
            0 => Self::FIELDS_EVER,
            most => most,
        }
    }
}

impl Default for HeadLimits {
    /// httpd's defaults; RFC 9112, section 3, recommends at least 8000 octets for the request line.
    fn default() -> Self {
        Self {
            line: 8190,
            field: 8190,
            fields: 100,
        }
    }
}

/// What the octets so far amount to.
#[derive(Debug)]
pub enum Scan {
    /// No complete head yet.
    More,
    /// The head starts and ends here; what follows is the tunnel's.
    Head {
        /// The first octet of the request line.
        start: usize,
        /// One past the empty line's LF.
        end: usize,
    },
    /// No head will come of it.
    Bad(Refusal),
}

/// Where the scan stands; one for each connection.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    at: usize,
    line_start: usize,
    head_start: usize,
    blank_lines: usize,
    lines: usize,
}

impl Scanner {
    /// Goes on with `octets`, which holds all that arrived, the octets of earlier calls included.
    pub fn scan(&mut self, octets: &[u8], limits: &HeadLimits) -> Scan {
        while let Some(&octet) = octets.get(self.at) {
            let outcome = match octet {
                b'\n' => self.end_of_line(octets, limits),
                _ => self.inside_a_line(octet, octets, limits),
            };
            match outcome {
                Ok(None) => self.at += 1,
                Ok(Some(end)) => {
                    return Scan::Head {
                        start: self.head_start,
                        end,
                    };
                }
                Err(refusal) => return Scan::Bad(refusal),
            }
        }
        Scan::More
    }

    /// What is known of the request line, for a log line about a refused head.
    #[must_use]
    pub fn request_line<'a>(&self, octets: &'a [u8]) -> &'a [u8] {
        // One empty line too many has moved the start past the octet that was looked at last.
        let line = octets.get(self.head_start..self.at).unwrap_or_default();
        line.split(|&octet| octet == b'\r')
            .next()
            .unwrap_or_default()
    }

    fn end_of_line(
        &mut self,
        octets: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, Refusal> {
        if !octets[..self.at].ends_with(b"\r") {
            return Err(Refusal::bad_request(
                "a line ends with LF alone instead of CRLF",
            ));
        }
        let empty = octets[self.line_start..self.at] == *b"\r";
        self.line_start = self.at + 1;
        if empty && self.lines == 0 {
            self.blank_lines += 1;
            self.head_start = self.line_start;
            if self.blank_lines > BLANK_LINES_MOST {
                return Err(Refusal::bad_request(
                    "too many empty lines before the request line",
                ));
            }
            return Ok(None);
        }
        if empty {
            return Ok(Some(self.line_start));
        }
        self.lines += 1;
        let most = limits.fields_most();
        // The request line is no field.
        if self.lines - 1 > most {
            return Err(Refusal::head_too_large("too many fields"));
        }
        Ok(None)
    }

    fn inside_a_line(
        &self,
        octet: u8,
        octets: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, Refusal> {
        // The CR may be one octet past the limit.
        let length = self.at - self.line_start;
        if octets[..self.at].ends_with(b"\r") {
            return Err(Refusal::bad_request("a CR is not followed by LF"));
        }
        let is_cr = octet == b'\r';
        if (octet < 0x20 && !is_cr && octet != b'\t') || octet == 0x7f {
            return Err(Refusal::bad_request("the head holds a control character"));
        }
        if self.lines > 0 {
            if length > limits.field {
                return Err(Refusal::head_too_large("a field is too long"));
            }
            return Ok(None);
        }
        if length == 0 && !is_cr && !is_token(octet) {
            return Err(Refusal::bad_request("a request starts with a method"));
        }
        if length >= METHOD_LONGEST && !octets[self.line_start..self.at].contains(&b' ') {
            return Err(Refusal::not_implemented("no method is that long"));
        }
        if length > limits.line {
            return Err(Refusal::line_too_long());
        }
        Ok(None)
    }
}

/// Whether `octet` may stand in a token (RFC 9110, section 5.6.2).
#[must_use]
pub fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &[u8] = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\nearly";

    fn status(octets: &[u8]) -> u16 {
        match Scanner::default().scan(octets, &HeadLimits::default()) {
            Scan::Bad(refusal) => refusal.status,
            _ => 0,
        }
    }

    #[test]
    fn the_head_ends_at_the_empty_line_however_it_is_split() {
        for cut in 0..HEAD.len() {
            let mut scanner = Scanner::default();
            let first = scanner.scan(&HEAD[..cut], &HeadLimits::default());
            let last = match first {
                Scan::More => scanner.scan(HEAD, &HeadLimits::default()),
                found => found,
            };
            assert!(
                matches!(last, Scan::Head { start: 0, end: 49 }),
                "cut at {cut}: {last:?}"
            );
        }
    }

    #[test]
    fn skips_a_few_empty_lines_before_it() {
        let octets = [b"\r\n\r\n", HEAD].concat();
        let scan = Scanner::default().scan(&octets, &HeadLimits::default());
        assert!(matches!(scan, Scan::Head { start: 4, end: 53 }));
        let empty = b"\r\n".repeat(11);
        assert_eq!(status(&empty), 400);
        let mut scanner = Scanner::default();
        scanner.scan(&empty, &HeadLimits::default());
        assert_eq!(scanner.request_line(&empty), b"");
    }

    #[test]
    fn refuses_what_no_head_can_hold() {
        assert_eq!(status(b"CONNECT a.test:443 HTTP/1.1\n"), 400);
        assert_eq!(status(b"CONNECT a.test:443 HTTP/1.1\rX"), 400);
        assert_eq!(status(b"\x16\x03\x01\x02\x00"), 400);
        assert_eq!(status(b"CONNECT \0"), 400);
        assert_eq!(status(b"CONNECT a:1 HTTP/1.1\r\nX: a\x7f"), 400);
        assert_eq!(status(b"\n"), 400);
        assert_eq!(status(&b"A".repeat(65)), 501);
        assert_eq!(
            status(&[b"CONNECT ".to_vec(), b"a".repeat(9000)].concat()),
            414
        );
        let field = [b"CONNECT a:1 HTTP/1.1\r\nX: ".to_vec(), b"a".repeat(9000)].concat();
        assert_eq!(status(&field), 431);
        let fields = [
            b"CONNECT a:1 HTTP/1.1\r\n".to_vec(),
            b"X: y\r\n".repeat(101),
        ]
        .concat();
        assert_eq!(status(&fields), 431);
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(octets in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let limits = HeadLimits { line: 40, field: 40, fields: 3 };
            let whole = Scanner::default().scan(&octets, &limits);
            let mut scanner = Scanner::default();
            let split = match scanner.scan(&octets[..cut.min(octets.len())], &limits) {
                Scan::More => scanner.scan(&octets, &limits),
                found => found,
            };
            prop_assert_eq!(format!("{whole:?}"), format!("{split:?}"));
        }
    }
}
