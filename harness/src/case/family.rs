//! Cases that one function makes of the rows of a table.

use crate::case::Case;

/// A row of a table of cases: it has a name.
pub trait Row {
    /// In snake case; it stands in brackets after the id.
    fn name(&self) -> &'static str;
}

macro_rules! rows {
    ($($name:ident: $($other:ident),+;)+) => {$(
        impl<$($other),+> Row for (&'static str, $($other),+) {
            fn name(&self) -> &'static str {
                self.0
            }
        }
    )+};
}

rows! {
    two: A;
    three: A, B;
    four: A, B, C;
    five: A, B, C, D;
}

/// The cases of one function, each with the name of its row.
pub type Family = Vec<(&'static str, Case)>;

/// A case for each row of a table.
#[must_use]
pub fn each<R: Row + 'static>(table: &'static [R], case: impl Fn(&'static R) -> Case) -> Family {
    table.iter().map(|row| (row.name(), case(row))).collect()
}

/// What a function of a suite may return: one case, or a family.
pub trait IntoCases {
    /// The cases, named after the suite and the function.
    fn into_cases(self, suite: &'static str, sentence: &'static str) -> Vec<Case>;
}

impl IntoCases for Case {
    fn into_cases(self, suite: &'static str, sentence: &'static str) -> Vec<Case> {
        self.named(suite, sentence, None).collect()
    }
}

impl IntoCases for Family {
    fn into_cases(self, suite: &'static str, sentence: &'static str) -> Vec<Case> {
        let rows = self.into_iter();
        rows.flat_map(|(row, case)| case.named(suite, sentence, Some(row)))
            .collect()
    }
}
