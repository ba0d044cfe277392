//! `ErrorLogFormat`: read, and written out.
//!
//! A format is made of fields, separated by spaces. A field in which some item has nothing to say is left out
//! as a whole, brackets and all: that is how httpd keeps its lines short.

use super::Level;
use crate::log::Record;
use crate::log::escape::push_escaped;
use crate::log::format::calendar;
use std::fmt::Write as _;
use std::time::SystemTime;

/// httpd's default, without what only a threaded C program has to say.
const DEFAULT: &str = r"[%{u}t] [%-m:%l] [pid %P] [client\ %a] %M";
/// The most items that a format may have.
const ITEMS_MOST: usize = 200;
/// The longest line, as in httpd.
const LINE_LONGEST: usize = 8192;

/// A parsed format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFormat {
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Text(String),
    /// Starts a field, with the space before it if any.
    Field(&'static str),
    Value {
        what: What,
        dash: bool,
        required: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Client,
    Environment(String),
    Level,
    Local,
    Message,
    Missing,
    Module,
    Note(String),
    Process,
    RequestField(String),
    ServerName,
    Time { fraction: bool, compact: bool },
}

impl Default for ErrorFormat {
    fn default() -> Self {
        Self::parse(DEFAULT).unwrap_or(Self { items: Vec::new() })
    }
}

impl ErrorFormat {
    /// Reads a format.
    ///
    /// # Errors
    ///
    /// The first item that is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut items, mut plain, mut rest) = (vec![Item::Field("")], String::new(), text);
        let flush = |plain: &mut String, items: &mut Vec<Item>| {
            if !plain.is_empty() {
                items.push(Item::Text(std::mem::take(plain)));
            }
        };
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            match character {
                ' ' => {
                    flush(&mut plain, &mut items);
                    items.push(Item::Field(" "));
                }
                '\\' if rest.starts_with(' ') => {
                    plain.push(' ');
                    rest = &rest[1..];
                }
                '\\' => plain.push(escaped(&mut rest)),
                '%' if rest.starts_with('%') => {
                    plain.push('%');
                    rest = &rest[1..];
                }
                '%' if rest.starts_with(' ') => {
                    flush(&mut plain, &mut items);
                    items.push(Item::Field(""));
                    rest = &rest[1..];
                }
                '%' => {
                    flush(&mut plain, &mut items);
                    items.push(item(&mut rest)?);
                }
                _ => plain.push(character),
            }
            if items.len() > ITEMS_MOST {
                return Err("ErrorLogFormat has too many items".into());
            }
        }
        flush(&mut plain, &mut items);
        Ok(Self { items })
    }

    /// The request fields that it names, in lower case.
    pub fn request_fields(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match item {
            Item::Value {
                what: What::RequestField(name),
                ..
            } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The line for an entry; `None` when an item that the format requires has nothing to say.
    pub(super) fn line(&self, level: Level, about: Option<&Record>, text: &str) -> Option<String> {
        let (mut line, mut field, mut skipping) = (String::new(), 0, false);
        for item in &self.items {
            match item {
                Item::Field(space) => {
                    field = line.len();
                    skipping = false;
                    if !line.is_empty() {
                        line.push_str(space);
                    }
                }
                _ if skipping => {}
                Item::Text(text) => line.push_str(text),
                Item::Value {
                    what,
                    dash,
                    required,
                } => {
                    let before = line.len();
                    what.push(&mut line, level, about, text);
                    match (line.len() > before, *dash, *required) {
                        (true, _, _) => {}
                        (false, true, _) => line.push('-'),
                        (false, false, true) => return None,
                        (false, false, false) => {
                            line.truncate(field);
                            skipping = true;
                        }
                    }
                }
            }
        }
        // Everything from the wire is escaped, so the line is ASCII but for the format's own text.
        let end = (0..=line.len().min(LINE_LONGEST))
            .rev()
            .find(|&end| line.is_char_boundary(end));
        line.truncate(end.unwrap_or(0));
        Some(line)
    }
}

impl What {
    fn push(&self, line: &mut String, level: Level, about: Option<&Record>, text: &str) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Client => about.map_or(Ok(()), |record| write!(line, "{}", record.ends.peer)),
            Self::Local => about.map_or(Ok(()), |record| write!(line, "{}", record.ends.local)),
            Self::Environment(name) => line.write_str(&std::env::var(name).unwrap_or_default()),
            Self::Level => line.write_str(level.name()),
            Self::Message => {
                push_escaped(line, text.as_bytes());
                Ok(())
            }
            Self::Missing => Ok(()),
            Self::Module => line.write_str(if about.is_some() {
                "proxy_connect"
            } else {
                "core"
            }),
            Self::Note(name) => {
                match (name.as_str(), about.and_then(|record| record.source_port)) {
                    ("proxy-source-port", Some(port)) => write!(line, "{port}"),
                    _ => Ok(()),
                }
            }
            Self::Process => write!(line, "{}", std::process::id()),
            Self::RequestField(name) => {
                let field = about.and_then(|record| record.field(name));
                push_escaped(line, field.unwrap_or_default());
                Ok(())
            }
            Self::ServerName => line.write_str(about.and_then(Record::server_name).unwrap_or("")),
            Self::Time { fraction, compact } => {
                let format = match (compact, fraction) {
                    (false, false) => "%a %b %d %H:%M:%S %Y",
                    (false, true) => "%a %b %d %H:%M:%S.%6f %Y",
                    (true, false) => "%Y-%m-%d %H:%M:%S",
                    (true, true) => "%Y-%m-%d %H:%M:%S.%6f",
                };
                line.write_str(&calendar(format, SystemTime::now()))
            }
        };
    }
}

fn escaped(rest: &mut &str) -> char {
    let Some(next) = rest.chars().next() else {
        return '\\';
    };
    let character = match next {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    };
    *rest = &rest[next.len_utf8()..];
    character
}

/// Reads what follows a `%`.
fn item(rest: &mut &str) -> Result<Item, String> {
    let (mut argument, mut dash, mut required) = ("", false, false);
    loop {
        let Some(character) = rest.chars().next() else {
            return Err("ErrorLogFormat ends inside an item".into());
        };
        *rest = &rest[character.len_utf8()..];
        match character {
            '-' => dash = true,
            '+' => required = true,
            // A least severity or a width: for what is not logged here anyway.
            '0'..='9' => {}
            '{' => {
                let (inside, behind) = rest
                    .split_once('}')
                    .ok_or_else(|| "ErrorLogFormat has an unclosed '{'".to_owned())?;
                (argument, *rest) = (inside, behind);
            }
            letter => {
                return Ok(Item::Value {
                    what: what(letter, argument)?,
                    dash,
                    required,
                });
            }
        }
    }
}

fn what(letter: char, argument: &str) -> Result<What, String> {
    Ok(match letter {
        'a' => What::Client,
        'A' => What::Local,
        'e' => What::Environment(argument.to_owned()),
        'E' | 'F' | 'k' | 'L' | 'T' => What::Missing,
        'i' => What::RequestField(argument.to_ascii_lowercase()),
        'l' => What::Level,
        'm' => What::Module,
        'M' => What::Message,
        'n' => What::Note(argument.to_owned()),
        'P' => What::Process,
        't' => What::Time {
            fraction: argument.contains('u'),
            compact: argument.contains('c'),
        },
        'v' | 'V' => What::ServerName,
        _ => return Err(format!("Unrecognized error log format directive %{letter}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Ends;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn record(port: Option<u16>) -> Record {
        let mut record = Record::new(Arc::new(Ends {
            peer: "127.0.0.1:40000".parse().unwrap(),
            local: "127.0.0.1:3128".parse().unwrap(),
        }));
        record.source_port = port;
        record
    }

    fn line(format: &str, port: Option<u16>) -> Option<String> {
        ErrorFormat::parse(format)
            .unwrap()
            .line(Level::Warn, Some(&record(port)), "no\nway")
    }

    #[test]
    fn a_field_without_a_value_is_left_out() {
        let format = r"[%l] [src=%{proxy-source-port}n] [client\ %a] %M";
        assert_eq!(
            line(format, Some(5)).unwrap(),
            "[warn] [src=5] [client 127.0.0.1:40000] no\\nway"
        );
        assert_eq!(
            line(format, None).unwrap(),
            "[warn] [client 127.0.0.1:40000] no\\nway"
        );
        assert_eq!(
            line("%-{proxy-source-port}n %M", None).unwrap(),
            "- no\\nway"
        );
        assert_eq!(line("%+{proxy-source-port}n %M", None), None);
        assert_eq!(
            line("%M% ,\\ referer\\ %{Referer}i", None).unwrap(),
            "no\\nway"
        );
        assert_eq!(line("100%% %m", None).unwrap(), "100% proxy_connect");
    }

    proptest! {
        #[test]
        fn no_format_makes_it_panic(text in "[ -~\\\\%{}]{0,60}|\\PC{0,20}", said in "\\PC{0,20}") {
            if let Ok(format) = ErrorFormat::parse(&text) {
                let _ = format.line(Level::Error, Some(&record(None)), &said);
            }
        }
    }
}
