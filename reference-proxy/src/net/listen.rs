//! Listening sockets.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

/// The length of the queue of connections that wait to be accepted; the kernel may cut it.
const BACKLOG: i32 = 4096;

/// What the kernel may hold for a connection, in octets; `None`: as it sees fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// `SendBufferSize`.
    pub send: Option<usize>,
    /// `ReceiveBufferSize`.
    pub receive: Option<usize>,
}

/// Listens on `address`, on IPv6 and IPv4 when it is the unspecified IPv6 address, with `buffers` for each connection.
///
/// # Errors
///
/// What the system says, with the address.
pub fn bind(address: SocketAddr, buffers: Buffers) -> io::Result<TcpListener> {
    let socket = match open(address, buffers) {
        // A machine without IPv6: every address means every IPv4 address.
        Err(error) if address.ip().is_unspecified() && error.kind() != io::ErrorKind::AddrInUse => {
            let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
            open(SocketAddr::new(any, address.port()), buffers)
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

fn open(address: SocketAddr, buffers: Buffers) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // Connections inherit both; a window that grows is agreed on when they begin.
    if let Some(size) = buffers.send {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(size) = buffers.receive {
        socket.set_recv_buffer_size(size)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
