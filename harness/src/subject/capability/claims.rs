//! What is said of a subject.

use crate::subject::offers::Offers;

/// What is said of a subject before it is asked anything: by its profile, or by whoever lets a running one be judged.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// What it can be told.
    pub offers: Offers,
    /// Whether it can check a configuration without serving.
    pub checks_configuration: bool,
    /// The named groups of its access log's lines; `None` where there is no log to be read.
    pub log: Option<Vec<String>>,
    /// Whether the harness launches it.
    pub launched: bool,
}

impl Claims {
    pub(super) fn logs(&self, group: &str) -> bool {
        let log = self.log.iter().flatten();
        log.into_iter().any(|name| name == group)
    }
}
