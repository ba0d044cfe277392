//! The versions of HTTP that a case is asked over, and what listens for each.
//!
//! A case that speaks of tunnels, of targets or of statuses says something about every version. It is written once, and runs
//! over each that it names and that the subject offers. One more version is one more row of the table below; what else it
//! needs, the compiler asks for.

use std::{fmt, str::FromStr};

use serde::Deserialize;

/// A version of HTTP by the name that ALPN knows it by: what a proxy can be told to serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.1, in the clear or within TLS.
    #[default]
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/2 in the clear, to clients that know beforehand that it is spoken.
    #[serde(rename = "h2c")]
    H2c,
    /// HTTP/2 within TLS, agreed on in its handshake.
    #[serde(rename = "h2")]
    H2,
}

impl HttpVersion {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::H2c => "h2c",
            Self::H2 => "h2",
        }
    }
}

/// What a subject listens with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listener {
    /// TCP, and nothing on it.
    #[default]
    Tcp,
    /// TLS on TCP.
    Tls,
    /// TCP, on which nothing but HTTP/2 is spoken.
    H2c,
    /// TLS on TCP, whose handshake agrees on HTTP/2.
    H2,
}

impl Listener {
    /// Whether clients speak TLS to it.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::H2)
    }

    /// The version of HTTP that is spoken to it.
    #[must_use]
    pub const fn version(self) -> HttpVersion {
        match self {
            Self::Tcp | Self::Tls => HttpVersion::Http1,
            Self::H2c => HttpVersion::H2c,
            Self::H2 => HttpVersion::H2,
        }
    }
}

macro_rules! protocols {
    ($($(#[$doc:meta])* $variant:ident: $word:literal, $suffix:expr, $listener:ident, $name:literal;)+) => {
        /// A version of HTTP, and what it is carried by.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Protocol {
            $($(#[$doc])* $variant,)+
        }

        impl Protocol {
            /// Each of them, in the order in which reports have them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word for it, as `--over` takes it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What stands after the `@` of an id; `None` for HTTP/1.1 in the clear, whose ids have none.
            #[must_use]
            pub const fn suffix(self) -> Option<&'static str> {
                match self { $(Self::$variant => $suffix,)+ }
            }

            /// What a subject listens with that is asked over it.
            #[must_use]
            pub const fn listener(self) -> Listener {
                match self { $(Self::$variant => Listener::$listener,)+ }
            }

            /// For a reader.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

protocols! {
    /// HTTP/1.1 in the clear.
    #[default]
    Http1: "http/1.1", None, Tcp, "HTTP/1.1";
    /// HTTP/1.1 within TLS.
    Http1Tls: "tls", Some("tls"), Tls, "HTTP/1.1 over TLS";
    /// HTTP/2 in the clear, without a word about it before.
    H2c: "h2c", Some("h2c"), H2c, "HTTP/2 in the clear";
    /// HTTP/2 within TLS.
    H2: "h2", Some("h2"), H2, "HTTP/2 over TLS";
}

/// Every version: for a case whose body says nothing that only one of them can say.
pub const EVERY: &[Protocol] = Protocol::ALL;

/// HTTP/1.1, whatever carries it: for a case whose body sends octets of its own.
pub const HTTP_1_1: &[Protocol] = &[Protocol::Http1, Protocol::Http1Tls];

/// HTTP/2, whatever carries it: for a case that is about HTTP/2 itself.
pub const HTTP_2: &[Protocol] = &[Protocol::H2c, Protocol::H2];

/// Every version in the clear: for a case in which the proxy would have to shake hands with itself.
pub const IN_THE_CLEAR: &[Protocol] = &[Protocol::Http1, Protocol::H2c];

/// What a run is over where nobody says so.
pub const DEFAULT: &[Protocol] = &[Protocol::Http1];

/// A word that names no protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no `{0}` to run over; there are {words}", words = words())]
pub struct UnknownProtocol(String);

/// The words for all of them.
fn words() -> String {
    let words: Vec<&str> = EVERY.iter().map(|protocol| protocol.word()).collect();
    words.join(", ")
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(word: &str) -> Result<Self, UnknownProtocol> {
        let found = EVERY.iter().find(|protocol| protocol.word() == word);
        found
            .copied()
            .ok_or_else(|| UnknownProtocol(word.to_owned()))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_word_of_its_own() {
        for protocol in EVERY {
            assert_eq!(protocol.word().parse(), Ok(*protocol));
        }
    }

    #[test]
    fn one_that_does_not_exist_is_named_with_those_that_do() {
        let error = "h4".parse::<Protocol>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no `h4` to run over; there are http/1.1, tls, h2c, h2"
        );
    }
}
