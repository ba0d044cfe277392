//! Everything that one case may touch.
//!
//! A case opens no socket of its own. What it gets here is written down on its transcript, has a deadline, and is
//! gone when the case is over.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    lab::{Port, Running, World, running_subject::NotRunning, stopping::Stopping},
    patience::Patience,
    server::Server,
    setup::Setup,
    subject::{
        User,
        configuration::Credentials,
        process::{CheckOutcome, vitals::Vitals},
    },
    tunnel::End,
    verdict::{Finding, Outcome},
    wire::{Generator, Transcript},
};

/// One case's access to the world: servers, clients, the proxy and its log.
#[derive(Debug)]
pub struct Lab {
    pub(super) world: Arc<World>,
    pub(super) running: Arc<Running>,
    pub(super) transcript: Transcript,
    /// What makes this case's random bytes its own, and repeatable.
    pub(super) seed: u64,
    pub(super) nonces: AtomicU64,
    /// What was noted for the reader of a report.
    pub(super) notes: Mutex<Vec<String>>,
    /// How many lines the access log had before.
    pub(super) logged_before: u64,
    pub(super) servers: Mutex<Vec<Arc<Server>>>,
    /// Connections that a proxy made beside the one that it uses: nobody ends them before the case does.
    pub(super) spare: Mutex<Vec<End>>,
    /// Ports go back when the servers on them are gone: fields are dropped in order.
    pub(super) ports: Mutex<Vec<Port>>,
    /// Processes that the case had for itself.
    stopping: Arc<Stopping>,
}

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
            logged_before: running.log_count(),
            servers: Mutex::default(),
            spare: Mutex::default(),
            ports: Mutex::default(),
            stopping: Arc::default(),
        }
    }

    /// For the `time`th repetition of a case, from 0: what it is found by in the log is not what an earlier one was.
    pub(crate) fn for_the(self, time: u32) -> Self {
        let nonces = AtomicU64::new(u64::from(time) << NONCES_BITS);
        Self { nonces, ..self }
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

    /// The certificate that TLS servers of this run show, in DER.
    ///
    /// # Errors
    /// The harness's, where it cannot be made.
    pub fn certificate(&self) -> Outcome<Vec<u8>> {
        Ok(self.world.identity()?.certificate.clone())
    }

    /// The credentials that the proxy knows.
    ///
    /// # Errors
    /// The harness's, where the set-up has none.
    pub fn credentials(&self) -> Outcome<&Credentials> {
        self.running
            .credentials()
            .ok_or_else(|| Finding::harness("the set-up has no credentials"))
    }

    /// The credentials of `user`, whom the proxy knows, if its configuration can express such a user.
    ///
    /// # Errors
    /// Absent where the proxy knows no such user.
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
    ///
    /// # Errors
    /// The harness's, where the set-up has no credentials.
    pub fn mistaken_user(&self) -> Outcome<&Credentials> {
        self.user(User::Sleeper).or_else(|_| self.credentials())
    }

    /// A user whose password may be given in other forms than the right one. A password that somebody has given for a running
    /// proxy is not varied: what is nearly right would stand in its logs.
    ///
    /// # Errors
    /// Absent where the credentials were given.
    pub fn varied_user(&self) -> Outcome<&Credentials> {
        if self.running.process().is_none() {
            let reason = "credentials that were given are not varied";
            return Err(Finding::absent(reason));
        }
        self.mistaken_user()
    }

    /// Everything that the proxy has written so far, access log, error log and output: the place, and the text.
    ///
    /// # Errors
    /// Absent where the proxy was not launched.
    pub fn writings(&self) -> Outcome<Vec<(String, String)>> {
        self.running.writings()
    }

    /// Waits for a line of the error log that contains `needle`. A violation where none comes: a case asks only where
    /// the set-up says what is logged.
    ///
    /// # Errors
    /// A violation where it does not come; absent where the proxy was not launched.
    pub async fn error_line(&self, needle: &str) -> Outcome<String> {
        let running = Arc::clone(&self.running);
        let (needle, patience) = (needle.to_owned(), self.world.patience.log());
        let line = tokio::task::spawn_blocking(move || running.error_line(&needle, patience)).await;
        line.map_err(|error| Finding::harness(error.to_string()))?
    }

    /// The lines of the error log, as of now.
    ///
    /// # Errors
    /// Absent where the proxy was not launched.
    pub fn error_lines(&self) -> Outcome<Vec<String>> {
        self.running.error_lines()
    }

    /// Open files, threads, memory and processor time of the proxy.
    ///
    /// # Errors
    /// Absent where the proxy was not launched.
    pub fn vitals(&self) -> Outcome<Vitals> {
        self.running.vitals()
    }

    /// Has the proxy check a configuration for `setup`, without serving.
    ///
    /// # Errors
    /// The harness's, where the check cannot be run; absent where the proxy was not launched.
    pub async fn check_configuration(&self, setup: &Setup) -> Outcome<CheckOutcome> {
        let (world, running) = (Arc::clone(&self.world), Arc::clone(&self.running));
        let setup = setup.clone();
        tokio::task::spawn_blocking(move || running.check(&world, &setup))
            .await
            .map_err(|error| Finding::harness(error.to_string()))?
    }

    /// Another process of the same proxy, configured to `setup`, for this case alone.
    ///
    /// # Errors
    /// The set-up's, where it does not start; absent where the proxy was not launched.
    pub async fn relaunched(&self, setup: &Setup) -> Outcome<Self> {
        self.launched_again(setup)
            .await?
            .map_err(NotRunning::finding)
    }

    /// As [`Lab::relaunched`], for a set-up that a proxy may refuse: then what it said as it ended by itself. One that did not
    /// come to listen in time has refused nothing.
    ///
    /// # Errors
    /// As those of [`Lab::relaunched`], but for that refusal.
    pub async fn relaunched_if_it_will(&self, setup: &Setup) -> Outcome<Result<Self, String>> {
        match self.launched_again(setup).await? {
            Ok(lab) => Ok(Ok(lab)),
            Err(refusal) if refusal.is_a_refusal() => Ok(Err(refusal.to_string())),
            Err(other) => Err(other.finding()),
        }
    }

    /// As [`Lab::relaunched`], or `None` where the proxy was running already: it has but one process.
    ///
    /// # Errors
    /// The set-up's, where it does not start.
    pub async fn relaunched_where_launched(&self, setup: &Setup) -> Outcome<Option<Self>> {
        match self.running.process() {
            Some(_) => self.relaunched(setup).await.map(Some),
            None => Ok(None),
        }
    }

    async fn launched_again(&self, setup: &Setup) -> Outcome<Result<Self, NotRunning>> {
        let (world, running) = (Arc::clone(&self.world), Arc::clone(&self.running));
        let (setup, stopping) = (setup.clone(), Arc::clone(&self.stopping));
        let again = move || running.again(&world, &setup, stopping);
        let again = tokio::task::spawn_blocking(again).await;
        let again = match again.map_err(|error| Finding::harness(error.to_string()))? {
            Ok(again) => again,
            Err(error) => return Ok(Err(error)),
        };
        self.transcript.serves(again.serve());
        let logged_before = again.log_count();
        Ok(Ok(Self {
            world: Arc::clone(&self.world),
            running: Arc::new(again),
            transcript: self.transcript.clone(),
            seed: self.seed,
            nonces: AtomicU64::new(self.nonces.load(Ordering::Relaxed) + (1 << 32)),
            notes: Mutex::default(),
            logged_before,
            servers: Mutex::default(),
            spare: Mutex::default(),
            ports: Mutex::default(),
            stopping: Arc::clone(&self.stopping),
        }))
    }

    /// The process of a relaunched proxy once more, stopped and started again on the ports that it had; what it said where it
    /// does not come to listen there.
    ///
    /// # Errors
    /// The harness's, where it cannot be tried; absent where the proxy was not launched.
    pub async fn restarted(self, setup: &Setup) -> Outcome<Result<Self, String>> {
        let Self {
            world,
            running,
            transcript,
            seed,
            nonces,
            stopping,
            ..
        } = self;
        let running = Arc::try_unwrap(running)
            .map_err(|_| Finding::harness("the process is still in use elsewhere"))?;
        let (shared, setup) = (Arc::clone(&world), setup.clone());
        let again = tokio::task::spawn_blocking(move || running.in_its_place(&shared, &setup));
        let again = again
            .await
            .map_err(|error| Finding::harness(error.to_string()))?;
        let running = match again {
            Ok(running) => running,
            Err(NotRunning::Launch(error)) => return Ok(Err(error.to_string())),
            Err(other) => return Err(other.finding()),
        };
        let logged_before = running.log_count();
        Ok(Ok(Self {
            world,
            running: Arc::new(running),
            transcript,
            seed,
            nonces,
            notes: Mutex::default(),
            logged_before,
            servers: Mutex::default(),
            spare: Mutex::default(),
            ports: Mutex::default(),
            stopping,
        }))
    }

    /// Asks the process of a relaunched proxy to end, as its profile says, and hands control back at once.
    ///
    /// # Errors
    /// Absent where the proxy was not launched.
    pub fn begins_to_stop(&self) -> Outcome {
        self.running.launched()?.begin_to_stop();
        Ok(())
    }

    /// As [`Lab::begins_to_stop`], for a case about what the proxy makes of that.
    ///
    /// # Errors
    /// As those of [`Lab::begins_to_stop`]; absent where the profile has it killed, which leaves it no say.
    pub fn is_told_to_stop(&self) -> Outcome {
        if !self.running.launched()?.is_asked_to_stop() {
            let reason = "its profile has it killed, which leaves it no say";
            return Err(Finding::absent(reason));
        }
        self.begins_to_stop()
    }

    /// Leaves a relaunched proxy room for only so many files beside those that it has open.
    ///
    /// # Errors
    /// Absent where it was not launched, or the system refuses.
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

    /// Waits until the run is ended.
    pub(crate) async fn stopped(&self) {
        self.world.stop.asked().await;
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
}

/// Room for the nonces of one repetition: more than any case takes, those of its relaunched proxies included.
const NONCES_BITS: u32 = 34;

/// A case that notes more than this says nothing to anybody.
const NOTES_LIMIT: usize = 12;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
