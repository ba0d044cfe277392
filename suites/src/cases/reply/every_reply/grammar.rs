//! What a head has to look like, byte by byte: stricter than any client that reads it.

use jiff::fmt::rfc2822;

/// What is wrong with the status line of `head`.
pub(super) fn status_line(head: &[u8]) -> Option<&'static str> {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, rest @ ..] = line else {
        return Some("the version is not HTTP/ and two digits with a dot");
    };
    if !major.is_ascii_digit() || !minor.is_ascii_digit() {
        return Some("the version is not HTTP/ and two digits with a dot");
    }
    let [b' ', a, b, c, rest @ ..] = rest else {
        return Some("a status code of three digits does not follow the version and one space");
    };
    if ![a, b, c].iter().all(|digit| digit.is_ascii_digit()) {
        return Some("a status code of three digits does not follow the version and one space");
    }
    let [b' ', phrase @ ..] = rest else {
        return Some("no space follows the status code");
    };
    phrase
        .iter()
        .any(|&byte| !is_field_content(byte))
        .then_some("a control character in the reason phrase")
}

/// What is wrong with the lines of `head`.
pub(super) fn header_section(head: &[u8]) -> Option<&'static str> {
    if !head.ends_with(b"\r\n\r\n") {
        return Some("it does not end in CRLF CRLF");
    }
    for pair in head.windows(2) {
        match pair {
            [b'\r', b'\n'] => {}
            [b'\r', _] => return Some("a bare CR"),
            [_, b'\n'] => return Some("a bare LF"),
            _ => {}
        }
    }
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    for line in lines {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        if content.is_empty() {
            continue;
        }
        if content.starts_with(b" ") || content.starts_with(b"\t") {
            return Some("a folded line");
        }
        let Some(colon) = content.iter().position(|&byte| byte == b':') else {
            return Some("a line without a colon");
        };
        let (name, value) = content.split_at(colon);
        if name.is_empty() || !name.iter().all(|&byte| is_token(byte)) {
            return Some("a field name that is no token");
        }
        if !value.iter().all(|&byte| is_field_content(byte)) {
            return Some("a control character in a value");
        }
    }
    None
}

/// Whether it comes out the same when it is read and written again in the one form that may be sent.
pub(super) fn is_date(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let read = rfc2822::DateTimeParser::new().parse_timestamp(&*text);
    let written =
        read.and_then(|date| rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date));
    written.is_ok_and(|written| *written == *text)
}

const fn is_field_content(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_head_has_nothing_wrong_with_it() {
        for head in [
            &b"HTTP/1.1 200 Connection Established\r\n\r\n"[..],
            b"HTTP/1.0 200 \r\nVia: 1.1 x\r\nX:\r\nY: \xe4 b\tc\r\n\r\n",
        ] {
            assert_eq!(status_line(head), None);
            assert_eq!(header_section(head), None);
        }
    }

    #[test]
    fn a_status_line_is_strict() {
        for line in [
            "HTTP/1.1 200",
            "HTTP/1.1  200 OK",
            "HTTP/11 200 OK",
            "http/1.1 200 OK",
        ] {
            assert!(
                status_line(format!("{line}\r\n\r\n").as_bytes()).is_some(),
                "{line}"
            );
        }
    }

    #[test]
    fn a_date_is_strict() {
        assert!(is_date(b"Sun, 06 Nov 1994 08:49:37 GMT"));
        for other in [
            "",
            "1994-11-06T08:49:37Z",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 09:49:37 +0100",
            "06 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert!(!is_date(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_header_section_is_strict() {
        for rest in [
            "\n\r\n",
            "\r\n\n",
            "\r\nA : b\r\n\r\n",
            "\r\nA: b\nC: d\r\n\r\n",
            "\r\nA\r\n\r\n",
            "\r\nA: b\r\n c\r\n\r\n",
            "\r\nA: b\rc\r\n\r\n",
            "\r\n: b\r\n\r\n",
            "\r\nA: b\r\r\n\r\n",
        ] {
            let head = format!("HTTP/1.1 200 OK{rest}");
            assert!(header_section(head.as_bytes()).is_some(), "{head:?}");
        }
    }
}
