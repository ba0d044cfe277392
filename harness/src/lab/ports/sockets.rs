//! Sockets on ports of ours: bound, and then listening or not.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

/// Connections that may wait at a listener; more than any case opens at once.
pub(super) const BACKLOG: i32 = 1024;

/// Listens on any port of an address that nobody else listens on.
pub(crate) fn listen_on(host: IpAddr, port: u16) -> io::Result<tokio::net::TcpListener> {
    begin_to_listen(hold(host, port)?, BACKLOG)
}

/// Whether a port of an address can be listened on: by who may, and where nobody else does.
pub(crate) fn can_be_had(host: IpAddr, port: u16) -> bool {
    hold(host, port).is_ok_and(|socket| socket.listen(0).is_ok())
}

/// Binds a port without listening.
///
/// Alone, if that can be: a socket that reuses addresses shares its port with any other that does, until one listens.
/// Only where connections of the case before are still in TIME_WAIT there is no other way.
pub(super) fn hold(host: IpAddr, port: u16) -> io::Result<Socket> {
    bind(host, port, false).or_else(|_| bind(host, port, true))
}

/// Connections inherit what their listener says of its address, and keep it in TIME_WAIT: only those that give it free
/// let the port be bound again.
pub(super) fn begin_to_listen(socket: Socket, room: i32) -> io::Result<tokio::net::TcpListener> {
    socket.set_reuse_address(true)?;
    socket.listen(room)?;
    tokio::net::TcpListener::from_std(socket.into())
}

pub(super) fn bind(host: IpAddr, port: u16, reuse: bool) -> io::Result<Socket> {
    let address = SocketAddr::new(host, port);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if host.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(reuse)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// The other loopback address, for names that have two.
pub(crate) const fn twin(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}
