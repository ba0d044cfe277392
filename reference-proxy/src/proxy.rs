//! The running proxy: listeners, connections, and its end.

use crate::config::{Config, Server};
use crate::log::format::Format;
use crate::log::{Record, Sink, Sinks};
use crate::session;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// The length of the queue of connections that wait to be accepted; the kernel may cut it.
const BACKLOG: i32 = 4096;
/// Open files that are not connections: logs, listeners, the runtime, pipes of the relay.
const FILES_RESERVED: u64 = 256;
/// How long accepting pauses when the system has no descriptor or memory left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A configuration with its logs open.
#[derive(Debug)]
pub struct Proxy {
    /// What was configured.
    pub config: Config,
    access: Vec<Vec<(Arc<Sink>, Arc<Format>)>>,
    errors: Vec<Arc<Sink>>,
}

impl Proxy {
    /// Opens the logs.
    ///
    /// # Errors
    ///
    /// A log that cannot be opened.
    pub fn new(config: Config) -> io::Result<Self> {
        let (mut sinks, mut access, mut errors) = (Sinks::default(), Vec::new(), Vec::new());
        for server in config.servers() {
            let mut logs = Vec::new();
            for log in &server.logs {
                logs.push((sinks.open(&log.target)?, Arc::clone(&log.format)));
            }
            access.push(logs);
            errors.push(sinks.open(&server.error_log)?);
        }
        Ok(Self {
            config,
            access,
            errors,
        })
    }

    /// The access logs of `server`.
    #[must_use]
    pub fn logs(&self, server: &Server) -> &[(Arc<Sink>, Arc<Format>)] {
        self.access.get(server.index).map_or(&[], Vec::as_slice)
    }

    /// The end of `record` writes the access lines of `server`.
    pub fn log_to(&self, record: &mut Record, server: &Server) {
        record.server_name.clone_from(&server.name);
        record.server_index = server.index;
        record.log_to(self.logs(server));
    }

    /// The error log of the server that `record` belongs to.
    #[must_use]
    pub fn error_log(&self, record: &Record) -> &Sink {
        &self.errors[record.server_index]
    }
}

/// Listens and serves until a signal ends it.
///
/// # Errors
///
/// What could not be opened, bound or written at the start.
pub async fn run(proxy: Proxy) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let most = connections_most(proxy.config.connections_most);
    let places = Arc::new(Semaphore::new(most));
    let drain = proxy.config.drain;
    if let Some(path) = &proxy.config.pid_file {
        std::fs::write(path, format!("{}\n", std::process::id()))?;
    }
    let listeners = proxy
        .config
        .listen
        .iter()
        .map(|listen| bind(listen.address));
    let listeners = listeners.collect::<io::Result<Vec<_>>>()?;
    let proxy = Arc::new(proxy);
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, Arc::clone(&proxy), Arc::clone(&places)));
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {
            accepting.shutdown().await;
            let every = u32::try_from(most).unwrap_or(u32::MAX);
            // All places free means that every tunnel has ended.
            tokio::select! {
                _ = tokio::time::timeout(drain, places.acquire_many(every)) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    }
    Ok(())
}

/// How many connections may be open at once: what is configured, but never more than the open files carry,
/// two for each tunnel.
fn connections_most(configured: Option<usize>) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // No limit on files is no reason for none on connections.
    let files = files.unwrap_or(1 << 20).min(1 << 20);
    let carried = usize::try_from(files.saturating_sub(FILES_RESERVED) / 2)
        .unwrap_or(1)
        .max(1);
    configured.map_or(carried, |most| most.min(carried))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("could not bind to address {address}: {error}"),
        )
    };
    let open = |address: SocketAddr| -> io::Result<Socket> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let socket = match open(address) {
        // A machine without IPv6: every address means every IPv4 address.
        Err(error) if address.ip().is_unspecified() && error.kind() != io::ErrorKind::AddrInUse => {
            open(SocketAddr::new(
                IpAddr::from(Ipv4Addr::UNSPECIFIED),
                address.port(),
            ))
        }
        outcome => outcome,
    };
    TcpListener::from_std(socket.map_err(named)?.into())
}

async fn accept(listener: TcpListener, proxy: Arc<Proxy>, places: Arc<Semaphore>) {
    loop {
        // At the limit, clients wait in the backlog.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((client, peer)) => {
                tokio::spawn(serve(client, peer, Arc::clone(&proxy), place));
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
