//! Where a requirement stands: a document, a section of it, a link. Never copied text.
//!
//! The harness knows no specification by name; whoever writes cases declares the documents that they cite.

use std::fmt;

/// A published specification or manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    name: &'static str,
    address: &'static str,
    anchor: &'static str,
}

impl Document {
    /// A document at `address`, whose sections are found at `address` followed by `anchor` and the section.
    ///
    /// ```
    /// # use connectspec_harness::citation::Document;
    /// const RFC_9110: Document =
    ///     Document::new("RFC 9110", "https://www.rfc-editor.org/rfc/rfc9110", "#section-");
    /// assert_eq!(RFC_9110.section("9.3.6").to_string(), "RFC 9110 §9.3.6");
    /// ```
    #[must_use]
    pub const fn new(name: &'static str, address: &'static str, anchor: &'static str) -> Self {
        Self {
            name,
            address,
            anchor,
        }
    }

    /// One section of it.
    #[must_use]
    pub const fn section(self, section: &'static str) -> Citation {
        Citation {
            document: self,
            section,
        }
    }

    /// What people call it, for example `RFC 9110`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// One section of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Citation {
    document: Document,
    section: &'static str,
}

impl Citation {
    /// The document that is cited.
    #[must_use]
    pub const fn document(self) -> Document {
        self.document
    }

    /// The section, as the document numbers or names it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        self.section
    }

    /// A link that opens at the section.
    #[must_use]
    pub fn url(self) -> String {
        match self.section {
            "" => self.document.address.to_owned(),
            section => format!("{}{}{section}", self.document.address, self.document.anchor),
        }
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.document.name)?;
        // Short documents have no sections.
        if self.section.is_empty() {
            Ok(())
        } else {
            write!(f, " §{}", self.section)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_links_to_its_section() {
        const MANUAL: Document = Document::new("manual", "https://example.org/m.html", "#");
        assert_eq!(
            MANUAL.section("allow").url(),
            "https://example.org/m.html#allow"
        );
    }
}
