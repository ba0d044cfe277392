//! The header fields of a request, held to RFC 9112, section 5.

use super::Lines;
use super::scan::is_token;
use crate::refusal::Refusal;

/// Field lines in order, values without the whitespace around them.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    lines: Vec<Field>,
}

/// One field line.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name as sent.
    pub name: Box<str>,
    /// The value; the scanner has let no CTL but HTAB pass.
    pub value: Box<[u8]>,
}

impl Fields {
    /// These lines, in order.
    #[must_use]
    pub const fn new(lines: Vec<Field>) -> Self {
        Self { lines }
    }

    /// One line more, behind the others.
    pub fn push(&mut self, line: Field) {
        self.lines.push(line);
    }

    /// Reads the lines of a head, the first line being gone already.
    ///
    /// # Errors
    ///
    /// 400 for a line that is not a token, a colon and a value, and for folded lines.
    pub fn parse(lines: Lines<'_>) -> Result<Self, Refusal> {
        lines
            .map(Field::parse)
            .collect::<Result<Vec<_>, _>>()
            .map(|lines| Self { lines })
    }

    /// The values of every line of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |field| field.is(name))
            .map(|field| &*field.value)
    }

    /// The first value of that name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|field| field.is(name))
            .map(|field| &*field.value)
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.lines.iter()
    }

    /// The elements of a comma-separated list in every line of that name, without empty ones.
    pub fn elements<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|&octet| octet == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|element| !element.is_empty())
    }
}

impl Field {
    /// Whether this line has that name, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn parse(line: &[u8]) -> Result<Self, Refusal> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Refusal::bad_request(
                "a field line is folded or starts with whitespace",
            ));
        }
        let colon = line
            .iter()
            .position(|&octet| octet == b':')
            .ok_or_else(|| Refusal::bad_request("a field line has no colon"))?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Refusal::bad_request("a field name is no token"));
        }
        Ok(Self {
            name: String::from_utf8_lossy(name).into(),
            value: value.trim_ascii().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(lines: &str) -> u16 {
        Fields::parse(Lines::of(lines.as_bytes())).map_or_else(|refusal| refusal.status, |_| 0)
    }

    #[test]
    fn refuses_malformed_lines() {
        for bad in [
            "X : y\r\n",
            " X: y\r\n",
            "X: a\r\n b\r\n",
            "X\r\n",
            ": y\r\n",
            "X(: y\r\n",
        ] {
            assert_eq!(status(bad), 400, "{bad:?}");
        }
    }

    #[test]
    fn takes_what_is_merely_unusual() {
        let fields = Fields::parse(Lines::of(b"hOsT:\t a \t\r\nX: \xff\r\nX:\r\n")).unwrap();
        assert_eq!(fields.first("Host"), Some(&b"a"[..]));
        assert_eq!(fields.all("x").collect::<Vec<_>>(), [&b"\xff"[..], b""]);
    }
}
