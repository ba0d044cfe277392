//! The life of the process: accept, reload on SIGHUP, drain on SIGTERM.

use crate::config::{Config, ConfigError};
use crate::log::error::Level;
use crate::net::listen;
use crate::proxy::Proxy;
use crate::session;
use rustix::process::Signal;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

/// How long accepting pauses when the system has no descriptor or memory left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listening sockets, opened while the process may still have the privilege to do so.
#[derive(Debug, Default)]
pub struct Listeners {
    /// By configured address.
    open: HashMap<SocketAddr, std::net::TcpListener>,
}

impl Listeners {
    /// Opens what `config` names.
    ///
    /// # Errors
    ///
    /// An address that cannot be had.
    pub fn open(config: &Config) -> io::Result<Self> {
        let open = config
            .listen
            .iter()
            .map(|listen| Ok((listen.address, listen::bind(listen.address)?)));
        open.collect::<io::Result<_>>().map(|open| Self { open })
    }

    /// The addresses that they have, as a peer would name them.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.open
            .values()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }
}

/// Serves until a signal ends it. `reload` reads the configuration anew.
///
/// # Errors
///
/// The runtime cannot watch sockets or signals.
pub async fn run(
    mut proxy: Proxy,
    listeners: Listeners,
    reload: impl Fn() -> Result<Config, ConfigError>,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // What `apachectl graceful` and `graceful-stop` send.
    let mut graceful = signal(SignalKind::user_defined1())?;
    let mut graceful_stop = signal(SignalKind::window_change())?;
    // Caught, so that a log at its size limit is an error of that log and not the end of the process.
    let _size_limit = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    proxy.come_into_force();
    let most = listen::connections_most(proxy.config.connections_most);
    let places = Arc::new(Semaphore::new(most));
    let (current, _) = watch::channel(Arc::new(proxy));
    let mut accepting = Accepting {
        current,
        places: Arc::clone(&places),
        tasks: HashMap::new(),
    };
    for (configured, listener) in listeners.open {
        accepting.start(configured, listener)?;
    }
    accepting.note(
        Level::Notice,
        &format!("ready to serve on {}", accepting.addresses()),
    );
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => break,
            _ = graceful_stop.recv() => break,
            _ = hangup.recv() => accepting.reload_and_say(&reload),
            _ = graceful.recv() => accepting.reload_and_say(&reload),
        }
    }
    accepting.stop();
    let drain = accepting.current.borrow().config.drain;
    // All places free means that every tunnel has ended.
    let every = u32::try_from(most).unwrap_or(u32::MAX);
    tokio::select! {
        _ = tokio::time::timeout(drain, places.acquire_many(every)) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The tasks that accept, one for each listening socket.
struct Accepting {
    current: watch::Sender<Arc<Proxy>>,
    places: Arc<Semaphore>,
    tasks: HashMap<SocketAddr, (SocketAddr, JoinHandle<()>)>,
}

impl Accepting {
    fn start(&mut self, configured: SocketAddr, listener: std::net::TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let task = tokio::spawn(accept(
            listener,
            self.current.subscribe(),
            Arc::clone(&self.places),
        ));
        self.tasks.insert(configured, (address, task));
        Ok(())
    }

    fn reload_and_say(&mut self, read: impl Fn() -> Result<Config, ConfigError>) {
        match self.reload(read) {
            Ok(()) => {
                let text = format!("reloaded; now on {}", self.addresses());
                self.note(Level::Notice, &text);
            }
            Err(error) => self.note(Level::Error, &format!("not reloaded: {error}")),
        }
    }

    fn reload(&mut self, read: impl Fn() -> Result<Config, ConfigError>) -> Result<(), String> {
        let config = read().map_err(|error| error.to_string())?;
        self.switch(config).map_err(|error| error.to_string())
    }

    fn note(&self, level: Level, text: &str) {
        self.current
            .borrow()
            .error_log(None)
            .write(level, None, text);
    }

    fn addresses(&self) -> String {
        let mut addresses: Vec<String> = self
            .tasks
            .values()
            .map(|(address, _)| address.to_string())
            .collect();
        addresses.sort();
        addresses.join(" ")
    }

    /// Serves new connections by `config`; those that stand keep what they have. Either all of it is taken
    /// over or nothing.
    fn switch(&mut self, config: Config) -> io::Result<()> {
        let shared = Arc::clone(&self.current.borrow().shared);
        let mut proxy = Proxy::new(config, shared)?;
        let configured: Vec<SocketAddr> = proxy
            .config
            .listen
            .iter()
            .map(|listen| listen.address)
            .collect();
        let mut opened = Vec::new();
        for &address in configured
            .iter()
            .filter(|address| !self.tasks.contains_key(address))
        {
            opened.push((address, listen::bind(address)?));
        }
        self.tasks.retain(|address, (_, task)| {
            let stays = configured.contains(address);
            if !stays {
                task.abort();
            }
            stays
        });
        let kept = self.tasks.values().map(|(address, _)| *address);
        let added = opened
            .iter()
            .filter_map(|(_, listener)| listener.local_addr().ok());
        proxy.listening = kept.chain(added).collect();
        proxy.come_into_force();
        self.current.send_replace(Arc::new(proxy));
        opened
            .into_iter()
            .try_for_each(|(address, listener)| self.start(address, listener))
    }

    fn stop(&mut self) {
        self.tasks.drain().for_each(|(_, (_, task))| task.abort());
    }
}

async fn accept(
    listener: TcpListener,
    current: watch::Receiver<Arc<Proxy>>,
    places: Arc<Semaphore>,
) {
    loop {
        // At the limit, clients wait in the backlog.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((client, peer)) => {
                let proxy = Arc::clone(&current.borrow());
                tokio::spawn(serve(client, peer, proxy, place));
            }
            Err(error) if is_about_the_client(&error) => {}
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing announces that a descriptor is free again"
            )]
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(
    client: TcpStream,
    peer: SocketAddr,
    proxy: Arc<Proxy>,
    place: OwnedSemaphorePermit,
) {
    let _ = client.set_nodelay(true);
    if let Ok(local) = client.local_addr() {
        session::serve(client, peer, local, proxy).await;
    }
    drop(place);
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}
