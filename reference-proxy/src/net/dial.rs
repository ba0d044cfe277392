//! The onward connection.

use crate::refusal::Refusal;
use crate::request::{Authority, Host};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// The most addresses of one name that are tried.
const ADDRESSES_MOST: usize = 32;

/// Connects to `target` within `limit`, resolution included.
///
/// # Errors
///
/// 502 or 504 with the error of RFC 9209 that fits.
pub async fn dial(target: &Authority, limit: Duration) -> Result<TcpStream, Refusal> {
    let deadline = Instant::now() + limit;
    let addresses = match &target.host {
        Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
        Host::Name(name) => resolve(name, target.port, deadline).await?,
    };
    let mut last = Refusal::bad_gateway("destination_ip_unroutable", "no address to connect to");
    for address in addresses {
        match timeout_at(deadline, TcpStream::connect(address)).await {
            Ok(Ok(server)) => return Ok(server),
            Ok(Err(error)) => last = failed(&error),
            Err(_) => return Err(timed_out()),
        }
    }
    Err(last)
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
