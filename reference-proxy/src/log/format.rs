//! `LogFormat`: the items of httpd's mod_log_config that mean something for a tunnel.

mod parse;
mod render;

pub(super) use render::calendar;

use super::record::Record;
use parse::{item, unescaped};

/// The format of `%t` when none is given.
const CLF_TIME: &str = "[%d/%b/%Y:%H:%M:%S %z]";

/// A parsed format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    /// Only for these statuses, or for all others when negated; empty: for every one.
    statuses: Vec<u16>,
    negated: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Text(String),
    ClientAddress,
    LocalAddress,
    BodyOctets { dash: bool },
    Connection,
    Environment(String),
    File,
    Handler,
    KeptAlive,
    Method,
    Missing,
    Note(String),
    Port(Which),
    ProcessId,
    Protocol,
    Query,
    Received,
    Request,
    RequestField(String),
    Sent,
    ServerName,
    Status,
    Target,
    Time { end: bool, shape: TimeShape },
    Took(Unit),
    Transferred,
    User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Canonical,
    Local,
    Remote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TimeShape {
    Calendar(String),
    Epoch(Unit),
    /// The part of a second, in so many digits.
    Fraction(Unit),
}

impl Format {
    /// The Common Log Format, under the name `common`.
    pub const COMMON: &'static str = "%h %l %u %t \"%r\" %>s %b";

    /// Reads a format.
    ///
    /// # Errors
    ///
    /// The first item that is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut items, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                '%' if rest.starts_with('%') => {
                    plain.push('%');
                    rest = &rest[1..];
                }
                '%' => {
                    if !plain.is_empty() {
                        items.push(Item::text(std::mem::take(&mut plain)));
                    }
                    items.push(item(&mut rest)?);
                }
                '\\' => plain.push(unescaped(&mut rest)),
                _ => plain.push(character),
            }
        }
        if !plain.is_empty() {
            items.push(Item::text(plain));
        }
        Ok(Self { items })
    }

    /// The request fields that it names, in lower case.
    pub fn request_fields(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match &item.what {
            What::RequestField(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The variables that it names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match &item.what {
            What::Environment(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The line for `record`, without a line end.
    #[must_use]
    pub fn line(&self, record: &Record) -> String {
        let mut line = String::with_capacity(128);
        for item in &self.items {
            if item.applies(record.status) {
                item.what.push(&mut line, record);
            } else {
                line.push('-');
            }
        }
        line
    }
}

impl Item {
    fn text(text: String) -> Self {
        Self {
            statuses: Vec::new(),
            negated: false,
            what: What::Text(text),
        }
    }

    fn applies(&self, status: u16) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Ends;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn record() -> Record {
        let mut record = Record::new(Arc::new(Ends {
            peer: "127.0.0.1:40000".parse().unwrap(),
            local: "127.0.0.1:3128".parse().unwrap(),
        }));
        record.ask_malformed(b"CONNECT a.test:443 HTTP/1.1");
        record.status = 200;
        record.traffic.sent = 88;
        record.source_port = Some(50000);
        record
    }

    fn line(format: &str) -> String {
        Format::parse(format).unwrap().line(&record())
    }

    #[test]
    fn says_what_httpd_says() {
        assert_eq!(
            line("%h %a %l %u \"%r\" %>s %b %B %O %X %k"),
            "127.0.0.1 127.0.0.1 - - \"CONNECT a.test:443 HTTP/1.1\" 200 - 0 88 - 0"
        );
        assert_eq!(
            line("%m %U %H %p %{remote}p %{local}p"),
            "CONNECT a.test:443 HTTP/1.1 3128 40000 3128"
        );
        assert_eq!(
            line("%{proxy-source-port}n %{other}n %{User-Agent}i"),
            "50000 - -"
        );
        assert_eq!(
            line("%400,501{X}n|%!400r|%200s"),
            "-|CONNECT a.test:443 HTTP/1.1|200"
        );
        assert_eq!(line("100%% \\t\\\"\\n%q"), "100% \t\\\"\n");
        assert!(line("%t").starts_with('[') && line("%t").ends_with(']'));
        assert!(line("%{%Y}t %{sec}t %{end:usec_frac}t").starts_with("20"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bad in [
            "%",
            "%{x",
            "%j",
            "%>",
            "%{fortnights}T",
            "%^zz",
            "%99999999s",
        ] {
            assert!(Format::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_format_makes_it_panic(text in "[ -~\\\\%{}]{0,60}|\\PC{0,20}") {
            if let Ok(format) = Format::parse(&text) {
                let _ = format.line(&record());
            }
        }
    }
}
