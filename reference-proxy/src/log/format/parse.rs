//! Items of a format, read.

use super::render::local;
use super::{CLF_TIME, Item, TimeShape, Unit, What, Which};
use std::time::Duration;

/// The character behind a backslash.
pub(super) fn unescaped(rest: &mut &str) -> char {
    let Some(next) = rest.chars().next() else {
        return '\\';
    };
    let (character, taken) = match next {
        'n' => ('\n', 1),
        't' => ('\t', 1),
        'r' => ('\r', 1),
        '\\' => ('\\', 1),
        _ => ('\\', 0),
    };
    *rest = &rest[taken..];
    character
}

/// Reads what follows a `%`.
pub(super) fn item(rest: &mut &str) -> Result<Item, String> {
    let (mut argument, mut statuses, mut negated) = (None, Vec::new(), false);
    loop {
        let mut characters = rest.chars();
        let Some(character) = characters.next() else {
            return Err("LogFormat ends inside an item".into());
        };
        let after = characters.as_str();
        match character {
            '!' => negated = true,
            '<' | '>' | ',' => {}
            '{' => {
                let (inside, behind) = after
                    .split_once('}')
                    .ok_or_else(|| "LogFormat has an unclosed '{'".to_owned())?;
                argument = Some(inside);
                *rest = behind;
                continue;
            }
            '0'..='9' => {
                let digits = rest
                    .find(|c: char| !c.is_ascii_digit())
                    .unwrap_or(rest.len());
                statuses.push(
                    rest[..digits]
                        .parse()
                        .map_err(|_| "LogFormat has a status past 65535".to_owned())?,
                );
                *rest = &rest[digits..];
                continue;
            }
            '^' => {
                // Trailers (^ti, ^to) and the time of the first byte (^FB): a tunnel has none.
                let known = ["ti", "to", "FB"]
                    .iter()
                    .find(|name| after.starts_with(**name));
                let name =
                    known.ok_or_else(|| format!("Unrecognized LogFormat directive %^{after}"))?;
                *rest = &after[name.len()..];
                return Ok(Item {
                    statuses,
                    negated,
                    what: What::Missing,
                });
            }
            letter => {
                *rest = after;
                return Ok(Item {
                    statuses,
                    negated,
                    what: what(letter, argument)?,
                });
            }
        }
        *rest = after;
    }
}

fn what(letter: char, argument: Option<&str>) -> Result<What, String> {
    let lower = || argument.unwrap_or_default().to_ascii_lowercase();
    Ok(match letter {
        'h' | 'a' => What::ClientAddress,
        'A' => What::LocalAddress,
        'b' => What::BodyOctets { dash: true },
        'B' => What::BodyOctets { dash: false },
        'C' | 'o' | 'L' | 'l' => What::Missing,
        'D' => What::Took(Unit::Microseconds),
        'e' => What::Environment(argument.unwrap_or_default().to_owned()),
        'f' => What::File,
        'H' => What::Protocol,
        'i' => What::RequestField(lower()),
        'I' => What::Received,
        'k' => What::KeptAlive,
        'm' => What::Method,
        'n' => What::Note(argument.unwrap_or_default().to_owned()),
        'O' => What::Sent,
        'p' => What::Port(match argument {
            None | Some("canonical") => Which::Canonical,
            Some("local") => Which::Local,
            Some("remote") => Which::Remote,
            Some(_) => Which::Canonical,
        }),
        'P' => What::ProcessId,
        'q' => What::Query,
        'r' => What::Request,
        'R' => What::Handler,
        's' => What::Status,
        'S' => What::Transferred,
        't' => time(argument.unwrap_or_default())?,
        'T' => What::Took(match argument {
            None | Some("s") => Unit::Seconds,
            Some("ms") => Unit::Milliseconds,
            Some("us") => Unit::Microseconds,
            Some(unit) => return Err(format!("%T has no unit '{unit}': ms, us or s")),
        }),
        'u' => What::User,
        'U' => What::Target,
        'v' | 'V' => What::ServerName,
        'X' => What::Connection,
        _ => return Err(format!("Unrecognized LogFormat directive %{letter}")),
    })
}

fn time(argument: &str) -> Result<What, String> {
    let (end, format) = match argument.split_once(':') {
        Some(("begin", format)) => (false, format),
        Some(("end", format)) => (true, format),
        _ if argument == "begin" => (false, ""),
        _ if argument == "end" => (true, ""),
        _ => (false, argument),
    };
    let shape = match format {
        "" => TimeShape::Calendar(CLF_TIME.into()),
        "sec" => TimeShape::Epoch(Unit::Seconds),
        "msec" => TimeShape::Epoch(Unit::Milliseconds),
        "usec" => TimeShape::Epoch(Unit::Microseconds),
        "msec_frac" => TimeShape::Fraction(Unit::Milliseconds),
        "usec_frac" => TimeShape::Fraction(Unit::Microseconds),
        calendar if local(calendar, Duration::ZERO).is_some() => {
            TimeShape::Calendar(calendar.into())
        }
        wrong => return Err(format!("%{{{wrong}}}t is no strftime format")),
    };
    Ok(What::Time { end, shape })
}
