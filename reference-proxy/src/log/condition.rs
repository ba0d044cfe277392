//! `CustomLog … env=`: which requests get a line.

use super::Record;

/// A variable that must be set, or must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    variable: String,
    negated: bool,
}

impl Condition {
    /// Reads `env=NAME` or `env=!NAME`.
    ///
    /// # Errors
    ///
    /// `expr=`, which httpd knows and this proxy does not, and anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("expr=") {
            return Err(format!(
                "'{text}': expressions are not known here: set a variable with SetEnvIf, and write env="
            ));
        }
        let variable = text
            .strip_prefix("env=")
            .ok_or("error in condition clause")?;
        let (variable, negated) = match variable.strip_prefix('!') {
            Some(variable) => (variable, true),
            None => (variable, false),
        };
        Ok(Self {
            variable: variable.to_owned(),
            negated,
        })
    }

    /// The variable that it looks at.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, record: &Record) -> bool {
        record.variables.has(&self.variable) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Ends;
    use std::sync::Arc;

    #[test]
    fn a_variable_is_set_or_not() {
        let record = Record::new(Arc::new(Ends {
            peer: "127.0.0.1:40000".parse().unwrap(),
            local: "127.0.0.1:3128".parse().unwrap(),
        }));
        assert!(!Condition::parse("env=a").unwrap().holds(&record));
        assert!(Condition::parse("env=!a").unwrap().holds(&record));
        for bad in ["a", "ENV=a", "expr=true"] {
            assert!(Condition::parse(bad).is_err(), "{bad}");
        }
    }
}
