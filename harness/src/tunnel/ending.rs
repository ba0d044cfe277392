//! Which end of a tunnel, and how it came to its end.

use std::io;

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
    /// In order: with a FIN, or in TLS with `close_notify`, or with a FIN that nothing in TLS announced.
    Orderly,
    /// With a reset, or with the alert of TLS that says that something has gone wrong.
    Abrupt,
}

impl Ending {
    /// The end that a failed read tells of; `None` where it tells of something else.
    ///
    /// Whether TLS ended with `close_notify` is for the cases that ask: most proxies let it end with the connection below.
    pub(crate) fn by(error: &io::Error) -> Option<Self> {
        let alert = || {
            let cause = error.get_ref()?.downcast_ref()?;
            matches!(cause, rustls::Error::AlertReceived(_)).then_some(Self::Abrupt)
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Some(Self::Orderly),
            io::ErrorKind::ConnectionReset => Some(Self::Abrupt),
            _ => alert(),
        }
    }

    /// For a reader.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Orderly => "the end",
            Self::Abrupt => "a reset",
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::{AlertDescription, Error};

    use super::*;

    #[test]
    fn an_alert_is_an_abrupt_end_and_a_missing_goodbye_an_orderly_one() {
        let alert = Error::AlertReceived(AlertDescription::InternalError);
        let alert = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert_eq!(Ending::by(&alert), Some(Ending::Abrupt));
        let missing = io::ErrorKind::UnexpectedEof.into();
        assert_eq!(Ending::by(&missing), Some(Ending::Orderly));
        let reset = io::ErrorKind::ConnectionReset.into();
        assert_eq!(Ending::by(&reset), Some(Ending::Abrupt));
    }

    #[test]
    fn what_is_no_tls_is_no_end() {
        let garbage = io::Error::new(io::ErrorKind::InvalidData, Error::DecryptError);
        assert_eq!(Ending::by(&garbage), None);
        assert_eq!(Ending::by(&io::ErrorKind::BrokenPipe.into()), None);
    }
}
