//! Who is judged, and what it offers.

use std::borrow::Cow;

use crate::{
    protocol::{HttpVersion, Listener},
    setup::{Allow, PLACEHOLDERS, PortPlaceholders, Product, Setup},
    subject::{Need, offers::Versions, profile::Profile, remote::Remote},
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

    /// The versions of HTTP that it serves.
    #[must_use]
    pub const fn versions(&self) -> &Versions {
        match self {
            Self::Profile(profile) => &profile.offers.versions,
            Self::Remote(remote) => &remote.versions,
        }
    }

    /// Whether it says that it is like that product.
    #[must_use]
    pub fn is_like(&self, product: Product) -> bool {
        match self {
            Self::Profile(profile) => profile.like.as_deref() == Some(product.like),
            Self::Remote(_) => false,
        }
    }

    /// Why it cannot be brought into a set-up, whatever it offers: a proxy that is already running has the list that it has.
    #[must_use]
    pub fn cannot_be_in(&self, setup: &Setup) -> Option<Cow<'static, str>> {
        let http_1 = setup.listener.version() == HttpVersion::Http1;
        match (self, &setup.allow) {
            (Self::Profile(profile), _) if http_1 && !profile.offers.versions.has_http_1() => {
                Some("it does not serve HTTP/1.1".into())
            }
            (Self::Remote(_), Allow::Ports(_)) => {
                Some("it was already running, so another list of ports cannot be set".into())
            }
            (Self::Profile(profile), Allow::Ports(words)) => {
                // Which ports they are makes no difference; that the words are no list is said where the set-up is made.
                let list = PortPlaceholders::from(PLACEHOLDERS).list(words).ok()?;
                let offered = profile.offers.allowed_ports?;
                offered.lacks_room_for(&list).map(Cow::from)
            }
            (Self::Remote(remote), _)
                if remote.tls.is_some() && setup.listener == Listener::Tcp =>
            {
                Some("it is reached over TLS, and was already running".into())
            }
            _ => None,
        }
    }

    /// Whether it has what a case needs.
    #[must_use]
    pub fn offers(&self, need: Need) -> bool {
        let claims = match self {
            Self::Profile(profile) => profile.claims(),
            Self::Remote(remote) => remote.claims(),
        };
        need.is_met_by(&claims)
    }
}
