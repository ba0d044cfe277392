//! Which versions of HTTP a server speaks: `Protocols` and `ProtocolsHonorOrder`.

/// The name that ALPN and `Protocols` have for HTTP/2 within TLS.
pub const H2: &str = "h2";
/// The name that `Protocols` has for HTTP/2 in the clear.
pub const H2C: &str = "h2c";
/// The name that ALPN and `Protocols` have for HTTP/1.1, which is always spoken.
pub const HTTP_1_1: &str = "http/1.1";

/// What one server speaks, in the order of its preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols {
    names: Vec<String>,
    /// Whether that order counts, or the client's.
    honor_order: bool,
}

impl Default for Protocols {
    fn default() -> Self {
        Self::new(&[], true, false)
    }
}

impl Protocols {
    /// What the words of `Protocols` come to. Names that nobody here speaks are passed over, as in httpd: those of HTTP/2 too, where
    /// mod_http2 is not loaded.
    #[must_use]
    pub fn new(words: &[String], honor_order: bool, http2: bool) -> Self {
        let mut names: Vec<String> = Vec::new();
        for word in words {
            let spoken = word == HTTP_1_1 || (http2 && (word == H2 || word == H2C));
            if spoken && !names.contains(word) {
                names.push(word.clone());
            }
        }
        // It is what a connection begins with, whatever the list says.
        if !names.iter().any(|name| name == HTTP_1_1) {
            names.push(HTTP_1_1.to_owned());
        }
        Self { names, honor_order }
    }

    /// Whether a protocol is spoken.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// Whether its own order counts, and not the client's.
    #[must_use]
    pub const fn honors_its_order(&self) -> bool {
        self.honor_order
    }

    /// The names that a TLS handshake chooses from (RFC 7301), the best first.
    #[must_use]
    pub fn within_tls(&self) -> Vec<Vec<u8>> {
        let names = self.names.iter().filter(|name| *name != H2C);
        names.map(|name| name.clone().into_bytes()).collect()
    }

    /// What is chosen of those that a client offers, by its order; `None`: nothing of it is spoken.
    #[must_use]
    pub fn choose(&self, offered: &[&[u8]]) -> Option<&str> {
        let named = |octets: &[u8]| {
            let mut names = self.names.iter().filter(|name| *name != H2C);
            names.find(|name| name.as_bytes() == octets)
        };
        let chosen = offered.iter().find_map(|octets| named(octets));
        chosen.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocols(text: &str) -> Protocols {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Protocols::new(&words, false, true)
    }

    #[test]
    fn a_handshake_chooses_by_one_order_or_the_other() {
        let offered: [&[u8]; 3] = [b"x", b"http/1.1", b"h2"];
        for (text, own, chosen) in [
            ("h2 http/1.1", "h2 http/1.1", "http/1.1"),
            ("http/1.1 h2 h2", "http/1.1 h2", "http/1.1"),
            ("h2c h2", "h2 http/1.1", "http/1.1"),
            ("", "http/1.1", "http/1.1"),
        ] {
            let protocols = protocols(text);
            let own: Vec<&[u8]> = own.split(' ').map(str::as_bytes).collect();
            assert_eq!(protocols.within_tls(), own, "{text}");
            assert_eq!(protocols.choose(&offered), Some(chosen), "{text}");
            assert_eq!(protocols.choose(&[b"h3", b"h2c"]), None);
        }
        assert_eq!(protocols("h2").choose(&[b"h2", b"http/1.1"]), Some("h2"));
    }

    #[test]
    fn http2_needs_its_module_and_strange_names_mean_nothing() {
        let words = ["h2c".to_owned(), "spdy/3".to_owned()];
        assert!(!Protocols::new(&words, true, false).has(H2C));
        let spoken = Protocols::new(&words, true, true);
        assert!(spoken.has(H2C) && spoken.has(HTTP_1_1) && !spoken.has("spdy/3"));
        assert!(!spoken.has(H2));
    }
}
