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

/// Octets that wait in the send buffers of process `id`: what is not acknowledged and not sent.
fn waiting_to_be_sent(id: u32) -> u64 {
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
    let queued = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (sent, _) = fields.get(4)?.split_once(':')?;
        inodes
            .contains(*fields.get(9)?)
            .then(|| u64::from_str_radix(sent, 16).unwrap())
    });
    queued.sum()
}

#[test]
fn downloads_that_nobody_reads_hold_little_of_the_kernels_memory() {
    let _turn = turn();
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let mut tunnels: Vec<(TcpStream, TcpStream)> =
        (0..DOWNLOADS).map(|_| proxy.tunnel(&server)).collect();
    let piece = vec![7; 1 << 18];
    for (_, far) in &tunnels {
        far.set_nonblocking(true).unwrap();
    }
    // Until nobody has taken anything for a while.
    let mut taken = Instant::now();
    while taken.elapsed() < STILL {
        for (_, far) in &mut tunnels {
            match far.write(&piece) {
                Ok(written) if written > 0 => taken = Instant::now(),
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
        std::thread::yield_now();
    }
    let held = waiting_to_be_sent(proxy.id()) / DOWNLOADS as u64;
    assert!(held <= HELD_MOST, "{held} octets each");
}
