//! The ports that CONNECT may reach: `AllowCONNECT`.
//!
//! httpd's syntax and, where it refuses a word, httpd's message. Where httpd takes a word and means
//! something else than it says (inverted ranges, numbers past 65535, overflow), the word is refused here.

use std::fmt;

/// What `AllowCONNECT` says; without one, 443 and 563.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowConnect {
    ranges: Vec<PortRange>,
}

/// Ports from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl Default for AllowConnect {
    /// HTTPS and NNTP over TLS, the default of httpd.
    fn default() -> Self {
        Self {
            ranges: vec![
                PortRange {
                    first: 443,
                    last: 443,
                },
                PortRange {
                    first: 563,
                    last: 563,
                },
            ],
        }
    }
}

impl AllowConnect {
    /// Reads the arguments of one directive.
    ///
    /// # Errors
    ///
    /// What httpd prints, or why this proxy is stricter.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut words = words.into_iter().peekable();
        // httpd stops at the first empty word; a list that is nothing else has no argument.
        if words.peek().is_none_or(|word| word.is_empty()) {
            return Err("AllowCONNECT requires at least one argument, \
                        A list of ports or port ranges which CONNECT may connect to"
                .into());
        }
        words
            .map(PortRange::parse)
            .collect::<Result<_, _>>()
            .map(|ranges| Self { ranges })
    }

    /// Whether `port` may be reached.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        self.ranges
            .iter()
            .any(|range| (range.first..=range.last).contains(&port))
    }

    /// This list and then `other`: directives of one server add up, and so do those of the main server and
    /// a virtual host.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.ranges.extend_from_slice(&other.ranges);
        self
    }
}

impl PortRange {
    fn parse(word: &str) -> Result<Self, String> {
        if word.is_empty() {
            return Err(
                "AllowCONNECT: an empty word stands between the ports (httpd would silently \
                        drop what follows it)"
                    .into(),
            );
        }
        if !word.starts_with(|first: char| first.is_ascii_digit()) {
            return Err("AllowCONNECT: port numbers must be numeric".into());
        }
        let digits = word
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(word.len());
        let (first, last) = match word[digits..].strip_prefix('-') {
            Some(last) => (&word[..digits], last),
            None => (word, word),
        };
        let range = Self {
            first: port(first)?,
            last: port(last)?,
        };
        if range.last < range.first {
            return Err(format!(
                "AllowCONNECT: '{word}' ends before it starts (httpd would allow no port at all)"
            ));
        }
        Ok(range)
    }
}

fn port(digits: &str) -> Result<u16, String> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("Cannot parse '{}' as port number", escaped(digits)));
    }
    let significant = digits.trim_start_matches('0');
    match significant {
        "" => Ok(0),
        _ => significant
            .parse()
            .map_err(|_| format!("Cannot parse '{digits}' as port number: ports end at 65535")),
    }
}

/// Backslashes and octets past ASCII as httpd's error log shows them.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    crate::log::escape::push_escaped(&mut shown, text.as_bytes());
    // Quotes are left alone in an error message.
    shown.replace("\\\"", "\"")
}

impl fmt::Display for AllowConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.ranges.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            match range {
                PortRange { first, last } if first == last => write!(f, "{space}{first}")?,
                PortRange { first, last } => write!(f, "{space}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<String, String> {
        AllowConnect::parse(text.split(' ')).map(|list| list.to_string())
    }

    #[test]
    fn says_what_httpd_says() {
        const NUMERIC: &str = "AllowCONNECT: port numbers must be numeric";
        for word in [
            "-443",
            "+443",
            "*",
            "all",
            "https",
            "\u{ff14}\u{ff14}\u{ff13}",
            "#",
            "${UNDEF}",
            " 443",
        ] {
            assert_eq!(AllowConnect::parse([word]).unwrap_err(), NUMERIC, "{word}");
        }
        for (word, text) in [
            ("443-", ""),
            ("443a", "443a"),
            ("443-a", "a"),
            ("443-500a", "500a"),
            ("443-500-600", "500-600"),
            ("443,563", "443,563"),
            ("0x1bb", "0x1bb"),
            ("443\u{2013}500", "443\\xe2\\x80\\x93500"),
            ("443 ", "443 "),
            ("443 -500", "443 -500"),
            ("443\\", "443\\\\"),
            ("443-\"500\"", "\"500\""),
            ("443-0x10", "0x10"),
        ] {
            let message = format!("Cannot parse '{text}' as port number");
            assert_eq!(AllowConnect::parse([word]).unwrap_err(), message, "{word}");
        }
        for none in [vec![], vec![""], vec!["", "443"]] {
            assert!(
                AllowConnect::parse(none)
                    .unwrap_err()
                    .starts_with("AllowCONNECT requires at least one argument")
            );
        }
        assert_eq!(AllowConnect::parse(["443", "abc"]).unwrap_err(), NUMERIC);
    }

    #[test]
    fn refuses_what_httpd_misreads() {
        for word in [
            "443- 500",
            "443-+5",
            "443--5",
            "500-443",
            "65535-1",
            "443-0",
            "65536",
            "99999",
            "1-99999",
            "2147483647",
            "2147483648",
            "2147483648-65535",
            "4294967739",
            "99999999999999999999",
            "1-99999999999999999999",
        ] {
            assert!(AllowConnect::parse([word]).is_err(), "{word}");
        }
        assert!(AllowConnect::parse(["443", "", "563"]).is_err());
    }

    #[test]
    fn takes_the_rest() {
        assert_eq!(parsed("443 563"), Ok("443 563".into()));
        assert_eq!(parsed("00443 0443"), Ok("443 443".into()));
        assert_eq!(parsed("0 0-0 65535"), Ok("0 0 65535".into()));
        assert!(AllowConnect::default().contains(443) && AllowConnect::default().contains(563));
        assert!(!AllowConnect::default().contains(80));
    }

    fn ranges() -> impl Strategy<Value = Vec<(u16, u16)>> {
        proptest::collection::vec(
            (any::<u16>(), any::<u16>()).prop_map(|(a, b)| (a.min(b), a.max(b))),
            1..8,
        )
    }

    proptest! {
        #[test]
        fn printing_and_parsing_round_trips(ranges in ranges()) {
            let words: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
            let list = AllowConnect::parse(words.iter().map(String::as_str)).unwrap();
            let printed = list.to_string();
            prop_assert_eq!(AllowConnect::parse(printed.split(' ')).unwrap(), list);
        }

        #[test]
        fn membership_agrees_with_the_model(ranges in ranges(), port in any::<u16>(), pick in any::<prop::sample::Index>()) {
            let words: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
            let list = AllowConnect::parse(words.iter().map(String::as_str)).unwrap();
            let (first, last) = ranges[pick.index(ranges.len())];
            for port in [port, first, last, first.wrapping_sub(1), last.wrapping_add(1)] {
                let expected = ranges.iter().any(|&(first, last)| first <= port && port <= last);
                prop_assert_eq!(list.contains(port), expected);
            }
        }

        #[test]
        fn no_word_makes_it_panic(words in proptest::collection::vec("\\PC{0,12}|[0-9-]{0,24}", 0..4)) {
            let _ = AllowConnect::parse(words.iter().map(String::as_str));
        }
    }
}
