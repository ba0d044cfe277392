//! Many tunnels at once, as many as the descriptors of this process carry.

use crate::support::Proxy;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Descriptors that everything else in this process may need.
const OTHERS: u64 = 400;
/// A crowd below this proves nothing.
const LEAST: usize = 200;

/// Standing tunnels: the client's ends and the server's.
pub(crate) struct Crowd {
    /// Both ends of each.
    pub(crate) tunnels: Vec<(TcpStream, TcpStream)>,
    /// Only one test at a time may use up the descriptors.
    _turn: MutexGuard<'static, ()>,
}

impl Crowd {
    /// `wanted` tunnels through `proxy` to `server`, or as many as there are descriptors for.
    pub(crate) fn new(proxy: &Proxy, server: &TcpListener, wanted: usize) -> Self {
        let turn = turn();
        let carried = usize::try_from(descriptors().saturating_sub(OTHERS) / 2).unwrap();
        let count = wanted.min(carried);
        assert!(count >= LEAST, "only {carried} tunnels can be had");
        let tunnels = (0..count).map(|_| proxy.tunnel(server)).collect();
        Self {
            tunnels,
            _turn: turn,
        }
    }
}

/// The turn of a test that needs most of the descriptors, or most of the machine.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many descriptors this process may have, after asking for as many as there are.
pub(crate) fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(1 << 20)
}

/// The whole lines that are in `file` at this moment.
pub(crate) fn lines(file: &std::path::Path) -> usize {
    let octets = std::fs::read(file).unwrap_or_default();
    octets.iter().filter(|&&octet| octet == b'\n').count()
}
