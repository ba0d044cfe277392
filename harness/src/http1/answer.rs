//! What a proxy did with a request.

use crate::http1::{Reply, head::show_garbage};

/// How the description of bytes that are no HTTP response begins.
pub const NO_RESPONSE: &str = "no HTTP response (";

/// What a proxy did with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response that is not interim.
    Reply(Reply),
    /// Bytes that are no HTTP response, and why not.
    Garbage {
        /// What came.
        bytes: Vec<u8>,
        /// Why it is no response.
        why: String,
    },
    /// The end of the stream, in order, without a byte.
    Closed,
    /// A reset without a byte, or in the middle of a head, which a reset can cut off.
    Reset,
    /// Nothing.
    Silence,
}

impl Answer {
    /// For a reader.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Reply(reply) => reply.status_line(),
            Self::Garbage { bytes, why } => {
                format!("{NO_RESPONSE}{why}): {}", show_garbage(bytes))
            }
            Self::Closed => "the end, without an answer".to_owned(),
            Self::Reset => "a reset, without an answer".to_owned(),
            Self::Silence => "silence".to_owned(),
        }
    }

    /// The status code of a reply.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Reply(reply) => Some(reply.status),
            _ => None,
        }
    }

    /// Whether the connection went away without a byte.
    #[must_use]
    pub const fn is_drop(&self) -> bool {
        matches!(self, Self::Closed | Self::Reset)
    }
}
