//! What a client is told when it gets no tunnel, and why.
//!
//! Every refusal says that the connection closes, since it does (RFC 9931, section 8), has a length, and
//! tells policy from outage: by the status, in words, and in `Proxy-Status` (RFC 9209) where a registered
//! error fits. Of addresses it says nothing.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use std::borrow::Cow;
use std::time::SystemTime;

/// The name of this proxy in `Proxy-Status`.
pub const PROXY: &str = "reference-proxy";

/// What the content of a refusal is.
const CONTENT_TYPE: &str = "text/html; charset=iso-8859-1";

/// A final answer that is not 2xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The reason in words, for the body and the error log.
    pub reason: Cow<'static, str>,
    /// The value of `Proxy-Status`.
    pub proxy_status: Option<Cow<'static, str>>,
    /// One more field line, as `Allow` or `Proxy-Authenticate`, without its CRLF.
    pub field: Option<Cow<'static, str>>,
}

impl Refusal {
    /// 400: the request breaks the protocol.
    pub fn bad_request(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, reason).error("http_request_error")
    }

    /// 403: the policy says no.
    pub fn forbidden(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(403, reason).error("http_request_denied")
    }

    /// 405: a method that is not served here; `allow` lists those that are.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::new(405, "the method is not served here").field(format!("Allow: {allow}"))
    }

    /// 407: the proxy wants credentials.
    #[must_use]
    pub fn credentials_wanted(challenge: String) -> Self {
        Self::new(407, "this proxy wants credentials").field(challenge)
    }

    /// 408: the head did not arrive in time.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(408, "the request did not arrive in time")
    }

    /// 414: the request line is longer than `LimitRequestLine`.
    #[must_use]
    pub fn line_too_long() -> Self {
        Self::new(414, "the request line is too long")
    }

    /// 417: an expectation that nobody knows.
    #[must_use]
    pub fn expectation_unknown() -> Self {
        Self::new(417, "the expectation is not known")
    }

    /// 431: more or longer fields than configured.
    pub fn head_too_large(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(431, reason)
    }

    /// 500: the fault is here.
    pub fn internal(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(500, reason).error("proxy_internal_error")
    }

    /// 501: a method or coding that nobody knows.
    pub fn not_implemented(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(501, reason)
    }

    /// 502: the next hop cannot be had; `error` is a registered error of RFC 9209 whose status is 502.
    pub fn bad_gateway(error: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(502, reason).error(error)
    }

    /// 503: not now; `error` is a registered error of RFC 9209 whose status is 503.
    pub fn unavailable(error: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(503, reason).error(error)
    }

    /// 504: the next hop is too slow; `error` is a registered error of RFC 9209 whose status is 504.
    pub fn gateway_timeout(error: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(504, reason).error(error)
    }

    /// 505: another major version.
    #[must_use]
    pub fn version_not_supported() -> Self {
        Self::new(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    }

    /// Any status, without a registered error.
    pub fn new(status: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            reason: reason.into(),
            proxy_status: None,
            field: None,
        }
    }

    /// The octets to send. `body` is false where only the head is wanted.
    #[must_use]
    pub fn to_bytes(&self, now: SystemTime) -> Reply {
        let (title, body) = (self.title(), self.body());
        let mut head = format!(
            "HTTP/1.1 {} {title}\r\nDate: {}\r\n",
            self.status,
            http_date(now)
        );
        if let Some(parameters) = &self.proxy_status {
            head.push_str("Proxy-Status: ");
            head.push_str(parameters);
            head.push_str("\r\n");
        }
        if let Some(field) = &self.field {
            head.push_str(field);
            head.push_str("\r\n");
        }
        head.push_str("Content-Type: ");
        head.push_str(CONTENT_TYPE);
        head.push_str("\r\nContent-Length: ");
        head.push_str(&body.len().to_string());
        head.push_str("\r\nConnection: close\r\n\r\n");
        let body_length = body.len();
        head.push_str(&body);
        Reply {
            octets: head.into_bytes(),
            body_length,
        }
    }

    /// The same for a stream of HTTP/2, in which nothing is said about the connection.
    #[must_use]
    pub fn to_response(&self, now: SystemTime) -> (http::Response<()>, Bytes) {
        let body = self.body();
        let mut head = http::Response::new(());
        *head.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let own = self.field.as_deref().and_then(|line| line.split_once(':'));
        let fields = [
            ("date", Some(http_date(now))),
            (
                "proxy-status",
                self.proxy_status.as_deref().map(str::to_owned),
            ),
            ("content-type", Some(CONTENT_TYPE.to_owned())),
            ("content-length", Some(body.len().to_string())),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .chain(own.map(|(name, value)| (name, value.trim().to_owned())));
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                head.headers_mut().append(name, value);
            }
        }
        (head, body.into())
    }

    fn error(mut self, error: &'static str) -> Self {
        self.proxy_status = Some(format!("{PROXY}; error={error}").into());
        self
    }

    fn field(mut self, line: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(line.into());
        self
    }

    /// The reason phrase, as httpd has it.
    fn title(&self) -> &'static str {
        match self.status {
            400 => "Bad Request",
            403 | 502 => "Proxy Error",
            404 => "Not Found",
            405 => "Method Not Allowed",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            414 => "Request-URI Too Long",
            417 => "Expectation Failed",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            _ => "Refused",
        }
    }

    fn body(&self) -> String {
        let (status, title) = (self.status, self.title());
        // Our own words, and names of hosts: no markup is lost.
        let reason = self.reason.replace(['&', '<', '>', '"'], "?");
        let whose = match self.status {
            403 | 407 => "The policy of this proxy does not allow the tunnel.",
            502..=504 => "The proxy could not reach the other side of the tunnel.",
            500 => "The proxy failed.",
            _ => "The proxy does not understand or serve the request.",
        };
        format!(
            "<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head>\n\
             <body><h1>{title}</h1>\n<p>{whose}</p>\n<p>Reason: <strong>{reason}</strong></p>\n</body></html>\n"
        )
    }
}

/// A refusal as it goes over the wire.
#[derive(Debug)]
pub struct Reply {
    /// Head and body.
    pub octets: Vec<u8>,
    /// How many of them are the body.
    pub body_length: usize,
}

/// RFC 9110, section 5.6.7.
fn http_date(now: SystemTime) -> String {
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    jiff::Timestamp::from_second(i64::try_from(seconds).unwrap_or(0))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_that_it_closes_and_how_long_it_is() {
        let reply = Refusal::forbidden("Connect to remote machine blocked")
            .to_bytes(SystemTime::UNIX_EPOCH);
        let text = String::from_utf8(reply.octets).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 403 Proxy Error\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n")
        );
        assert!(head.contains("\r\nConnection: close"));
        assert!(head.contains("\r\nProxy-Status: reference-proxy; error=http_request_denied\r\n"));
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
        assert_eq!(reply.body_length, body.len());
    }

    #[test]
    fn a_reflected_reason_brings_no_markup() {
        let reply = Refusal::bad_request("<script>").to_bytes(SystemTime::UNIX_EPOCH);
        assert!(
            !String::from_utf8(reply.octets)
                .unwrap()
                .contains("<script>")
        );
    }
}
