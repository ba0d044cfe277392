//! The head of an upstream's answer, parsed by hand.
//!
//! Nothing of it reaches the client as it came, so what matters is the status and where the head ends. The
//! lines must be HTTP all the same: what is not is no answer.

use crate::request::Section;
use crate::request::scan::is_token;
use crate::request::stream;

/// What octets amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// No complete head yet.
    More,
    /// A head of so many octets.
    Answer(Answer, usize),
    /// Not the start of any HTTP/1 answer.
    Malformed,
}

/// A parsed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code, 100 to 599.
    pub status: u16,
    /// Names and values, without whitespace around either.
    fields: Vec<(String, Vec<u8>)>,
}

/// Reads as far as `octets` go.
#[must_use]
pub fn parse(octets: &[u8]) -> Reply {
    const START: &[u8] = b"HTTP/1.";
    let common = octets.len().min(START.len());
    if octets[..common] != START[..common] {
        return Reply::Malformed;
    }
    let Some(end) = octets.windows(4).position(|four| four == b"\r\n\r\n") else {
        // A bare LF cannot become part of a head any more.
        let bare = octets
            .iter()
            .enumerate()
            .any(|(at, &octet)| octet == b'\n' && (at == 0 || octets[at - 1] != b'\r'));
        return if bare { Reply::Malformed } else { Reply::More };
    };
    match answer(&octets[..end]) {
        Some(answer) => Reply::Answer(answer, end + 4),
        None => Reply::Malformed,
    }
}

impl Answer {
    /// Reads what a stream of HTTP/2 was answered with; `None`: it is malformed (RFC 9113, sections 8.2 and 8.3).
    #[must_use]
    pub fn of_stream(section: &Section) -> Option<Self> {
        let mut lines = section.iter();
        let status = match lines.next()? {
            (b":status", [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9']) => [a, b, c]
                .into_iter()
                .fold(0, |status, digit| status * 10 + u16::from(digit - b'0')),
            _ => return None,
        };
        let fields = lines.map(|(name, value)| {
            let field = stream::field(name, value).ok()?;
            Some((field.name.into(), field.value.into()))
        });
        let fields = fields.collect::<Option<_>>()?;
        Some(Self { status, fields })
    }

    /// The fields of this interim answer that are not about the upstream's connection.
    pub fn passed_on(&self) -> impl Iterator<Item = (&str, &[u8])> {
        const DROPPED: [&str; 8] = [
            "connection",
            "content-length",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ];
        let nominated = self.elements("connection");
        let kept =
            move |name: &String| !DROPPED.contains(&name.as_str()) && !nominated.contains(name);
        let fields = self.fields.iter().filter(move |(name, _)| kept(name));
        fields.map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// This interim answer, written anew for HTTP/1.1.
    #[must_use]
    pub fn interim(&self) -> Vec<u8> {
        let mut octets = format!("HTTP/1.1 {} \r\n", self.status).into_bytes();
        for (name, value) in self.passed_on() {
            octets.extend_from_slice(name.as_bytes());
            octets.extend_from_slice(b": ");
            octets.extend_from_slice(value);
            octets.extend_from_slice(b"\r\n");
        }
        octets.extend_from_slice(b"\r\n");
        octets
    }

    /// Whether nobody can tell where its content ends, since its `Content-Length` is none: RFC 9112, section 6.3, wants
    /// such an answer thrown away.
    #[must_use]
    pub fn has_no_end(&self) -> bool {
        let lengths = self.elements("content-length");
        let digits = |length: &String| {
            !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit())
        };
        !lengths.iter().all(digits) || lengths.windows(2).any(|two| two[0] != two[1])
    }

    /// The members of its `Proxy-Status`, if they are plain enough to be passed on: RFC 9209, section 2, wants
    /// them kept, and whoever reads the list wants it well-formed.
    #[must_use]
    pub fn proxy_status(&self) -> Option<String> {
        let values: Vec<&[u8]> = self
            .fields
            .iter()
            .filter(|(name, _)| name == "proxy-status")
            .map(|(_, value)| &**value)
            .collect();
        let joined = String::from_utf8(values.join(&b", "[..])).ok()?;
        let member = |member: &str| {
            member
                .split(';')
                .map(str::trim)
                .enumerate()
                .all(|(index, part)| parameter(index, part))
        };
        (!joined.is_empty()
            && joined.len() <= 1024
            && joined.split(',').all(|one| member(one.trim())))
        .then_some(joined)
    }

    fn elements(&self, name: &str) -> Vec<String> {
        let of_name = self.fields.iter().filter(|(own, _)| own == name);
        of_name
            .flat_map(|(_, value)| value.split(|&octet| octet == b','))
            .map(|element| String::from_utf8_lossy(element.trim_ascii()).to_ascii_lowercase())
            .collect()
    }
}

/// A token, or a parameter whose value is a token or a number. Strings, which may hold commas, are not plain.
fn parameter(index: usize, part: &str) -> bool {
    let token = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|octet| is_token(octet) || octet == b':' || octet == b'/')
    };
    let number = |text: &str| {
        (1..=15).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
    };
    let key = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|octet| {
                octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"_-.*".contains(&octet)
            })
    };
    match (index, part.split_once('=')) {
        (0, _) => token(part),
        (_, Some((name, value))) => key(name) && (token(value) || number(value)),
        (_, None) => key(part),
    }
}

/// Reads a head without its empty line.
fn answer(head: &[u8]) -> Option<Answer> {
    let mut lines = head
        .split(|&octet| octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let status = status(lines.next()?)?;
    let bad = |octet: &u8| (*octet < 0x20 && *octet != b'\t') || *octet == 0x7f;
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        if line.iter().any(bad) {
            return None;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            // A folded line belongs to the value before it (RFC 9112, section 5.2).
            let (_, value) = fields.last_mut()?;
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            continue;
        }
        let colon = line.iter().position(|&octet| octet == b':')?;
        // Whitespace before the colon is taken out of an answer (RFC 9112, section 5.1).
        let name = line[..colon].trim_ascii_end();
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return None;
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
    // Every line ended with CRLF: a bare LF or CR would have left a CR behind.
    let crlf = head
        .iter()
        .enumerate()
        .all(|(at, &octet)| octet != b'\n' || (at > 0 && head[at - 1] == b'\r'));
    crlf.then_some(Answer { status, fields })
}

/// `HTTP/1.x NNN`, and a reason or none.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let [minor, b' ', a, b, c, rest @ ..] = rest else {
        return None;
    };
    let digits = [minor, a, b, c].into_iter().all(u8::is_ascii_digit);
    let ends = rest.first().is_none_or(|&octet| octet == b' ');
    let control = rest.iter().any(|&octet| octet < 0x20 && octet != b'\t');
    let status = [a, b, c].into_iter().fold(0, |status, digit| {
        status * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    (digits && ends && !control && (100..600).contains(&status)).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(octets: &str) -> Option<Answer> {
        match parse(octets.as_bytes()) {
            Reply::Answer(answer, _) => Some(answer),
            Reply::More | Reply::Malformed => None,
        }
    }

    #[test]
    fn finds_the_end_at_every_split() {
        let octets = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for end in 0..38 {
            assert_eq!(parse(&octets[..end]), Reply::More, "{end}");
        }
        assert!(matches!(
            parse(octets),
            Reply::Answer(Answer { status: 200, .. }, 38)
        ));
    }

    #[test]
    fn junk_is_no_answer() {
        for junk in [
            "SSH-2.0-x\r\n",
            "\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 2000 x\r\n\r\n",
            "HTTP/1.1 099 x\r\n\r\n",
            "HTTP/1.1 200 x\n\n",
            "HTTP/1.1 200 x\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 x\r\n: y\r\n\r\n",
            "HTTP/1.1 200 x\r\n folded\r\n\r\n",
            "HTTP/1.1 200 x\r\nA: \u{1}\r\n\r\n",
        ] {
            assert_eq!(parse(junk.as_bytes()), Reply::Malformed, "{junk:?}");
        }
    }

    #[test]
    fn an_interim_answer_is_written_anew() {
        let answer =
            of("HTTP/1.0 103 Early\r\nLink : </a>\r\n  x\r\nConnection: Hop\r\nhop: 1\r\n\r\n")
                .unwrap();
        assert_eq!(answer.interim(), b"HTTP/1.1 103 \r\nlink: </a> x\r\n\r\n");
    }

    #[test]
    fn a_length_that_is_none_leaves_it_without_an_end() {
        let endless = |lengths: &str| {
            of(&format!("HTTP/1.1 403 x\r\n{lengths}\r\n"))
                .unwrap()
                .has_no_end()
        };
        for bad in ["abc", "", "-1", "+1", "1,2", "1\r\nContent-Length: 2"] {
            assert!(endless(&format!("Content-Length: {bad}\r\n")), "{bad:?}");
        }
        assert!(!endless("") && !endless("Content-Length: 5, 5\r\n"));
    }

    #[test]
    fn only_a_plain_proxy_status_is_passed_on() {
        let status = |value: &str| {
            of(&format!("HTTP/1.1 502 x\r\nProxy-Status: {value}\r\n\r\n"))
                .unwrap()
                .proxy_status()
        };
        assert_eq!(
            status("u.test; error=dns_error, v; received-status=502").as_deref(),
            Some("u.test; error=dns_error, v; received-status=502")
        );
        for odd in ["", "u; details=\"a, b\"", "u; =x", ",", "u v", "1u"] {
            assert_eq!(status(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(junk in proptest::collection::vec(any::<u8>(), 0..120), status in "[0-9]{0,4}") {
            let _ = parse(&junk);
            let head = [b"HTTP/1.1 ", status.as_bytes(), b" \r\n", &junk, b"\r\n\r\n"].concat();
            if let Reply::Answer(answer, _) = parse(&head) {
                let _ = (answer.interim(), answer.proxy_status());
            }
        }
    }
}
