//! From the TOML of a policy to its rules: each mistake with its place, and what would have been right.

use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::{
    audit::{NamePattern, Network, Policy, Rule},
    setup::PortRange,
    subject::profile::{keys, mistake::Mistake},
};

/// What is meant where nobody says anything: the Internet by TLS, and nothing of this machine or its network.
pub const OTHERWISE: &str = "[[allow]]\nnames = [\"*\"]\nports = \"443\"\n";

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("could not read the policy {0}: {1}")]
    Unreadable(String, std::io::Error),
    /// It says something that no policy says.
    #[error(transparent)]
    Mistake(#[from] Mistake),
}

impl Policy {
    /// Reads the policy at `path`.
    ///
    /// # Errors
    /// The first mistake in it, with its place and what would have been right.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| PolicyError::Unreadable(origin.clone(), error))?;
        Ok(Self::parse(&origin, &text)?)
    }

    /// Reads the policy in `text`, which came from `origin`.
    ///
    /// # Errors
    /// As those of [`Policy::load`].
    pub fn parse(origin: &str, text: &str) -> Result<Self, Mistake> {
        policy(origin, text)
    }
}

/// As it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawPolicy {
    #[serde(default)]
    names_lead_anywhere: bool,
    #[serde(default)]
    allow: Vec<Spanned<RawRule>>,
    #[serde(default)]
    deny: Vec<Spanned<RawRule>>,
}

#[derive(Debug, Deserialize)]
struct RawRule {
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    ports: Option<Spanned<String>>,
}

fn of_policy(table: &str) -> Option<&'static [&'static str]> {
    match table {
        "" => Some(&["names-lead-anywhere", "allow", "deny"]),
        "allow" | "deny" => Some(&["names", "networks", "ports"]),
        _ => None,
    }
}

/// Reads a policy.
fn policy(origin: &str, text: &str) -> Result<Policy, Mistake> {
    keys::check(of_policy, origin, text)?;
    let raw: RawPolicy = toml::from_str(text).map_err(|error| {
        let message = error.message().to_owned();
        Mistake::at(origin, text, &error.span().unwrap_or(0..0), message)
    })?;
    let source = Source { origin, text };
    let allow: Vec<Rule> = raw
        .allow
        .iter()
        .map(|rule| source.rule(rule, true))
        .collect::<Result<_, _>>()?;
    let deny = raw.deny.iter().map(|rule| source.rule(rule, false));
    let policy = Policy {
        origin: origin.to_owned(),
        deny: deny.collect::<Result<_, _>>()?,
        names_lead_anywhere: raw.names_lead_anywhere,
        allow,
    };
    if policy.allow.is_empty() {
        let message = "the policy allows nothing, so that nothing tells a refusal from a proxy that refuses everything";
        let hint = "say what is meant to be reached: [[allow]] with names = [\"registry.example.org\"] and ports = \"443\"";
        return Err(source.mistake(&(0..0), message.to_owned(), Some(hint)));
    }
    Ok(policy)
}

/// The file that is being read, to name places in it.
struct Source<'a> {
    origin: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn rule(&self, raw: &Spanned<RawRule>, allows: bool) -> Result<Rule, Mistake> {
        let place = raw.span();
        let raw = raw.get_ref();
        let rule = Rule {
            names: self.each::<NamePattern>(&raw.names)?,
            networks: self.each::<Network>(&raw.networks)?,
            ports: raw
                .ports
                .as_ref()
                .map_or(Ok(Vec::new()), |ports| self.ports(ports))?,
        };
        let no_host = rule.names.is_empty() && rule.networks.is_empty();
        if allows && no_host {
            let message = "an [[allow]] names nothing".to_owned();
            let hint = "give it `names` or `networks`; names = [\"*\"] means every name";
            return Err(self.mistake(&place, message, Some(hint)));
        }
        if allows && rule.ports.is_empty() {
            let message = "an [[allow]] has no ports".to_owned();
            return Err(self.mistake(
                &place,
                message,
                Some("say which: ports = \"443\", or \"443 8000-8100\""),
            ));
        }
        if !allows && no_host && rule.ports.is_empty() {
            let message = "a [[deny]] names nothing".to_owned();
            let hint = "give it `names`, `networks` or `ports`; whatever no [[allow]] names is denied without it";
            return Err(self.mistake(&place, message, Some(hint)));
        }
        // Ports alone are denied wherever they are.
        let names = match no_host {
            true => vec![NamePattern::Any],
            false => rule.names,
        };
        Ok(Rule { names, ..rule })
    }

    fn each<T: std::str::FromStr<Err = String>>(
        &self,
        words: &[Spanned<String>],
    ) -> Result<Vec<T>, Mistake> {
        let read = |word: &Spanned<String>| {
            let parsed: Result<T, String> = word.get_ref().parse();
            parsed.map_err(|why| self.said(word, &why))
        };
        words.iter().map(read).collect()
    }

    fn ports(&self, ports: &Spanned<String>) -> Result<Vec<PortRange>, Mistake> {
        let ranges = PortRange::parse_list(ports.get_ref()).map_err(|error| {
            let hint = "ports are written \"443 8000-8100\"";
            self.mistake(&ports.span(), error.to_string(), Some(hint))
        })?;
        if ranges.iter().any(|range| range.contains(0)) {
            let message = "0 is no port that anybody listens on".to_owned();
            return Err(self.mistake(&ports.span(), message, Some("ports go from 1 to 65535")));
        }
        Ok(ranges)
    }

    /// What is wrong, and behind the semicolon what would be right.
    fn said(&self, word: &Spanned<String>, why: &str) -> Mistake {
        match why.split_once("; ") {
            Some((message, hint)) => self.mistake(&word.span(), message.to_owned(), Some(hint)),
            None => self.mistake(&word.span(), why.to_owned(), None),
        }
    }

    fn mistake(
        &self,
        place: &std::ops::Range<usize>,
        message: String,
        hint: Option<&str>,
    ) -> Mistake {
        Mistake::at(self.origin, self.text, place, message).hint(hint.map(str::to_owned))
    }
}
