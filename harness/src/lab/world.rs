//! What all cases of a run share: ports, certificates, patience, the seed; and who is judged.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    lab::{
        network::{Network, NoNetwork},
        pki::{Identity, Pki, PkiError},
        ports::{self, AllowList, Port, Ports},
    },
    patience::Patience,
    protocol::{HttpVersion, Listener},
    setup::{Allow, PortPlaceholders, PortRange, Setup, WEB},
    stop::Stop,
    subject::{
        User, Who,
        configuration::{Configuration, Credentials, Timeouts, TlsFiles},
        process::raise_file_limit,
        profile::{LogSource, Profile},
    },
    verdict::{Finding, Outcome},
};

/// What all cases of a run share.
#[derive(Debug)]
pub struct World {
    pub(crate) ports: Arc<Ports>,
    pub(crate) pki: Pki,
    pub(crate) patience: Patience,
    pub(crate) seed: u64,
    pub(crate) property_tries: u32,
    /// Ends everything that is waited for.
    pub(crate) stop: Stop,
    /// Where servers listen.
    pub(crate) bind: IpAddr,
    /// How the proxy reaches them.
    pub(crate) host: String,
    /// How many servers have an address of their own.
    pub(super) neighbours: AtomicU32,
    /// Whether this machine knows the name of itself, once that was asked.
    pub(super) knows_localhost: tokio::sync::OnceCell<bool>,
    /// How many names of lists were taken.
    pub(super) hosts_taken: AtomicU32,
    /// What was wrong with frames of the proxy, in whatever case, by what it listened with.
    pub(super) odd_frames: Mutex<Vec<(Listener, String)>>,
    /// Certificate and key of a proxy that is reached over TLS.
    tls_files: TlsFiles,
    /// What it has to itself, inside of namespaces of its own.
    pub(super) network: Option<Network>,
}

/// Why a run could not begin. This says nothing about the proxy.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No block of ports.
    #[error(
        "could not reserve a block of ports on {0}: {1}; is that an address of this machine, or are many runs going on at the same time?"
    )]
    Ports(IpAddr, io::Error),
    /// None of the ports that a running proxy allows.
    #[error(
        "could not listen on any of the ports that the proxy allows, on {0}: those below 1024 need root, and others may be in use; let it allow some more, such as 20000-20099"
    )]
    NoPort(IpAddr),
    /// No certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// Inside, and yet something is missing.
    #[error("there is no network for the run: {0}")]
    Network(#[from] NoNetwork),
}

/// What a run is made with.
#[derive(Clone, Debug)]
pub struct RunEnvironment {
    /// A factor on every deadline.
    pub patience: f64,
    /// What makes everything random repeatable.
    pub seed: u64,
    /// How many times a property is tried.
    pub property_tries: u32,
    /// Where servers listen.
    pub bind: IpAddr,
    /// How the proxy reaches them, if not by that address.
    pub host: Option<String>,
    /// A network of the run's own, or why there is none.
    pub network: Result<(), String>,
    /// Addresses that this network has, beside those that it always has.
    pub addresses: Vec<IpAddr>,
}

impl RunEnvironment {
    /// Whether servers can listen on ports below 1024 where no network of the run's own has them: at addresses that nobody
    /// else listens on, which there are beside 127.0.0.1 alone.
    #[must_use]
    pub fn has_low_ports(&self) -> bool {
        let usual = self.bind == IpAddr::V4(Ipv4Addr::LOCALHOST) && self.host.is_none();
        usual && WEB.iter().all(|&port| ports::can_be_had(TRIED, port))
    }
}

/// An address at which ports are tried before there is a run.
const TRIED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 31, 0, 1));

impl Default for RunEnvironment {
    fn default() -> Self {
        let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            patience: 1.0,
            seed: 1,
            property_tries: 8,
            bind,
            host: None,
            network: Err("`connectspec run --lab on` makes one".to_owned()),
            addresses: Vec::new(),
        }
    }
}

impl World {
    /// Reserves ports for the servers of `who` and makes a certificate authority; nothing is waited for after `stop`.
    ///
    /// # Errors
    /// Where no ports, no certificates or no files are to be had.
    pub fn new(environment: &RunEnvironment, who: &Who, stop: &Stop) -> Result<Self, WorldError> {
        raise_file_limit();
        let bind = environment.bind;
        let list = match who {
            Who::Remote(remote) => remote.allow.as_deref().map(AllowList::Running),
            Who::Profile(profile) => {
                let list = profile.offers.allowed_ports;
                list.and_then(|list| list.ports()).map(AllowList::Shorter)
            }
        };
        let ports = Ports::reserve_among(bind, list.unwrap_or(AllowList::Ours), stop);
        let ports = ports.map_err(|error| WorldError::Ports(bind, error))?;
        if ports.allowed() == 0 {
            return Err(WorldError::NoPort(bind));
        }
        let pki = Pki::new()?;
        let network = match &environment.network {
            Ok(()) => Some(Network::bring_up(&environment.addresses)?),
            Err(_) => None,
        };
        let identity = pki.identity(&["127.0.0.1", "::1", "localhost"])?;
        let (certificate, key) = identity.pem.clone();
        Ok(Self {
            ports,
            pki,
            patience: Patience::times(environment.patience),
            seed: environment.seed,
            property_tries: environment.property_tries,
            stop: stop.clone(),
            bind,
            host: host(environment),
            neighbours: AtomicU32::new(0),
            knows_localhost: tokio::sync::OnceCell::new(),
            hosts_taken: AtomicU32::new(0),
            odd_frames: Mutex::default(),
            tls_files: TlsFiles { certificate, key },
            network,
        })
    }

    /// Whether the proxy reaches the servers at a loopback address, as it does on the same machine: elsewhere its
    /// `localhost` is another one.
    pub(crate) fn shares_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let at_loopback = match host.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        };
        self.bind.is_loopback() && at_loopback
    }

    /// An address that nobody else listens on: one of the loopback network, which is large.
    ///
    /// There is none where servers are reached in another way than by 127.0.0.1.
    pub(crate) fn own_address(&self) -> Option<Ipv4Addr> {
        let usual = Ipv4Addr::LOCALHOST;
        if self.bind != IpAddr::V4(usual) || self.host != usual.to_string() {
            return None;
        }
        let number = self.neighbours.fetch_add(1, Ordering::Relaxed);
        let digest = blake3::hash(format!("{} {number}", std::process::id()).as_bytes());
        let [one, two, three, ..] = *digest.as_bytes();
        // Not 127.0.0.*, where other programs are, and nothing that looks like a network or a broadcast.
        Some(Ipv4Addr::new(127, 1 + one % 250, two, 1 + three % 250))
    }

    /// What no report of this run may show.
    pub(crate) fn secrets(&self, who: &Who) -> Vec<String> {
        let known = match who {
            Who::Profile(_) => Some(User::Ordinary.credentials(self.seed)),
            Who::Remote(remote) => remote.credentials.clone(),
        };
        known.iter().flat_map(Credentials::secrets).collect()
    }

    /// What TLS servers show.
    pub(crate) fn identity(&self) -> Outcome<Arc<Identity>> {
        let host = self.host.trim_matches(['[', ']']);
        let names = [host, "127.0.0.1", "::1", "localhost"];
        self.pki
            .identity(&names)
            .map_err(|error| Finding::harness(error.to_string()))
    }

    /// The configuration that a set-up means, and the ports that it takes as long as the subject runs.
    pub(crate) fn configuration(
        &self,
        profile: &Profile,
        setup: &Setup,
        placeholders: PortPlaceholders,
    ) -> Outcome<(Configuration, Vec<Port>)> {
        let taken = (0..4).map_while(|_| self.ports.take_listening());
        self.configuration_on(profile, setup, placeholders, taken.collect())
    }

    /// As [`World::configuration`], on ports that it had before.
    pub(crate) fn configuration_on(
        &self,
        profile: &Profile,
        setup: &Setup,
        placeholders: PortPlaceholders,
        taken: Vec<Port>,
    ) -> Outcome<(Configuration, Vec<Port>)> {
        let [listen, spare @ ..] = &taken[..] else {
            return Err(Finding::harness("all ports for subjects are in use"));
        };
        let [one, two, three] = spare else {
            return Err(Finding::harness("all ports for subjects are in use"));
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, listen.number()));
        let mut configuration = Configuration::new(listen);
        configuration.spare_ports = [one.number(), two.number(), three.number()];
        self.allow(profile, setup, placeholders, &mut configuration)?;
        configuration.hosts = setup.hosts.allowed();
        configuration.denied_hosts = setup.hosts.denied();
        configuration.refuse_private = setup.refuse_private;
        if setup.credentials {
            configuration.credentials = Some(User::Ordinary.credentials(self.seed));
            configuration.more_users = User::OTHERS
                .map(|user| user.credentials(self.seed))
                .to_vec();
        }
        if setup.few_clients {
            configuration.clients = Some(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        if setup.upstream {
            let port = placeholders.port(super::upstream::UPSTREAM);
            configuration.upstream = port.map(|port| SocketAddr::new(self.bind, port));
            configuration.upstream_version = setup.upstream_version;
            let vouched_for = setup.upstream_version == HttpVersion::H2;
            configuration.upstream_ca = vouched_for.then(|| self.pki.authority_pem().to_owned());
        }
        if setup.through_itself {
            configuration.upstream = Some(listen);
        }
        if setup.websocket {
            let port = placeholders.port(super::websocket::SERVER);
            configuration.websocket = port.map(|port| SocketAddr::new(self.bind, port));
        }
        configuration.tls = setup.listener.is_tls().then(|| self.tls_files.clone());
        configuration.version = setup.listener.version();
        let log_is_a_file =
            (profile.access_log.as_ref()).is_some_and(|log| log.from == LogSource::File);
        if setup.log_stands_still && !log_is_a_file {
            return Err(Finding::absent("its access log is no file of its own"));
        }
        configuration.log_stands_still = setup.log_stands_still;
        configuration.lines = setup
            .lines
            .as_ref()
            .map(|lines| placeholders.expand_among_others(&lines.text));
        configuration.timeouts = Timeouts {
            connect: setup.connect,
            idle: setup.idle,
            header: setup.header,
        };
        Ok((configuration, taken))
    }

    /// The list of ports that a set-up means.
    fn allow(
        &self,
        profile: &Profile,
        setup: &Setup,
        placeholders: PortPlaceholders,
        configuration: &mut Configuration,
    ) -> Outcome {
        let offered = profile.offers.allowed_ports;
        let room =
            |list: &[PortRange]| match offered.and_then(|offered| offered.lacks_room_for(list)) {
                Some(reason) => Err(Finding::absent(reason)),
                None => Ok(()),
            };
        match &setup.allow {
            Allow::Servers if offered.is_some() => {
                configuration.allow = Some(self.ports.allowed_ranges());
            }
            Allow::ServersAndItself if offered.is_some() => {
                let mut ranges = self.ports.allowed_ranges();
                let (first, last) = (configuration.listen.port(), configuration.listen.port());
                ranges.push(PortRange { first, last });
                configuration.allow = Some(ranges);
            }
            Allow::ServersAndWeb if offered.is_some() => {
                let mut ranges = self.ports.allowed_ranges();
                ranges.extend(WEB.map(PortRange::from));
                room(&ranges)?;
                configuration.allow = Some(ranges);
            }
            Allow::Servers
            | Allow::ServersAndItself
            | Allow::ServersAndWeb
            | Allow::Default
            | Allow::Unknown => {}
            Allow::Ports(ports) => {
                let list = placeholders.list(ports)?;
                room(&list)?;
                configuration.allow = Some(list);
            }
            Allow::AsWritten(list) => {
                configuration.allow_text = Some(placeholders.expand(&list.text)?);
            }
        }
        Ok(())
    }
}

/// How the proxy reaches the servers, as an authority has it: brackets around an IPv6 address.
fn host(environment: &RunEnvironment) -> String {
    let host = environment.host.clone();
    let host = host.unwrap_or_else(|| environment.bind.to_string());
    match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host,
    }
}
