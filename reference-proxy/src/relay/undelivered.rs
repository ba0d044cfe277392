//! What the kernel has taken from this process and the peer has not acknowledged: SIOCOUTQ, asked by netlink.
//!
//! The buffers of the kernel hide progress: a client that reads a few kilobytes a second keeps megabytes waiting,
//! and for minutes no octet moves that this process could see. So it asks before it calls a tunnel idle.
//!
//! The ioctl and TCP_INFO are only to be had with unsafe code; sock_diag(7) tells the same to everybody, about one
//! socket in one message of 72 octets. The crates for it bring eight more for what is a page of octets here.

use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Octets on their way to the peer of `socket`. `None`: the system does not tell.
#[must_use]
pub fn undelivered(socket: &TcpStream) -> Option<u32> {
    let (local, peer) = (socket.local_addr().ok()?, socket.peer_addr().ok()?);
    ask(&request(local, peer))
        .ok()
        .and_then(|answer| queued(&answer))
}

/// `SOCK_DIAG_BY_FAMILY`, the type of request and answer.
const BY_FAMILY: u16 = 20;
const HEADER: usize = 16;
/// inet_diag_req_v2: family, protocol and states in 8 octets, then the socket's id in 48.
const REQUEST: usize = HEADER + 56;
/// Where inet_diag_msg has idiag_wqueue: behind 4 octets, the id, a timer and the other queue.
const QUEUED_AT: usize = HEADER + 4 + 48 + 4 + 4;

fn request(local: SocketAddr, peer: SocketAddr) -> [u8; REQUEST] {
    let mut octets = [0; REQUEST];
    let mut at = 0;
    let mut put = |field: &[u8]| {
        octets[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    put(&u32::to_ne_bytes(REQUEST as u32));
    put(&BY_FAMILY.to_ne_bytes());
    // NLM_F_REQUEST, then a sequence number and a port that nobody looks at.
    put(&1u16.to_ne_bytes());
    put(&[0; 8]);
    // AF_INET or AF_INET6, IPPROTO_TCP, nothing more than the basics.
    put(&[if local.is_ipv4() { 2 } else { 10 }, 6, 0, 0]);
    // In any state.
    put(&u32::MAX.to_ne_bytes());
    put(&local.port().to_be_bytes());
    put(&peer.port().to_be_bytes());
    for address in [local, peer] {
        match address.ip() {
            std::net::IpAddr::V4(v4) => {
                put(&v4.octets());
                put(&[0; 12]);
            }
            std::net::IpAddr::V6(v6) => put(&v6.octets()),
        }
    }
    // On any interface, with any cookie.
    put(&[0; 4]);
    put(&[0xff; 8]);
    octets
}

fn queued(answer: &[u8]) -> Option<u32> {
    let kind = answer.get(4..6)?;
    let field = answer.get(QUEUED_AT..QUEUED_AT + 4)?;
    (kind == BY_FAMILY.to_ne_bytes()).then_some(u32::from_ne_bytes(field.try_into().ok()?))
}

#[cfg(target_os = "linux")]
fn ask(request: &[u8]) -> io::Result<Vec<u8>> {
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(rustix::net::netlink::SOCK_DIAG),
    )?;
    rustix::net::send(&socket, request, SendFlags::empty())?;
    // The kernel has answered when the request is sent.
    let mut answer = vec![0; 1024];
    let (length, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    answer.truncate(length);
    Ok(answer)
}

#[cfg(not(target_os = "linux"))]
fn ask(_: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_kernel_tells_what_nobody_has_read() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            assert_eq!(undelivered(&client), Some(0));
            let (mut sent, octets) = (0, vec![7; 1 << 16]);
            while let Ok(more) = client.try_write(&octets) {
                sent += more;
            }
            let before = undelivered(&client).unwrap();
            assert!(before > 0 && before as usize <= sent);
            let mut received = vec![0; sent];
            server.read_exact(&mut received).await.unwrap();
            // It falls as the peer acknowledges, to nothing in the end.
            while undelivered(&client) != Some(0) {
                tokio::task::yield_now().await;
            }
        }
    }
}
