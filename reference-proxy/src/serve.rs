//! The life of the process: accept, reload on SIGHUP, drain on SIGTERM.

mod accepting;
mod reloads;

pub use reloads::Read;

use crate::config::Config;
use crate::log::error::Level;
use crate::net::listen;
use crate::proxy::Proxy;
use crate::sessions::Sessions;
use accepting::Accepting;
use reloads::Reloads;
use rustix::process::Signal;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

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
        let open = config.listen.iter().map(|listen| {
            Ok((
                listen.address,
                listen::bind(listen.address, config.buffers)?,
            ))
        });
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

/// Serves until a signal ends it, and until every connection has handed over its access line. `read` reads the
/// configuration anew.
///
/// # Errors
///
/// The runtime cannot watch sockets or signals.
pub async fn run(mut proxy: Proxy, listeners: Listeners, read: Arc<Read>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // What `apachectl graceful` and `graceful-stop` send.
    let mut graceful = signal(SignalKind::user_defined1())?;
    let mut graceful_stop = signal(SignalKind::window_change())?;
    // Caught, so that a log at its size limit is an error of that log and not the end of the process.
    let _size_limit = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;

    let shared = Arc::clone(&proxy.shared);
    let (most, files) = (proxy.config.connections_most, shared.descriptors.tunnels());
    proxy.come_into_force();
    let mut reloads = Reloads::new(read, Arc::clone(&shared));
    let mut accepting = Accepting::new(proxy, Arc::new(Sessions::new(most, files)));
    for (configured, listener) in listeners.open {
        accepting.start(configured, listener)?;
    }
    accepting.note(
        Level::Notice,
        &format!("ready to serve on {}", accepting.addresses()),
    );
    let at_once = loop {
        let wanted = tokio::select! {
            _ = interrupt.recv() => break true,
            _ = terminate.recv() => break false,
            _ = graceful_stop.recv() => break false,
            _ = hangup.recv() => true,
            _ = graceful.recv() => true,
            outcome = reloads.done() => {
                take_over(&mut accepting, outcome);
                reloads.wanted_again()
            }
        };
        if wanted && let Err(error) = reloads.ask() {
            accepting.note(Level::Error, &format!("not reloaded: {error}"));
        }
    };
    accepting.stop();
    accepting.sessions.leave();
    let drain = accepting.current.borrow().config.drain;
    if !at_once {
        tokio::select! {
            _ = timeout(drain, accepting.sessions.ended()) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    accepting.sessions.end(&shared.sinks).await;
    Ok(())
}

fn take_over(accepting: &mut Accepting, outcome: Result<Proxy, String>) {
    let switched =
        outcome.and_then(|proxy| accepting.switch(proxy).map_err(|error| error.to_string()));
    match switched {
        Ok(()) => {
            let text = format!("reloaded; now on {}", accepting.addresses());
            accepting.note(Level::Notice, &text);
        }
        Err(error) => accepting.note(Level::Error, &format!("not reloaded: {error}")),
    }
}
