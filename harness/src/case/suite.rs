//! A suite: cases about one topic.

use crate::{case::Case, protocol::Protocol};

/// A named list of cases.
#[derive(Clone, Debug)]
pub struct Suite {
    /// In front of the slash.
    pub id: &'static str,
    /// For a reader.
    pub title: &'static str,
    /// The text of the file that the cases stand in: `explain` shows why a case matters, and what it does.
    pub text: &'static str,
    /// Those over one protocol after those over another, each in the order in which they are written.
    pub cases: Vec<Case>,
}

impl Suite {
    /// A suite of these cases.
    #[must_use]
    pub fn new(
        id: &'static str,
        title: &'static str,
        text: &'static str,
        mut cases: Vec<Case>,
    ) -> Self {
        cases.sort_by_key(|case| case.protocol);
        Self {
            id,
            title,
            text,
            cases,
        }
    }

    /// The title of those of its cases that are asked over `protocol`.
    #[must_use]
    pub fn title_over(&self, protocol: Protocol) -> String {
        match protocol {
            Protocol::Http1 => self.title.to_owned(),
            other => format!("{} ({other})", self.title),
        }
    }
}

/// Collects case functions; each case is named after its function.
///
/// An explicit list, so that what is not in it is seen to be missing, and what is in it can be searched for.
#[macro_export]
macro_rules! suite {
    ($id:literal: $title:literal, $text:expr; $($case:ident),+ $(,)?) => {
        $crate::case::Suite::new(
            $id,
            $title,
            $text,
            [$($crate::case::IntoCases::into_cases(
                $case(),
                $id,
                stringify!($case),
            )),+].concat(),
        )
    };
}
