//! A product on which other proxies are modelled: its ways are asked of those, and its language is theirs.

/// A product on which others are modelled. Which there are, the cases say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Product {
    /// The word for it.
    pub word: &'static str,
    /// As `like` in a profile names it, with its version.
    pub like: &'static str,
    /// For a reader.
    pub title: &'static str,
    /// How its configuration calls the list of ports.
    pub port_list: &'static str,
}

/// Text in the language of a product's configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text {
    /// Whose language it is.
    pub of: Product,
    /// The text.
    pub text: String,
}
