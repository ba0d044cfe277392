//! Why a stream or a connection was ended (RFC 9113 §7).

use std::fmt;

/// A code of RST_STREAM or GOAWAY, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u32);

macro_rules! codes {
    ($($name:ident $value:literal;)+) => {
        #[expect(missing_docs, reason = "they are named as in RFC 9113 §7")]
        impl ErrorCode {
            $(pub const $name: Self = Self($value);)+
        }

        impl fmt::Display for ErrorCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($value => f.write_str(stringify!($name)),)+
                    other => write!(f, "the unknown error code {other}"),
                }
            }
        }
    };
}

codes! {
    NO_ERROR 0;
    PROTOCOL_ERROR 1;
    INTERNAL_ERROR 2;
    FLOW_CONTROL_ERROR 3;
    SETTINGS_TIMEOUT 4;
    STREAM_CLOSED 5;
    FRAME_SIZE_ERROR 6;
    REFUSED_STREAM 7;
    CANCEL 8;
    COMPRESSION_ERROR 9;
    CONNECT_ERROR 10;
    ENHANCE_YOUR_CALM 11;
    INADEQUATE_SECURITY 12;
    HTTP_1_1_REQUIRED 13;
}

impl ErrorCode {
    /// The code in the first four octets of `payload`.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        // All 32 bits count here.
        let octets: [u8; 4] = payload.get(..4)?.try_into().ok()?;
        Some(Self(u32::from_be_bytes(octets)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(ErrorCode::CONNECT_ERROR.to_string(), "CONNECT_ERROR");
        let odd = ErrorCode::read(&[0xff, 0, 0, 1, 9]).unwrap();
        assert_eq!(odd.to_string(), "the unknown error code 4278190081");
        assert_eq!(ErrorCode::read(&[1, 2, 3]), None);
    }
}
