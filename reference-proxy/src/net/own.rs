//! Addresses that no tunnel may lead to, whatever the configuration says: the proxy itself, and what is no
//! host.

use crate::refusal::Refusal;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Refuses `address` if it is unspecified, multicast or broadcast, or one on which this proxy listens.
///
/// # Errors
///
/// 403, or 502 for a loop.
pub fn judge(address: SocketAddr, listening: &[SocketAddr]) -> Result<(), Refusal> {
    let ip = address.ip().to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    if ip.is_unspecified() || ip.is_multicast() || broadcast {
        return Err(Refusal::forbidden("the address is no host"));
    }
    // Asking the kernel takes a socket, so that it is asked last.
    let own = listening.iter().any(|listen| {
        let same =
            || listen.ip().to_canonical() == ip || (listen.ip().is_unspecified() && is_local(ip));
        listen.port() == address.port() && same()
    });
    if own {
        return Err(Refusal::bad_gateway(
            "proxy_loop_detected",
            "the tunnel would lead to this proxy",
        ));
    }
    Ok(())
}

/// Whether packets to `ip` stay on this machine: then the address that they would come from is the same.
/// Nothing is sent to find out.
fn is_local(ip: IpAddr) -> bool {
    if ip.is_loopback() {
        return true;
    }
    let any: SocketAddr = match ip {
        IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        IpAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let source = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(SocketAddr::new(ip, 9))?;
        socket.local_addr()
    };
    source().is_ok_and(|source| source.ip() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_to_itself_is_stopped_however_it_is_spelled() {
        let all = ["[::]:3128".parse().unwrap()];
        let one = ["127.0.0.1:3128".parse().unwrap()];
        let status = |address: &str, listening: &[SocketAddr]| {
            judge(address.parse().unwrap(), listening).map_or_else(|refusal| refusal.status, |()| 0)
        };
        assert_eq!(status("127.0.0.1:3128", &one), 502);
        assert_eq!(status("[::ffff:127.0.0.1]:3128", &one), 502);
        assert_eq!(status("127.0.0.2:3128", &one), 0);
        assert_eq!(status("127.0.0.1:3129", &one), 0);
        assert_eq!(status("127.0.0.2:3128", &all), 502);
        assert_eq!(status("[::1]:3128", &all), 502);
        assert_eq!(status("192.0.2.1:3128", &all), 0);
        for no_host in [
            "0.0.0.0:1",
            "[::]:1",
            "224.0.0.1:1",
            "255.255.255.255:1",
            "[ff02::1]:1",
            "[::ffff:0.0.0.0]:1",
        ] {
            assert_eq!(status(no_host, &one), 403, "{no_host}");
        }
    }
}
