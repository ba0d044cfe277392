//! Listening sockets, and how many connections they may bring.

use crate::relay;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// The length of the queue of connections that wait to be accepted; the kernel may cut it.
const BACKLOG: i32 = 4096;
/// Open files that are not connections: logs, listeners, the runtime, and half of them for pipes of the
/// relay. Where few files are allowed, a quarter of them.
const FILES_RESERVED: u64 = 256;
/// The most connections where the system has no limit on files.
const FILES_EVER: u64 = 1 << 20;

/// Listens on `address`, on IPv6 and IPv4 when it is the unspecified IPv6 address.
///
/// # Errors
///
/// What the system says, with the address.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
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
    socket.map(TcpListener::from).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("could not bind to address {address}: {error}"),
        )
    })
}

/// How many connections may be open at once: what is configured, but never more than the open files carry,
/// two for each tunnel.
#[must_use]
pub fn connections_most(configured: Option<usize>) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let files = files.unwrap_or(FILES_EVER).min(FILES_EVER);
    let reserved = FILES_RESERVED.min(files / 4);
    relay::allow_pipes(usize::try_from(reserved / 4).unwrap_or(0));
    let carried = usize::try_from((files - reserved) / 2).unwrap_or(1).max(1);
    configured.map_or(carried, |most| most.min(carried))
}

fn open(address: SocketAddr) -> io::Result<Socket> {
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
}
