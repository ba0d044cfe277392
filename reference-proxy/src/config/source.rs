//! A config file as httpd reads it: lines, words, sections and variables, before any of it means something.

use super::error::{ConfigError, Place};
use std::collections::HashMap;
use std::sync::Arc;

/// The longest config line, continuations joined and variables replaced; httpd stops at 16 MiB.
pub(super) const LINE_LONGEST: usize = 1 << 20;
/// Sections in sections; a real config has three.
const DEPTH_MOST: usize = 32;

/// One directive, or one section with what it holds.
#[derive(Clone, Debug)]
pub struct Node {
    /// The name as written; for a section without its `<`.
    pub name: String,
    /// The words behind it.
    pub words: Vec<String>,
    /// Everything behind the name, for directives that read it raw.
    pub rest: String,
    /// Where it stands.
    pub place: Place,
    /// What a section holds; `None` for a directive.
    pub children: Option<Vec<Self>>,
}

/// What `Define` and the environment say, for `${NAME}`.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// `Define NAME value` and `-D NAME`.
    pub defined: HashMap<String, String>,
}

impl Variables {
    /// A name without a text is only for `<IfDefine>`.
    fn value(&self, name: &str) -> Option<String> {
        self.defined
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
            .or_else(|| std::env::var(name).ok())
    }

    /// `line` with each `${NAME}` that has a value replaced; the names that have none are returned. What is longer
    /// than a line may be is not replaced to its end.
    #[must_use]
    pub fn expand(&self, line: &str) -> (String, Vec<String>) {
        let (mut expanded, mut unknown, mut rest) = (String::new(), Vec::new(), line);
        while let Some(start) = rest.find("${").filter(|_| expanded.len() <= LINE_LONGEST) {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let name = &rest[start + 2..start + length];
            expanded.push_str(&rest[..start]);
            match self.value(name) {
                Some(value) => expanded.push_str(&value),
                None => {
                    expanded.push_str(&rest[start..=start + length]);
                    unknown.push(name.to_owned());
                }
            }
            rest = &rest[start + length + 1..];
        }
        expanded.push_str(rest);
        (expanded, unknown)
    }
}

/// Reads `text` into a tree. Names in `${…}` are left alone: they are replaced when a line is applied,
/// since `Define` works from its line on.
///
/// # Errors
///
/// A section that is never closed, closed by another name, or nested too deeply; a line that is too long.
pub fn parse(file: &Arc<str>, text: &str) -> Result<Vec<Node>, ConfigError> {
    let mut open: Vec<(Node, Vec<Node>)> = Vec::new();
    let mut top = Vec::new();
    for (number, line) in logical_lines(text) {
        let place = Place {
            file: Arc::clone(file),
            line: number,
        };
        if line.len() > LINE_LONGEST {
            return Err(ConfigError::at(&place, "the line is too long"));
        }
        if let Some(name) = line.strip_prefix("</") {
            let (mut node, children) = close(&mut open, name, &place)?;
            node.children = Some(children);
            open.last_mut()
                .map_or(&mut top, |(_, inside)| inside)
                .push(node);
        } else if line.starts_with('<') {
            if open.len() >= DEPTH_MOST {
                return Err(ConfigError::at(&place, "sections are nested too deeply"));
            }
            open.push((section(&line, place)?, Vec::new()));
        } else {
            let (name, rest) = first_word(&line);
            let node = Node {
                words: words(rest),
                name,
                rest: rest.to_owned(),
                place,
                children: None,
            };
            open.last_mut()
                .map_or(&mut top, |(_, inside)| inside)
                .push(node);
        }
    }
    match open.pop() {
        None => Ok(top),
        Some((node, _)) => {
            let message = format!("<{}> was not closed.", node.name);
            Err(ConfigError::at(&node.place, message))
        }
    }
}

fn section(line: &str, place: Place) -> Result<Node, ConfigError> {
    let (name, rest) = first_word(&line[1..]);
    let Some(rest) = rest.trim_end().strip_suffix('>') else {
        return match name.strip_suffix('>') {
            Some(name) => Ok(Node {
                name: name.into(),
                words: vec![],
                rest: String::new(),
                place,
                children: None,
            }),
            None => Err(ConfigError::at(
                &place,
                format!("<{name}> directive missing closing '>'"),
            )),
        };
    };
    Ok(Node {
        words: words(rest),
        rest: rest.to_owned(),
        name,
        place,
        children: None,
    })
}

fn close(
    open: &mut Vec<(Node, Vec<Node>)>,
    name: &str,
    place: &Place,
) -> Result<(Node, Vec<Node>), ConfigError> {
    let name = name.trim_end().strip_suffix('>').unwrap_or(name).trim_end();
    match open.pop() {
        Some((node, children)) if node.name.eq_ignore_ascii_case(name) => Ok((node, children)),
        Some((node, _)) => Err(ConfigError::at(
            place,
            format!("Expected </{}> but saw </{name}>", node.name),
        )),
        None => Err(ConfigError::at(
            place,
            format!("</{name}> without matching <{name}> section"),
        )),
    }
}

/// Lines that say something, with the number of their last physical line as httpd counts.
fn logical_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut physical = text.split('\n').enumerate();
    std::iter::from_fn(move || {
        loop {
            let (mut number, first) = physical.next()?;
            let mut line = first.trim_end_matches('\r').to_owned();
            while line.ends_with('\\') {
                line.pop();
                let Some((next, more)) = physical.next() else {
                    break;
                };
                number = next;
                line.push_str(more.trim_end_matches('\r'));
                if line.len() > LINE_LONGEST {
                    break;
                }
            }
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                return Some((number + 1, line.to_owned()));
            }
        }
    })
}

/// The first word, in quotes or not, and what follows it.
fn first_word(line: &str) -> (String, &str) {
    let mut rest = line;
    let word = next_word(&mut rest).unwrap_or_default();
    (word, rest)
}

/// The words of `text`: separated by blanks, or in single or double quotes that open a word.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut rest = text;
    std::iter::from_fn(|| next_word(&mut rest)).collect()
}

fn next_word(rest: &mut &str) -> Option<String> {
    let text = rest.trim_start();
    let first = text.chars().next()?;
    if first != '"' && first != '\'' {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        *rest = text[end..].trim_start();
        return Some(text[..end].to_owned());
    }
    let (mut word, mut characters) = (String::new(), text[1..].chars());
    while let Some(character) = characters.next() {
        if character == first {
            break;
        }
        // A backslash protects the quote and itself; before anything else it is a backslash.
        let protected = character == '\\' && characters.as_str().starts_with([first, '\\']);
        match protected.then(|| characters.next()).flatten() {
            Some(next) => word.push(next),
            None => word.push(character),
        }
    }
    *rest = characters.as_str().trim_start();
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(text: &str) -> Result<Vec<Node>, String> {
        parse(&"test.conf".into(), text).map_err(|error| error.to_string())
    }

    #[test]
    fn splits_words_as_httpd_does() {
        assert_eq!(words("443 563"), ["443", "563"]);
        assert_eq!(words("'443' \"563-600\""), ["443", "563-600"]);
        assert_eq!(words(r#""a \"b\" \\ \n" c"#), [r#"a "b" \ \n"#, "c"]);
        assert_eq!(
            words(r#"443-"500" 443\ 500"#),
            ["443-\"500\"", "443\\", "500"]
        );
        assert_eq!(words("443 \"\" 563"), ["443", "", "563"]);
    }

    #[test]
    fn joins_continued_lines_and_skips_comments() {
        let nodes = tree(
            "# a \\\n comment\nListen \\\n 80\n\n<Proxy \"*\">\nRequire all granted\n</Proxy>\n",
        )
        .unwrap();
        assert_eq!(nodes.len(), 2);
        assert_eq!(
            (nodes[0].words.as_slice(), nodes[0].place.line),
            (&["80".to_owned()][..], 4)
        );
        assert_eq!(nodes[1].children.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn sections_must_match() {
        assert!(tree("<Proxy *>\n").unwrap_err().contains("not closed"));
        assert!(
            tree("<Proxy *>\n</Location>\n")
                .unwrap_err()
                .contains("Expected </Proxy>")
        );
        assert!(tree("</Proxy>\n").unwrap_err().contains("without matching"));
        assert!(
            tree("<Proxy *\n</Proxy>\n")
                .unwrap_err()
                .contains("missing closing")
        );
    }

    #[test]
    fn variables_are_replaced_where_they_have_a_value() {
        let variables = Variables {
            defined: HashMap::from([("A".into(), "1".into())]),
        };
        assert_eq!(
            variables.expand("x${A}y${NOT_DEFINED_HERE}"),
            (
                "x1y${NOT_DEFINED_HERE}".into(),
                vec!["NOT_DEFINED_HERE".into()]
            )
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[<>/A-Za-z \"'\\\\\n#${}-]{0,200}") {
            let _ = tree(&text);
            let _ = Variables::default().expand(&text);
        }
    }
}
