//! Who is judged, and what it offers.

use crate::{
    setup::{Allow, Need, Setup},
    subject::{
        offers::{AllowedPorts, Passwords, TimeoutKind},
        profile::Profile,
        remote::Remote,
    },
};

/// Who is judged.
#[derive(Debug)]
pub enum Who {
    /// A program that is launched as its profile says.
    Profile(Box<Profile>),
    /// A proxy that is already running.
    Remote(Box<Remote>),
}

impl Who {
    /// The name of the profile, or the address.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Profile(profile) => &profile.name,
            Self::Remote(remote) => &remote.name,
        }
    }

    /// Whether it says that it is like Apache httpd 2.4.
    #[must_use]
    pub fn is_like_httpd(&self) -> bool {
        match self {
            Self::Profile(profile) => profile.like.as_deref() == Some("httpd-2.4"),
            Self::Remote(_) => false,
        }
    }

    /// Why it cannot be brought into a set-up, whatever it offers: a proxy that is already running has the list that it has.
    #[must_use]
    pub const fn cannot_be_in(&self, setup: &Setup) -> Option<&'static str> {
        match (self, &setup.allow) {
            (Self::Remote(_), Allow::Ports(_)) => {
                Some("it was already running, so another list of ports cannot be set")
            }
            _ => None,
        }
    }

    /// Whether it has what a case needs.
    #[must_use]
    pub fn offers(&self, need: Need) -> bool {
        match self {
            Self::Profile(profile) => profile_offers(profile, need),
            Self::Remote(remote) => match need {
                Need::PortList | Need::PortRanges => remote.allow.is_some(),
                Need::AccessLog | Need::SourcePort | Need::LoggedStatus => {
                    remote.access_log.as_ref().is_some_and(|log| match need {
                        Need::SourcePort => log.names("source_port"),
                        Need::LoggedStatus => log.names("status"),
                        _ => true,
                    })
                }
                Need::Names => true,
                Need::Credentials => remote.credentials.is_some(),
                _ => false,
            },
        }
    }
}

fn profile_offers(profile: &Profile, need: Need) -> bool {
    let offers = &profile.offers;
    let log_names = |group: &str| {
        let log = profile.access_log.as_ref();
        log.is_some_and(|log| {
            log.pattern
                .capture_names()
                .flatten()
                .any(|name| name == group)
        })
    };
    match need {
        Need::PortList => offers.allowed_ports.is_some(),
        Need::PortRanges => offers.allowed_ports == Some(AllowedPorts::Ranges),
        Need::Directive => offers.directive,
        Need::HttpdText => offers.httpd_text,
        Need::ConfigCheck => profile.launch.check.is_some(),
        Need::DefaultPorts => offers.default_ports.is_some(),
        Need::AccessLog => profile.access_log.is_some(),
        Need::SourcePort => log_names("source_port"),
        Need::LoggedStatus => log_names("status"),
        Need::Ipv6 => offers.ipv6,
        Need::Names => offers.names,
        Need::Credentials => offers.credentials,
        Need::AnyPassword => offers.credentials && offers.passwords == Passwords::Any,
        Need::ClientRule => offers.clients,
        Need::Upstream => offers.upstream,
        Need::TlsListener => offers.tls_listener,
        Need::ConnectTimeout => offers.timeouts.contains(&TimeoutKind::Connect),
        Need::IdleTimeout => offers.timeouts.contains(&TimeoutKind::Idle),
        Need::HeaderTimeout => offers.timeouts.contains(&TimeoutKind::Header),
        Need::Launched => true,
    }
}
