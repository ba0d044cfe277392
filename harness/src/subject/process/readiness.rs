//! Readiness: a subject is ready when its address accepts a connection.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// The first pause between two attempts. A refused connect on loopback costs some 20 µs, so that trying
/// this often is cheap, and each launch in a run waits for it.
const PAUSE_FIRST: Duration = Duration::from_millis(1);

/// The longest pause between two attempts: slow starters are not asked a thousand times a second.
const PAUSE_MAX: Duration = Duration::from_millis(8);

/// How long one attempt may hang (a full backlog, a packet filter that drops).
const ATTEMPT: Duration = Duration::from_millis(500);

/// Tries to connect until it succeeds or the time is up; whether it has.
///
/// `ended` waits for as long as it is told, and says whether the subject has ended meanwhile.
///
/// The connection that succeeded is closed without a word: some proxies log it.
pub fn wait(address: SocketAddr, within: Duration, ended: impl Fn(Duration) -> bool) -> bool {
    let deadline = Instant::now() + within;
    let mut pause = PAUSE_FIRST;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let attempt = ATTEMPT.min(left).max(PAUSE_FIRST);
        if accepts(address, attempt) {
            return true;
        }
        if left.is_zero() || ended(pause.min(left)) {
            return false;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether something accepts a connection there, now or within that time.
pub(super) fn accepts(address: SocketAddr, within: Duration) -> bool {
    TcpStream::connect_timeout(&reachable(address), within).is_ok()
}

/// Where to connect to reach a listener: one on every address is also on loopback.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_ready_and_a_closed_port_is_not() {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(wait(address, Duration::ZERO, |_| unreachable!()));
        drop(listener);
        assert!(!wait(address, Duration::ZERO, |_| unreachable!()));
    }

    #[test]
    fn the_wait_ends_with_the_subject() {
        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let before = Instant::now();
        assert!(!wait(closed, Duration::from_secs(60), |_| true));
        assert!(before.elapsed() < Duration::from_secs(10));
    }
}
