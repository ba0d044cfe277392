//! Which cases a command means: selectors, and what they are asked over.

use clap::Parser;
use connectspec_harness::{
    case::{Suite, select::Selection},
    protocol::{EVERY, HttpVersion, Protocol},
};

use crate::cli::Trouble;

/// Which cases are meant.
#[derive(Clone, Debug, Parser)]
pub(super) struct Which {
    /// Which cases: globs over their ids, such as `close` or `*/refuses_*`; none means all. One with an `@` names the version of HTTP, too: `close@tls`, `*@*`
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    #[command(flatten)]
    over: Versions,
    /// Whether the selectors name the version that they mean, where they do not mean HTTP/1.1.
    #[arg(skip)]
    exact: bool,
}

/// Which versions of HTTP are meant.
#[derive(Clone, Debug, Parser)]
pub(super) struct Versions {
    /// What the cases are asked over: http/1.1, tls (HTTP/1.1 over TLS), h2c (HTTP/2 in the clear), h2 (HTTP/2 over TLS), or every; may be said more than once. A running proxy is asked over HTTP/2 where h2c or h2 is named [default: http/1.1, or the first that a profile without it serves]
    #[arg(long, value_name = "VERSION", value_parser = over)]
    over: Vec<Over>,
}

/// A word of `--over`.
#[derive(Clone, Copy, Debug)]
enum Over {
    One(Protocol),
    Every,
}

impl Which {
    /// What these selectors mean where nothing is said of versions.
    pub(super) fn as_they_are(selectors: Vec<String>) -> Self {
        Self {
            exact: true,
            ..Self::of(selectors, Versions { over: Vec::new() })
        }
    }

    /// What these selectors mean.
    pub(super) const fn of(selectors: Vec<String>, over: Versions) -> Self {
        Self {
            selectors,
            over,
            exact: false,
        }
    }

    /// The same cases, over these where nobody has said over what.
    pub(super) fn over_unless_said(mut self, protocols: &[Protocol]) -> Self {
        if self.over.over.is_empty() && !self.exact {
            self.over.over = protocols.iter().copied().map(Over::One).collect();
        }
        self
    }

    /// The versions of HTTP that are named, be it in an id: whoever names one says that a running proxy serves it.
    pub(super) fn named(&self) -> Vec<HttpVersion> {
        let in_ids = self.selectors.iter().filter_map(|selector| {
            let version = selector
                .split_once('@')
                .map(|(_, rest)| rest.split('/').next());
            match version.flatten().and_then(|word| word.parse().ok()) {
                // What has no version in its id is asked over what is said, or HTTP/1.1.
                None if self.over.over.is_empty() => Some(Protocol::default()),
                named => named,
            }
        });
        let said = self.over.over.iter().map(|over| match over {
            Over::One(protocol) => *protocol,
            Over::Every => Protocol::default(),
        });
        let named = in_ids.chain(said);
        let mut named: Vec<_> = named
            .map(|protocol| protocol.listener().version())
            .collect();
        named.dedup();
        named
    }

    /// What it says.
    pub(super) fn selection(&self) -> Selection {
        let over = self.over.over.iter().flat_map(|over| match over {
            Over::One(protocol) => std::slice::from_ref(protocol),
            Over::Every => EVERY,
        });
        let mut over: Vec<Protocol> = over.copied().collect();
        over.sort();
        over.dedup();
        Selection {
            selectors: self.selectors.clone(),
            over,
        }
    }

    /// A selector that matches nothing is a mistake, not an empty run.
    pub(super) fn check(&self, catalogue: &[Suite]) -> Result<(), Trouble> {
        let selection = self.selection();
        let ids = || {
            let cases = catalogue.iter().flat_map(|suite| &suite.cases);
            cases.map(|case| &case.id)
        };
        let means_none = |one: &&String| !ids().any(|id| selection.means_by(one, id));
        let Some(selector) = self.selectors.iter().find(means_none) else {
            return Ok(());
        };
        let anywhere = Selection {
            over: EVERY.to_vec(),
            ..Selection::default()
        };
        if ids().any(|id| anywhere.means_by(selector, id)) {
            let over = selection.over.iter().map(|protocol| protocol.word());
            return Err(Trouble::usage(format!(
                "`{selector}` selects no case over {}; `connectspec list --over every {selector}` shows which there are",
                over.collect::<Vec<_>>().join(" or ")
            )));
        }
        if is_profile(selector) {
            return Err(Trouble::usage(format!(
                "`{selector}` selects no case, but is a profile: say --profile {selector}"
            )));
        }
        let suites: Vec<_> = catalogue.iter().map(|suite| suite.id).collect();
        Err(Trouble::usage(format!(
            "`{selector}` selects no case; the suites are {}, and `connectspec list --over every` shows all cases",
            suites.join(", ")
        )))
    }
}

/// Whether somebody has forgotten `--profile` in front of it.
fn is_profile(word: &str) -> bool {
    let built_in = connectspec_fixtures::profiles();
    word.ends_with(".toml") || built_in.iter().any(|known| known.name == word)
}

fn over(word: &str) -> Result<Over, String> {
    if word == "every" {
        return Ok(Over::Every);
    }
    let protocol: Result<Protocol, _> = word.parse();
    let protocol = protocol.map_err(|error| format!("{error}, and every for all of them"))?;
    Ok(Over::One(protocol))
}
