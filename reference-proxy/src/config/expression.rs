//! Regular expressions of `<ProxyMatch>`, `SetEnvIf` and their kin: Perl's, as far as both engines mean the same.
//!
//! httpd has PCRE. An expression that would mean something else here would let somebody else in, so what is not
//! known to mean the same in both is refused when the config is read, with what to write instead.

use fancy_regex::{Regex, RegexBuilder};

/// How often an expression may go back before it is given up; what it says is then unknown.
const STEPS_MOST: usize = 100_000;
/// The most memory that an expression may take.
const SIZE_MOST: usize = 1 << 20;

/// An expression, in its own case and in any.
#[derive(Clone, Debug)]
pub struct Expression {
    exact: Regex,
    any_case: Regex,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// One that is none, or that may mean something else to httpd.
    pub fn parse(text: &str) -> Result<Self, String> {
        Reading { rest: text }.check().map_err(|what| {
            format!("the expression '{text}' holds {what}, which is not known here")
        })?;
        let compile = |any_case| {
            RegexBuilder::new(text)
                .case_insensitive(any_case)
                .backtrack_limit(STEPS_MOST)
                .delegate_size_limit(SIZE_MOST)
                .delegate_dfa_size_limit(SIZE_MOST)
                .build()
                .map_err(|error| format!("Regex could not be compiled: {error}"))
        };
        Ok(Self {
            exact: compile(false)?,
            any_case: compile(true)?,
        })
    }

    /// Whether some part of `text` fits; `None` when that took too long to find out.
    #[must_use]
    pub fn fits(&self, text: &str, any_case: bool) -> Option<bool> {
        let regex = if any_case {
            &self.any_case
        } else {
            &self.exact
        };
        regex.is_match(text).ok()
    }

    /// The first part of `text` that fits.
    #[must_use]
    pub fn find(&self, text: &str, any_case: bool) -> Found {
        let regex = if any_case {
            &self.any_case
        } else {
            &self.exact
        };
        match regex.captures(text) {
            Err(_) => Found::Unknown,
            Ok(None) => Found::No,
            Ok(Some(captures)) => Found::Parts(
                captures
                    .iter()
                    .map(|part| part.map_or_else(String::new, |part| part.as_str().to_owned()))
                    .collect(),
            ),
        }
    }
}

/// What an expression found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    No,
    /// The part that fits, and those that its groups fit; empty where a group fits nothing.
    Parts(Vec<String>),
    /// It took too long to find out.
    Unknown,
}

/// Goes through an expression and stops at what is not known to mean the same to both.
struct Reading<'a> {
    rest: &'a str,
}

impl Reading<'_> {
    fn check(&mut self) -> Result<(), String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape("dDwWsSbBAztnrf")?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => self.behind_quantifier()?,
                '{' => {
                    self.count()?;
                    self.behind_quantifier()?;
                }
                c if !c.is_ascii() => return Err(format!("'{c}'")),
                _ => {}
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn takes(&mut self, text: &str) -> bool {
        let taken = self.rest.strip_prefix(text);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    /// What stands behind a backslash: one of `letters`, or a mark that then stands for itself.
    fn escape(&mut self, letters: &str) -> Result<(), String> {
        match self.next() {
            // Here they would be the ends of words.
            Some(c @ ('<' | '>')) => Err(format!("'\\{c}': write '{c}'")),
            Some(c) if c.is_ascii_punctuation() || letters.contains(c) => Ok(()),
            Some(c) => Err(format!("'\\{c}'")),
            None => Err("a last '\\'".into()),
        }
    }

    /// What stands behind `[`, to its `]`.
    fn class(&mut self) -> Result<(), String> {
        let _ = self.takes("^");
        let _ = self.takes("]");
        loop {
            for doubled in ["&&", "--", "~~"] {
                if self.rest.starts_with(doubled) {
                    return Err(format!("'{doubled}' in brackets: write '\\{doubled}'"));
                }
            }
            match self.next() {
                None => return Err("a '[' without its ']'".into()),
                Some(']') => return Ok(()),
                Some('\\') => self.escape("dDwWsStnrf")?,
                Some('[') => self.named_class()?,
                Some(c) if !c.is_ascii() => return Err(format!("'{c}'")),
                Some(_) => {}
            }
        }
    }

    fn named_class(&mut self) -> Result<(), String> {
        const NAMES: [&str; 12] = [
            "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "xdigit",
        ];
        let known = self.takes(":") && {
            let _ = self.takes("^");
            NAMES.iter().any(|name| self.takes(name)) && self.takes(":]")
        };
        if known {
            Ok(())
        } else {
            Err("a '[' in brackets: write '\\['".into())
        }
    }

    fn group(&mut self) -> Result<(), String> {
        if !self.takes("?") {
            return Ok(());
        }
        let known = [":", "=", "!", "<=", "<!", "i)", "i:", "-i)", "-i:"]
            .iter()
            .any(|kind| self.takes(kind));
        if known {
            return Ok(());
        }
        let named = (self.takes("P<") || self.takes("<")) && {
            let end = self.rest.find('>').unwrap_or(0);
            let name = &self.rest[..end];
            self.rest = &self.rest[end..];
            !name.is_empty()
                && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
                && self.takes(">")
        };
        if named {
            Ok(())
        } else {
            Err(format!(
                "'(?{}'",
                self.rest.chars().next().unwrap_or_default()
            ))
        }
    }

    /// `{2}`, `{2,}` or `{2,5}`, without its `{`.
    fn count(&mut self) -> Result<(), String> {
        let end = self.rest.find('}').unwrap_or(0);
        let inside = &self.rest[..end];
        let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        if least.is_empty() || !digits(least) || !digits(most) {
            return Err("a '{' that counts nothing: write '\\{'".into());
        }
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    /// A quantifier may be lazy. A second one would be read in two ways.
    fn behind_quantifier(&mut self) -> Result<(), String> {
        let _ = self.takes("?");
        if self.rest.starts_with(['*', '+', '?', '{']) {
            return Err("two quantifiers in a row".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fits_some_part_and_minds_case_unless_told() {
        for (expression, text, exact, any_case) in [
            ("127", "127.0.0.1:1", true, true),
            ("^127", "10.127.0.1:1", false, false),
            ("host$", "localhost:1", false, false),
            ("LOCAL", "localhost:1", false, true),
            ("(?i)LOCAL", "localhost:1", true, true),
            ("^(?!good\\.test:)", "bad.test:1", true, true),
            ("^(?!good\\.test:)", "good.test:1", false, false),
            ("^[[:alpha:]]+:\\d{1,5}$", "localhost:443", true, true),
            ("^(?<host>[^:]*):(?P<port>443|563)$", "a:443", true, true),
            ("^[]a-]+$", "]-a", true, true),
        ] {
            let parsed = Expression::parse(expression).unwrap();
            assert_eq!(parsed.fits(text, false), Some(exact), "{expression} {text}");
            assert_eq!(
                parsed.fits(text, true),
                Some(any_case),
                "{expression} {text}"
            );
        }
    }

    #[test]
    fn refuses_what_may_mean_something_else() {
        for (expression, what) in [
            ("a++", "two quantifiers"),
            ("a{2}{3}", "two quantifiers"),
            ("a{,3}", "counts nothing"),
            ("[a&&b]", "'&&'"),
            ("[a[b]", "a '[' in brackets"),
            ("[[:word:]]", "a '[' in brackets"),
            ("\\h", "'\\h'"),
            ("\\1", "'\\1'"),
            ("\\<a", "'\\<'"),
            ("\\Qa", "'\\Q'"),
            ("(?x)a b", "'(?x'"),
            ("(?>a)", "'(?>'"),
            ("(?R)", "'(?R'"),
            ("\u{e9}", "'\u{e9}'"),
            ("a\\", "a last '\\'"),
            ("[a", "without its"),
        ] {
            let error = Expression::parse(expression).unwrap_err();
            assert!(error.contains(what), "{expression}: {error}");
        }
        for broken in ["(", "a)", "*"] {
            let error = Expression::parse(broken).unwrap_err();
            assert!(error.starts_with("Regex could not be compiled"), "{error}");
        }
    }

    #[test]
    fn finds_what_groups_fit() {
        let parts =
            |expression: &str, text: &str| Expression::parse(expression).unwrap().find(text, false);
        let found = |parts: &[&str]| Found::Parts(parts.iter().map(|&part| part.into()).collect());
        assert_eq!(parts("b(c)|(d)", "abcd"), found(&["bc", "c", ""]));
        assert_eq!(parts("x", "abcd"), Found::No);
    }

    #[test]
    fn what_takes_too_long_is_unknown() {
        let slow = Expression::parse("^(?:a(?!x)|a(?!y))*$").unwrap();
        let text = "a".repeat(200) + "c";
        assert_eq!(slow.fits(&text, false), None);
        assert_eq!(slow.find(&text, false), Found::Unknown);
    }

    proptest! {
        #[test]
        fn no_expression_makes_it_panic(text in "[a-c()\\[\\]{}|.*+?^$\\\\:<>=!0-9-]{0,20}") {
            let _ = Expression::parse(&text);
        }
    }
}
