//! Deviations: failures that are known and explained.

use crate::{case_id::CaseId, protocol::Protocol};

/// A known, explained failure of one proxy in one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The id of the case.
    pub case: CaseId,
    /// The rows of it that fail, each as an id; none where the id says all.
    pub rows: Vec<CaseId>,
    /// Over what it fails, where that is more than the id says.
    pub over: Vec<Protocol>,
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
    /// The ids of all cases whose failure it explains.
    pub fn cases(&self) -> impl Iterator<Item = CaseId> {
        let alone = self.over.is_empty() && self.rows.is_empty();
        let alone = alone.then(|| self.case.clone());
        let over = self.over.iter().map(|&protocol| self.case.over(protocol));
        alone
            .into_iter()
            .chain(over)
            .chain(self.rows.iter().cloned())
    }

    /// Whether it explains the failure of the case with this id.
    #[must_use]
    pub fn is_of(&self, id: &CaseId) -> bool {
        self.cases().any(|case| case == *id)
    }

    /// Whether the excuse has run out on that day.
    #[must_use]
    pub fn has_expired(&self, today: jiff::civil::Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}
