//! The register: what is asked of a CONNECT proxy, one row a requirement.
//!
//! It stands beside the cases and not in them, so that what no case tests yet is seen to be missing.

mod chapter;
mod cite;

use std::collections::BTreeSet;

use connectspec_harness::{
    case::{Case, Suite},
    verdict::Level,
};
use serde::Deserialize;

use self::chapter::{Chapter, Order};
pub(crate) use self::cite::Cite;

/// Every requirement, in the order in which the files have them.
#[derive(Debug)]
pub(crate) struct Register {
    /// Prefix and title of each section.
    sections: Vec<(String, String)>,
    /// Where specifications disagree.
    pub(crate) dissents: Vec<Dissent>,
    pub(crate) requirements: Vec<Requirement>,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    pub(crate) level: Level,
    /// The level of its weaker half, where it has two.
    pub(crate) also: Option<Level>,
    /// Where it stands.
    pub(crate) cites: Vec<Cite>,
    /// What is asked, in our own words.
    pub(crate) requirement: String,
    /// How it would be tested, where no case does and where that is not plain.
    pub(crate) experiment: Option<String>,
    /// Why no case can test it yet.
    pub(crate) untestable: Option<String>,
    /// The test that proves it beside the real httpd, as `file::test`: for what a case cannot bring about from outside.
    pub(crate) proven_by: Option<String>,
}

/// Two defensible readings of what rows ask, and what is accepted therefore.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dissent {
    pub(crate) rows: Vec<String>,
    pub(crate) text: String,
}

/// Where the files stand in this repository.
const FOLDER: &str = "fixtures/register";

/// The file that has the order of the others.
const ORDER: &str = "chapters";

impl Register {
    /// The register that comes with the program.
    ///
    /// # Errors
    /// Names the file, the line and the remedy.
    pub(crate) fn built_in() -> Result<Self, String> {
        let files = connectspec_fixtures::register().iter();
        Self::read(&files.map(|file| (file.name, file.text)).collect::<Vec<_>>())
    }

    /// The register in these files, each a name without its ending and a text.
    fn read(files: &[(&str, &str)]) -> Result<Self, String> {
        let text = |name: &str| files.iter().find(|(known, _)| *known == name);
        let path = |name: &str| format!("{FOLDER}/{name}.toml");
        let (_, order) = text(ORDER).ok_or_else(|| format!("there is no {}", path(ORDER)))?;
        let order = Order::read(&path(ORDER), order)?.chapters;
        if let Some((name, _)) = files
            .iter()
            .find(|(name, _)| *name != ORDER && !order.iter().any(|known| known == name))
        {
            return Err(format!(
                "{} does not list `{name}`: write it where the chapter belongs",
                path(ORDER)
            ));
        }
        let mut register = Self {
            sections: Vec::new(),
            dissents: Vec::new(),
            requirements: Vec::new(),
        };
        for name in &order {
            let (_, text) = text(name).ok_or_else(|| {
                format!(
                    "{} lists `{name}`, and there is no {}: write the chapter or drop the line",
                    path(ORDER),
                    path(name)
                )
            })?;
            register.add(&path(name), Chapter::read(&path(name), text)?)?;
        }
        register.is_whole()?;
        Ok(register)
    }

    /// Takes in a chapter; it may go on in a second file.
    fn add(&mut self, file: &str, chapter: Chapter) -> Result<(), String> {
        let Chapter {
            prefix,
            title,
            dissents,
            requirements,
        } = chapter;
        match self.sections.iter().find(|(known, _)| *known == prefix) {
            Some((_, known)) if *known != title => {
                return Err(format!(
                    "{file}: {prefix} is `{known}` in another file: use one title, or another prefix"
                ));
            }
            Some(_) => {}
            None => self.sections.push((prefix, title)),
        }
        self.dissents.extend(dissents);
        self.requirements.extend(requirements);
        Ok(())
    }

    /// What no file can tell by itself.
    fn is_whole(&self) -> Result<(), String> {
        let mut ids = BTreeSet::new();
        if let Some(row) = self.requirements.iter().find(|row| !ids.insert(&row.id)) {
            return Err(format!(
                "{FOLDER}: {} is there twice: give one of them another id",
                row.id
            ));
        }
        for dissent in &self.dissents {
            if let Some(row) = dissent.rows.iter().find(|row| !ids.contains(row)) {
                return Err(format!(
                    "{FOLDER}: a dissent names {row}, which is no row: \"{}\"",
                    dissent.text
                ));
            }
        }
        Ok(())
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
    /// The cases that cover it.
    pub(crate) fn cases<'a>(&self, catalogue: &'a [Suite]) -> Vec<&'a Case> {
        let cases = catalogue.iter().flat_map(|suite| &suite.cases);
        cases
            .filter(|case| case.covers.contains(&self.id.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
