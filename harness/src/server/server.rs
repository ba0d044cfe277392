//! The far side: servers beyond the proxy, played from scripts.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use crate::{
    patience::pass,
    server::{Script, Secrecy, Shared, Visit, acceptor},
    tunnel::{End, first_to_be_spoken_to},
    verdict::{Finding, Outcome},
    wire::{
        Way, What,
        payload::{count, quote},
    },
};

/// A server that is listening: every connection to it follows its script.
#[derive(Debug)]
pub struct Server {
    host: String,
    port: u16,
    /// Where it listens.
    address: SocketAddr,
    shared: Arc<Shared>,
    handed_over: tokio::sync::Mutex<mpsc::UnboundedReceiver<End>>,
    acceptors: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Server {
    /// Serves on `listeners`, which share one port; `shared` keeps what the connections bring.
    pub(crate) fn serve(
        host: String,
        listeners: Vec<TcpListener>,
        script: &Script,
        secrecy: &Secrecy,
        shared: Shared,
    ) -> Outcome<Self> {
        let address = listeners
            .first()
            .ok_or_else(|| Finding::harness("a server needs a listener"))?
            .local_addr()
            .map_err(|error| Finding::harness(format!("could not read an address: {error}")))?;
        let shared = Arc::new(shared);
        let (hand_over, handed_over) = mpsc::unbounded_channel();
        let acceptors = listeners
            .into_iter()
            .map(|listener| {
                let (script, secrecy) = (script.clone(), secrecy.clone());
                let (shared, hand_over) = (Arc::clone(&shared), hand_over.clone());
                tokio::spawn(acceptor::accept(
                    listener, script, secrecy, shared, hand_over,
                ))
            })
            .collect();
        let handed_over = tokio::sync::Mutex::new(handed_over);
        Ok(Self {
            host,
            port: address.port(),
            address,
            shared,
            handed_over,
            acceptors: tokio::sync::Mutex::new(acceptors),
        })
    }

    /// `host:port`, as a request-target names it.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host alone, as a request-target names it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Takes no more connections: whoever listens on its port after it has them all, even those that wait already.
    pub(crate) async fn stops_accepting(&self) {
        for acceptor in self.acceptors.lock().await.drain(..) {
            acceptor.abort();
            // Either it was cancelled, or it had ended before.
            let _ = acceptor.await;
        }
    }

    /// The next connection that the script leaves to the case.
    ///
    /// # Errors
    /// A violation where none comes in time.
    pub async fn accepts(&self) -> Outcome<End> {
        let limit = self.shared.patience.visit();
        let mut handed_over = self.handed_over.lock().await;
        match timeout(limit, handed_over.recv()).await {
            Ok(Some(end)) => Ok(end),
            Ok(None) => Err(Finding::harness("the server has stopped")),
            Err(_) => Err(Finding::violation(
                format!("a connection to {}", self.authority()),
                format!("none within {limit:?}"),
            )),
        }
    }

    /// As [`Server::accepts`], for what a client has already said something in: where the proxy has made more connections than
    /// one, that which brings it.
    ///
    /// # Errors
    /// As those of [`Server::accepts`].
    pub async fn accepts_who_speaks(&self) -> Outcome<End> {
        let mut ends = vec![self.accepts().await?];
        self.fence().await?;
        ends.append(&mut self.came_too().await);
        let speaks = match ends.len() {
            1 => None,
            _ => first_to_be_spoken_to(&mut ends).await,
        };
        Ok(ends.swap_remove(speaks.unwrap_or_default()))
    }

    /// Where the connection came from that brought something; where none did, the first.
    #[must_use]
    pub fn spoken_to_from(&self) -> Option<SocketAddr> {
        let visits = self.visits();
        let mut spoken_to = visits.iter().filter(|visit| !self.heard(visit).is_empty());
        spoken_to
            .next()
            .or_else(|| visits.first())
            .map(|visit| visit.peer)
    }

    /// The connections that the script has left to the case already, and that it has not taken.
    pub(crate) async fn came_too(&self) -> Vec<End> {
        let mut handed_over = self.handed_over.lock().await;
        std::iter::from_fn(|| handed_over.try_recv().ok()).collect()
    }

    /// The connections that came, without those of the harness itself.
    #[must_use]
    pub fn visits(&self) -> Vec<Visit> {
        self.shared
            .visits()
            .iter()
            .filter(|visit| visit.connection.is_some())
            .cloned()
            .collect()
    }

    /// What the `index`th connection has brought so far, up to the transcript's cap.
    #[must_use]
    pub fn heard(&self, visit: &Visit) -> Vec<u8> {
        let mut heard = Vec::new();
        for event in self.shared.transcript.events() {
            if let What::Data { kept, .. } = &event.what
                && Some(event.connection) == visit.connection
                && event.way == Way::In
                && event.layer == 0
            {
                heard.extend_from_slice(kept);
            }
        }
        heard
    }

    /// Nobody came: proven by a connection of our own, which the server would have accepted after any other.
    ///
    /// # Errors
    /// A violation where somebody came.
    pub async fn stays_unvisited(&self) -> Outcome {
        pass(self.shared.patience.settle()).await;
        self.has_no_more_visits_than(0).await
    }

    /// Nobody has come up to this moment; whoever asks has let a quiet period pass.
    ///
    /// # Errors
    /// A violation where somebody came.
    pub async fn is_unvisited(&self) -> Outcome {
        self.has_no_more_visits_than(0).await
    }

    /// Nobody came but the first `known` connections, up to this moment.
    pub(crate) async fn has_no_more_visits_than(&self, known: usize) -> Outcome {
        self.fence().await?;
        let visits = self.visits();
        let Some(visit) = visits.get(known) else {
            return Ok(());
        };
        let heard = self.heard(visit);
        let brought = if heard.is_empty() {
            String::new()
        } else {
            format!(
                " with {}: {}",
                count(heard.len() as u64),
                quote(&heard[..heard.len().min(64)])
            )
        };
        Err(Finding::violation(
            format!("no connection to {}", self.authority()),
            format!("a connection to {}{brought}", self.authority()),
        ))
    }

    /// Waits until the script was played right on one connection, or to its end on all that there are, and says how it went.
    ///
    /// # Errors
    /// What the script found, and a violation where it does not end.
    pub async fn played_by_one(&self) -> Outcome {
        let limit = self.shared.patience.end();
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                let played = self.visits().into_iter().map(|visit| visit.played);
                let played: Vec<Option<Outcome>> = played.collect();
                if played.contains(&Some(Ok(()))) {
                    return Ok(());
                }
                let all: Option<Vec<Outcome>> = played.into_iter().collect();
                if let Some(first) = all.and_then(|all| all.into_iter().next()) {
                    return first;
                }
                changed.await;
            }
        };
        timeout(limit, wait).await.unwrap_or_else(|_| {
            Err(Finding::violation(
                format!("a connection to {} runs to its end", self.authority()),
                format!("it has not within {limit:?}"),
            ))
        })
    }

    /// How many of the connections that came are still open, by their scripts: at once where no more are than `may_stay`, else
    /// after `limit`.
    pub async fn still_open_after(&self, limit: Duration, may_stay: usize) -> usize {
        let open = || {
            let visits = self.visits();
            visits.iter().filter(|visit| visit.played.is_none()).count()
        };
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                if open() <= may_stay {
                    return;
                }
                changed.await;
            }
        };
        // What is still open then is counted below.
        let _ = timeout(limit, wait).await;
        open()
    }

    /// Connects to the server itself and waits until it has accepted that: whoever has connected before, has come.
    ///
    /// # Errors
    /// The harness's, where it cannot reach itself.
    pub async fn fence(&self) -> Outcome {
        let broken = |error: std::io::Error| {
            Finding::harness(format!(
                "could not reach its own server {}: {error}",
                self.address
            ))
        };
        // Its own address is one of this machine, so that the way back is there, too.
        let here = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let socket = match here {
            IpAddr::V4(_) => TcpSocket::new_v4(),
            IpAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(broken)?;
        socket.bind(SocketAddr::new(here, 0)).map_err(broken)?;
        // The acceptor knows a fence by its address, so it has to be told before the connection can come.
        let own = socket.local_addr().map_err(broken)?;
        self.shared.fences().push(own);
        let there = SocketAddr::new(here, self.port);
        let _connection = socket.connect(there).await.map_err(broken)?;
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                if self.shared.visits().iter().any(|visit| visit.peer == own) {
                    return;
                }
                changed.await;
            }
        };
        timeout(self.shared.patience.visit(), wait)
            .await
            .map_err(|_| Finding::harness(format!("the server at {} has stopped", self.address)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for acceptor in self.acceptors.get_mut() {
            acceptor.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;
    use crate::{
        patience::Patience,
        server::script::hand_over,
        wire::{Leg, Transcript},
    };

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_that_gives_way_takes_nothing_from_the_next_one_on_its_port() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let transcript = Transcript::begin();
        let serve = || {
            let listener = TcpListener::from_std(listener.try_clone().unwrap()).unwrap();
            let shared = Shared::new(&transcript, Leg::Upstream, Patience::default());
            let (host, plain) = ("127.0.0.1".to_owned(), &Secrecy::Plain);
            Server::serve(host, vec![listener], &hand_over(), plain, shared).unwrap()
        };
        let mut servers = vec![serve()];
        for _ in 0..20 {
            servers.last().unwrap().stops_accepting().await;
            servers.push(serve());
            let newest = servers.last().unwrap();
            for _ in 0..4 {
                let _client = TcpStream::connect(newest.address()).await.unwrap();
                newest.accepts().await.unwrap();
            }
        }
    }
}
