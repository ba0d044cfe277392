//! The subject in one set-up, running.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    lab::{Port, World, stopping::Stopping},
    protocol::{HttpVersion, Listener},
    setup::{PortPlaceholders, Setup},
    subject::{
        Who,
        configuration::{Configuration, Credentials},
        log::{LogLine, LogReader, Sought},
        process::{CheckOutcome, LaunchError, Subject, vitals::Vitals},
        profile::Profile,
    },
    verdict::{Finding, Outcome},
};

/// A subject that is running in the set-up of some cases.
#[derive(Debug)]
pub struct Running {
    who: Arc<Who>,
    address: SocketAddr,
    credentials: Option<Credentials>,
    second_port: Option<u16>,
    /// Others that it lets in.
    more_users: Vec<Credentials>,
    pub(super) listener: Listener,
    /// The version of HTTP in which it asks an upstream proxy.
    pub(super) upstream_version: HttpVersion,
    placeholders: PortPlaceholders,
    /// The words of `profile serve` that bring it into this set-up.
    serve: Option<String>,
    process: Option<Subject>,
    /// Whether it leads to addresses that servers have for themselves, once that was tried.
    pub(super) leads_anywhere: tokio::sync::OnceCell<bool>,
    /// Whether what its cases still wait for tells nothing: it has died.
    called_off: watch::Sender<bool>,
    /// Given back once the process is gone: fields are dropped in order.
    ports: Vec<Port>,
    /// Where it is stopped, if a case has it for itself.
    stopping: Option<Arc<Stopping>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stopping) = self.stopping.take() {
            // The ports after the process, again.
            stopping.takes((self.process.take(), std::mem::take(&mut self.ports)));
        }
    }
}

/// Why a subject is not running.
#[derive(Debug)]
pub enum NotRunning {
    /// It could not be launched.
    Launch(LaunchError),
    /// The harness could not write down what it wants.
    Harness(Finding),
}

impl NotRunning {
    /// Whether it has ended by itself: it does not want to serve so. One that is only slow has not said that.
    pub(super) const fn is_a_refusal(&self) -> bool {
        matches!(self, Self::Launch(LaunchError::ExitedAtOnce { .. }))
    }

    pub(super) fn finding(self) -> Finding {
        match self {
            Self::Launch(error) => Finding::setup(error.to_string()),
            Self::Harness(finding) => finding,
        }
    }
}

impl std::fmt::Display for NotRunning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Launch(error) => error.fmt(f),
            Self::Harness(finding) => finding.fmt(f),
        }
    }
}

/// What is said of an access log of which nothing can be read.
pub const NOT_UNDERSTOOD: &str = "the pattern of the access log matches none of its lines ([access-log] in the profile, or \
    --log-pattern), such as";

/// For what has become of a process that is ending: the kernel has no more to do than to take it down.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

impl Running {
    /// Launches `who` in `setup`; a proxy that runs already is taken as it is.
    ///
    /// # Errors
    /// Where it cannot be configured, or does not start.
    pub fn start(
        world: &World,
        who: &Arc<Who>,
        setup: &Setup,
        placeholders: PortPlaceholders,
    ) -> Result<Self, NotRunning> {
        match &**who {
            Who::Remote(remote) => Ok(Self {
                who: Arc::clone(who),
                address: remote.address,
                credentials: remote.credentials.clone(),
                second_port: None,
                more_users: Vec::new(),
                listener: remote.reached(setup.listener),
                upstream_version: setup.upstream_version,
                placeholders,
                serve: None,
                process: None,
                leads_anywhere: tokio::sync::OnceCell::new(),
                called_off: watch::Sender::default(),
                ports: Vec::new(),
                stopping: None,
            }),
            Who::Profile(profile) => {
                let configured = world.configuration(profile, setup, placeholders);
                let configured = configured.map_err(NotRunning::Harness)?;
                Self::launch(world, who, profile, setup, placeholders, configured)
            }
        }
    }

    fn launch(
        world: &World,
        who: &Arc<Who>,
        profile: &Profile,
        setup: &Setup,
        placeholders: PortPlaceholders,
        (configuration, ports): (Configuration, Vec<Port>),
    ) -> Result<Self, NotRunning> {
        let subject = Subject::launch_until(profile, &configuration, &world.stop)
            .map_err(NotRunning::Launch)?;
        Ok(Self {
            who: Arc::clone(who),
            address: subject.address(),
            more_users: configuration
                .users(profile.offers.passwords)
                .skip(1)
                .cloned()
                .collect(),
            serve: Some(configuration.to_string()),
            credentials: configuration.credentials,
            second_port: configuration.spare_ports.first().copied(),
            listener: setup.listener,
            upstream_version: setup.upstream_version,
            placeholders,
            process: Some(subject),
            leads_anywhere: tokio::sync::OnceCell::new(),
            called_off: watch::Sender::default(),
            ports,
            stopping: None,
        })
    }

    /// The words of `connectspec profile serve` that bring it into this set-up.
    pub(crate) fn serve(&self) -> Option<String> {
        self.serve.clone()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first of its spare ports.
    pub(crate) const fn second_port(&self) -> Option<u16> {
        self.second_port
    }

    /// The path at which it is the gateway to a WebSocket server.
    pub(crate) fn websocket_path(&self) -> Option<&str> {
        match &*self.who {
            Who::Profile(profile) => profile.offers.websocket.as_deref(),
            Who::Remote(_) => None,
        }
    }

    /// What the placeholders of its set-up stand for.
    pub(crate) const fn placeholders(&self) -> PortPlaceholders {
        self.placeholders
    }

    /// Its process, if the harness launched it.
    #[must_use]
    pub const fn process(&self) -> Option<&Subject> {
        self.process.as_ref()
    }

    /// How it ended, for a reader, if it did.
    #[must_use]
    pub fn death(&self) -> Option<String> {
        let process = self.process.as_ref()?;
        if process.is_alive() {
            return None;
        }
        // What its sockets show already, its parent learns a moment later.
        let status = process.wait(KNOWN_WITHIN)?;
        Some(match process.has_lost_its_guard() {
            true => {
                "somebody killed the process that guards it, and it went down with that".to_owned()
            }
            false => status.to_string(),
        })
    }

    /// Calls the cases off that still wait for something: it has died, and what some of them wait for has nothing to do with it.
    pub(crate) fn call_off(&self) {
        self.called_off.send_replace(true);
    }

    /// Waits until its cases are called off.
    pub(crate) async fn is_called_off(&self) {
        // The sender is this process's own.
        let _ = self.called_off.subscribe().wait_for(|off| *off).await;
    }

    /// The credentials that it asks for.
    pub(crate) const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The others whom it lets in.
    pub(crate) fn more_users(&self) -> &[Credentials] {
        &self.more_users
    }

    /// The field that carries them.
    pub(crate) fn authorization(&self) -> Option<String> {
        let known = self.credentials.as_ref()?;
        Some(format!("Proxy-Authorization: {}", known.basic()))
    }

    /// How to reach it over TLS, if that is how it is reached.
    pub(crate) fn tls(&self, world: &World) -> Option<(Arc<rustls::ClientConfig>, String)> {
        match (&*self.who, self.listener.is_tls()) {
            (_, false) => None,
            (Who::Remote(remote), true) => {
                let tls = remote.tls.as_ref()?;
                Some((Arc::clone(&tls.config), tls.name.clone()))
            }
            (Who::Profile(_), true) => {
                Some((world.pki.client().ok()?, self.address.ip().to_string()))
            }
        }
    }

    /// Whether its clients speak HTTP/2 to it.
    pub(crate) fn speaks_http2(&self) -> bool {
        self.listener.version() != HttpVersion::Http1
    }

    /// `setup` for another process of it, which is reached in the same way: a case over TLS or HTTP/2 stays over that.
    fn as_reached(&self, setup: &Setup) -> Setup {
        Setup {
            listener: match self.listener {
                Listener::Tcp => setup.listener,
                other => other,
            },
            ..setup.clone()
        }
    }

    /// What no report may show.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.credentials
            .iter()
            .chain(&self.more_users)
            .flat_map(Credentials::secrets)
            .filter(|secret| !secret.is_empty())
            .collect()
    }

    fn log(&self) -> Outcome<&LogReader> {
        let log = match &*self.who {
            Who::Remote(remote) => remote.access_log.as_ref(),
            Who::Profile(_) => self.process.as_ref().and_then(Subject::access_log),
        };
        log.ok_or_else(|| Finding::absent("there is no access log"))
    }

    /// How many lines the access log has so far.
    pub(crate) fn log_count(&self) -> u64 {
        self.log().map(LogReader::count).unwrap_or_default()
    }

    /// Waits for a line of the access log. Blocks.
    pub(crate) fn log_line(&self, sought: &Sought, patience: Duration) -> Outcome<LogLine> {
        let log = self.log()?;
        let line = log.wait_for_line_of(sought, patience);
        let line = line.ok_or_else(|| {
            let needle = &sought.needle;
            let target = sought
                .asked
                .as_ref()
                .map(|asked| format!(" or {}", asked.target));
            Finding::inconclusive(format!(
                "no line of the log has {needle}{} within {patience:?}",
                target.unwrap_or_default()
            ))
        })?;
        // A pattern that never matches is a mistake of the profile, and says nothing of the proxy.
        if line.is_understood || log.find(|other| other.is_understood).is_some() {
            return Ok(line);
        }
        Err(Finding::absent(format!("{NOT_UNDERSTOOD}: {}", line.text)))
    }

    /// The lines of the access log that are what is sought.
    pub(crate) fn log_lines(&self, sought: &Sought) -> Outcome<Vec<LogLine>> {
        Ok(self.log()?.lines_of(sought))
    }

    /// Waits for a line of the error log that contains `needle`. Blocks.
    pub(crate) fn error_line(&self, needle: &str, patience: Duration) -> Outcome<String> {
        let line = self.launched()?.error_log().wait_for(needle, patience);
        line.map(|line| line.text).ok_or_else(|| {
            Finding::violation(
                format!("a line of the error log with {needle}"),
                format!("none within {patience:?}"),
            )
        })
    }

    /// The lines of the error log.
    pub(crate) fn error_lines(&self) -> Outcome<Vec<String>> {
        let lines = self.launched()?.error_log().lines();
        Ok(lines.into_iter().map(|line| line.text).collect())
    }

    /// All that it has written so far: the place, and the text.
    pub(crate) fn writings(&self) -> Outcome<Vec<(String, String)>> {
        if let Some(process) = &self.process {
            return Ok(process.writings());
        }
        let lines = self.log()?.lines().into_iter().map(|line| line.text + "\n");
        Ok(vec![("the access log".to_owned(), lines.collect())])
    }

    /// Its process, where a case cannot do without.
    pub(crate) fn launched(&self) -> Outcome<&Subject> {
        let process = self.process.as_ref();
        process.ok_or_else(|| Finding::absent("the harness did not launch the proxy"))
    }

    pub(crate) fn vitals(&self) -> Outcome<Vitals> {
        Ok(self.launched()?.vitals())
    }

    pub(crate) fn check(&self, world: &World, setup: &Setup) -> Outcome<CheckOutcome> {
        let Who::Profile(profile) = &*self.who else {
            return Err(Finding::absent("the harness did not launch the proxy"));
        };
        let setup = self.as_reached(setup);
        let (configuration, _ports) = world.configuration(profile, &setup, self.placeholders)?;
        let checked = Subject::check_until(profile, &configuration, &world.stop);
        checked.map_err(|error| Finding::setup(error.to_string()))
    }

    /// Stops it, and starts it again on the ports that it had. Blocks.
    pub(crate) fn in_its_place(mut self, world: &World, setup: &Setup) -> Result<Self, NotRunning> {
        let setup = self.as_reached(setup);
        let (who, placeholders) = (Arc::clone(&self.who), self.placeholders);
        let Who::Profile(profile) = &*who else {
            let reason = "the harness did not launch the proxy";
            return Err(NotRunning::Harness(Finding::absent(reason)));
        };
        drop(self.process.take());
        let ports = std::mem::take(&mut self.ports);
        let configured = world.configuration_on(profile, &setup, placeholders, ports);
        let configured = configured.map_err(NotRunning::Harness)?;
        let again = Self::launch(world, &who, profile, &setup, placeholders, configured)?;
        Ok(again.stopped_at(self.stopping.take()))
    }

    /// Another process of it, for a case alone.
    pub(super) fn again(
        &self,
        world: &World,
        setup: &Setup,
        stopping: Arc<Stopping>,
    ) -> Result<Self, NotRunning> {
        let setup = self.as_reached(setup);
        let again = Self::start(world, &self.who, &setup, self.placeholders)?;
        Ok(again.stopped_at(Some(stopping)))
    }

    fn stopped_at(mut self, stopping: Option<Arc<Stopping>>) -> Self {
        self.stopping = stopping;
        self
    }
}
