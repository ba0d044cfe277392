//! Whether the kernel looks after a connection of the proxy by itself, once nothing is said on it any more.
//!
//! Of sockets of other programs, the system says which timer is set: for one on which nothing moves, that is keepalive's.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{
    lab::Lab,
    tunnel::End,
    verdict::{Finding, Outcome},
};

/// What stands in the timer's column where keepalive's is set.
const KEEPALIVE: &str = "02";

/// What that column counts in.
const TICKS_A_SECOND: u64 = 100;

impl Lab {
    /// After how long without a word the kernel asks whether `end`, an end of an idle tunnel, is still there, for the proxy;
    /// `None` where it never does.
    ///
    /// # Errors
    /// Absent where the proxy's socket is none of this machine, or not of IPv4.
    pub fn keepalive_towards(&self, end: &End) -> Outcome<Option<Duration>> {
        let (proxy, own) = (end.peer()?, end.local()?);
        let known = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let timer = words(proxy)
            .zip(words(own))
            .and_then(|(from, to)| timer(&known, &from, &to));
        let reason = "the system does not show the proxy's sockets";
        timer.ok_or_else(|| Finding::absent(reason))
    }
}

/// An address and a port as that table has them.
fn words(address: SocketAddr) -> Option<String> {
    match address.ip() {
        IpAddr::V4(ip) => {
            let ip = u32::from_ne_bytes(ip.octets());
            Some(format!("{ip:08X}:{:04X}", address.port()))
        }
        IpAddr::V6(_) => None,
    }
}

/// The timer of the socket between those two; `None` where there is no such socket.
fn timer(table: &str, from: &str, to: &str) -> Option<Option<Duration>> {
    let mut rows = table.lines().map(|line| line.split_whitespace());
    rows.find_map(|mut words| {
        let (_, local, remote) = (words.next()?, words.next()?, words.next()?);
        let timer = words.nth(2)?;
        (local == from && remote == to).then(|| {
            let (active, when) = timer.split_once(':')?;
            let ticks = u64::from_str_radix(when, 16).ok()?;
            (active == KEEPALIVE).then(|| Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
        0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n   \
        1: 0100007F:1F90 0100007F:9C41 01 00000000:00000000 02:000AFC80 00000000     0\n   \
        2: 0100007F:9C41 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0\n";

    #[test]
    fn a_timer_is_that_of_the_socket_that_is_asked_for() {
        let (proxy, client) = ("0100007F:1F90", "0100007F:9C41");
        let two_hours = Some(Some(Duration::from_secs(7200)));
        assert_eq!(timer(TABLE, proxy, client), two_hours);
        assert_eq!(timer(TABLE, client, proxy), Some(None));
        assert_eq!(timer(TABLE, client, client), None);
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn an_address_is_written_as_the_kernel_has_it() {
        let address = "127.0.0.1:8080".parse().unwrap();
        assert_eq!(words(address).as_deref(), Some("0100007F:1F90"));
    }
}
