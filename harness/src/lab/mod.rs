//! Everything that one case may touch.
//!
//! A case opens no socket of its own. What it gets here is written down on its transcript, has a deadline, and is
//! gone when the case is over.

pub mod black_hole;
mod letters;
mod names;
pub mod patience;
pub mod pki;
pub mod ports;
pub mod running;
mod upstream;
mod users;
mod verbs;
mod witnesses;
mod world;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

pub use letters::Letters;
use patience::Patience;
pub use ports::Port;
pub use running::Running;
pub use upstream::Chain;
pub use users::User;
pub use verbs::Refused;
pub use world::{Premises, Who, World, WorldError};

use crate::{
    case::Setup,
    client::{Client, Request, everyday::Everyday},
    proxy::{config::Credentials, log::LogLine, process::CheckOutcome, vitals::Vitals},
    server::{Script, Secrecy, Server},
    verdict::{Finding, Outcome},
    wire::{Generator, Leg, Transcript},
};

/// One case's access to the world: servers, clients, the proxy and its log.
#[derive(Debug)]
pub struct Lab {
    world: Arc<World>,
    running: Arc<Running>,
    transcript: Transcript,
    /// What makes this case's random bytes its own, and repeatable.
    seed: u64,
    nonces: AtomicU64,
    /// What was noted for the reader of a report.
    notes: Mutex<Vec<String>>,
    servers: Mutex<Vec<Arc<Server>>>,
    /// Ports go back when the servers on them are gone: fields are dropped in order.
    ports: Mutex<Vec<Port>>,
}

/// The field by which a control tunnel is known.
const CONTROL: &str = "User-Agent: connectspec-control";

impl Lab {
    /// A lab for the case `id`.
    pub(crate) fn open(world: &Arc<World>, running: &Arc<Running>, id: &str) -> Self {
        let digest = blake3::hash(format!("{} {id}", world.seed).as_bytes());
        let first: [u8; 8] = digest.as_bytes()[..8].try_into().unwrap_or_default();
        Self {
            world: Arc::clone(world),
            running: Arc::clone(running),
            transcript: Transcript::begin(),
            seed: u64::from_le_bytes(first),
            nonces: AtomicU64::new(0),
            notes: Mutex::default(),
            servers: Mutex::default(),
            ports: Mutex::default(),
        }
    }

    /// For the `time`th repetition of a case, from 0: what it is found by in the log is not what an earlier one was.
    pub(crate) fn for_the(self, time: u32) -> Self {
        let nonces = AtomicU64::new(u64::from(time) << NONCES_BITS);
        Self { nonces, ..self }
    }

    /// A server on a port that the proxy allows; every connection to it follows `script`.
    pub async fn server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.allowed_port()?;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A server on a port that the proxy does not allow.
    pub async fn denied_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.denied_port()?;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A server on a certain port of a set-up that names ports by letters; see [`Lab::port`].
    pub async fn server_at(&self, port: u16, script: Script) -> Outcome<Arc<Server>> {
        if !self.running.letters().contains(port) {
            let reason = format!("{port} is not among the ports that letters stand for");
            return Err(Finding::harness(reason));
        }
        let port = self.world.ports.take(port);
        self.wait_until_free(&port).await;
        self.serve(port, &script, &Secrecy::Plain, Placed::One)
    }

    /// A listener that was closed while another thread started a program stays open in that program's process, until it
    /// runs. There is no event to wait for, and it takes a moment only.
    async fn wait_until_free(&self, port: &Port) {
        let deadline = std::time::Instant::now() + self.world.patience.dial();
        while !port.is_free() && std::time::Instant::now() < deadline {
            patience::pass(self.world.patience.pace()).await;
        }
    }

    /// A server that speaks TLS, with a certificate for its address and for `localhost`.
    pub async fn tls_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let identity = self.world.identity()?;
        let port = self.allowed_port()?;
        self.serve(
            port,
            &script,
            &Secrecy::Tls(self.transcript.server_config(&identity.config)),
            Placed::One,
        )
    }

    /// A server that listens on both loopback addresses, for targets by name or by IPv6 address; where the machine has
    /// only one, on that.
    pub async fn dual_server(&self, script: Script) -> Outcome<Arc<Server>> {
        let port = self.allowed_port()?;
        self.serve(port, &script, &Secrecy::Plain, Placed::Both)
    }

    /// A port that the proxy allows and that refuses connections. It does so until the case is over.
    pub async fn refusing_port(&self) -> Outcome<u16> {
        let port = self.allowed_port()?;
        let number = port.number();
        self.still_refuses(number).await?;
        lock(&self.ports).push(port);
        Ok(number)
    }

    /// A port that the proxy does not allow, and where nobody listens. It stays so until the case is over.
    pub async fn closed_denied_port(&self) -> Outcome<u16> {
        let port = self.denied_port()?;
        let number = port.number();
        self.still_refuses(number).await?;
        lock(&self.ports).push(port);
        Ok(number)
    }

    /// Asks a refusing port itself: something that accepts on behalf of others would make every proxy look wrong.
    pub async fn still_refuses(&self, port: u16) -> Outcome {
        match tokio::net::TcpStream::connect((self.world.bind, port)).await {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(()),
            _ => Err(Finding::absent(
                "on this machine, closed ports do not refuse",
            )),
        }
    }

    /// The port that a letter of the set-up's allow list stands for.
    pub fn port(&self, letter: char) -> Outcome<u16> {
        let port = self.running.letters().port(letter);
        port.ok_or_else(|| Finding::harness(format!("`{letter}` stands for no port")))
    }

    /// The first port of an allow list with letters, if it is one that a letter stands for.
    pub(crate) fn first_port(&self, list: &str) -> Outcome<Option<u16>> {
        let letters = self.running.letters();
        let ranges = letters.list(list)?;
        let first = ranges.first().map(|range| range.first);
        Ok(first.filter(|&port| letters.contains(port)))
    }

    /// The host name or address by which the proxy reaches the servers.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.world.host
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn proxy(&self) -> SocketAddr {
        self.running.address()
    }

    /// A client of the proxy, with credentials where the set-up asks for them.
    #[must_use]
    pub fn client(&self) -> Client {
        let mut client = self.anonymous_client();
        client.fields.extend(self.running.authorization());
        client
    }

    /// The client of the control tunnels. It says who it is: a reader of the subject's log can tell them from the
    /// cases, and a proxy that is wrong on purpose can let them pass, so that its fault meets a case and not the door.
    #[must_use]
    pub(crate) fn control_client(&self) -> Client {
        let mut client = self.client();
        client.fields.push(CONTROL.to_owned());
        client
    }

    /// A client without credentials.
    #[must_use]
    pub fn anonymous_client(&self) -> Client {
        Client {
            proxy: self.running.address(),
            source: None,
            transcript: self.transcript.clone(),
            patience: self.world.patience,
            tls: self
                .running
                .tls(&self.world)
                .map(|(config, name)| (self.transcript.client_config(&config), name)),
            fields: Vec::new(),
        }
    }

    /// A client of the second port of the proxy, where the set-up lets it listen on one.
    pub fn client_of_second_port(&self) -> Outcome<Client> {
        let mut client = self.client();
        let port = self.running.second_port();
        let port = port.ok_or_else(|| Finding::absent("the proxy was already running"))?;
        client.proxy.set_port(port);
        Ok(client)
    }

    /// A client without credentials, at an address of the loopback network that no other case uses: proxies may remember
    /// who asked.
    #[must_use]
    pub fn client_of_its_own(&self) -> Client {
        let client = self.anonymous_client();
        if !client.proxy.ip().is_loopback() || client.proxy.is_ipv6() {
            // There is no other address from which it could be reached.
            return client;
        }
        let [one, two, ..] = self.seed.to_le_bytes();
        client.from(IpAddr::from([127, 1 + one % 250, two, 2]))
    }

    /// A right CONNECT request for `server`.
    #[must_use]
    pub fn request(&self, server: &Server) -> Request {
        self.client().request(server.authority())
    }

    /// What most programs put through a proxy: an HTTP client that trusts the servers' authority.
    pub async fn everyday_client(&self) -> Outcome<Everyday> {
        let credentials = self.running.credentials();
        let credentials =
            credentials.map(|known| (known.username.as_str(), known.password.as_str()));
        let tls = self.world.pki.client();
        let tls = tls.map_err(|error| Finding::harness(error.to_string()))?;
        Everyday::new(
            self.running.address(),
            &self.transcript.client_config(&tls),
            credentials,
            self.transcript.clone(),
            self.world.patience.reply(),
        )
        .await
    }

    /// TLS to `name` over the client's end of a tunnel.
    pub async fn tls_over(
        &self,
        end: crate::tunnel::End,
        name: &str,
    ) -> Outcome<crate::tunnel::End> {
        let config = self
            .world
            .pki
            .client()
            .map_err(|error| Finding::harness(error.to_string()))?;
        end.secured(self.transcript.client_config(&config), name)
            .await
    }

    /// The certificate that TLS servers of this run show, in DER.
    pub fn certificate(&self) -> Outcome<Vec<u8>> {
        Ok(self.world.identity()?.certificate.clone())
    }

    /// The credentials that the proxy knows.
    pub fn credentials(&self) -> Outcome<&Credentials> {
        self.running
            .credentials()
            .ok_or_else(|| Finding::harness("the set-up has no credentials"))
    }

    /// The credentials of `user`, whom the proxy knows, if its configuration can express such a user.
    pub fn user(&self, user: User) -> Outcome<&Credentials> {
        let wanted = user.credentials(self.world.seed);
        let known = match user {
            User::Ordinary => return self.credentials(),
            _ => self
                .running
                .more_users()
                .iter()
                .find(|known| **known == wanted),
        };
        known.ok_or_else(|| Finding::absent("the proxy knows no such user"))
    }

    /// A user for wrong passwords: one whose right password is never given, or where the proxy knows but one, that one.
    pub fn mistaken_user(&self) -> Outcome<&Credentials> {
        self.user(User::Sleeper).or_else(|_| self.credentials())
    }

    /// Everything that the proxy has written so far, access log, error log and output: the place, and the text.
    pub fn writings(&self) -> Outcome<Vec<(String, String)>> {
        self.running.writings()
    }

    /// Waits for the line of the access log that contains `needle`.
    pub async fn log_line(&self, needle: &str) -> Outcome<LogLine> {
        let running = Arc::clone(&self.running);
        let (needle, patience) = (needle.to_owned(), self.world.patience.log());
        let line = tokio::task::spawn_blocking(move || running.log_line(&needle, patience)).await;
        line.map_err(|error| Finding::harness(error.to_string()))?
    }

    /// The lines of the access log that contain `needle`, as of now.
    pub fn log_lines(&self, needle: &str) -> Outcome<Vec<LogLine>> {
        self.running.log_lines(needle)
    }

    /// Waits for a line of the error log that contains `needle`. A violation where none comes: a case asks only where
    /// the set-up says what is logged.
    pub async fn error_line(&self, needle: &str) -> Outcome<String> {
        let running = Arc::clone(&self.running);
        let (needle, patience) = (needle.to_owned(), self.world.patience.log());
        let line = tokio::task::spawn_blocking(move || running.error_line(&needle, patience)).await;
        line.map_err(|error| Finding::harness(error.to_string()))?
    }

    /// The lines of the error log, as of now.
    pub fn error_lines(&self) -> Outcome<Vec<String>> {
        self.running.error_lines()
    }

    /// Open files, threads, memory and processor time of the proxy.
    pub fn vitals(&self) -> Outcome<Vitals> {
        self.running.vitals()
    }

    /// Has the proxy check a configuration for `setup`, without serving.
    pub async fn check_configuration(&self, setup: &Setup) -> Outcome<CheckOutcome> {
        let (world, running) = (Arc::clone(&self.world), Arc::clone(&self.running));
        let setup = setup.clone();
        tokio::task::spawn_blocking(move || running.check(&world, &setup))
            .await
            .map_err(|error| Finding::harness(error.to_string()))?
    }

    /// Another process of the same proxy, configured to `setup`, for this case alone.
    pub async fn relaunched(&self, setup: &Setup) -> Outcome<Self> {
        let (world, running) = (Arc::clone(&self.world), Arc::clone(&self.running));
        let setup = setup.clone();
        let again = tokio::task::spawn_blocking(move || running.again(&world, &setup))
            .await
            .map_err(|error| Finding::harness(error.to_string()))??;
        self.transcript.serves(again.serve());
        Ok(Self {
            world: Arc::clone(&self.world),
            running: Arc::new(again),
            transcript: self.transcript.clone(),
            seed: self.seed,
            nonces: AtomicU64::new(self.nonces.load(Ordering::Relaxed) + (1 << 32)),
            notes: Mutex::default(),
            servers: Mutex::default(),
            ports: Mutex::default(),
        })
    }

    /// Asks the process of a relaunched proxy to end, as its profile says, and hands control back at once.
    pub fn begins_to_stop(&self) -> Outcome {
        self.running.launched()?.begin_to_stop();
        Ok(())
    }

    /// Leaves a relaunched proxy room for only so many files beside those that it has open.
    pub fn leaves_spare_files(&self, spare: usize) -> Outcome {
        let limited = self.running.launched()?.leave_spare_files(spare);
        limited.map_err(|error| Finding::absent(format!("could not limit its files: {error}")))
    }

    /// Says something to the reader of the report: what was seen where several things are right.
    pub fn note(&self, what: impl Into<String>) {
        let (what, mut notes) = (what.into(), lock(&self.notes));
        if !notes.contains(&what) && notes.len() < NOTES_LIMIT {
            notes.push(what);
        }
    }

    /// Random bytes in readable form that appear nowhere else.
    #[must_use]
    pub fn nonce(&self) -> String {
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        format!(
            "nonce-{:016x}",
            Generator::new(self.seed.wrapping_add(number)).word()
        )
    }

    /// A seed for this case's own random choices, the same in every run with the same seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many times a property is tried.
    #[must_use]
    pub fn property_tries(&self) -> u32 {
        self.world.property_tries
    }

    /// How long to wait for what.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.world.patience
    }

    /// What happened on the wire so far.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What was noted.
    pub(crate) fn notes(&self) -> Vec<String> {
        lock(&self.notes).clone()
    }

    /// A harness finding if a server of this case panicked.
    pub(crate) fn servers_are_sound(&self) -> Outcome {
        for server in lock(&self.servers).iter() {
            for visit in server.visits() {
                if let Some(Err(finding @ Finding::Harness { .. })) = visit.played {
                    return Err(finding);
                }
            }
        }
        Ok(())
    }

    fn allowed_port(&self) -> Outcome<Port> {
        let port = self.world.ports.take_allowed();
        port.ok_or_else(|| Finding::harness("all allowed ports are in use"))
    }

    fn denied_port(&self) -> Outcome<Port> {
        let port = self.world.ports.take_denied();
        port.ok_or_else(|| {
            if self.world.ports.denies() {
                Finding::harness("all denied ports are in use")
            } else {
                Finding::absent("it allows every port that a server here could have")
            }
        })
    }

    fn serve(
        &self,
        port: Port,
        script: &Script,
        secrecy: &Secrecy,
        placed: Placed,
    ) -> Outcome<Arc<Server>> {
        let number = port.number();
        let failed = |error: std::io::Error| {
            Finding::harness(format!("could not listen on port {number}: {error}"))
        };
        let mut listeners = vec![port.listen().map_err(failed)?];
        if placed == Placed::Both {
            // A machine without the other family has names for one address only.
            let twin = port.listen_also_on(ports::twin(self.world.bind));
            listeners.extend(twin.ok());
        }
        let host = self.world.host.clone();
        let leg = match placed {
            Placed::Upstream => Leg::Upstream,
            Placed::One | Placed::Both => Leg::Server,
        };
        let (transcript, patience) = (&self.transcript, self.world.patience);
        let server = Arc::new(Server::serve(
            host, listeners, script, secrecy, transcript, leg, patience,
        )?);
        self.transcript.listens(server.address());
        lock(&self.servers).push(Arc::clone(&server));
        lock(&self.ports).push(port);
        Ok(server)
    }
}

/// Where a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    /// At the usual address.
    One,
    /// At both loopback addresses.
    Both,
    /// In front of servers, as the upstream proxy.
    Upstream,
}

/// Room for the nonces of one repetition: more than any case takes, those of its relaunched proxies included.
const NONCES_BITS: u32 = 34;

/// A case that notes more than this says nothing to anybody.
const NOTES_LIMIT: usize = 12;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
