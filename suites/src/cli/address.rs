//! The address of a running proxy as people have it at hand: bare, or as they write it into `http_proxy`.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// Where a proxy is, and what stood beside that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `HOST:PORT`.
    pub(super) authority: String,
    /// Whether it is reached over TLS.
    pub(super) tls: bool,
    /// `USER:PASSWORD`.
    pub(super) credentials: Option<String>,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => {
                return Err(format!(
                    "`{scheme}` is no way to reach a CONNECT proxy; there are http:// and https://"
                ));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            // What stands in front of an @ is a secret, and not repeated.
            return Err(format!(
                "`{authority}` has no port; write it like 127.0.0.1:3128, http://HOST:PORT or https://USER:PASSWORD@HOST:PORT"
            ));
        }
        let credentials = match user {
            None => None,
            Some(user) if user.contains(':') => Some(decoded(user)?),
            Some(_) => {
                return Err("in front of the @ stand USER:PASSWORD, with a colon".to_owned());
            }
        };
        Ok(Self {
            authority: authority.to_owned(),
            tls,
            credentials,
        })
    }
}

/// As URLs have them: a colon or an @ in a password is written `%3A` or `%40`.
fn decoded(user: &str) -> Result<String, String> {
    let decoded = percent_decode_str(user).decode_utf8();
    let decoded = decoded.map_err(|_| "the user and the password are not UTF-8".to_owned())?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, bool, Option<String>) {
        let address: Address = text.parse().unwrap();
        (address.authority, address.tls, address.credentials)
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        let plain = "127.0.0.1:3128".to_owned();
        for text in [
            "127.0.0.1:3128",
            "http://127.0.0.1:3128",
            "HTTP://127.0.0.1:3128/",
        ] {
            assert_eq!(read(text), (plain.clone(), false, None), "{text}");
        }
        assert_eq!(
            read("https://[::1]:443/"),
            ("[::1]:443".to_owned(), true, None)
        );
        let secret = Some("me:a@b:c".to_owned());
        assert_eq!(
            read("http://me:a%40b:c@127.0.0.1:3128"),
            (plain, false, secret)
        );
    }

    #[test]
    fn what_is_none_is_said_without_its_secrets() {
        for (text, words) in [
            ("socks5://127.0.0.1:1080", "`socks5`"),
            ("http://127.0.0.1", "no port"),
            ("http://me:sesame@proxy", "`proxy` has no port"),
            ("http://sesame@127.0.0.1:3128", "with a colon"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(
                error.contains(words) && !error.contains("sesame"),
                "{error}"
            );
        }
    }
}
