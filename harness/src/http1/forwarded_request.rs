//! A request as it came to the upstream proxy, to the byte.

use crate::{
    http1::head::values,
    verdict::{Finding, Outcome},
    wire::payload::quote,
};

/// The head of a request that the proxy under test has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// As it came, with its empty line.
    pub head: Vec<u8>,
    /// The three words of its request-line.
    words: [String; 3],
    /// Name and value of each field line, in order.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Forwarded {
    /// Understands a head. What is no request was sent by the proxy under test, and so is its fault.
    ///
    /// # Errors
    /// A violation where it is no request.
    pub fn parse(head: Vec<u8>) -> Outcome<Self> {
        let wrong = |line: &[u8]| Finding::violation("a request", quote(line));
        let mut lines = head
            .split(|&byte| byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let line = lines.next().unwrap_or_default();
        let words: Vec<String> = line
            .split(|&byte| byte == b' ')
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let words: [String; 3] = words.try_into().map_err(|_| wrong(line))?;
        let mut fields = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line.split_at(colon.ok_or_else(|| wrong(line))?);
            let name = String::from_utf8_lossy(name).into_owned();
            fields.push((name, value[1..].trim_ascii().to_vec()));
        }
        Ok(Self {
            words,
            fields,
            head,
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.words[0]
    }

    /// The request-target.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.words[1]
    }

    /// `HTTP/1.1`, or whatever else it says.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.words[2]
    }

    /// The request-line.
    #[must_use]
    pub fn line(&self) -> String {
        self.words.join(" ")
    }

    /// The values of a field, in order; names are compared without case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        values(&self.fields, name)
    }

    /// The members of a comma-separated field, over all of its lines, in order.
    #[must_use]
    pub fn members(&self, name: &str) -> Vec<String> {
        self.values(name)
            .flat_map(|value| value.split(|&byte| byte == b','))
            .map(|member| String::from_utf8_lossy(member.trim_ascii()).into_owned())
            .filter(|member| !member.is_empty())
            .collect()
    }

    /// Whether `text` stands anywhere in it.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.head.windows(text.len()).any(|window| window == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_stands() {
        let head = b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nVia: 1.0 b, 1.1 c\r\nvia:1.1 d\r\n\r\n";
        let asked = Forwarded::parse(head.to_vec()).unwrap();
        assert_eq!(
            (asked.method(), asked.target(), asked.version()),
            ("CONNECT", "a:1", "HTTP/1.1")
        );
        assert_eq!(asked.members("VIA"), ["1.0 b", "1.1 c", "1.1 d"]);
        assert!(asked.contains("b, 1") && !asked.contains("x"));
    }

    #[test]
    fn what_is_no_request_is_the_proxys_fault() {
        for head in [
            "CONNECT a:1\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nno colon\r\n\r\n",
        ] {
            let found = Forwarded::parse(head.into());
            assert!(matches!(found, Err(Finding::Violation { .. })), "{head}");
        }
    }
}
