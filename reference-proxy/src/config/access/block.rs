//! What the lines of one section have said so far, while the config is read.

use super::hosts::{Hosts, Origin};
use super::policy::Rules;
use super::require::Require;

/// An open section.
#[derive(Clone, Debug)]
pub struct Block {
    /// When CONNECT is held to it.
    pub fate: Fate,
    /// Whether the lines are for other methods only, as in `<Limit GET>`.
    pub other_methods: bool,
    /// What was said, `Require` aside.
    pub rules: Rules,
    /// The conditions of the section itself, and of the containers in it that are still open.
    open: Vec<Container>,
}

/// When a section applies to a CONNECT; those that never do are not read so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Where its pattern fits.
    Applies,
    /// Where an expression holds; this is the name of the section.
    Unknown(String),
}

/// Which section combines conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<RequireAny>`, and every section outside these three.
    Any,
    /// `<RequireAll>`.
    All,
    /// `<RequireNone>`.
    None,
}

#[derive(Clone, Debug)]
struct Container {
    kind: Kind,
    requires: Vec<Require>,
}

impl Block {
    /// A section that has just begun.
    #[must_use]
    pub fn new(fate: Fate) -> Self {
        Self {
            fate,
            other_methods: false,
            rules: Rules::default(),
            open: vec![Container::new(Kind::Any)],
        }
    }

    /// Adds a condition.
    ///
    /// # Errors
    ///
    /// A negative one where it can neither grant nor deny.
    pub fn require(&mut self, require: Require) -> Result<(), String> {
        let negative = matches!(require, Require::Not(_));
        let require = match (self.other_methods, negative) {
            (false, _) => require,
            (true, true) => Require::Not(Box::new(Require::OtherMethods)),
            (true, false) => Require::OtherMethods,
        };
        self.add(require, "negative Require")
    }

    /// Begins a section in this one that combines conditions.
    pub fn open(&mut self, kind: Kind) {
        self.open.push(Container::new(kind));
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// One that has no conditions, or that can neither grant nor deny.
    pub fn close(&mut self) -> Result<(), String> {
        let Some(Container { kind, requires }) = self.open.pop() else {
            return Ok(());
        };
        let name = kind.name();
        if requires.is_empty() {
            return Err(format!(
                "<{name}> directive contains no authorization directives"
            ));
        }
        // In another <RequireAll> its conditions are that one's.
        let inside_all = self.kind() == Kind::All;
        if kind == Kind::All && !inside_all && requires.iter().all(is_negative) {
            return Err(format!(
                "<{name}> directive contains only negative authorization directives: add Require all granted"
            ));
        }
        let require = match kind {
            Kind::Any => Require::Any(requires),
            Kind::All => Require::Every(requires),
            Kind::None => Require::Not(Box::new(Require::Any(requires))),
        };
        self.add(require, "<RequireNone>")
    }

    /// Whether a container is open, in which lists of hosts may not stand.
    #[must_use]
    pub fn container(&self) -> Option<&'static str> {
        (self.open.len() > 1).then(|| self.kind().name())
    }

    /// The lists of hosts of this section.
    pub fn hosts(&mut self) -> &mut Hosts {
        self.rules.hosts.get_or_insert_default()
    }

    /// Adds to one of the lists.
    pub fn list(&mut self, allowed: bool, origins: Vec<Origin>) {
        let other = self.other_methods;
        let hosts = self.hosts();
        let list = match allowed {
            true => &mut hosts.allowed,
            false => &mut hosts.denied,
        };
        list.extend(origins.into_iter().filter(|_| !other));
    }

    /// What the section says, at its end.
    #[must_use]
    pub fn into_rules(mut self) -> Rules {
        let requires: Vec<Require> = self.open.drain(..).flat_map(|open| open.requires).collect();
        self.rules.require = (!requires.is_empty()).then(|| {
            let left = Require::Any(requires).for_connect();
            left.unwrap_or(Require::OtherMethods)
        });
        self.rules
    }

    fn add(&mut self, require: Require, what: &str) -> Result<(), String> {
        let kind = self.kind();
        if matches!(require, Require::Not(_)) && kind != Kind::All {
            return Err(format!(
                "{what} directive has no effect in <{}> directive: put it into <RequireAll>, with Require all granted",
                kind.name()
            ));
        }
        if let Some(open) = self.open.last_mut() {
            open.requires.push(require);
        }
        Ok(())
    }

    fn kind(&self) -> Kind {
        self.open.last().map_or(Kind::Any, |open| open.kind)
    }
}

impl Container {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            requires: Vec::new(),
        }
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "RequireAny",
            Self::All => "RequireAll",
            Self::None => "RequireNone",
        }
    }
}

/// Whether a condition can only deny.
fn is_negative(require: &Require) -> bool {
    match require {
        Require::Not(_) => true,
        Require::Every(several) => several.iter().all(is_negative),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block::new(Fate::Applies)
    }

    fn not() -> Require {
        Require::Not(Box::new(Require::Local))
    }

    #[test]
    fn containers_nest() {
        let mut block = block();
        block.open(Kind::All);
        block.require(Require::All(true)).unwrap();
        block.open(Kind::None);
        block.require(Require::Local).unwrap();
        block.close().unwrap();
        block.close().unwrap();
        let none = Require::Not(Box::new(Require::Any(vec![Require::Local])));
        let every = Require::Every(vec![Require::All(true), none]);
        let rules = block.into_rules();
        assert_eq!(rules.require, Some(Require::Any(vec![every])));
    }

    #[test]
    fn what_can_neither_grant_nor_deny_is_an_error() {
        assert!(block().require(not()).unwrap_err().contains("<RequireAny>"));
        for (kind, in_kind, whether) in [
            (Kind::All, Kind::All, true),
            (Kind::All, Kind::Any, false),
            (Kind::All, Kind::None, false),
        ] {
            let mut block = block();
            block.open(Kind::All);
            block.require(Require::Local).unwrap();
            block.open(in_kind);
            block.open(kind);
            block.require(not()).unwrap();
            assert_eq!(block.close().is_ok(), whether, "{kind:?} in {in_kind:?}");
        }
        let mut empty = block();
        empty.open(Kind::Any);
        assert!(empty.close().unwrap_err().contains("contains no"));
    }

    #[test]
    fn lines_for_other_methods_say_nothing_and_take_the_place_of_others() {
        let mut block = block();
        block.other_methods = true;
        block.require(Require::All(true)).unwrap();
        block.list(false, vec![Origin::All]);
        let rules = block.into_rules();
        assert_eq!(rules.require, Some(Require::OtherMethods));
        assert_eq!(rules.hosts, Some(Hosts::default()));
    }
}
