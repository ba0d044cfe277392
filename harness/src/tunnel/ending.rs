//! Which end of a tunnel, and how it came to its end.

/// Which end of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// The upstream proxy's.
    Upstream,
}

impl Side {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "the client",
            Self::Server => "the server",
            Self::Upstream => "the upstream proxy",
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order: with a FIN, or in TLS with whatever ended the session without a reset.
    Orderly,
    /// With a reset.
    Abrupt,
}

impl Ending {
    /// For a reader.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Orderly => "the end",
            Self::Abrupt => "a reset",
        }
    }
}
