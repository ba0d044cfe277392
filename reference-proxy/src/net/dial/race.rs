//! Several addresses of one name, tried one after the other and some of them at once.

use super::{Failure, Origin, connect_from, failed, no_more, timed_out};
use crate::refusal::Refusal;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

/// When the next address starts; RFC 8305, section 5.
const STAGGER: Duration = Duration::from_millis(250);
/// Attempts of one client at once: enough for the families and for a server or two that are down.
const AT_ONCE: usize = 6;

/// The first of `addresses` that accepts.
pub(super) async fn race(
    addresses: Vec<SocketAddr>,
    origin: Origin,
    deadline: Instant,
    spare: &Arc<Semaphore>,
) -> Result<TcpStream, Failure> {
    let mut race = Race {
        waiting: alternating(addresses),
        tasks: JoinSet::new(),
        running: VecDeque::new(),
        origin,
        deadline,
        short: false,
    };
    let nobody = Refusal::bad_gateway("dns_error", "the name has no address");
    let (mut last, mut next) = (Failure::from(nobody), Instant::now());
    loop {
        if race.running.is_empty() && race.waiting.is_empty() {
            return Err(last);
        }
        tokio::select! {
            biased;
            () = sleep_until(deadline) => return Err(race.too_late()),
            Some(attempt) = race.tasks.join_next_with_id() => match race.finished(attempt) {
                Some(Ok(server)) => return Ok(server),
                Some(Err(failure)) => {
                    last = failure;
                    next = Instant::now();
                }
                None => {}
            },
            () = sleep_until(next), if !race.waiting.is_empty() => next = race.start(spare),
        }
    }
}

/// What is tried, and what is still to be tried.
struct Race {
    waiting: VecDeque<SocketAddr>,
    tasks: JoinSet<io::Result<TcpStream>>,
    /// The oldest first.
    running: VecDeque<Attempt>,
    origin: Origin,
    deadline: Instant,
    /// An attempt had to end for another one because there were too few descriptors.
    short: bool,
}

struct Attempt {
    id: Id,
    task: AbortHandle,
    socket: Socket,
}

/// Whose descriptor an attempt has.
enum Socket {
    /// The one that the client has for its way on.
    Own,
    /// One that others may need.
    Spare { _permit: OwnedSemaphorePermit },
}

impl Race {
    /// Starts the next attempt; returns when the one behind it is due.
    fn start(&mut self, spare: &Arc<Semaphore>) -> Instant {
        let socket = self.socket(spare);
        if let Some(address) = self.waiting.pop_front() {
            let task = self.tasks.spawn(connect_from(self.origin, address));
            self.running.push_back(Attempt {
                id: task.id(),
                task,
                socket,
            });
        }
        let now = Instant::now();
        if self.running.len() < AT_ONCE && !self.short {
            return now + STAGGER;
        }
        // From now on each one begins at the cost of another, so that what is left of the time is shared out.
        let turns = u32::try_from(self.waiting.len() + 1).unwrap_or(u32::MAX);
        now + (self.deadline.saturating_duration_since(now) / turns).max(STAGGER)
    }

    /// A descriptor for one more attempt: the client's own, a spare one, or that of the oldest attempt.
    fn socket(&mut self, spare: &Arc<Semaphore>) -> Socket {
        let own = |attempt: &Attempt| matches!(attempt.socket, Socket::Own);
        if !self.running.iter().any(own) {
            return Socket::Own;
        }
        if self.running.len() < AT_ONCE {
            match Arc::clone(spare).try_acquire_owned() {
                Ok(permit) => return Socket::Spare { _permit: permit },
                Err(_) => self.short = true,
            }
        }
        self.running.pop_front().map_or(Socket::Own, |oldest| {
            oldest.task.abort();
            oldest.socket
        })
    }

    /// What an attempt has come to; `None` where it had to end.
    fn finished(
        &mut self,
        attempt: Result<(Id, io::Result<TcpStream>), JoinError>,
    ) -> Option<Result<TcpStream, Failure>> {
        let id = match &attempt {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        self.running.retain(|running| running.id != id);
        match attempt {
            Ok((_, outcome)) => Some(outcome.map_err(|error| failed(&error))),
            Err(error) if error.is_cancelled() => None,
            Err(_) => {
                let lost = Refusal::internal("an attempt to connect was lost");
                Some(Err(lost.into()))
            }
        }
    }

    fn too_late(&self) -> Failure {
        match self.short {
            true => Failure::Short(no_more()),
            false => timed_out().into(),
        }
    }
}

/// The addresses in turns of the two families, the first one's family first.
fn alternating(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = VecDeque::new();
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return turns,
            (a, b) => turns.extend(a.into_iter().chain(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpSocket;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let turns = alternating(addresses(&[
            "[::1]:1",
            "[::2]:1",
            "[::3]:1",
            "127.0.0.1:1",
            "127.0.0.2:1",
        ]));
        assert_eq!(
            turns,
            addresses(&[
                "[::1]:1",
                "127.0.0.1:1",
                "[::2]:1",
                "127.0.0.2:1",
                "[::3]:1"
            ])
        );
    }

    #[tokio::test]
    async fn a_refused_address_does_not_keep_the_next_one_waiting() {
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Bound, and not listening.
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let waiting = vec![closed.local_addr().unwrap(), open.local_addr().unwrap()];
        let started = Instant::now();
        let deadline = started + Duration::from_secs(10);
        let spare = Arc::new(Semaphore::new(0));
        let server = race(waiting, Origin::default(), deadline, &spare)
            .await
            .unwrap();
        assert_eq!(server.peer_addr().unwrap(), open.local_addr().unwrap());
        assert!(started.elapsed() < STAGGER);
    }

    /// A socket that accepts nobody: its queue is full.
    fn silent() -> (socket2::Socket, Vec<std::net::TcpStream>) {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket
            .bind(&SocketAddr::from(([0, 0, 0, 0], 0)).into())
            .unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let own = SocketAddr::from(([127, 0, 0, 1], address.port()));
        let patience = Duration::from_millis(200);
        let connected =
            std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&own, patience).ok());
        let waiting = connected.collect();
        (socket, waiting)
    }

    #[tokio::test]
    async fn few_are_tried_at_once_and_yet_each_has_its_turn() {
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (silent, _waiting) = silent();
        let port = silent.local_addr().unwrap().as_socket().unwrap().port();
        let last = open.local_addr().unwrap();
        for (spares, most) in [(0, 0), (100, AT_ONCE - 1)] {
            let mut addresses: Vec<SocketAddr> = (1..=12)
                .map(|host| SocketAddr::from(([127, 0, 5, host], port)))
                .collect();
            addresses.push(last);
            let spare = Arc::new(Semaphore::new(spares));
            let deadline = Instant::now() + Duration::from_secs(20);
            let winner = race(addresses, Origin::default(), deadline, &spare);
            let mut least = spares;
            let watch = async {
                loop {
                    least = least.min(spare.available_permits());
                    tokio::task::yield_now().await;
                }
            };
            let server =
                tokio::select! { server = winner => server.unwrap(), () = watch => unreachable!() };
            assert_eq!(server.peer_addr().unwrap(), last);
            assert_eq!(spares - least, most);
        }
    }

    #[tokio::test]
    async fn who_has_too_few_descriptors_is_told_so() {
        let (silent, _waiting) = silent();
        let port = silent.local_addr().unwrap().as_socket().unwrap().port();
        let addresses = [1, 2].map(|host| SocketAddr::from(([127, 0, 5, host], port)));
        let deadline = Instant::now() + Duration::from_millis(600);
        let spare = Arc::new(Semaphore::new(0));
        let failure = race(addresses.into(), Origin::default(), deadline, &spare)
            .await
            .unwrap_err();
        assert!(matches!(failure, Failure::Short(_)));
        assert_eq!(failure.refusal().status, 503);
    }
}
