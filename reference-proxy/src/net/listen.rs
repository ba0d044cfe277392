//! Listening sockets.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// The length of the queue of connections that wait to be accepted; the kernel may cut it.
const BACKLOG: i32 = 4096;

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
