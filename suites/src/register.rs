//! The register: what is asked of a CONNECT proxy, one row a requirement.
//!
//! It stands beside the cases and not in them, so that what no case tests yet is seen to be missing.

use std::collections::BTreeMap;

use connectspec_harness::{
    case::{Case, Suite},
    verdict::Level,
};
use serde::Deserialize;

/// Every requirement, in the order in which the file has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// The title of each section, by the prefix that its rows share.
    sections: BTreeMap<String, String>,
    /// Where specifications disagree.
    #[serde(rename = "dissent")]
    pub(crate) dissents: Vec<Dissent>,
    #[serde(rename = "requirement")]
    pub(crate) requirements: Vec<Requirement>,
}

/// One row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    pub(crate) level: Level,
    /// The level of its weaker half, where it has two.
    pub(crate) also: Option<Level>,
    #[serde(default)]
    specification: Words,
    #[serde(default)]
    section: Words,
    /// What is asked, in our own words.
    pub(crate) requirement: String,
    /// How it is tested.
    pub(crate) experiment: String,
    /// Why no case can test it yet.
    pub(crate) untestable: Option<String>,
    /// The test that proves it beside the real httpd, as `file::test`: for what a case cannot bring about from outside.
    #[serde(rename = "proven-by")]
    pub(crate) proven_by: Option<String>,
}

/// Two defensible readings of what rows ask, and what is accepted therefore.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dissent {
    pub(crate) rows: Vec<String>,
    pub(crate) text: String,
}

/// One word, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

impl Register {
    /// The register that comes with the program.
    pub(crate) fn built_in() -> Result<Self, toml::de::Error> {
        toml::from_str(connectspec_fixtures::requirements())
    }

    /// The row with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|row| row.id == id)
    }

    /// Prefix, title and rows of each section, in the order in which the file has them.
    pub(crate) fn by_section(&self) -> Vec<(&str, &str, Vec<&Requirement>)> {
        let mut sections: Vec<(&str, &str, Vec<&Requirement>)> = Vec::new();
        for row in &self.requirements {
            let (prefix, title) = self.section_of(row);
            match sections.iter_mut().find(|(known, ..)| *known == prefix) {
                Some((.., rows)) => rows.push(row),
                None => sections.push((prefix, title, vec![row])),
            }
        }
        sections
    }

    fn section_of<'a>(&'a self, row: &'a Requirement) -> (&'a str, &'a str) {
        let begins = |prefix: &str| {
            row.id
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with('-'))
        };
        self.sections
            .iter()
            .find(|(prefix, _)| begins(prefix))
            .map_or((&row.id, ""), |(prefix, title)| (prefix, title))
    }
}

impl Requirement {
    /// Where it stands: `RFC 9110 §9.3.6`, or only a document's name.
    pub(crate) fn places(&self) -> Vec<String> {
        let sections = self.section.as_slice();
        let place = |(at, name): (usize, &String)| match sections.get(at).map(String::as_str) {
            None | Some("") => name.clone(),
            Some(section) => format!("{name} §{section}"),
        };
        let documents = self.specification.as_slice();
        documents.iter().enumerate().map(place).collect()
    }

    /// The cases that cover it.
    pub(crate) fn cases<'a>(&self, catalogue: &'a [Suite]) -> Vec<&'a Case> {
        let cases = catalogue.iter().flat_map(|suite| &suite.cases);
        cases
            .filter(|case| case.covers.contains(&self.id.as_str()))
            .collect()
    }
}

impl Words {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Several(words) => words,
        }
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

#[cfg(test)]
mod tests;
