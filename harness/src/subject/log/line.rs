//! A line of a log.

/// One line of the log, and what the profile's pattern found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The line as it was written, without its end.
    pub text: String,
    /// The port from which the subject connected to the server.
    pub source_port: Option<u16>,
    /// The status that the client got.
    pub status: Option<u16>,
    /// What was asked for.
    pub target: Option<String>,
    /// Who asked.
    pub client: Option<String>,
    /// Whether the pattern matches the line.
    pub is_understood: bool,
}
