//! Who may use the proxy: `<Proxy>` and `<Location>`, what they require, and how users prove who they are.
//!
//! As in httpd every section that fits the target applies, the later ones on top: `<Proxy>` before `<Location>`, and
//! among each the sections of the main server before those of the virtual host. Two things are stricter. Without any
//! `Require` httpd serves everybody; this proxy then serves clients of its own machine only: an open proxy has to be
//! asked for in words. And a section that fits in one spelling only, or only the beginning of a target, can take away
//! and never give ([`pattern`]).

mod block;
pub mod client;
pub mod hosts;
mod network;
pub mod pattern;
mod policy;
mod require;
mod verdict;

pub use block::{Block, Fate, Kind};
pub use client::{Client, Facts, Unknown, User};
pub use hosts::Hosts;
pub use network::Network;
pub use pattern::{Pattern, Target};
pub use policy::{Auth, Decision, Merging, Rules};
pub use require::Require;
pub use verdict::Verdict;

use policy::Policy;
use std::sync::Arc;

/// The sections that may apply to a request.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Those of the main server.
    pub main: Arc<Sections>,
    /// Those of the virtual host.
    pub own: Arc<Sections>,
}

/// The sections of one server, each kind in order.
#[derive(Clone, Debug, Default)]
pub struct Sections {
    /// `<Proxy>` and `<ProxyMatch>`.
    pub proxies: Vec<Section>,
    /// `<Location>` and `<LocationMatch>`, which come later.
    pub locations: Vec<Section>,
}

/// One section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which targets it is about.
    pub pattern: Pattern,
    /// What it says.
    pub rules: Rules,
}

impl Access {
    /// Asks every section about `client`: whichever of them may be about an address of the target. What is unknown
    /// even then, when an address is judged, denies.
    ///
    /// # Errors
    ///
    /// What has to be found out about the client first.
    pub fn ask_all(&self, client: Client<'_>) -> Result<(), Unknown> {
        let asked = |section: &Section| {
            let policy = Policy::default().with(&section.rules);
            policy.decide(client).map(drop)
        };
        self.sections().try_for_each(asked)
    }

    /// Whether any section says who may, so that not only this machine is served.
    #[must_use]
    pub fn speaks(&self) -> bool {
        let says = |section: &Section| {
            let Rules { require, hosts, .. } = &section.rules;
            require.is_some() || hosts.as_ref().is_some_and(|hosts| !hosts.are_silent())
        };
        self.sections().any(says)
    }

    fn sections(&self) -> impl Iterator<Item = &Section> {
        let proxies = self.main.proxies.iter().chain(&self.own.proxies);
        proxies.chain(self.main.locations.iter().chain(&self.own.locations))
    }
}
