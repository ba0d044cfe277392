//! The onward connection: names resolved off the hot path, all addresses tried, one deadline for everything.
//!
//! Several addresses are raced as in RFC 8305: alternating between IPv6 and IPv4, the next one starts when
//! the last has failed or a quarter of a second has passed; the first that connects wins and the others are
//! dropped. What the policy says about addresses is asked for each address, of a name too, before it is used.

use crate::refusal::Refusal;
use crate::request::{Authority, Host};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

/// The most addresses of one name that are tried.
const ADDRESSES_MOST: usize = 64;
/// When the next address starts; RFC 8305, section 5.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to `target` before `deadline`, resolution included.
///
/// `judge` says which addresses may be used. Connections to addresses of the same family come from `source`.
///
/// # Errors
///
/// 502 or 504 with the error of RFC 9209 that fits, or what `judge` says when it refuses every address.
pub async fn dial(
    target: &Authority,
    source: Option<IpAddr>,
    deadline: Instant,
    judge: impl Fn(SocketAddr) -> Result<(), Refusal>,
) -> Result<TcpStream, Refusal> {
    let name = match &target.host {
        Host::Address(address) => {
            let address = SocketAddr::new(*address, target.port);
            judge(address)?;
            return connect(address, source, deadline).await;
        }
        Host::Name(name) => name,
    };
    let (mut allowed, mut refusal) = (Vec::new(), None);
    for address in resolve(name, target.port, deadline).await? {
        match judge(address) {
            Ok(()) => allowed.push(address),
            Err(reason) => refusal = Some(reason),
        }
    }
    match (allowed.as_slice(), refusal) {
        ([], Some(refusal)) => Err(refusal),
        _ => race(alternating(allowed), source, deadline).await,
    }
}

/// The addresses of a name; none when it is an address itself, or when nobody says so before `deadline`.
pub async fn addresses(target: &Authority, deadline: Instant) -> Vec<IpAddr> {
    let Host::Name(name) = &target.host else {
        return Vec::new();
    };
    let found = resolve(name, target.port, deadline).await;
    found.map_or_else(
        |_| Vec::new(),
        |found| found.iter().map(SocketAddr::ip).collect(),
    )
}

async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    deadline: Instant,
) -> Result<TcpStream, Refusal> {
    match timeout_at(deadline, connect_from(source, address)).await {
        Ok(outcome) => outcome.map_err(|error| failed(&error)),
        Err(_) => Err(timed_out()),
    }
}

/// An address of the other family cannot be where a connection comes from, and says nothing about it.
async fn connect_from(source: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = source.filter(|source| source.is_ipv4() == address.is_ipv4()) else {
        return TcpStream::connect(address).await;
    };
    let socket = match source {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(source, 0))?;
    socket.connect(address).await
}

async fn race(
    mut waiting: VecDeque<SocketAddr>,
    source: Option<IpAddr>,
    deadline: Instant,
) -> Result<TcpStream, Refusal> {
    let mut attempts = JoinSet::new();
    let mut last = Refusal::bad_gateway("dns_error", "the name has no address");
    let mut next = Instant::now();
    loop {
        if attempts.is_empty() && waiting.is_empty() {
            return Err(last);
        }
        tokio::select! {
            biased;
            () = sleep_until(deadline) => return Err(timed_out()),
            Some(attempt) = attempts.join_next() => match attempt {
                Ok(Ok(server)) => return Ok(server),
                Ok(Err(error)) => {
                    last = failed(&error);
                    next = Instant::now();
                }
                Err(_) => last = Refusal::internal("an attempt to connect was lost"),
            },
            () = sleep_until(next), if !waiting.is_empty() => {
                if let Some(address) = waiting.pop_front() {
                    attempts.spawn(connect_from(source, address));
                }
                next = Instant::now() + STAGGER;
            }
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

async fn resolve(name: &str, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, Refusal> {
    match timeout_at(deadline, lookup_host((name, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.take(ADDRESSES_MOST).collect()),
        Ok(Err(_)) => Err(Refusal::bad_gateway(
            "dns_error",
            format!("DNS lookup failure for: {name}"),
        )),
        Err(_) => Err(Refusal::gateway_timeout(
            "dns_timeout",
            "the name server does not answer",
        )),
    }
}

fn failed(error: &io::Error) -> Refusal {
    use rustix::io::Errno;
    if let Some(Errno::MFILE | Errno::NFILE | Errno::ADDRNOTAVAIL | Errno::NOBUFS) =
        Errno::from_io_error(error)
    {
        return Refusal::unavailable(
            "connection_limit_reached",
            "no more connections can be made",
        );
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Refusal::bad_gateway("connection_refused", "the connection was refused")
        }
        io::ErrorKind::TimedOut => timed_out(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Refusal::bad_gateway(
            "destination_ip_unroutable",
            "there is no route to the destination",
        ),
        _ => Refusal::bad_gateway("connection_terminated", "the connection failed"),
    }
}

fn timed_out() -> Refusal {
    Refusal::gateway_timeout("connection_timeout", "the connection attempt timed out")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let waiting = [closed.local_addr().unwrap(), open.local_addr().unwrap()].into();
        let started = Instant::now();
        let server = race(waiting, None, started + Duration::from_secs(10))
            .await
            .unwrap();
        assert_eq!(server.peer_addr().unwrap(), open.local_addr().unwrap());
        assert!(started.elapsed() < STAGGER);
    }

    #[tokio::test]
    async fn the_judge_is_asked_for_every_address_of_a_name() {
        let target = Authority::parse(b"localhost:1").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let refused = dial(&target, None, deadline, |_| Err(Refusal::forbidden("no")))
            .await
            .unwrap_err();
        assert_eq!(refused.status, 403);
    }
}
