//! The tasks that accept, one for each listening socket.

use crate::log::error::Level;
use crate::net::listen;
use crate::proxy::Proxy;
use crate::session::{self, Service};
use crate::sessions::{FULL, Seat, Sessions};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long accepting pauses when the system has no descriptor or memory left.
const PAUSE: Duration = Duration::from_millis(100);
/// Who accepts, and by which configuration.
pub(super) struct Accepting {
    pub(super) current: watch::Sender<Arc<Proxy>>,
    pub(super) sessions: Arc<Sessions>,
    tasks: HashMap<SocketAddr, (SocketAddr, JoinHandle<()>)>,
}

impl Accepting {
    pub(super) fn new(proxy: Proxy, sessions: Arc<Sessions>) -> Self {
        let (current, _) = watch::channel(Arc::new(proxy));
        Self {
            current,
            sessions,
            tasks: HashMap::new(),
        }
    }

    pub(super) fn start(
        &mut self,
        configured: SocketAddr,
        listener: std::net::TcpListener,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let task = tokio::spawn(accept(
            listener,
            self.current.subscribe(),
            Arc::clone(&self.sessions),
        ));
        self.tasks.insert(configured, (address, task));
        Ok(())
    }

    pub(super) fn note(&self, level: Level, text: &str) {
        self.current
            .borrow()
            .error_log(None)
            .write(level, None, text);
    }

    pub(super) fn addresses(&self) -> String {
        let mut addresses: Vec<String> = self
            .tasks
            .values()
            .map(|(address, _)| address.to_string())
            .collect();
        addresses.sort();
        addresses.join(" ")
    }

    /// Serves new connections by `proxy`; those that stand keep what they have. Either all of it is taken
    /// over or nothing.
    pub(super) fn switch(&mut self, mut proxy: Proxy) -> io::Result<()> {
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
            opened.push((address, listen::bind(address, proxy.config.buffers)?));
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

    pub(super) fn stop(&mut self) {
        self.tasks.drain().for_each(|(_, (_, task))| task.abort());
    }
}

async fn accept(
    listener: TcpListener,
    current: watch::Receiver<Arc<Proxy>>,
    sessions: Arc<Sessions>,
) {
    loop {
        match listener.accept().await {
            Ok((client, peer)) => {
                // Only now: a socket at which nobody arrives must not keep a place. At the limit one client waits here, and
                // the others in the backlog.
                let full = || {
                    let proxy = current.borrow();
                    proxy.tell(&proxy.shared.shortages.places, FULL);
                };
                let Some(place) = sessions.place(full).await else {
                    return;
                };
                let proxy = Arc::clone(&current.borrow());
                let service = Service {
                    current: current.clone(),
                    sessions: Arc::clone(&sessions),
                };
                sessions.spawn(place, |seat| serve(client, peer, proxy, service, seat));
            }
            Err(error) if is_about_the_client(&error) => {}
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing announces that a descriptor is free again"
            )]
            Err(error) => {
                {
                    let proxy = current.borrow();
                    let text = format!("nobody can be let in for now: {error}");
                    proxy.tell(&proxy.shared.shortages.descriptors, &text);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(
    client: TcpStream,
    peer: SocketAddr,
    proxy: Arc<Proxy>,
    service: Service,
    seat: Seat,
) {
    let _ = client.set_nodelay(true);
    if let Ok(local) = client.local_addr() {
        session::serve(client, peer, local, proxy, service).await;
    }
    drop(seat);
}

fn is_about_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}
