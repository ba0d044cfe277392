//! Where a requirement stands, and the link that leads there.

use std::{fmt, str::FromStr};

/// A document, and a section of it where not the whole is meant: `RFC 9112 §3.2.3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cite {
    document: String,
    section: Option<String>,
    /// The page that shows it.
    link: String,
}

/// What the documents of the register are called.
const EXAMPLES: &str = "`RFC 9112 §3.2.3`, `httpd 2.4 core §timeout`, `CERT VU#150227` or `draft-ietf-httpbis-connect-tcp`";

impl Cite {
    /// The page that shows it.
    pub(crate) fn link(&self) -> String {
        self.link.clone()
    }
}

impl FromStr for Cite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (document, section) = match text.split_once(" §") {
            Some((document, section)) => (document, Some(section)),
            None => (text, None),
        };
        let Some((address, anchor)) = place(document) else {
            return Err(format!(
                "`{text}` cites no document that is known here: write it as {EXAMPLES}"
            ));
        };
        let is_plain = |section: &str| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
            !section.is_empty() && section.chars().all(plain)
        };
        if !section.is_none_or(is_plain) {
            return Err(format!(
                "`{text}` has an odd section: write it as {EXAMPLES}, and several places as several texts"
            ));
        }
        // An appendix has letters, and an anchor of another kind.
        let is_appendix = section.is_some_and(|section| section.starts_with(char::is_uppercase));
        let anchor = match anchor {
            "#section-" if is_appendix => "#appendix-",
            anchor => anchor,
        };
        let link = section.map_or_else(
            || address.clone(),
            |section| address.clone() + anchor + section,
        );
        Ok(Self {
            document: document.to_owned(),
            section: section.map(str::to_owned),
            link,
        })
    }
}

/// The address of a document, and what leads from there to a section of it.
fn place(document: &str) -> Option<(String, &'static str)> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        !text.is_empty() && text.bytes().all(plain)
    };
    if let Some(rfc) = document.strip_prefix("RFC ").filter(|rfc| number(rfc)) {
        let address = format!("https://www.rfc-editor.org/rfc/rfc{rfc}");
        return Some((address, "#section-"));
    }
    if let Some(module) = document
        .strip_prefix("httpd 2.4 ")
        .filter(|name| word(name))
    {
        let address = format!("https://httpd.apache.org/docs/2.4/mod/{module}.html");
        return Some((address, "#"));
    }
    if let Some(note) = document
        .strip_prefix("CERT VU#")
        .filter(|note| number(note))
    {
        return Some((format!("https://www.kb.cert.org/vuls/id/{note}"), "#"));
    }
    if document.starts_with("draft-") && word(document) {
        let address = format!("https://datatracker.ietf.org/doc/html/{document}");
        return Some((address, "#section-"));
    }
    None
}

impl fmt::Display for Cite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.section {
            None => f.write_str(&self.document),
            Some(section) => write!(f, "{} §{section}", self.document),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{MOD_PROXY_CONNECT, RFC_9112, VU_150227};

    #[test]
    fn leads_where_the_cases_lead() {
        for (text, citation) in [
            ("RFC 9112 §3.2.3", RFC_9112.section("3.2.3")),
            (
                "httpd 2.4 mod_proxy_connect §allowconnect",
                MOD_PROXY_CONNECT.section("allowconnect"),
            ),
            ("CERT VU#150227 §1", VU_150227.section("1")),
        ] {
            let cite: Cite = text.parse().unwrap();
            assert_eq!(cite.link(), citation.url());
            assert_eq!(cite.to_string(), text);
            assert_eq!(citation.to_string(), text);
        }
    }

    #[test]
    fn finds_an_appendix() {
        let cite: Cite = "RFC 9112 §C.2.2".parse().unwrap();
        assert_eq!(
            cite.link(),
            "https://www.rfc-editor.org/rfc/rfc9112#appendix-C.2.2"
        );
    }

    #[test]
    fn without_a_section_is_the_whole_document() {
        let cite: Cite = "draft-ietf-httpbis-connect-tcp".parse().unwrap();
        assert_eq!(
            cite.link(),
            "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-connect-tcp"
        );
        assert_eq!(cite.to_string(), "draft-ietf-httpbis-connect-tcp");
    }

    #[test]
    fn is_of_a_document_that_is_known() {
        for text in [
            "",
            "RFC",
            "RFC 9112 3.2.3",
            "RFC 9112 §",
            "RFC 9112 §3.2.3, §7",
            "rfc 9112 §3.2.3",
            "RCF 9112 §3.2.3",
            "CERT 150227",
            "httpd 2.4",
        ] {
            let error = text.parse::<Cite>().unwrap_err();
            assert!(error.contains("write it as"), "{error}");
        }
    }
}
