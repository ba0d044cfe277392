//! Items of a format, written out.

use super::{TimeShape, Unit, What, Which};
use crate::log::Record;
use crate::log::escape::push_escaped;
use jiff::tz::TimeZone;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

impl What {
    pub(super) fn push(&self, line: &mut String, record: &Record) {
        let asked = record.request.as_ref();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Text(text) => line.write_str(text),
            Self::ClientAddress => write!(line, "{}", record.ends.peer.ip().to_canonical()),
            Self::LocalAddress => write!(line, "{}", record.ends.local.ip().to_canonical()),
            Self::BodyOctets { dash: true } if record.body_sent == 0 => line.write_str("-"),
            Self::BodyOctets { .. } => write!(line, "{}", record.body_sent),
            // The connection always closes after the response.
            Self::Connection | Self::Missing => line.write_str("-"),
            Self::Environment(name) => push_or_dash(line, record.variables.shown(name)),
            Self::File => {
                line.push_str("proxy:");
                push_escaped(line, asked.map_or(&[], |asked| asked.target()));
                Ok(())
            }
            // What httpd calls the code that serves a tunnel; it never gets to a malformed request.
            Self::Handler if record.status == 200 => line.write_str("proxy-server"),
            Self::Handler => line.write_str("-"),
            Self::KeptAlive => line.write_str("0"),
            Self::Method => push_or_dash(line, asked.map(|asked| asked.method())),
            Self::Note(name) => match (name.as_str(), record.source_port) {
                ("proxy-source-port", Some(port)) => write!(line, "{port}"),
                _ => line.write_str("-"),
            },
            Self::Port(Which::Canonical) => write!(line, "{}", record.server_port()),
            Self::Port(Which::Local) => write!(line, "{}", record.ends.local.port()),
            Self::Port(Which::Remote) => write!(line, "{}", record.ends.peer.port()),
            Self::ProcessId => write!(line, "{}", std::process::id()),
            Self::Protocol => push_or_dash(line, asked.map(|asked| asked.protocol())),
            Self::Query => Ok(()),
            Self::Received => write!(line, "{}", record.traffic.received),
            Self::Request => push_or_dash(line, asked.map(|asked| asked.line())),
            Self::RequestField(name) => push_or_dash(line, record.field(name)),
            Self::Sent => write!(line, "{}", record.traffic.sent),
            Self::ServerName => push_or_dash(line, record.server_name().map(str::as_bytes)),
            Self::Status => match record.status {
                0 => line.write_str("-"),
                status => write!(line, "{status}"),
            },
            Self::Target => push_or_dash(line, asked.map(|asked| asked.target())),
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
                LAST.with_borrow_mut(|last| line.push_str(last.show(format, since)));
                Ok(())
            }
        };
    }
}

thread_local! {
    static LAST: RefCell<Shown> = RefCell::default();
}

/// What the calendar showed last, which is the same for all of a second.
#[derive(Default)]
struct Shown {
    format: String,
    second: u64,
    text: String,
}

impl Shown {
    fn show(&mut self, format: &str, since: Duration) -> &str {
        // The letters of fractions.
        let moves = format.contains(['f', 'N', 'Q', 's']);
        if moves || self.second != since.as_secs() || self.format != format {
            self.text = local(format, since).unwrap_or_default();
            self.second = since.as_secs();
            format.clone_into(&mut self.format);
        }
        &self.text
    }
}

/// `time` as the calendar of this machine shows it; `format` is strftime's.
pub(in crate::log) fn calendar(format: &str, time: SystemTime) -> String {
    local(
        format,
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
    .unwrap_or_default()
}

/// `since` the epoch as the calendar of this machine shows it.
pub(super) fn local(format: &str, since: Duration) -> Option<String> {
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
