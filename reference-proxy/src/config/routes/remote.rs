//! `ProxyRemote` and `ProxyRemoteMatch`: which targets are reached through another proxy.
//!
//! httpd compares with the target as the client spelled it. Here the canonical target counts as well, so that no
//! spelling of a host gets around the proxy that is there for it.

use crate::config::environment::TooSlow;
use crate::config::expression::Expression;
use crate::request::Authority;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fmt;
use std::sync::Arc;

/// The port of a URL without one, as httpd has it for http and https.
const PORT_OF_HTTP: u16 = 80;
const PORT_OF_HTTPS: u16 = 443;

/// One line.
#[derive(Clone, Debug)]
pub struct Remote {
    selector: Selector,
    /// The upstream proxy.
    pub proxy: Authority,
    /// How it is spoken to.
    pub speaks: Speaks,
    /// What it is sent as `Proxy-Authorization`.
    pub credentials: Option<Credentials>,
}

/// How an upstream proxy is spoken to: the scheme of its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// `http`: HTTP/1.1, in the clear.
    Http1,
    /// `h2c`: HTTP/2, in the clear.
    Http2,
    /// `h2`: HTTP/2, within TLS.
    Http2Tls,
}

/// The targets that it is for.
#[derive(Clone, Debug)]
enum Selector {
    /// `*`.
    Every,
    /// The host is this. httpd takes what stands before the first colon of a target for its scheme, and a selector
    /// without a colon for one.
    Host(String),
    /// Host and port begin so.
    Beginning(String),
    Expression(Arc<Expression>),
}

/// The value of `Proxy-Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(String);

impl Remote {
    /// Reads the words of `ProxyRemote`.
    ///
    /// # Errors
    ///
    /// Anything but a selector, `http://HOST[:PORT]` or the same with `h2c` or `h2`, and `USER:PASSWORD` if at all.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        Self::read("ProxyRemote", words, |selector| {
            Ok(match selector {
                "*" => Selector::Every,
                _ if selector.contains(':') => Selector::Beginning(selector.to_ascii_lowercase()),
                _ => Selector::Host(selector.to_ascii_lowercase()),
            })
        })
    }

    /// Reads the words of `ProxyRemoteMatch`.
    ///
    /// # Errors
    ///
    /// Anything but an expression and what follows a selector of `ProxyRemote`.
    pub fn parse_match(words: &[String]) -> Result<Self, String> {
        Self::read("ProxyRemoteMatch", words, |expression| {
            let expression = Expression::parse(expression)
                .map_err(|wrong| format!("ProxyRemoteMatch: {wrong}"))?;
            Ok(Selector::Expression(Arc::new(expression)))
        })
    }

    fn read(
        name: &str,
        words: &[String],
        selector: impl Fn(&str) -> Result<Selector, String>,
    ) -> Result<Self, String> {
        let (first, url, credentials) = match words {
            [first, url] => (first, url, None),
            [first, url, credentials] => (first, url, Some(credentials)),
            _ => {
                return Err(format!(
                    "{name} takes two or three arguments: targets, the URL of a proxy, and USER:PASSWORD for it"
                ));
            }
        };
        let credentials = credentials
            .map(|words| Credentials::parse(words))
            .transpose();
        let (speaks, proxy) = proxy(url).map_err(|wrong| format!("{name}: '{url}' {wrong}"))?;
        Ok(Self {
            selector: selector(first)?,
            proxy,
            speaks,
            credentials: credentials.map_err(|wrong| format!("{name}: {wrong}"))?,
        })
    }

    /// Whether it is for `target`, which the client spelled so.
    ///
    /// # Errors
    ///
    /// It took too long to find out.
    pub(super) fn covers(&self, target: &Authority, spelled: &str) -> Result<bool, TooSlow> {
        let forms = [spelled.to_owned(), target.to_string()];
        Ok(match &self.selector {
            Selector::Every => true,
            Selector::Host(host) => {
                let canonical = target.host.to_string();
                let before_colon = spelled.split(':').next().unwrap_or_default();
                [before_colon, &canonical]
                    .iter()
                    .any(|form| form.eq_ignore_ascii_case(host))
            }
            Selector::Beginning(text) => forms
                .iter()
                .any(|form| form.to_ascii_lowercase().starts_with(text)),
            Selector::Expression(expression) => {
                let mut covers = false;
                for form in &forms {
                    covers |= expression.fits(form, false).ok_or(TooSlow)?;
                }
                covers
            }
        })
    }
}

/// The proxy of a URL. What follows host and port means nothing, as in httpd.
fn proxy(url: &str) -> Result<(Speaks, Authority), &'static str> {
    const WRONG: &str = "is not http://HOST:PORT, h2c://HOST:PORT or h2://HOST:PORT";
    let (scheme, rest) = url.split_once("://").ok_or(WRONG)?;
    let speaks = match scheme.to_ascii_lowercase().as_str() {
        "http" => Speaks::Http1,
        "h2c" => Speaks::Http2,
        "h2" => Speaks::Http2Tls,
        "https" => {
            return Err(
                "is not spoken to over TLS in HTTP/1.1, and httpd does not do so either for a CONNECT: write h2:// if it speaks HTTP/2, or http:// if it listens in the clear",
            );
        }
        _ => return Err(WRONG),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("has credentials in it: write them behind it, as a word of their own");
    }
    let behind_brackets = authority.rsplit(']').next().unwrap_or_default();
    let parsed = if behind_brackets.contains(':') {
        Authority::parse(authority.as_bytes())
    } else {
        let port = match speaks {
            Speaks::Http1 | Speaks::Http2 => PORT_OF_HTTP,
            Speaks::Http2Tls => PORT_OF_HTTPS,
        };
        Authority::parse(format!("{authority}:{port}").as_bytes())
    };
    let proxy = parsed.map_err(|_| WRONG)?;
    Ok((speaks, proxy))
}

impl Credentials {
    fn parse(words: &str) -> Result<Self, &'static str> {
        if !words.contains(':') || words.chars().any(char::is_control) {
            return Err("the third argument is not USER:PASSWORD");
        }
        Ok(Self(format!("Basic {}", BASE64_STANDARD.encode(words))))
    }

    /// The value of the field.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.0
    }
}

/// Without the secret: what is printed of a configuration ends in logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        crate::config::source::words(text)
    }

    fn covers(remote: &Remote, spelled: &str) -> bool {
        let target = Authority::parse(spelled.as_bytes()).unwrap();
        remote.covers(&target, spelled).unwrap()
    }

    #[test]
    fn a_selector_is_a_host_or_the_beginning_of_a_target() {
        for (selector, target, expected) in [
            ("*", "a.test:1", true),
            ("127.0.0.1", "127.0.0.1:1", true),
            ("127.0.0.1", "localhost:1", false),
            ("LOCALhost", "localHOST:1", true),
            ("localhost", "localhost.:1", true),
            ("localhost:", "localhost:1", true),
            ("LOCALHOST:44", "localhost:443", true),
            ("localhost:443", "localhost:44", false),
            ("a.test:443", "a.test:0443", true),
            ("127.0.0.", "127.0.0.1:1", false),
            ("127*", "127.0.0.1:1", false),
            ("https", "localhost:443", false),
            ("https://localhost", "localhost:443", false),
            ("[", "[::1]:443", true),
            ("[::1]:", "[0::1]:443", true),
            ("[::1]:443", "[::1]:443", true),
            ("::1", "[::1]:443", false),
        ] {
            let remote = Remote::parse(&[selector.into(), "http://a:1".into()]).unwrap();
            assert_eq!(covers(&remote, target), expected, "{selector} {target}");
        }
    }

    #[test]
    fn an_expression_is_held_against_host_and_port() {
        for (expression, target, expected) in [
            ("^a\\.test:443$", "a.test:443", true),
            ("^a\\.test:443$", "A.test.:0443", true),
            ("A", "a.test:443", false),
            ("(?i)A", "a.test:443", true),
            ("^https:", "a.test:443", false),
        ] {
            let remote = Remote::parse_match(&[expression.into(), "http://a:1".into()]).unwrap();
            assert_eq!(covers(&remote, target), expected, "{expression} {target}");
        }
    }

    #[test]
    fn a_proxy_has_a_host_and_perhaps_a_port() {
        for (url, expected) in [
            ("http://127.0.0.1:3128", "127.0.0.1:3128"),
            ("HTTP://A.test:3128/", "a.test:3128"),
            ("http://a.test", "a.test:80"),
            ("http://a.test/x", "a.test:80"),
            ("http://[::1]", "[::1]:80"),
            ("http://[::1]:1/", "[::1]:1"),
            ("h2c://a.test", "a.test:80"),
            ("H2C://a.test:3128/x", "a.test:3128"),
            ("h2://a.test", "a.test:443"),
            ("h2://[::1]:1", "[::1]:1"),
        ] {
            let remote = Remote::parse(&["*".into(), url.into()]).unwrap();
            assert_eq!(remote.proxy.to_string(), expected, "{url}");
            let speaks = match url.split_once(':').unwrap().0 {
                "h2c" | "H2C" => Speaks::Http2,
                "h2" => Speaks::Http2Tls,
                _ => Speaks::Http1,
            };
            assert_eq!(remote.speaks, speaks, "{url}");
            assert_eq!(remote.credentials, None);
        }
        for (url, error) in [
            ("https://a:1", "over TLS"),
            ("socks://a:1", "is not http://HOST:PORT"),
            ("http://u:p@a:1", "has credentials in it"),
            ("a:1", "is not http://HOST:PORT"),
            ("http://a:", "is not http://HOST:PORT"),
            ("http://a:0", "is not http://HOST:PORT"),
            ("http://a:1x", "is not http://HOST:PORT"),
            ("http:///", "is not http://HOST:PORT"),
        ] {
            let said = Remote::parse(&["*".into(), url.into()]).unwrap_err();
            assert!(said.contains(error), "{url}: {said}");
        }
    }

    #[test]
    fn credentials_are_sent_and_never_shown() {
        let remote = Remote::parse(&words("* http://a:1 \"ann:open sesame\"")).unwrap();
        let credentials = remote.credentials.as_ref().unwrap();
        assert_eq!(credentials.value(), "Basic YW5uOm9wZW4gc2VzYW1l");
        assert!(!format!("{remote:?}").contains("YW5u"));
        for bad in [
            "* http://a:1 ann",
            "* http://a:1 a:b c",
            "*",
            "* http://a:1 \"a:\u{1}\"",
        ] {
            assert!(Remote::parse(&words(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slow_expression_is_told() {
        let slow =
            Remote::parse_match(&["^(?:a(?!x)|a(?!y))*$".into(), "http://a:1".into()]).unwrap();
        let spelled = format!("{}:1", "a".repeat(60));
        let target = Authority::parse(spelled.as_bytes()).unwrap();
        assert_eq!(slow.covers(&target, &spelled), Err(TooSlow));
    }
}
