//! Octets as text in which every one can be told from every other.

use std::ops::Range;

use crate::transcript::redact::REDACTED;

/// What is shown as one thing.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Octet(u8),
    Hidden,
}

/// The first `length` octets of `rest`, which begins at `from` of its piece.
fn units(rest: &[u8], length: usize, from: usize, hidden: &[Range<usize>]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(length);
    let mut last: Option<&Range<usize>> = None;
    for (index, &octet) in rest[..length].iter().enumerate() {
        match hidden.iter().find(|place| place.contains(&(from + index))) {
            None => units.push(Unit::Octet(octet)),
            Some(place) if last != Some(place) => {
                last = Some(place);
                units.push(Unit::Hidden);
            }
            Some(_) => {}
        }
    }
    units
}

/// The first `length` octets of `rest`, as [`units`] and [`show`] have them, and whether something is left out. Of what is
/// left out, nothing is looked at: much of what passes is long and shown by its ends.
pub(crate) fn shown(
    rest: &[u8],
    length: usize,
    (from, hidden): (usize, &[Range<usize>]),
    most: usize,
    quoted: bool,
) -> (String, bool) {
    let untouched = |place: &Range<usize>| place.end <= from || place.start >= from + length;
    if length <= most || !hidden.iter().all(untouched) {
        let units = units(rest, length, from, hidden);
        return (show(&units, most, quoted), units.len() > most);
    }
    let ends = [&rest[..most - most / 4], &rest[length - most / 4..length]];
    let octets = ends.concat().into_iter().map(Unit::Octet);
    let units: Vec<Unit> = octets.collect();
    (joined(&units, most, quoted), true)
}

/// At most `most` of the units, the middle left out of more, in quotes where that is asked.
fn show(units: &[Unit], most: usize, quoted: bool) -> String {
    let quote = if quoted { "\"" } else { "" };
    if units.len() <= most {
        return format!("{quote}{}{quote}", readable(units, quoted));
    }
    joined(units, most, quoted)
}

/// The ends of the units, with a sign for what is left out.
fn joined(units: &[Unit], most: usize, quoted: bool) -> String {
    let quote = if quoted { "\"" } else { "" };
    let (first, rest) = units.split_at(most - most / 4);
    let last = &rest[rest.len() - most / 4..];
    let (first, last) = (readable(first, quoted), readable(last, quoted));
    format!("{quote}{first}{quote} … {quote}{last}{quote}")
}

fn readable(units: &[Unit], quoted: bool) -> String {
    let mut text = String::with_capacity(units.len() + 8);
    let mut after_mark = false;
    let mut index = 0;
    while index < units.len() {
        let (mark, taken) = match (units[index], units.get(index + 1)) {
            (Unit::Octet(b'\r'), Some(Unit::Octet(b'\n'))) => (Some("⏎"), 2),
            (Unit::Octet(b'\n'), _) => (Some("␊"), 1),
            (Unit::Octet(b'\r'), _) => (Some("␍"), 1),
            _ => (None, 1),
        };
        if after_mark || (mark.is_some() && index > 0) {
            text.push(' ');
        }
        after_mark = mark.is_some();
        match (mark, units[index]) {
            (Some(mark), _) => text.push_str(mark),
            (None, Unit::Hidden) => text.push_str(REDACTED),
            (None, Unit::Octet(b' ')) => text.push(space(units, index)),
            (None, Unit::Octet(octet)) => push_octet(&mut text, octet, quoted),
        }
        index += taken;
    }
    text
}

/// A space, or the sign for one that would be overlooked: at an end of a line, or beside another.
fn space(units: &[Unit], index: usize) -> char {
    let plain = |unit: Option<&Unit>| match unit {
        None | Some(Unit::Hidden) => true,
        Some(Unit::Octet(octet)) => !matches!(octet, b' ' | b'\t' | b'\r' | b'\n'),
    };
    let before = index.checked_sub(1).and_then(|index| units.get(index));
    if plain(before) && plain(units.get(index + 1)) {
        ' '
    } else {
        '␠'
    }
}

fn push_octet(text: &mut String, octet: u8, quoted: bool) {
    use std::fmt::Write as _;
    match octet {
        b'"' if quoted => text.push_str("\\\""),
        b'\\' => text.push_str("\\\\"),
        b' '..=b'~' => text.push(char::from(octet)),
        _ => {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
}
