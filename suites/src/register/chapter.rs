//! Reads a chapter of the register: a mistake is told with its file, its line and the remedy.

use std::fmt;

use connectspec_harness::verdict::Level;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use toml::Spanned;

use super::{Dissent, Requirement};

/// One file.
#[derive(Debug)]
pub(super) struct Chapter {
    /// What the ids of its rows begin with.
    pub(super) prefix: String,
    pub(super) title: String,
    pub(super) dissents: Vec<Dissent>,
    /// In the order in which they are written.
    pub(super) requirements: Vec<Requirement>,
}

/// The order of the chapters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) chapters: Vec<String>,
}

/// What is wrong with a file, and the byte at which it is.
#[derive(Debug)]
struct Mistake {
    at: usize,
    what: String,
}

impl Chapter {
    /// # Errors
    /// Says what is wrong with this text of that file, where, and what would be right.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, String> {
        let read = toml::from_str(text).map_err(Mistake::from);
        read.and_then(Self::of)
            .map_err(|mistake| mistake.told(file, text))
    }

    fn of(file: File) -> Result<Self, Mistake> {
        if let Some(stray) = file.strays.first() {
            let what = format!(
                "`{0}` is neither a key of a chapter (prefix, title, dissent) nor the id of a row, such as [{1}-001]",
                stray.get_ref(),
                file.prefix
            );
            let at = stray.span().start;
            return Err(Mistake { at, what });
        }
        let mut rows = file.rows;
        rows.sort_by_key(|(id, _)| id.span().start);
        let requirements = rows
            .into_iter()
            .map(|(id, row)| row.requirement(&id, &file.prefix))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            prefix: file.prefix,
            title: file.title,
            dissents: file.dissents,
            requirements,
        })
    }
}

impl Order {
    /// # Errors
    /// Says what is wrong with the text of that file.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| Mistake::from(error).told(file, text))
    }
}

impl Mistake {
    fn told(&self, file: &str, text: &str) -> String {
        let before = text.get(..self.at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("{file}:{line}: {}", self.what)
    }
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        Self {
            at: error.span().unwrap_or_default().start,
            what: error.message().to_owned(),
        }
    }
}

/// A chapter as it is written.
#[derive(Debug)]
struct File {
    prefix: String,
    title: String,
    dissents: Vec<Dissent>,
    rows: Vec<(Spanned<String>, Row)>,
    /// Keys that mean nothing.
    strays: Vec<Spanned<String>>,
}

/// A row as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    level: Level,
    also: Option<Level>,
    #[serde(default)]
    cites: Vec<Spanned<String>>,
    requirement: Spanned<String>,
    experiment: Option<Spanned<String>>,
    waits_for: Option<String>,
    untestable: Option<String>,
    proven_by: Option<String>,
}

impl Row {
    fn requirement(self, id: &Spanned<String>, prefix: &str) -> Result<Requirement, Mistake> {
        let here = |what: String| Mistake {
            at: id.span().start,
            what,
        };
        let id = id.get_ref();
        let begins = id.strip_prefix(prefix);
        if !begins.is_some_and(|rest| rest.starts_with('-')) {
            return Err(here(format!(
                "{id} does not begin with {prefix}-: it belongs to another chapter"
            )));
        }
        if self.also.is_some_and(|also| also <= self.level) {
            return Err(here(format!(
                "`also` is for the weaker level of {id}: exchange the two"
            )));
        }
        let reasons = [&self.waits_for, &self.untestable, &self.proven_by];
        if reasons.into_iter().flatten().count() > 1 {
            return Err(here(format!(
                "{id} has more than one of waits-for, untestable and proven-by: keep one"
            )));
        }
        for text in [Some(&self.requirement), self.experiment.as_ref()] {
            let Some(text) = text else { continue };
            if !text.get_ref().ends_with(['.', '!', '?']) {
                return Err(Mistake {
                    at: text.span().start,
                    what: format!("a text of {id} is no sentence: end it as one"),
                });
            }
        }
        let cites = self.cites.iter().map(|cite| {
            let at = cite.span().start;
            let parsed = cite.get_ref().parse();
            parsed.map_err(|what| Mistake { at, what })
        });
        let waits = self
            .waits_for
            .map(|what| format!("needs {what}, which the suite does not have yet"));
        Ok(Requirement {
            id: id.clone(),
            level: self.level,
            also: self.also,
            cites: cites.collect::<Result<_, _>>()?,
            requirement: self.requirement.into_inner(),
            experiment: self.experiment.map(Spanned::into_inner),
            untestable: waits.or(self.untestable),
            proven_by: self.proven_by,
        })
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

/// The ids of rows stand beside the other keys of a chapter.
struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = File;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a chapter of the register")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
        let (mut prefix, mut title, mut dissents) = (None, None, Vec::new());
        let (mut rows, mut strays) = (Vec::new(), Vec::new());
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            match key.get_ref().as_str() {
                "prefix" => prefix = Some(map.next_value()?),
                "title" => title = Some(map.next_value()?),
                "dissent" => dissents = map.next_value()?,
                id if id.starts_with(|first: char| first.is_ascii_uppercase()) => {
                    rows.push((key, map.next_value()?));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    strays.push(key);
                }
            }
        }
        Ok(File {
            prefix: prefix.ok_or_else(|| A::Error::missing_field("prefix"))?,
            title: title.ok_or_else(|| A::Error::missing_field("title"))?,
            dissents,
            rows,
            strays,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "prefix = \"CLS\"\ntitle = \"Closing\"\n\n";

    #[test]
    fn a_chapter_keeps_the_order_of_its_rows() {
        let text = format!(
            "{HEAD}[CLS-002]\nlevel = \"must\"\nrequirement = \"Two.\"\n\n[CLS-001]\nlevel = \"may\"\n\
             cites = [\"RFC 9110 §9.3.6\"]\nrequirement = \"One.\"\nwaits-for = \"a second client\"\n"
        );
        let chapter = Chapter::read("closing.toml", &text).unwrap();
        let [two, one] = &chapter.requirements[..] else {
            panic!("{chapter:?}");
        };
        assert_eq!((two.id.as_str(), one.id.as_str()), ("CLS-002", "CLS-001"));
        assert_eq!(one.cites[0].to_string(), "RFC 9110 §9.3.6");
        assert_eq!(
            one.untestable.as_deref(),
            Some("needs a second client, which the suite does not have yet")
        );
    }

    /// The line of each mistake, and a word of what is said about it.
    #[test]
    fn a_mistake_is_told_with_its_line() {
        for (text, line, word) in [
            ("[CLS-001]\nlevel = \"must\"\n", 4, "`requirement`"),
            (
                "[CLS-001]\nlevel = \"shall\"\nrequirement = \"A.\"\n",
                5,
                "shall",
            ),
            (
                "[CLS-001]\nlevel = \"must\"\nrequirement = \"A\"\n",
                6,
                "end it as one",
            ),
            (
                "[CLS-001]\nlevel = \"must\"\nrequirement = \"A.\"\nexperiment = \"B\"\n",
                7,
                "end it as one",
            ),
            (
                "[CLS-001]\nlevel = \"must\"\nrequirement = \"A.\"\ncites = [\n\"RFC 1 §2\",\n\"RFC\"]\n",
                9,
                "write it as",
            ),
            (
                "[CLS-001]\nlevel = \"must\"\nrequirement = \"A.\"\nsection = \"9\"\n",
                7,
                "unknown field `section`",
            ),
            (
                "[POL-001]\nlevel = \"must\"\nrequirement = \"A.\"\n",
                4,
                "another chapter",
            ),
            (
                "[CLS-001]\nlevel = \"may\"\nalso = \"must\"\nrequirement = \"A.\"\n",
                4,
                "exchange",
            ),
            (
                "[CLS-001]\nlevel = \"may\"\nrequirement = \"A.\"\nwaits-for = \"a\"\nuntestable = \"b\"\n",
                4,
                "keep one",
            ),
            ("requirements = 1\n", 4, "`requirements` is neither"),
            (
                "[CLS-001]\nlevel = \"may\"\nrequirement = \"A.\"\n\n[CLS-001]\n",
                8,
                "duplicate",
            ),
            ("[CLS-001\n", 4, ""),
        ] {
            let error = Chapter::read("closing.toml", &format!("{HEAD}{text}")).unwrap_err();
            let place = format!("closing.toml:{line}: ");
            assert!(error.starts_with(&place), "{text}: {error}");
            assert!(error.contains(word), "{text}: {error}");
        }
        let error = Chapter::read("closing.toml", "prefix = \"CLS\"\n").unwrap_err();
        assert!(error.contains("closing.toml:1: "), "{error}");
        assert!(error.contains("`title`"), "{error}");
    }
}
