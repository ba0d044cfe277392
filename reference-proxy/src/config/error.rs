//! Where a config is wrong, and how.

use std::fmt;
use std::sync::Arc;

/// A line of a file, or the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as named.
    pub file: Arc<str>,
    /// The line, from 1; 0 for what has no line.
    pub line: usize,
}

/// Why a config cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    place: Place,
    message: String,
    /// What was odd before it: often it says why, as with a variable that is not defined.
    warnings: Vec<String>,
}

impl ConfigError {
    /// An error at `place`.
    pub fn at(place: &Place, message: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            message: message.into(),
            warnings: Vec::new(),
        }
    }

    /// With what was noticed before it.
    #[must_use]
    pub fn after(mut self, warnings: &[String]) -> Self {
        self.warnings = warnings.to_vec();
        self
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigError {
    /// The line of the place is httpd's, so that tools that read its errors read these.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            message,
            warnings,
        } = self;
        for warning in warnings {
            writeln!(f, "warning: {warning}")?;
        }
        match place.line {
            0 => write!(f, "could not read {}: {message}", place.file),
            line => write!(
                f,
                "AH00526: Syntax error on line {line} of {}:\n{message}",
                place.file
            ),
        }
    }
}
