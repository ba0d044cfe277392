//! Templates: the dialect in which profiles say what a configuration looks like for their proxy.
//!
//! MiniJinja, strict: a variable that does not exist is an error, found when the profile is read and
//! not when the one setup runs that takes this branch. Only a member of what a setup does not ask for may be
//! tested: `credentials.users or []`. Nothing is escaped and the last newline stays,
//! for the result is a config file, not a web page.

use std::{collections::BTreeSet, io, sync::LazyLock};

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};

use crate::subject::{
    profile::mistake::{Mistake, did_you_mean},
    variables::VARIABLES,
};

/// A piece of text with variables in it, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The file that it stands in, as messages name it.
    pub origin: String,
    /// The line of that file on which it begins, counted from 1.
    pub line: usize,
    /// The text itself.
    pub text: String,
}

impl Template {
    /// A template that was checked: its syntax is right and it uses no unknown variable.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn parse(origin: &str, line: usize, text: &str) -> Result<Self, Mistake> {
        let template = Self {
            origin: origin.to_owned(),
            line,
            text: text.to_owned(),
        };
        let compiled = ENGINE
            .template_from_str(text)
            .map_err(|error| template.mistake(&error))?;
        let mut unknown: Vec<(usize, String)> = compiled
            .undeclared_variables(true)
            .into_iter()
            .filter(|name| !is_known(name))
            .map(|name| (offset_of(text, &name), name))
            .collect();
        unknown.sort();
        match unknown.first() {
            Some((offset, name)) => Err(template.unknown_variable(name, *offset)),
            None => Ok(template),
        }
    }

    /// A text without variables.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self {
            origin: String::new(),
            line: 1,
            text: format!("{{% raw %}}{text}{{% endraw %}}"),
        }
    }

    /// The text with its variables filled in.
    ///
    /// # Errors
    /// When a value cannot be used as the template uses it.
    pub fn render(&self, values: &Value) -> Result<String, Mistake> {
        let mut text = Bounded(Vec::new());
        ENGINE
            .template_from_str(&self.text)
            .and_then(|template| template.render_captured_to(values, &mut text).map(drop))
            .map_err(|error| self.mistake(&error))?;
        // Made of strings, as every template is.
        Ok(String::from_utf8_lossy(&text.0).into_owned())
    }

    fn mistake(&self, error: &minijinja::Error) -> Mistake {
        let range = error
            .range()
            .filter(|range| self.text.get(range.clone()).is_some());
        let message = match (error.kind(), range.and_then(|range| self.text.get(range))) {
            (minijinja::ErrorKind::UndefinedError, Some(expression)) => {
                format!("`{expression}` is not defined here")
            }
            (minijinja::ErrorKind::OutOfFuel, _) => {
                format!("it is not done after {FUEL} steps: does it loop?")
            }
            (minijinja::ErrorKind::WriteFailure, _) => {
                format!("it makes more than {TEXT_MAX} bytes of text")
            }
            (kind, _) => match error.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            },
        };
        Mistake {
            origin: self.origin.clone(),
            line: self.line + error.line().unwrap_or(1).saturating_sub(1),
            column: None,
            message,
            hint: None,
        }
    }

    fn unknown_variable(&self, name: &str, offset: usize) -> Mistake {
        let (root, _) = name.split_once('.').unwrap_or((name, ""));
        let roots: BTreeSet<&str> = VARIABLES.iter().map(|known| root_of(known)).collect();
        let (word, hint) = if roots.contains(root) {
            let members = VARIABLES
                .iter()
                .copied()
                .filter(|known| root_of(known) == root);
            let members: Vec<&str> = members.collect();
            let hint = did_you_mean(name, members.iter().copied())
                .unwrap_or_else(|| format!("it can be: {}", members.join(", ")));
            (name, hint)
        } else {
            let hint = did_you_mean(root, roots.iter().copied())
                .unwrap_or_else(|| format!("the variables are: {}", VARIABLES.join(", ")));
            (root, hint)
        };
        Mistake {
            origin: self.origin.clone(),
            line: self.line + self.text[..offset].matches('\n').count(),
            column: None,
            message: format!("unknown variable `{word}`"),
            hint: Some(hint),
        }
    }
}

/// How many steps a template may take. A list of all 65,536 ports takes a tenth of them, and these are done in a second, so
/// that one that loops holds nobody up.
const FUEL: u64 = 3_000_000;

/// How long a text may be: far longer than the configuration of any proxy, and than an argument may be.
const TEXT_MAX: usize = 4 * 1024 * 1024;

/// Takes as much as a text may have.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > TEXT_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_fuel(Some(FUEL));
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    // Only overlapping delimiters could fail to build, and these are the usual ones.
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    engine.set_syntax(syntax.unwrap_or_default());
    engine
});

fn is_known(name: &str) -> bool {
    let lists = ["allow.", "spare_ports."];
    VARIABLES.contains(&name)
        || VARIABLES.iter().any(|known| root_of(known) == name)
        || lists.iter().any(|list| name.starts_with(list))
        || ENGINE.globals().any(|(global, _)| global == name)
}

fn root_of(variable: &str) -> &str {
    variable.split_once('.').map_or(variable, |(root, _)| root)
}

/// Where a name stands in the text: at the first place where it is not the tail of a longer word.
fn offset_of(text: &str, name: &str) -> usize {
    let inner = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.match_indices(name)
        .find(|(at, _)| {
            let follows = text[at + name.len()..].chars().next();
            !text[..*at].ends_with(inner)
                && !follows.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
        .map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn mistake(text: &str) -> String {
        Template::parse("x.conf.jinja", 1, text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_typo_is_named_with_its_line_and_the_nearest_variable() {
        assert_eq!(
            mistake("Listen here\nPort {{ lisen.port }}\n"),
            "x.conf.jinja:2: unknown variable `lisen`; did you mean `listen`?"
        );
        assert_eq!(
            mistake("{% if credentials %}\n{{ credentials.usrname }}{% endif %}"),
            "x.conf.jinja:2: unknown variable `credentials.usrname`; \
             did you mean `credentials.username`?"
        );
        assert!(mistake("{{ zzz }}").contains("the variables are: listen.host"));
        assert!(mistake("{{ listen.zzzzzzzzz }}").contains("it can be: listen.host, listen.port"));
    }

    #[test]
    fn a_typo_inside_a_loop_is_named_when_it_is_rendered() {
        let text = "{% for range in allow %}\n{{ range.frist }}{% endfor %}";
        let template = Template::parse("x.jinja", 1, text).unwrap();
        let values = context! { allow => vec![context! { first => 1, last => 2 }] };
        let mistake = template.render(&values).unwrap_err();
        assert_eq!(
            mistake.to_string(),
            "x.jinja:2: `range.frist` is not defined here"
        );
    }

    #[test]
    fn a_template_that_loops_or_floods_comes_to_an_end() {
        let rendered = |text: &str| {
            let template = Template::parse("x.jinja", 1, text).unwrap();
            template.render(&context! {}).map(|text| text.len())
        };
        let loops =
            "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}";
        let mistake = rendered(loops).unwrap_err().to_string();
        assert!(mistake.contains("does it loop?"), "{mistake}");
        let floods = "{% set line = 'x' * 1000 %}{% for i in range(90000) %}{{ line }}{% endfor %}";
        let mistake = rendered(floods).unwrap_err().to_string();
        assert!(mistake.contains("bytes of text"), "{mistake}");
        let ports = "{% for port in range(65536) %}{% if port %}{{ port }} {% endif %}{% endfor %}";
        assert_eq!(rendered(ports), Ok(382_104));
    }

    #[test]
    fn wrong_syntax_is_named_with_its_line() {
        assert!(mistake("a\n{% if %}").starts_with("x.conf.jinja:2: syntax error"));
    }

    #[test]
    fn nothing_is_escaped_and_the_last_newline_stays() {
        let text =
            "{{ scratch }}{% for r in allow %} {{ r.first }}{% endfor %} {{ here|tojson }}\n";
        let values = context! {
            scratch => "/tmp/<a&b>", allow => vec![context! { first => 7 }], here => "x",
        };
        let template = Template::parse("x.html", 1, text).unwrap();
        assert_eq!(template.render(&values).unwrap(), "/tmp/<a&b> 7 \"x\"\n");
        let urlencoded = Template::parse("x", 1, "{{ scratch|urlencode }}").unwrap();
        assert_eq!(urlencoded.render(&values).unwrap(), "/tmp/%3Ca%26b%3E");
    }

    #[test]
    fn globals_loops_and_own_variables_are_no_mistakes() {
        let text = "{% set n = 3 %}{% for i in range(n) %}{{ loop.index }}{% endfor %}\
                    {{ spare_ports[0] }} {{ allow[0].first }} {% if timeouts.idle %}x{% endif %}";
        Template::parse("x", 1, text).unwrap();
    }
}
