//! Ports and ranges of ports, as lists of them are written.

use std::fmt;

/// Destination ports `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    /// The lowest port of the range.
    pub first: u16,
    /// The highest port of the range.
    pub last: u16,
}

impl PortRange {
    /// Reads ports and ranges between blanks: `443 8000-8100`.
    ///
    /// # Errors
    /// When a word is neither a port nor a range whose first port is not above its last.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, PortListError> {
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        words
            .filter(|word| !word.is_empty())
            .map(Self::parse)
            .collect()
    }

    /// Whether `port` lies in the range.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// How many ports it has.
    #[must_use]
    pub fn ports(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    fn parse(word: &str) -> Result<Self, PortListError> {
        let port = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        match (port(first), port(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(PortListError {
                word: word.to_owned(),
            }),
        }
    }
}

impl From<u16> for PortRange {
    fn from(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// A word in a port list that is no port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is neither a port (0 to 65535) nor a range of ports like 8000-8100")]
pub struct PortListError {
    /// The word as it was written.
    pub word: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_list_is_read_and_printed() {
        let ranges = PortRange::parse_list(" 443,  8000-8100 ").unwrap();
        let printed: Vec<_> = ranges.iter().map(ToString::to_string).collect();
        assert_eq!(printed, ["443", "8000-8100"]);
        assert!(ranges[1].contains(8100) && !ranges[1].contains(8101));
    }

    #[test]
    fn what_is_no_port_is_named() {
        for word in ["http", "+443", "65536", "8100-8000", "-1", "1-", "443;563"] {
            assert_eq!(PortRange::parse_list(word).unwrap_err().word, word);
        }
    }
}
