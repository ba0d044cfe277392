//! Deviations: failures that are known and explained.

/// A known, explained failure of one proxy in one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The id of the case.
    pub case: String,
    /// Why it fails, as seen in a transcript.
    pub why: String,
    /// Where more is to be read.
    pub see: Option<String>,
    /// The day after which the excuse has run out.
    pub until: Option<jiff::civil::Date>,
    /// What was observed when it was written down.
    pub observed: Option<String>,
    /// Whether chance decides, as in a race that the proxy does not always lose: then it is no news when it holds.
    pub sometimes: bool,
}

impl Deviation {
    /// Whether the excuse has run out on that day.
    #[must_use]
    pub fn has_expired(&self, today: jiff::civil::Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}
