//! What stops somebody who sends.

use std::{fmt, io, time::Duration};

/// What stopped a [`Writer`](crate::tunnel::Writer) before all was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The other side takes nothing more.
    End,
    /// A reset has come.
    Reset,
    /// The connection had gone before.
    Gone,
    /// Nothing was taken for that long.
    Standstill(Duration),
    /// What the system said otherwise.
    Failed(String),
}

impl Stopped {
    pub(super) fn by(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset => Self::Reset,
            io::ErrorKind::BrokenPipe => Self::Gone,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end"),
            Self::Reset => f.write_str("a reset"),
            Self::Gone => f.write_str("the connection had gone"),
            Self::Standstill(pause) => write!(f, "no progress for {pause:?}"),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}
