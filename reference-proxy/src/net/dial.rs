//! The onward connection: all addresses of a name tried, one deadline for everything, and no more sockets than there are.
//!
//! Several addresses are raced as in RFC 8305: alternating between IPv6 and IPv4, the next one starts when
//! the last has failed or a quarter of a second has passed; the first that connects wins and the others are
//! dropped. What the policy says about addresses is asked for each address, of a name too, before it is used.
//!
//! A client has one socket for its way on; further ones at the same time come out of a share that all clients have in common,
//! and are few for each: one name with many silent addresses must not use up what others need. Where there are more addresses
//! than sockets, the oldest attempt ends for the next one, in time for each to have its turn.

mod race;

use super::{Descriptors, Names, Unresolved};
use crate::refusal::Refusal;
use crate::request::{Authority, Host};
use race::race;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// The most addresses of one name that are tried.
const ADDRESSES_MOST: usize = 64;

/// What all dials share.
#[derive(Debug)]
pub struct Dials {
    /// Who knows addresses.
    pub names: Names,
    /// Attempts besides the first one of each client.
    spare: Arc<Semaphore>,
}

/// What a connection begins with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// Connections to addresses of the same family come from here.
    pub source: Option<IpAddr>,
    /// Octets of the other end that the kernel may hold; `None`: as it sees fit.
    pub receive_buffer: Option<usize>,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// The address, the way or the policy.
    Refused(Refusal),
    /// There were too few descriptors to try all addresses properly.
    Short(Refusal),
}

impl Failure {
    /// What the client is told.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) | Self::Short(refusal) => refusal,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Dials {
    /// For a process that has so many descriptors.
    #[must_use]
    pub fn new(descriptors: Descriptors) -> Self {
        Self {
            names: Names::new(descriptors.lookups),
            spare: Arc::new(Semaphore::new(descriptors.attempts)),
        }
    }

    /// Connects to `target` before `deadline`, resolution included.
    ///
    /// `judge` says which addresses may be used.
    ///
    /// # Errors
    ///
    /// 502, 503 or 504 with the error of RFC 9209 that fits, or what `judge` says when it refuses every address.
    pub async fn dial(
        &self,
        target: &Authority,
        origin: Origin,
        deadline: Instant,
        judge: impl Fn(SocketAddr) -> Result<(), Refusal>,
    ) -> Result<TcpStream, Failure> {
        let name = match &target.host {
            Host::Address(address) => {
                let address = SocketAddr::new(*address, target.port);
                judge(address)?;
                return connect(address, origin, deadline).await;
            }
            Host::Name(name) => name,
        };
        let (mut allowed, mut refusal) = (Vec::new(), None);
        let found = self.names.addresses(name, deadline).await;
        let found = found.map_err(|why| unresolved(name, why))?;
        for address in found.into_iter().take(ADDRESSES_MOST) {
            let address = SocketAddr::new(address, target.port);
            match judge(address) {
                Ok(()) => allowed.push(address),
                Err(reason) => refusal = Some(reason),
            }
        }
        match (allowed.as_slice(), refusal) {
            ([], Some(refusal)) => Err(refusal.into()),
            _ => race(allowed, origin, deadline, &self.spare).await,
        }
    }
}

async fn connect(
    address: SocketAddr,
    origin: Origin,
    deadline: Instant,
) -> Result<TcpStream, Failure> {
    match timeout_at(deadline, connect_from(origin, address)).await {
        Ok(outcome) => outcome.map_err(|error| failed(&error)),
        Err(_) => Err(timed_out().into()),
    }
}

/// An address of the other family cannot be where a connection comes from, and says nothing about it.
async fn connect_from(origin: Origin, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The window that it may grow to is agreed on when it begins.
    if let Some(size) = origin.receive_buffer {
        socket.set_recv_buffer_size(u32::try_from(size).unwrap_or(u32::MAX))?;
    }
    let source = origin.source;
    if let Some(source) = source.filter(|source| source.is_ipv4() == address.is_ipv4()) {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(address).await
}

fn failed(error: &io::Error) -> Failure {
    use rustix::io::Errno;
    if let Some(Errno::MFILE | Errno::NFILE | Errno::ADDRNOTAVAIL | Errno::NOBUFS) =
        Errno::from_io_error(error)
    {
        return Failure::Short(no_more());
    }
    Failure::Refused(match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Refusal::bad_gateway("connection_refused", "the connection was refused")
        }
        io::ErrorKind::TimedOut => timed_out(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Refusal::bad_gateway(
            "destination_ip_unroutable",
            "there is no route to the destination",
        ),
        _ => Refusal::bad_gateway("connection_terminated", "the connection failed"),
    })
}

fn no_more() -> Refusal {
    Refusal::unavailable(
        "connection_limit_reached",
        "no more connections can be made",
    )
}

fn unresolved(name: &str, why: Unresolved) -> Refusal {
    match why {
        Unresolved::Unknown => {
            Refusal::bad_gateway("dns_error", format!("DNS lookup failure for: {name}"))
        }
        Unresolved::Silent | Unresolved::Late => {
            Refusal::gateway_timeout("dns_timeout", "the name server does not answer")
        }
    }
}

fn timed_out() -> Refusal {
    Refusal::gateway_timeout("connection_timeout", "the connection attempt timed out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_judge_is_asked_for_every_address_of_a_name() {
        let dials = Dials::new(Descriptors::of_this_process());
        let target = Authority::parse(b"localhost:1").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let refused = dials
            .dial(&target, Origin::default(), deadline, |_| {
                Err(Refusal::forbidden("no"))
            })
            .await
            .unwrap_err();
        assert_eq!(refused.refusal().status, 403);
    }
}
