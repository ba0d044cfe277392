//! Configurations made of others, to ask httpd what would be if a section were about more, or about less.

use super::super::pair::Ask;
use super::sections::{Configuration, Place, Section};

impl Configuration {
    /// One section and nothing else.
    pub(crate) fn of(section: Section) -> Self {
        Self {
            sections: vec![section],
            place: Place::Main,
            extra: Vec::new(),
        }
    }

    /// The sections that may apply to a target on `host`, without virtual hosts.
    pub(crate) fn flat(&self, host: &str) -> Self {
        let named = host.trim_end_matches('.').eq_ignore_ascii_case("localhost");
        let count = match self.place {
            Place::Second(count) if !named => count,
            _ => self.sections.len(),
        };
        Self {
            sections: self.sections.iter().take(count).cloned().collect(),
            place: Place::Main,
            ..self.clone()
        }
    }

    /// Without `Satisfy any` both halves count, and one that is not there lets in nobody by itself.
    pub(crate) fn without_satisfy(&self) -> Self {
        let without = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("Satisfy "));
            lines.map(|line| format!("{line}\n")).collect()
        };
        self.with_sections(|section| {
            let inner = section.inner.as_ref();
            Some(Section {
                body: without(&section.body),
                inner: inner.map(|(name, argument, body)| (*name, argument.clone(), without(body))),
                ..section.clone()
            })
        })
    }

    /// The places of the sections about which there is a doubt.
    pub(crate) fn in_doubt(&self, doubtful: impl Fn(&Section) -> bool) -> Vec<usize> {
        let sections = self.sections.iter().enumerate();
        sections
            .filter(|(_, section)| doubtful(section))
            .map(|(index, _)| index)
            .collect()
    }

    /// With the section at a place about everything, where `universal` says true, and without it where it says false.
    pub(crate) fn decided(&self, universal: impl Fn(usize) -> Option<bool>) -> Self {
        let sections = self.sections.iter().enumerate();
        Self {
            sections: sections
                .filter_map(|(index, section)| match universal(index) {
                    None => Some(section.clone()),
                    Some(true) => Some(section.universal()),
                    Some(false) => None,
                })
                .collect(),
            ..self.clone()
        }
    }

    fn with_sections(&self, change: impl FnMut(&Section) -> Option<Section>) -> Self {
        Self {
            sections: self.sections.iter().filter_map(change).collect(),
            ..self.clone()
        }
    }
}

impl Section {
    /// The same targets, and nobody may.
    pub(crate) fn denying(&self) -> Self {
        Self {
            body: "Require all denied\n".to_owned(),
            inner: None,
            ..self.clone()
        }
    }

    /// Whether one of the targets begins with its pattern, which is neither the whole host nor the whole target.
    pub(crate) fn names_half(&self, asks: &[Ask]) -> bool {
        let pattern = self.argument.trim_matches('"');
        let half = |ask: &Ask| {
            let target = &ask.target;
            let host = target.rsplit_once(':').map_or("", |(host, _)| host);
            let whole = ["", host, target].contains(&pattern) || pattern == format!("{host}:");
            target.starts_with(pattern) && !whole
        };
        self.name == "Proxy" && asks.iter().any(half)
    }

    /// Whether it begins with an address in brackets, which are a set of characters to httpd.
    pub(crate) fn names_address(&self) -> bool {
        let pattern = self.argument.trim_matches('"');
        let inside = pattern.strip_prefix('\\').unwrap_or(pattern);
        inside.starts_with("[::") && ["Proxy", "Location"].contains(&self.name)
    }

    fn universal(&self) -> Self {
        let every = match self.name {
            "ProxyMatch" | "LocationMatch" => "\"\"",
            "Proxy" | "Location" => "\"*\"",
            _ => &self.argument,
        };
        Self {
            argument: every.to_owned(),
            ..self.clone()
        }
    }
}
