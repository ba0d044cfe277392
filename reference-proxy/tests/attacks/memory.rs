//! Kernel memory of peers that read nothing.

use crate::crowd::turn;
use crate::support::{Proxy, server};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Downloads that nobody reads.
const DOWNLOADS: usize = 40;
/// How long nothing more must be taken before it counts as all.
const STILL: Duration = Duration::from_secs(1);
/// How much may wait in the proxy's send buffer for each: what is on its way to the client's small buffer, and what may be left
/// unsent. It was four megabytes.
const HELD_MOST: u64 = 1 << 20;

/// What a receive buffer of this size holds at most: the kernel doubles it, for its own accounts.
const RECEIVE_BUFFER: u64 = 128 << 10;

/// Octets that wait in the buffers of process `id`.
#[derive(Debug, Default)]
struct Waiting {
    /// What is not acknowledged and not sent.
    to_be_sent: u64,
    /// What has arrived and was not read.
    received: u64,
}

fn waiting(id: u32) -> Waiting {
    let inodes: std::collections::HashSet<String> = std::fs::read_dir(format!("/proc/{id}/fd"))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_string_lossy().into_owned();
            Some(
                link.strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mut waiting = Waiting::default();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if inodes.contains(fields[9]) {
            let (to_be_sent, received) = fields[4].split_once(':').unwrap();
            waiting.to_be_sent += u64::from_str_radix(to_be_sent, 16).unwrap();
            waiting.received += u64::from_str_radix(received, 16).unwrap();
        }
    }
    waiting
}

/// Sends into `tunnels` from the far end until nobody has taken anything for a while, and says what each of them holds in the proxy.
fn held(proxy: &Proxy, tunnels: &mut [(TcpStream, TcpStream)]) -> Waiting {
    let piece = vec![7; 1 << 18];
    for (_, far) in &*tunnels {
        far.set_nonblocking(true).unwrap();
    }
    let mut taken = Instant::now();
    while taken.elapsed() < STILL {
        for (_, far) in &mut *tunnels {
            match far.write(&piece) {
                Ok(written) if written > 0 => taken = Instant::now(),
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        std::thread::yield_now();
    }
    let all = waiting(proxy.id());
    Waiting {
        to_be_sent: all.to_be_sent / DOWNLOADS as u64,
        received: all.received / DOWNLOADS as u64,
    }
}

#[test]
fn downloads_that_nobody_reads_hold_little_of_the_kernels_memory() {
    let _turn = turn();
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let mut tunnels: Vec<(TcpStream, TcpStream)> =
        (0..DOWNLOADS).map(|_| proxy.tunnel(&server)).collect();
    let held = held(&proxy, &mut tunnels);
    assert!(held.to_be_sent <= HELD_MOST, "{held:?} each");
}

#[test]
fn what_is_received_for_nobody_is_held_down_where_the_configuration_says_so() {
    let _turn = turn();
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}\nProxyReceiveBufferSize {RECEIVE_BUFFER}"));
    let mut tunnels: Vec<(TcpStream, TcpStream)> =
        (0..DOWNLOADS).map(|_| proxy.tunnel(&server)).collect();
    let held = held(&proxy, &mut tunnels);
    assert!(held.received > 0, "{held:?}: they hold nothing at all");
    assert!(held.received <= 2 * RECEIVE_BUFFER, "{held:?} each");
}

#[test]
fn uploads_that_nobody_takes_are_held_down_where_the_configuration_says_so() {
    let _turn = turn();
    let (server, allow) = server();
    let proxy = Proxy::with(&format!(
        "{allow}\nSendBufferSize {RECEIVE_BUFFER}\nReceiveBufferSize {RECEIVE_BUFFER}"
    ));
    // The other way round: uploads to servers that read nothing.
    let mut uploads: Vec<(TcpStream, TcpStream)> = (0..DOWNLOADS)
        .map(|_| proxy.tunnel(&server))
        .map(|(near, far)| (far, near))
        .collect();
    let held = held(&proxy, &mut uploads);
    assert!(held.received > 0, "{held:?}: they hold nothing at all");
    assert!(held.received <= 2 * RECEIVE_BUFFER, "{held:?} each");
}
