//! The error log: `ErrorLog`, `ErrorLogFormat`, `LogLevel`.

mod format;

pub use format::ErrorFormat;

use super::{Record, Sink};
use std::sync::Arc;

/// How grave an entry is; the later, the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The system is unusable.
    Emerg,
    /// Somebody has to act at once.
    Alert,
    /// A critical condition.
    Crit,
    /// An error.
    Error,
    /// A warning.
    Warn,
    /// Normal, but worth knowing.
    Notice,
    /// Information.
    Info,
    /// For those who look for a fault.
    Debug,
    /// For those who look closely.
    Trace,
}

impl Level {
    /// Reads the name of a level.
    ///
    /// # Errors
    ///
    /// An unknown name.
    pub fn parse(name: &str) -> Result<Self, String> {
        let lower = name.to_ascii_lowercase();
        let known = Self::ALL.into_iter().find(|level| level.name() == lower);
        let numbered = || {
            let number = lower.strip_prefix("trace")?;
            matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8").then_some(Self::Trace)
        };
        known.or_else(numbered).ok_or_else(|| {
            format!("level must be emerg/alert/crit/error/warn/notice/info/debug or trace1 to trace8, not '{name}'")
        })
    }

    const ALL: [Self; 8] = [
        Self::Emerg,
        Self::Alert,
        Self::Crit,
        Self::Error,
        Self::Warn,
        Self::Notice,
        Self::Info,
        Self::Debug,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Emerg => "emerg",
            Self::Alert => "alert",
            Self::Crit => "crit",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace1",
        }
    }
}

/// One server's error log.
#[derive(Clone, Debug)]
pub struct ErrorLog {
    /// Where it goes.
    pub sink: Arc<Sink>,
    /// What its lines say.
    pub format: Arc<ErrorFormat>,
    /// Up to which level.
    pub level: Level,
}

impl ErrorLog {
    /// Writes an entry, if its level is wanted. `text` may hold octets from the wire.
    pub fn write(&self, level: Level, about: Option<&Record>, text: &str) {
        if level > self.level {
            return;
        }
        if let Some(line) = self.format.line(level, about, text) {
            self.sink.write(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_an_order() {
        assert!(Level::parse("WARN").unwrap() < Level::parse("trace8").unwrap());
        assert!(Level::parse("trace9").is_err() && Level::parse("loud").is_err());
    }
}
