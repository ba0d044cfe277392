//! Whose fault it is, said explicitly.
//!
//! There is no blanket conversion from `std::io::Error`: such a conversion once acquitted a proxy that cut its tunnels
//! ("the harness failed: early eof"). Each verb maps its own errors: binding a listener is the harness's, dialling the
//! subject is the set-up's, a reset or an early end inside a tunnel is a violation.

use std::fmt;

/// What a case, or one step of it, hands back.
pub type Outcome<T = ()> = Result<T, Finding>;

/// Why a case was not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The proxy did something else than the requirement says.
    Violation {
        /// Each outcome that would have been right.
        expected: Vec<String>,
        /// What happened instead.
        observed: String,
    },
    /// The proxy did something from which nothing follows: silence where it may still be waiting, a refusal for
    /// another reason that it is free to have.
    Inconclusive {
        /// What it did, and why nothing follows from it.
        reason: String,
    },
    /// Something that the case needs is not there after all.
    Absent {
        /// What is missing.
        reason: String,
    },
    /// The proxy could not be brought to the point where the case begins.
    Setup {
        /// What did not come about.
        reason: String,
        /// Whether that is because nobody listens where the proxy was.
        gone: bool,
    },
    /// The harness itself failed; this says nothing about the proxy.
    Harness {
        /// What went wrong.
        reason: String,
    },
}

impl Finding {
    /// The proxy did `observed` where only `expected` would have been right.
    pub fn violation(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::Violation {
            expected: vec![expected.into()],
            observed: observed.into(),
        }
    }

    /// As [`Finding::violation`], where several outcomes would have been right.
    pub fn none_of<S: Into<String>>(
        expected: impl IntoIterator<Item = S>,
        observed: impl Into<String>,
    ) -> Self {
        Self::Violation {
            expected: expected.into_iter().map(Into::into).collect(),
            observed: observed.into(),
        }
    }

    /// Nothing follows from what happened.
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self::Inconclusive {
            reason: reason.into(),
        }
    }

    /// Something that the case needs is not there.
    pub fn absent(reason: impl Into<String>) -> Self {
        Self::Absent {
            reason: reason.into(),
        }
    }

    /// The case could not begin.
    pub fn setup(reason: impl Into<String>) -> Self {
        Self::Setup {
            reason: reason.into(),
            gone: false,
        }
    }

    /// The case could not begin, since nobody listens where the proxy was.
    pub fn gone(reason: impl Into<String>) -> Self {
        Self::Setup {
            reason: reason.into(),
            gone: true,
        }
    }

    /// The harness failed.
    pub fn harness(reason: impl Into<String>) -> Self {
        Self::Harness {
            reason: reason.into(),
        }
    }

    /// The same finding, with `place` in front of what was observed: which of several steps it was.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        let said = |reason: String| format!("{place}: {reason}");
        match self {
            Self::Violation { expected, observed } => Self::Violation {
                expected,
                observed: said(observed),
            },
            Self::Inconclusive { reason } => Self::Inconclusive {
                reason: said(reason),
            },
            Self::Absent { reason } => Self::Absent {
                reason: said(reason),
            },
            Self::Setup { reason, gone } => Self::Setup {
                reason: said(reason),
                gone,
            },
            Self::Harness { reason } => Self::Harness {
                reason: said(reason),
            },
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation { expected, observed } => {
                write!(
                    f,
                    "expected {}; observed {observed}",
                    expected.join(", or ")
                )
            }
            Self::Inconclusive { reason } => write!(f, "inconclusive: {reason}"),
            Self::Absent { reason } | Self::Setup { reason, .. } | Self::Harness { reason } => {
                f.write_str(reason)
            }
        }
    }
}

/// The kind of an outcome: all that a verdict needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The requirement was kept.
    Held,
    /// It was broken.
    Violated,
    /// Nothing follows from what the proxy did.
    Inconclusive,
    /// Something that the case needs is not there.
    NeedAbsent,
    /// The set-up did not come about.
    SetupMissing,
    /// The harness failed.
    HarnessFailed,
}

impl<T> From<&Outcome<T>> for Conclusion {
    fn from(outcome: &Outcome<T>) -> Self {
        match outcome {
            Ok(_) => Self::Held,
            Err(Finding::Violation { .. }) => Self::Violated,
            Err(Finding::Inconclusive { .. }) => Self::Inconclusive,
            Err(Finding::Absent { .. }) => Self::NeedAbsent,
            Err(Finding::Setup { .. }) => Self::SetupMissing,
            Err(Finding::Harness { .. }) => Self::HarnessFailed,
        }
    }
}
