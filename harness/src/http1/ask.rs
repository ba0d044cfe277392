//! What is asked of a proxy: a request that every version of HTTP can say, or octets that only one can.

use crate::{http1::Request, http2::Fields};

/// What is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A request, said in whatever version the client speaks.
    Request(Box<Request>),
    /// Exactly these octets, of HTTP/1.1.
    Octets(Vec<u8>),
}

impl Ask {
    /// What goes over the wire in HTTP/1.1.
    #[must_use]
    pub fn octets(self) -> Vec<u8> {
        match self {
            Self::Request(request) => request.bytes(),
            Self::Octets(octets) => octets,
        }
    }

    /// The field section that asks for the same in HTTP/2, and what follows it.
    ///
    /// # Errors
    /// Why HTTP/2 cannot say it: the case is about HTTP/1.1.
    pub fn section(&self) -> Result<(Fields, &[u8]), String> {
        match self {
            Self::Request(request) => request.section(),
            Self::Octets(_) => Err("octets of HTTP/1.1 cannot be said over HTTP/2".to_owned()),
        }
    }
}

impl From<Request> for Ask {
    fn from(request: Request) -> Self {
        Self::Request(Box::new(request))
    }
}

impl From<&Request> for Ask {
    fn from(request: &Request) -> Self {
        request.clone().into()
    }
}

macro_rules! octets {
    ($($type:ty),+) => {$(
        impl From<$type> for Ask {
            fn from(octets: $type) -> Self {
                Self::Octets(octets.into())
            }
        }
    )+};
}

octets!(Vec<u8>, &[u8], String, &str);

impl From<&Vec<u8>> for Ask {
    fn from(octets: &Vec<u8>) -> Self {
        octets.clone().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Ask {
    fn from(octets: &[u8; N]) -> Self {
        octets.as_slice().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_said_in_both_versions() {
        let request = Request::connect("a:1")
            .field("User-Agent: me ")
            .followed_by("early");
        let ask = Ask::from(&request);
        let (fields, early) = ask.section().unwrap();
        assert_eq!(
            fields.describe(),
            ":method: CONNECT, :authority: a:1, user-agent: me"
        );
        assert_eq!(early, b"early");
        assert_eq!(ask.octets(), request.bytes());
    }

    #[test]
    fn what_only_http_1_1_can_say_is_not_said_otherwise() {
        let plain = || Request::connect("a:1");
        for request in [
            plain().method("GET"),
            plain().version("HTTP/1.0"),
            plain().line("CONNECT  a:1 HTTP/1.1"),
            plain().host("b"),
            plain().without_host(),
            plain().field("no colon"),
            plain().field("Connection: close"),
            plain().preceded_by("\r\n"),
            Request::verbatim("CONNECT a:1 HTTP/1.1\r\n\r\n"),
        ] {
            assert!(Ask::from(&request).section().is_err(), "{request:?}");
        }
        assert!(Ask::from("CONNECT a:1").section().is_err());
    }
}
