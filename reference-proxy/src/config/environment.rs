//! The variables of a request: `SetEnvIf` and its kin, `SetEnv` and its kin.
//!
//! As in httpd there are two moments. [`Rules::conditional`] runs before anybody asks who may connect, so access rules
//! see what `SetEnvIf` and `BrowserMatch` set. [`Rules::fixed`] runs when that has been answered, so they never see what
//! `SetEnv` and `PassEnv` set; only logs do.

mod attribute;
mod parse;

pub use attribute::Asked;
use attribute::Attribute;

use super::expression::{Expression, Found};
use std::collections::BTreeMap;

/// The most of one value that is kept for the log.
const KEPT_MOST: usize = 2048;

/// What was set for a request. Names are the same in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// Most often there are none, and a standing tunnel keeps them: one pointer.
    named: Option<Box<Named>>,
}

/// At least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Named {
    by_name: BTreeMap<String, Value>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    octets: Vec<u8>,
    /// Whether some of it comes from a field that no log may show.
    secret: bool,
}

/// What the lines of one place say: of a server, or of a section.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By the place they come from: the main server, a virtual host.
    conditional: Vec<Vec<Rule>>,
    fixed: Fixed,
}

/// One `SetEnvIf`.
#[derive(Clone, Debug)]
struct Rule {
    attribute: Attribute,
    /// How the attribute was written: a rule takes over the value that the one before it looked at, if that wrote the
    /// same.
    written: String,
    expression: Expression,
    any_case: bool,
    /// Whether `$1` in a value stands for a part. It does not where httpd sees no expression in the words.
    replaces: bool,
    sets: Vec<(String, Change)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Set(String),
    Unset,
}

/// `SetEnv`, `PassEnv`, `UnsetEnv`.
#[derive(Clone, Debug, Default)]
struct Fixed {
    set: BTreeMap<String, String>,
    /// What is not taken over from the main server.
    unset: Vec<String>,
}

/// It took too long to find out whether an expression fits, so nobody can tell what is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSlow;

impl Variables {
    /// Whether there is one of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Its value, as far as a log may show it.
    #[must_use]
    pub fn shown(&self, name: &str) -> Option<&[u8]> {
        let value = self.get(name)?;
        Some(if value.secret {
            b"(not logged)"
        } else {
            &value.octets
        })
    }

    /// Forgets all but those that a log names, and of those what is too long for one.
    pub fn keep(&mut self, names: &[String]) {
        let Some(Named { by_name }) = self.named.as_deref_mut() else {
            return;
        };
        by_name.retain(|own, _| names.iter().any(|name| name.eq_ignore_ascii_case(own)));
        for value in by_name.values_mut() {
            value.octets.truncate(KEPT_MOST);
            value.octets.shrink_to_fit();
        }
        self.forget_none();
    }

    fn set(&mut self, name: &str, octets: Vec<u8>, secret: bool) {
        let value = Value { octets, secret };
        let named = self.named.get_or_insert_default();
        named.by_name.insert(name.to_ascii_lowercase(), value);
    }

    fn unset(&mut self, name: &str) {
        if let Some(named) = &mut self.named {
            named.by_name.remove(&name.to_ascii_lowercase());
        }
        self.forget_none();
    }

    /// Without any variable there is no map.
    fn forget_none(&mut self) {
        self.named.take_if(|named| named.by_name.is_empty());
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let named = self.named.as_ref()?;
        named.by_name.get(&name.to_ascii_lowercase())
    }
}

impl Rules {
    /// Joins what the main server says with what a virtual host says.
    #[must_use]
    pub fn and(&self, later: &Self) -> Self {
        let mut fixed = self.fixed.clone();
        for name in &later.fixed.unset {
            fixed.set.remove(name);
        }
        let set = later.fixed.set.clone();
        fixed.set.extend(set);
        let conditional = self.conditional.iter().chain(&later.conditional);
        Self {
            conditional: conditional.cloned().collect(),
            fixed,
        }
    }

    /// Does what `SetEnvIf` and its kin say.
    ///
    /// # Errors
    ///
    /// An expression took too long.
    pub fn conditional(&self, asked: &Asked<'_>, variables: &mut Variables) -> Result<(), TooSlow> {
        for rules in &self.conditional {
            let mut last: Option<(&str, Value)> = None;
            for rule in rules {
                let value = match last.take() {
                    Some((written, value)) if written.eq_ignore_ascii_case(&rule.written) => value,
                    _ => rule.attribute.of(asked, variables)?,
                };
                rule.apply(&value, variables)?;
                last = Some((&rule.written, value));
            }
        }
        Ok(())
    }

    /// Whether a `SetEnvIf` may look at a field.
    #[must_use]
    pub fn look_at(&self, field: &str) -> bool {
        let mut rules = self.conditional.iter().flatten();
        rules.any(|rule| rule.attribute.may_be(field))
    }

    /// Does what `SetEnv` and its kin say, in a server and then in its sections.
    pub fn fixed<'a>(places: impl IntoIterator<Item = &'a Self>, variables: &mut Variables) {
        let mut set: BTreeMap<&str, &str> = BTreeMap::new();
        for Self { fixed, .. } in places {
            for name in &fixed.unset {
                set.remove(name.as_str());
            }
            set.extend(fixed.set.iter().map(|(name, value)| (&**name, &**value)));
        }
        for (name, value) in set {
            variables.set(name, value.as_bytes().to_vec(), false);
        }
    }
}

impl Rule {
    fn apply(&self, value: &Value, variables: &mut Variables) -> Result<(), TooSlow> {
        let text = as_text(&value.octets);
        let parts = match self.expression.find(&text, self.any_case) {
            Found::Unknown => return Err(TooSlow),
            Found::No => return Ok(()),
            Found::Parts(parts) => parts,
        };
        for (name, change) in &self.sets {
            match change {
                Change::Unset => {
                    variables.unset(name);
                }
                Change::Set(template) if self.replaces => {
                    let (octets, used) = replaced(template, &parts);
                    variables.set(name, octets, used && value.secret);
                }
                Change::Set(plain) => variables.set(name, plain.clone().into_bytes(), false),
            }
        }
        Ok(())
    }
}

/// `template` with `$0` to `$9` replaced by parts, and whether one of them stood in it.
fn replaced(template: &str, parts: &[String]) -> (Vec<u8>, bool) {
    let (mut octets, mut used) = (Vec::new(), false);
    let mut rest = template.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied();
        match (character, next.and_then(|next| next.to_digit(10)), next) {
            ('$', Some(digit), _) => {
                rest.next();
                let part = parts.get(digit as usize).map_or("", String::as_str);
                octets.extend(as_octets(part));
                used = true;
            }
            ('\\', _, Some(mark @ ('$' | '&'))) => {
                rest.next();
                octets.push(mark as u8);
            }
            _ => octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    (octets, used)
}

/// Where octets that are no ASCII go in a text: characters that are no letters, digits or blanks, as such octets are
/// none to httpd's expressions.
const PRIVATE: u32 = 0xE000;

/// Octets as a text that expressions read octet by octet.
fn as_text(octets: &[u8]) -> String {
    octets
        .iter()
        .map(|&octet| match octet.is_ascii() {
            true => char::from(octet),
            false => char::from_u32(PRIVATE + u32::from(octet)).unwrap_or('\u{fffd}'),
        })
        .collect()
}

/// What [`as_text`] was made of.
fn as_octets(text: &str) -> impl Iterator<Item = u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character) & 0xff).unwrap_or(b'?'))
}
