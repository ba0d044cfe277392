//! The lines that say what is set, read.

use super::{Attribute, Change, Rule, Rules};
use crate::config::expression::Expression;

impl Rules {
    /// Adds a `SetEnvIf`: an attribute, an expression, and what is set where it fits. `any_case` for
    /// `SetEnvIfNoCase`.
    ///
    /// # Errors
    ///
    /// What is missing, or not understood.
    pub fn set_if(&mut self, name: &str, words: &[String], any_case: bool) -> Result<(), String> {
        let [attribute, expression, sets @ ..] = words else {
            return Err(format!("Missing regular expression for {name}"));
        };
        if sets.is_empty() {
            return Err(format!("Missing envariable expression for {name}"));
        }
        let rule = Rule {
            attribute: Attribute::parse(attribute, any_case)
                .map_err(|wrong| format!("{name}: {wrong}"))?,
            written: attribute.clone(),
            expression: Expression::parse(expression)
                .map_err(|wrong| format!("{name}: {wrong}"))?,
            any_case,
            replaces: !is_plain(expression),
            sets: sets.iter().map(|word| change(word)).collect(),
        };
        match self.conditional.last_mut() {
            Some(rules) => rules.push(rule),
            None => self.conditional.push(vec![rule]),
        }
        Ok(())
    }

    /// Adds a `SetEnv`, or a `PassEnv` whose variable there is.
    pub fn set(&mut self, name: &str, value: &str) {
        self.fixed
            .set
            .insert(name.to_ascii_lowercase(), value.to_owned());
    }

    /// Adds a name of `UnsetEnv`: what was set before it goes, and so does what the main server sets.
    pub fn unset(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        self.fixed.set.remove(&name);
        self.fixed.unset.push(name);
    }
}

/// `NAME=value`, `NAME` (which is 1) or `!NAME`.
fn change(word: &str) -> (String, Change) {
    match word.split_once('=') {
        Some((name, "!")) => (name.to_owned(), Change::Unset),
        Some((name, value)) if !value.is_empty() => {
            (name.to_owned(), Change::Set(value.to_owned()))
        }
        _ => {
            let name = word.strip_suffix('=').unwrap_or(word);
            match name.strip_prefix('!') {
                Some(name) => (name.to_owned(), Change::Unset),
                None => (name.to_owned(), Change::Set("1".into())),
            }
        }
    }
}

/// Whether httpd takes an expression for a plain text: no mark of expressions in it, or each behind a backslash.
fn is_plain(expression: &str) -> bool {
    let mut characters = expression.chars();
    while let Some(character) = characters.next() {
        let marks = "^.$|()[]*+?{}";
        match character {
            '\\' => match characters.next() {
                Some(next) if next == '\\' || marks.contains(next) => {}
                _ => return false,
            },
            mark if marks.contains(mark) => return false,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::{Asked, Variables};
    use super::*;
    use crate::request::Request;
    use proptest::prelude::*;

    const HEAD: &str = "CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\nUser-Agent: mozilla\r\n\
        X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nProxy-Authorization: Basic Zm9v\r\n\r\n";

    fn rules(lines: &str) -> Result<Rules, String> {
        let mut rules = Rules::default();
        for line in lines.lines() {
            let words = crate::config::source::words(line);
            match words[0].as_str() {
                "SetEnvIf" => rules.set_if("SetEnvIf", &words[1..], false)?,
                "SetEnvIfNoCase" => rules.set_if("SetEnvIfNoCase", &words[1..], true)?,
                "SetEnv" => rules.set(&words[1], words.get(2).map_or("", String::as_str)),
                _ => rules.unset(&words[1]),
            }
        }
        Ok(rules)
    }

    fn variables(rules: &Rules) -> Variables {
        let request = Request::parse(HEAD.as_bytes()).unwrap();
        let asked = Asked {
            client: "::ffff:127.0.0.2".parse().unwrap(),
            local: "127.0.0.1".parse().unwrap(),
            request: &request,
        };
        let mut variables = Variables::default();
        rules.conditional(&asked, &mut variables).unwrap();
        Rules::fixed([rules], &mut variables);
        variables
    }

    /// The values of a, b, c and d; `-` for what is not set.
    fn values(lines: &str) -> [String; 4] {
        let variables = variables(&rules(lines).unwrap());
        ["a", "b", "C", "D"].map(|name| {
            let shown = variables.shown(name);
            assert_eq!(shown.is_some(), variables.has(name));
            shown.map_or_else(|| "-".into(), |value| String::from_utf8_lossy(value).into())
        })
    }

    /// What httpd set, on the same request.
    #[test]
    fn sets_what_httpd_sets() {
        for (lines, expected) in [
            (
                "SetEnvIf Request_URI (.*) a=[$1]\nSetEnvIf request_method (.*) b=$0\n\
                 SetEnvIf Request_Protocol (.*) c=$1\nSetEnvIf Remote_Addr (.*) d=$1",
                ["[127.0.0.1:443]", "CONNECT", "HTTP/1.1", "127.0.0.2"],
            ),
            (
                "SetEnvIf Server_Addr (.*) a=$1\nSetEnvIf HOST (.*): B=$1\nSetEnvIf host 127 c\nSetEnvIf a 127 d",
                ["127.0.0.1", "127.0.0.1", "1", "1"],
            ),
            (
                "SetEnvIf None ^$ c=&-\\&-\\$1-$9-$$\nSetEnvIf None ^.+ d",
                ["-", "-", "&-&-$1--$$", "-"],
            ),
            (
                "SetEnvIfNoCase User-Agent MOZ a\nSetEnvIf User-Agent MOZ b\nSetEnvIf User-Agent ^moz c d=x",
                ["1", "-", "1", "x"],
            ),
            (
                "SetEnvIf Host . a=1 b=2 c=\nSetEnvIf Host . !a b=! d=x=y",
                ["-", "-", "1", "x=y"],
            ),
            (
                "SetEnvIf X-A (.*) a=$1\nSetEnvIf ^X-.$ (.*) b=$1\nSetEnvIf x-[ab] (.*) c=[$1]\n\
                 SetEnvIfNoCase x-[ab] (.*) d=[$1]",
                ["1, 3", "2", "[]", "[]"],
            ),
            (
                "SetEnvIf Host 127 a=$0\nSetEnvIf Host 127\\.0 b=$0\nSetEnvIf Host 12[7] c=$0",
                ["$0", "$0", "127", "-"],
            ),
            // A rule takes over what the one before it looked at.
            (
                "SetEnvIf x ^$ x=7\nSetEnvIf x 7 a\nSetEnvIf y z b\nSetEnvIf x 7 c",
                ["-", "-", "1", "-"],
            ),
            (
                "SetEnvIf Host . c=if\nSetEnv a 1\nSetEnv b\nSetEnv c set\nUnsetEnv c\nSetEnv d \"x y\"",
                ["1", "", "if", "x y"],
            ),
            (
                "UnsetEnv a\nSetEnv a 1\nSetEnv b 1\nUnsetEnv b",
                ["1", "-", "-", "-"],
            ),
            (
                "SetEnvIf Proxy-Authorization Basic a b=x",
                ["1", "x", "-", "-"],
            ),
            (
                "SetEnvIf Proxy-Authorization (.*) a=$1",
                ["(not logged)", "-", "-", "-"],
            ),
        ] {
            assert_eq!(values(lines), expected, "{lines}");
        }
    }

    #[test]
    fn a_virtual_host_adds_to_the_main_server() {
        let main = rules("SetEnv a 0\nSetEnv b 0\nSetEnvIf Host . c=1").unwrap();
        let own = rules("UnsetEnv a\nSetEnv d 3\nSetEnvIf c 1 c=2").unwrap();
        let variables = variables(&main.and(&own));
        let shown = ["a", "b", "c", "d"].map(|name| variables.shown(name));
        assert_eq!(shown, [None, Some(&b"0"[..]), Some(b"2"), Some(b"3")]);
    }

    #[test]
    fn only_what_a_log_names_is_kept() {
        let mut variables = variables(&rules("SetEnvIf Host . a b").unwrap());
        variables.keep(&["B".into()]);
        assert!(!variables.has("a") && variables.has("b"));
    }

    #[test]
    fn octets_are_read_one_by_one() {
        let head = HEAD.replace("mozilla", "\u{e9}");
        let request = Request::parse(head.as_bytes()).unwrap();
        let asked = Asked {
            client: "127.0.0.2".parse().unwrap(),
            local: "127.0.0.1".parse().unwrap(),
            request: &request,
        };
        let rules =
            rules("SetEnvIf User-Agent ^(.)(.)$ a=$2$1\nSetEnvIf User-Agent \\w b").unwrap();
        let mut variables = Variables::default();
        rules.conditional(&asked, &mut variables).unwrap();
        assert_eq!(variables.shown("a"), Some(&b"\xa9\xc3"[..]));
        assert!(!variables.has("b"));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for (line, what) in [
            ("SetEnvIf Host", "Missing regular expression for SetEnvIf"),
            (
                "SetEnvIf Host .",
                "Missing envariable expression for SetEnvIf",
            ),
            ("SetEnvIf Host ( a", "could not be compiled"),
            ("SetEnvIf Remote_Host . a", "write Remote_Addr"),
            ("SetEnvIf OID(\"1.2\") . a", "OID(…) is not known here"),
            ("SetEnvIf Host \\x41 a", "is not known here"),
        ] {
            let error = rules(line).unwrap_err();
            assert!(error.contains(what), "{line}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(attribute in "[!-~]{1,8}", expression in "[ -~]{0,12}", sets in "[!-~]{0,12}") {
            let mut rules = Rules::default();
            if rules.set_if("SetEnvIf", &[attribute, expression, sets], true).is_ok() {
                let _ = variables(&rules);
            }
        }
    }
}
