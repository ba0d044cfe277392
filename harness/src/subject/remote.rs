//! A proxy that runs already: nothing is launched, and what it offers is what somebody says it does.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    time::Duration,
};

use regex::Regex;

mod over_tls;

use crate::{
    protocol::{HttpVersion, Listener},
    setup::{PortListError, PortRange},
    subject::{
        capability::Claims,
        configuration::Credentials,
        log::LogReader,
        offers::{AllowedPorts, Offers, PortList, Versions},
        process::readiness,
    },
};

pub use over_tls::{OverTls, TrustError};

/// A proxy that is already running somewhere.
#[derive(Clone, Debug)]
pub struct Remote {
    /// How the user named it: `HOST:PORT`.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is reached over TLS; `None` for one that is reached in the clear.
    pub tls: Option<OverTls>,
    /// The versions of HTTP that it is said to serve; without a word about them, HTTP/1.1 alone.
    pub versions: Versions,
    /// The ports that it is known to allow.
    pub allow: Option<Vec<PortRange>>,
    /// The user that it is known to let in.
    pub credentials: Option<Credentials>,
    /// Its access log, when it can be read from here.
    pub access_log: Option<LogReader>,
}

/// Why a running proxy cannot be used as it was described.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Its address is none.
    #[error("`{name}` is no address of a proxy ({cause}); write it like 127.0.0.1:3128")]
    Address {
        /// As the user wrote it.
        name: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The list of allowed ports is none.
    #[error(transparent)]
    Allow(#[from] PortListError),
    /// The credentials have no colon.
    #[error("credentials have to be written as USER:PASSWORD")]
    Credentials,
    /// Nobody can be trusted to say who it is.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The pattern for its log is wrong.
    #[error("the log pattern is wrong: {0}")]
    Pattern(Box<regex::Error>),
    /// Its log is something that has no lines to come back to.
    #[error("the access log {} is no regular file; name a file that the proxy writes", .0.display())]
    Log(PathBuf),
}

impl Remote {
    /// A proxy at `HOST:PORT`, of which nothing else is known.
    ///
    /// # Errors
    /// When the name does not resolve to an address.
    pub fn new(name: &str) -> Result<Self, RemoteError> {
        let unusable = |cause| RemoteError::Address {
            name: name.to_owned(),
            cause,
        };
        let mut addresses = name.to_socket_addrs().map_err(unusable)?;
        let none = || unusable(io::Error::new(io::ErrorKind::NotFound, "it has no address"));
        Ok(Self {
            name: name.to_owned(),
            address: addresses.next().ok_or_else(none)?,
            tls: None,
            versions: Versions::default(),
            allow: None,
            credentials: None,
            access_log: None,
        })
    }

    /// Says that it is reached over TLS, and who is trusted to say that it is the one: the certificates in a file, or whom this
    /// machine trusts.
    ///
    /// # Errors
    /// When the file holds no certificates, or this machine trusts nobody.
    pub fn over_tls(mut self, authorities: Option<&Path>) -> Result<Self, RemoteError> {
        let host = self.name.rsplit_once(':').map_or(&*self.name, |it| it.0);
        let host = host.trim_matches(['[', ']']);
        self.tls = Some(OverTls::trusting(host, authorities)?);
        Ok(self)
    }

    /// Says which versions of HTTP it serves, as far as the way in which it is reached carries them.
    #[must_use]
    pub fn serving(mut self, mut versions: Versions) -> Self {
        let not_carried = match self.tls {
            None => HttpVersion::H2,
            Some(_) => HttpVersion::H2c,
        };
        versions.0.retain(|version| *version != not_carried);
        self.versions = versions;
        self
    }

    /// Says which ports it allows: `443 8000-8100`.
    ///
    /// # Errors
    /// When the text is no list of ports.
    pub fn allowing(mut self, ports: &str) -> Result<Self, RemoteError> {
        self.allow = Some(PortRange::parse_list(ports)?);
        Ok(self)
    }

    /// Says whom it lets in: `USER:PASSWORD`.
    ///
    /// # Errors
    /// When there is no colon.
    pub fn credentials(mut self, text: &str) -> Result<Self, RemoteError> {
        self.credentials = Some(Credentials::parse(text).ok_or(RemoteError::Credentials)?);
        Ok(self)
    }

    /// Says where its access log is, and how it reads (see [`LogReader::file`]).
    ///
    /// # Errors
    /// When the pattern is no regular expression, or the log is something else than a file.
    pub fn access_log(mut self, file: PathBuf, pattern: &str) -> Result<Self, RemoteError> {
        let pattern = Regex::new(pattern).map_err(|error| RemoteError::Pattern(Box::new(error)))?;
        // One that is not there yet may still come.
        if file.metadata().is_ok_and(|known| !known.is_file()) {
            return Err(RemoteError::Log(file));
        }
        self.access_log = Some(LogReader::file(file, pattern));
        Ok(self)
    }

    /// What is said of it: it is as it was started, so that only what somebody knows of it can be asked.
    #[must_use]
    pub fn claims(&self) -> Claims {
        Claims {
            offers: Offers {
                allowed_ports: self
                    .allow
                    .as_ref()
                    .map(|_| AllowedPorts::of(PortList::Ranges)),
                names: true,
                credentials: self.credentials.is_some(),
                tls_listener: self.tls.is_some(),
                versions: self.versions.clone(),
                ..Offers::default()
            },
            log: self.access_log.as_ref().map(LogReader::groups),
            ..Claims::default()
        }
    }

    /// How it is reached where that is asked for: it listens with what it was started with, in the clear or over TLS.
    #[must_use]
    pub const fn reached(&self, wanted: Listener) -> Listener {
        match (&self.tls, wanted.version()) {
            (None, HttpVersion::H2c) => Listener::H2c,
            (None, _) => Listener::Tcp,
            (Some(_), HttpVersion::H2) => Listener::H2,
            (Some(_), _) => Listener::Tls,
        }
    }

    /// Whether it accepts connections now, or within that time. Blocks.
    #[must_use]
    pub fn is_reachable(&self, within: Duration) -> bool {
        let (_ended, watched) = std::sync::mpsc::channel::<()>();
        readiness::wait(self.address, within, |pause| {
            // Nothing tells when a remote proxy ends: this only waits.
            watched.recv_timeout(pause) == Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
        })
    }
}
