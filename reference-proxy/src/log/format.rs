//! `LogFormat`: the items of httpd's mod_log_config that mean something for a tunnel.

use super::escape::push_escaped;
use super::record::Record;
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The most items a format may have.
const ITEMS_MOST: usize = 200;
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
            if items.len() > ITEMS_MOST {
                return Err("LogFormat has too many items".into());
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

impl What {
    fn push(&self, line: &mut String, record: &Record) {
        let asked = record.request.as_deref();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Text(text) => line.write_str(text),
            Self::ClientAddress => write!(line, "{}", record.client.ip().to_canonical()),
            Self::LocalAddress => write!(line, "{}", record.local.ip().to_canonical()),
            Self::BodyOctets { dash: true } if record.body_sent == 0 => line.write_str("-"),
            Self::BodyOctets { .. } => write!(line, "{}", record.body_sent),
            // The connection always closes after the response.
            Self::Connection | Self::Missing => line.write_str("-"),
            Self::Environment(name) => {
                push_or_dash(line, std::env::var(name).ok().as_deref().map(str::as_bytes))
            }
            Self::File => write!(line, "proxy:{}", asked.map_or("", |asked| &asked.target)),
            // What httpd calls the code that serves a tunnel; it never gets to a malformed request.
            Self::Handler if record.status == 200 => line.write_str("proxy-server"),
            Self::Handler => line.write_str("-"),
            Self::KeptAlive => line.write_str("0"),
            Self::Method => push_or_dash(line, asked.map(|asked| asked.method.as_bytes())),
            Self::Note(name) => match (name.as_str(), record.source_port) {
                ("proxy-source-port", Some(port)) => write!(line, "{port}"),
                _ => line.write_str("-"),
            },
            Self::Port(Which::Canonical) => write!(line, "{}", record.server_port),
            Self::Port(Which::Local) => write!(line, "{}", record.local.port()),
            Self::Port(Which::Remote) => write!(line, "{}", record.client.port()),
            Self::ProcessId => write!(line, "{}", std::process::id()),
            Self::Protocol => push_or_dash(line, asked.map(|asked| asked.protocol.as_bytes())),
            Self::Query => Ok(()),
            Self::Received => write!(line, "{}", record.traffic.received),
            Self::Request => push_or_dash(line, asked.map(|asked| &*asked.line)),
            Self::RequestField(name) => push_or_dash(line, record.field(name)),
            Self::Sent => write!(line, "{}", record.traffic.sent),
            Self::ServerName => {
                push_or_dash(line, record.server_name.as_deref().map(str::as_bytes))
            }
            Self::Status => match record.status {
                0 => line.write_str("-"),
                status => write!(line, "{status}"),
            },
            Self::Target => push_or_dash(line, asked.map(|asked| asked.target.as_bytes())),
            Self::Time { end, shape } => {
                shape.push(
                    line,
                    if *end {
                        SystemTime::now()
                    } else {
                        record.began
                    },
                );
                Ok(())
            }
            Self::Took(unit) => write!(line, "{}", unit.of(record.clock.elapsed())),
            Self::Transferred => write!(line, "{}", record.traffic.received + record.traffic.sent),
            Self::User => push_or_dash(line, record.user.as_deref().map(str::as_bytes)),
        };
    }
}

impl Unit {
    fn of(self, time: Duration) -> u128 {
        match self {
            Self::Seconds => u128::from(time.as_secs()),
            Self::Milliseconds => time.as_millis(),
            Self::Microseconds => time.as_micros(),
        }
    }
}

impl TimeShape {
    fn push(&self, line: &mut String, time: SystemTime) {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let _ = match self {
            Self::Epoch(unit) => write!(line, "{}", unit.of(since)),
            Self::Fraction(Unit::Milliseconds) => write!(line, "{:03}", since.subsec_millis()),
            Self::Fraction(_) => write!(line, "{:06}", since.subsec_micros()),
            Self::Calendar(format) => {
                line.push_str(&local(format, since).unwrap_or_default());
                Ok(())
            }
        };
    }
}

/// `time` as the calendar of this machine shows it; `format` is strftime's.
pub(super) fn calendar(format: &str, time: SystemTime) -> String {
    local(
        format,
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
    .unwrap_or_default()
}

/// `since` the epoch as the calendar of this machine shows it.
fn local(format: &str, since: Duration) -> Option<String> {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let zone = ZONE.get_or_init(TimeZone::system);
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let time = jiff::Timestamp::new(seconds, i32::try_from(since.subsec_nanos()).ok()?).ok()?;
    jiff::fmt::strtime::format(format, &time.to_zoned_datetime(zone.clone())).ok()
}

fn push_or_dash(line: &mut String, octets: Option<&[u8]>) -> std::fmt::Result {
    match octets {
        Some(octets) => push_escaped(line, octets),
        None => line.push('-'),
    }
    Ok(())
}

/// The character behind a backslash.
fn unescaped(rest: &mut &str) -> char {
    let Some(next) = rest.chars().next() else {
        return '\\';
    };
    let (character, taken) = match next {
        'n' => ('\n', 1),
        't' => ('\t', 1),
        'r' => ('\r', 1),
        '\\' => ('\\', 1),
        '"' => ('"', 1),
        _ => ('\\', 0),
    };
    *rest = &rest[taken..];
    character
}

/// Reads what follows a `%`.
fn item(rest: &mut &str) -> Result<Item, String> {
    let (mut argument, mut statuses, mut negated) = (None, Vec::new(), false);
    loop {
        let mut characters = rest.chars();
        let Some(character) = characters.next() else {
            return Err("LogFormat ends inside an item".into());
        };
        let after = characters.as_str();
        match character {
            '!' => negated = true,
            '<' | '>' | ',' => {}
            '{' => {
                let (inside, behind) = after
                    .split_once('}')
                    .ok_or_else(|| "LogFormat has an unclosed '{'".to_owned())?;
                argument = Some(inside);
                *rest = behind;
                continue;
            }
            '0'..='9' => {
                let digits = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                statuses.push(
                    rest[..digits]
                        .parse()
                        .map_err(|_| "LogFormat has a status past 65535".to_owned())?,
                );
                *rest = &rest[digits..];
                continue;
            }
            '^' => {
                // Trailers (^ti, ^to) and the time of the first byte (^FB): a tunnel has none.
                let known = ["ti", "to", "FB"]
                    .iter()
                    .find(|name| after.starts_with(**name));
                let name =
                    known.ok_or_else(|| format!("Unrecognized LogFormat directive %^{after}"))?;
                *rest = &after[name.len()..];
                return Ok(Item {
                    statuses,
                    negated,
                    what: What::Missing,
                });
            }
            letter => {
                *rest = after;
                return Ok(Item {
                    statuses,
                    negated,
                    what: what(letter, argument)?,
                });
            }
        }
        *rest = after;
    }
}

fn what(letter: char, argument: Option<&str>) -> Result<What, String> {
    let lower = || argument.unwrap_or_default().to_ascii_lowercase();
    Ok(match letter {
        'h' | 'a' => What::ClientAddress,
        'A' => What::LocalAddress,
        'b' => What::BodyOctets { dash: true },
        'B' => What::BodyOctets { dash: false },
        'C' | 'o' | 'L' | 'l' => What::Missing,
        'D' => What::Took(Unit::Microseconds),
        'e' => What::Environment(argument.unwrap_or_default().to_owned()),
        'f' => What::File,
        'H' => What::Protocol,
        'i' => What::RequestField(lower()),
        'I' => What::Received,
        'k' => What::KeptAlive,
        'm' => What::Method,
        'n' => What::Note(argument.unwrap_or_default().to_owned()),
        'O' => What::Sent,
        'p' => What::Port(match argument {
            None | Some("canonical") => Which::Canonical,
            Some("local") => Which::Local,
            Some("remote") => Which::Remote,
            Some(_) => Which::Canonical,
        }),
        'P' => What::ProcessId,
        'q' => What::Query,
        'r' => What::Request,
        'R' => What::Handler,
        's' => What::Status,
        'S' => What::Transferred,
        't' => time(argument.unwrap_or_default())?,
        'T' => What::Took(match argument {
            None | Some("s") => Unit::Seconds,
            Some("ms") => Unit::Milliseconds,
            Some("us") => Unit::Microseconds,
            Some(unit) => return Err(format!("%T has no unit '{unit}': ms, us or s")),
        }),
        'u' => What::User,
        'U' => What::Target,
        'v' | 'V' => What::ServerName,
        'X' => What::Connection,
        _ => return Err(format!("Unrecognized LogFormat directive %{letter}")),
    })
}

fn time(argument: &str) -> Result<What, String> {
    let (end, format) = match argument.split_once(':') {
        Some(("begin", format)) => (false, format),
        Some(("end", format)) => (true, format),
        _ if argument == "begin" => (false, ""),
        _ if argument == "end" => (true, ""),
        _ => (false, argument),
    };
    let shape = match format {
        "" => TimeShape::Calendar(CLF_TIME.into()),
        "sec" => TimeShape::Epoch(Unit::Seconds),
        "msec" => TimeShape::Epoch(Unit::Milliseconds),
        "usec" => TimeShape::Epoch(Unit::Microseconds),
        "msec_frac" => TimeShape::Fraction(Unit::Milliseconds),
        "usec_frac" => TimeShape::Fraction(Unit::Microseconds),
        calendar if local(calendar, Duration::ZERO).is_some() => {
            TimeShape::Calendar(calendar.into())
        }
        wrong => return Err(format!("%{{{wrong}}}t is no strftime format")),
    };
    Ok(What::Time { end, shape })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record() -> Record {
        let mut record = Record::new(
            "127.0.0.1:40000".parse().unwrap(),
            "127.0.0.1:3128".parse().unwrap(),
        );
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
        assert_eq!(line("100%% \\t\\\"\\n%q"), "100% \t\"\n");
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
