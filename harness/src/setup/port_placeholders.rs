//! PortPlaceholders that stand for ports, in the allow lists of set-ups: `{a} {b}-{c}`.
//!
//! Which ports those are is only known when a run begins. Set-ups that run at the same time have placeholders of their own.

use crate::{
    setup::PortRange,
    verdict::{Finding, Outcome},
};

/// Ports for one set-up that names theirs by placeholders.
pub(crate) const PLACEHOLDERS: u16 = 26 * PLACEHOLDER_GAP;

/// From one letter to the next, so that the ports just outside and in the middle of a range exist too.
pub(crate) const PLACEHOLDER_GAP: u16 = 4;

/// What the placeholders of one set-up stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPlaceholders {
    first: u16,
}

impl PortPlaceholders {
    /// PortPlaceholders whose ports begin at `first`.
    pub(crate) const fn from(first: u16) -> Self {
        Self { first }
    }

    /// The port that a letter stands for. There is room for ports before, between and after.
    #[must_use]
    pub fn port(self, letter: char) -> Option<u16> {
        let index = u16::try_from(u32::from(letter).checked_sub(u32::from('a'))?).ok()?;
        (index < 26).then_some(self.first + index * PLACEHOLDER_GAP + 1)
    }

    /// Whether a port is among them, or beside one of them.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..self.first + PLACEHOLDERS).contains(&port)
    }

    /// A list of ports and ranges, with placeholders in braces.
    pub(crate) fn list(self, text: &str) -> Outcome<Vec<PortRange>> {
        let expanded = self.expand(text)?;
        PortRange::parse_list(&expanded)
            .map_err(|error| Finding::harness(format!("`{text}` is no list of ports: {error}")))
    }

    /// Replaces `{a}` by the port that the letter stands for.
    pub(crate) fn expand(self, text: &str) -> Outcome<String> {
        let bad = || {
            Finding::harness(format!(
                "in `{text}`, braces do not hold one letter from a to z"
            ))
        };
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or_else(bad)?;
            let mut letters = name.chars();
            let (Some(letter), None) = (letters.next(), letters.next()) else {
                return Err(bad());
            };
            let port = self.port(letter).ok_or_else(bad)?;
            expanded.push_str(before);
            expanded.push_str(&port.to_string());
            rest = behind;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

impl PortPlaceholders {
    /// Replaces `{a}` by the port that the letter stands for, and leaves all other braces to those who know them.
    pub(crate) fn expand_among_others(self, text: &str) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let mut characters = after.chars();
            let port = match (characters.next(), characters.next()) {
                (Some(letter), Some('}')) if !before.ends_with(['%', '$']) => self.port(letter),
                _ => None,
            };
            expanded.push_str(before);
            match port {
                Some(port) => expanded.push_str(&port.to_string()),
                None => expanded.push('{'),
            }
            rest = if port.is_some() { &after[2..] } else { after };
        }
        expanded.push_str(rest);
        expanded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: PortPlaceholders = PortPlaceholders::from(1000);

    #[test]
    fn letters_have_room_around_them() {
        let (a, b) = (SOME.port('a').unwrap(), SOME.port('b').unwrap());
        assert!(b - a >= 3 && SOME.contains(a - 1));
        assert_eq!((SOME.port('B'), SOME.port('{')), (None, None));
    }

    #[test]
    fn letters_are_replaced_and_other_text_is_kept() {
        assert_eq!(SOME.expand("443 {a}-{b}"), Ok("443 1001-1005".to_owned()));
        assert!(SOME.expand("{ab}").is_err());
        assert!(SOME.expand("{a").is_err());
    }

    #[test]
    fn among_braces_of_the_language_only_letters_are_replaced() {
        let text = "Listen {a}\nLogFormat \"%{c}a %{b}n ${d} {access_log} {{a}} {\" {b}";
        let expected = "Listen 1001\nLogFormat \"%{c}a %{b}n ${d} {access_log} {1001} {\" 1005";
        assert_eq!(SOME.expand_among_others(text), expected);
    }
}
