//! One question of an audit.

use std::net::{IpAddr, SocketAddr};

use crate::{
    audit::SUITE,
    case_id::CaseId,
    lab::network::{Answers, addresses},
    protocol::Protocol,
    verdict::Level,
};

/// One target, and what is meant to come of it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What it is about.
    pub about: About,
    /// The target, as a client writes it.
    pub target: String,
    /// What tells it from the others that are about the same: in most cases, the target.
    pub row: String,
    /// Why it is asked.
    pub why: String,
    /// Where it would lead, and somebody listens; none where nobody can.
    pub listeners: Vec<SocketAddr>,
    /// What the name server says, where that is something else than where a name should lead.
    pub leads: Option<Leads>,
    /// How much weight it has.
    pub level: Level,
}

/// A name that leads elsewhere than it should.
#[derive(Clone, Debug)]
pub struct Leads {
    /// The name.
    pub name: String,
    /// Where.
    pub answers: Answers,
    /// How many times it is asked for.
    pub times: usize,
    /// Whether the proxy may remember where that name led before, so that only a fresh one asks again.
    pub is_remembered: bool,
}

impl Probe {
    pub(super) fn new(
        about: About,
        target: String,
        why: impl ToString,
        listeners: Vec<SocketAddr>,
    ) -> Self {
        Self {
            about,
            row: target.replace(['[', ']'], ""),
            target,
            why: why.to_string(),
            listeners,
            leads: None,
            level: Level::Must,
        }
    }

    /// In a report: `audit/SENTENCE[ROW]`.
    #[must_use]
    pub fn id(&self) -> Option<CaseId> {
        CaseId::new(
            SUITE,
            Protocol::Http1,
            self.about.sentence(),
            Some(&self.row),
        )
        .ok()
    }
}

/// What probes are about; each is a sentence of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// What the policy names.
    Meant,
    /// What it denies in words.
    Denied,
    /// Other ports of what it names.
    Ports,
    /// Names that it does not name.
    Names,
    /// Addresses that it does not name.
    Addresses,
    /// Addresses with a special use.
    SpecialUse,
    /// The same in other words.
    Spellings,
    /// Names that it does name, and that lead to such addresses.
    Astray,
}

impl About {
    /// In ids: `audit/SENTENCE[...]`.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Meant => "what_is_meant_is_reached",
            Self::Denied => "what_is_denied_is_refused",
            Self::Ports => "other_ports_are_refused",
            Self::Names => "other_names_are_refused",
            Self::Addresses => "other_addresses_are_refused",
            Self::SpecialUse => "special_use_is_refused",
            Self::Spellings => "special_use_in_other_words_is_refused",
            Self::Astray => "names_that_lead_to_special_use_are_refused",
        }
    }

    /// For a reader.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Meant => "What the policy names is reached",
            Self::Denied => "What the policy denies is refused",
            Self::Ports => "Ports that the policy does not name are refused",
            Self::Names => "Names that the policy does not name are refused",
            Self::Addresses => "Addresses that the policy does not name are refused",
            Self::SpecialUse => "Addresses with a special use are refused",
            Self::Spellings => "Addresses with a special use are refused in other words",
            Self::Astray => "Names that lead to an address with a special use are refused",
        }
    }
}

/// Where a name leads that leads to where it should: an address of the Internet, the same each time.
#[must_use]
pub(super) fn home_of(name: &str) -> IpAddr {
    let digest = blake3::hash(name.to_ascii_lowercase().as_bytes());
    addresses::own(u32::from(digest.as_bytes()[0]))
}
