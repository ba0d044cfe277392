//! Ports that answer, refuse or stay silent, known before the proxy is launched.
//!
//! Allowed and denied ports are reserved together, as one block, before the proxy's configuration is written: so the
//! allow list can be built from them, and a denial is known to be policy and not a refused connection. They lie below the
//! kernel's ephemeral range, so that no outgoing connection takes them, and the first port of a block keeps other runs away.
//! A port has a socket only while a case uses it: a run has to get along with 1,024 files.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use socket2::Socket;

mod block;
mod sockets;

use crate::{
    setup::{PLACEHOLDERS, PortPlaceholders, PortRange},
    stop::Stop,
};
use block::block;
use sockets::{BACKLOG, begin_to_listen, hold};
pub(crate) use sockets::{can_be_had, listen_on, twin};

/// Ports that the allow list of an ordinary set-up contains. More than one run takes, so that none serves two cases.
const ALLOWED: u16 = 640;

/// A case uses some ports at a time, seldom more: where there are fewer for each that runs, fewer run.
const FOR_A_CASE: usize = 8;

/// Ports beside them that it does not contain.
const DENIED: u16 = 160;

/// Ports for subjects to listen on, four for each that runs at the same time.
const LISTENING: u16 = 160;

/// Set-ups with placeholders of their own: as many as run at the same time.
pub(crate) const PLACEHOLDER_BLOCKS: u16 = 8;

/// A block: its first port, which is never used, and all of these.
const SIZE: u16 = 1 + ALLOWED + DENIED + PLACEHOLDER_BLOCKS * PLACEHOLDERS + LISTENING;

/// A block of reserved ports.
#[derive(Debug)]
pub struct Ports {
    host: IpAddr,
    first: u16,
    /// How many ports there are that the proxy allows: a running one may allow few of those that can be had here.
    allowed: usize,
    /// Whether there is a port that the proxy does not allow.
    denies: bool,
    held: Mutex<Held>,
    /// Keeps other runs away from the block.
    _lock: Socket,
}

#[derive(Debug, Default)]
struct Held {
    /// Of the ports that cases use.
    sockets: BTreeMap<u16, Socket>,
    /// With the time at which each was given back.
    allowed: VecDeque<(u16, Option<Instant>)>,
    denied: VecDeque<u16>,
    listening: VecDeque<u16>,
}

/// A port that one case uses. It goes back when it is dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    kind: Kind,
    ports: Arc<Ports>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Allowed,
    Denied,
    Letter,
    /// For a subject to bind: nothing of ours holds it meanwhile.
    Listening,
}

/// The list of ports that a subject allows.
#[derive(Clone, Copy, Debug)]
pub enum AllowList<'a> {
    /// It is made of the block's.
    Ours,
    /// It is made of those, and has room for so few.
    Shorter(u16),
    /// That of a proxy which is already running.
    Running(&'a [PortRange]),
}

impl Ports {
    /// Reserves a block on `host`, the address that servers listen on.
    ///
    /// Where the list is that of a proxy which is already running, allowed ports are taken from it, as far as
    /// they can be had, and denied ports are those of the block that it does not contain. Waits for other runs until `stop`.
    ///
    /// # Errors
    /// What the system said, where no block is to be had.
    pub fn reserve_among(host: IpAddr, list: AllowList<'_>, stop: &Stop) -> io::Result<Arc<Self>> {
        let (first, lock) = block(host, SIZE, stop)?;
        let mut allowed: VecDeque<u16> = (first..first + ALLOWED).collect();
        let mut denied: VecDeque<u16> = (first + ALLOWED..first + ALLOWED + DENIED).collect();
        if let AllowList::Shorter(most) = list {
            allowed.truncate(most.into());
        }
        if let AllowList::Running(ranges) = list {
            let listed = |port: &u16| ranges.iter().any(|range| range.contains(*port));
            denied.extend(allowed.drain(..));
            denied.retain(|port| !listed(port));
            let wanted = ranges.iter().flat_map(|range| range.first..=range.last);
            let free =
                |port: &u16| (first..first + SIZE).contains(port) || hold(host, *port).is_ok();
            let known: BTreeSet<u16> = wanted.collect();
            allowed.extend(known.into_iter().filter(free).take(ALLOWED.into()));
        }
        let listening = first + ALLOWED + DENIED + PLACEHOLDER_BLOCKS * PLACEHOLDERS;
        let listening: VecDeque<u16> = (listening..listening + LISTENING).collect();
        let denies = !denied.is_empty();
        let in_all = allowed.len();
        let allowed = allowed.into_iter().map(|port| (port, None)).collect();
        let held = Mutex::new(Held {
            sockets: BTreeMap::new(),
            allowed,
            denied,
            listening,
        });
        Ok(Arc::new(Self {
            host,
            first,
            allowed: in_all,
            denies,
            held,
            _lock: lock,
        }))
    }

    /// The ports that an ordinary allow list contains.
    #[must_use]
    pub fn allowed_ranges(&self) -> Vec<PortRange> {
        vec![PortRange {
            first: self.first,
            last: self.first + u16::try_from(self.allowed).unwrap_or(ALLOWED).min(ALLOWED) - 1,
        }]
    }

    /// The placeholders of one of the set-ups that run at the same time.
    #[must_use]
    pub(crate) const fn placeholders(&self, block: u16) -> PortPlaceholders {
        PortPlaceholders::from(
            self.first + ALLOWED + DENIED + (block % PLACEHOLDER_BLOCKS) * PLACEHOLDERS,
        )
    }

    /// A port of the allow list that no other case uses, and none has used for as long as `rest`: where ports are few, a late
    /// connection of the proxy would meet the next case.
    pub fn take_allowed(self: &Arc<Self>, rest: Duration) -> Option<Port> {
        let mut held = self.held();
        let (number, given_back) = *held.allowed.front()?;
        if self.are_few() && given_back.is_some_and(|at| at.elapsed() < rest) {
            return None;
        }
        held.allowed.pop_front();
        drop(held);
        Some(Port {
            number,
            kind: Kind::Allowed,
            ports: Arc::clone(self),
        })
    }

    /// Whether an earlier case has used `port` not longer than `within` ago, and none does now: what still asks for it is left
    /// over from that case.
    pub(super) fn is_left_over(&self, port: u16, within: Duration) -> bool {
        let held = self.held();
        let mut given_back = held.allowed.iter().rev();
        given_back.any(|&(number, at)| number == port && at.is_some_and(|at| at.elapsed() < within))
    }

    /// A port that is not in the allow list, and that no other case uses.
    pub fn take_denied(self: &Arc<Self>) -> Option<Port> {
        let number = self.held().denied.pop_front()?;
        Some(Port {
            number,
            kind: Kind::Denied,
            ports: Arc::clone(self),
        })
    }

    /// How many ports there are that the proxy allows.
    pub const fn allowed(&self) -> usize {
        self.allowed
    }

    /// Whether they are fewer than cases want that run at the same time.
    pub const fn are_few(&self) -> bool {
        self.allowed < ALLOWED as usize
    }

    /// How many cases may run at the same time, of those that somebody wants to.
    pub(crate) fn jobs(&self, wanted: usize) -> usize {
        if self.are_few() {
            wanted.min(self.allowed / FOR_A_CASE).max(1)
        } else {
            wanted
        }
    }

    /// Whether there ever was a port that the proxy does not allow: a running one may allow them all.
    pub const fn denies(&self) -> bool {
        self.denies
    }

    /// A port for a subject to listen on, which it binds itself.
    pub fn take_listening(self: &Arc<Self>) -> Option<Port> {
        let number = self.held().listening.pop_front()?;
        Some(Port {
            number,
            kind: Kind::Listening,
            ports: Arc::clone(self),
        })
    }

    /// A certain port among those of the placeholders.
    pub(crate) fn take(self: &Arc<Self>, number: u16) -> Port {
        Port {
            number,
            kind: Kind::Letter,
            ports: Arc::clone(self),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Port {
    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Whether it is of the allow list.
    pub(super) fn is_allowed(&self) -> bool {
        self.kind == Kind::Allowed
    }

    /// Whether nobody listens on it: then it is held again, if it was not.
    pub(crate) fn is_free(&self) -> bool {
        let mut held = self.ports.held();
        if !held.sockets.contains_key(&self.number)
            && let Ok(socket) = hold(self.ports.host, self.number)
        {
            held.sockets.insert(self.number, socket);
        }
        held.sockets.contains_key(&self.number)
    }

    /// Begins to listen on it.
    pub(crate) fn listen(&self) -> io::Result<tokio::net::TcpListener> {
        self.listen_with(BACKLOG)
    }

    /// Begins to listen with room for as few connections as the kernel allows.
    pub(crate) fn listen_without_room(&self) -> io::Result<tokio::net::TcpListener> {
        self.listen_with(0)
    }

    fn listen_with(&self, room: i32) -> io::Result<tokio::net::TcpListener> {
        let mut held = self.ports.held();
        let socket = match held.sockets.get(&self.number) {
            Some(socket) => socket.try_clone()?,
            None => {
                let socket = hold(self.ports.host, self.number)?;
                held.sockets.insert(self.number, socket.try_clone()?);
                socket
            }
        };
        drop(held);
        begin_to_listen(socket, room)
    }

    /// Begins to listen on the same port of another address, for servers that have two.
    pub(crate) fn listen_also_on(&self, host: IpAddr) -> io::Result<tokio::net::TcpListener> {
        listen_on(host, self.number)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut held = self.ports.held();
        if self.kind == Kind::Listening {
            held.listening.push_back(self.number);
            return;
        }
        held.sockets.remove(&self.number);
        match self.kind {
            // To the back of the queue: a late connection of the proxy shall not meet the next case.
            Kind::Allowed => held.allowed.push_back((self.number, Some(Instant::now()))),
            Kind::Denied => held.denied.push_back(self.number),
            Kind::Letter | Kind::Listening => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_port_refuses_before_and_after_it_listened() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let _inside = runtime.enter();
        let ports = Ports::reserve_among(LOCALHOST, AllowList::Ours, &Stop::default()).unwrap();
        let port = ports.take_allowed(Duration::ZERO).unwrap();
        let address = (LOCALHOST, port.number());

        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        let listener = port.listen().unwrap();
        TcpStream::connect(address).unwrap();
        drop(listener);
        drop(port);
        assert_eq!(
            TcpStream::connect(address).unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
    }

    #[test]
    fn a_port_of_few_rests_before_it_is_used_again() {
        let free = TcpListener::bind((LOCALHOST, 0)).unwrap();
        let only = PortRange::from(free.local_addr().unwrap().port());
        drop(free);
        let ports =
            Ports::reserve_among(LOCALHOST, AllowList::Running(&[only]), &Stop::default()).unwrap();
        assert_eq!((ports.allowed(), ports.jobs(16)), (1, 1));
        let port = ports.take_allowed(Duration::MAX).unwrap();
        assert!(ports.take_allowed(Duration::ZERO).is_none());
        drop(port);
        assert!(ports.take_allowed(Duration::MAX).is_none());
        assert!(ports.take_allowed(Duration::ZERO).is_some());
    }

    #[test]
    fn a_short_list_is_made_of_few() {
        let ports =
            Ports::reserve_among(LOCALHOST, AllowList::Shorter(15), &Stop::default()).unwrap();
        let list = ports.allowed_ranges();
        assert_eq!(
            (list[0].ports(), ports.allowed(), ports.jobs(16)),
            (15, 15, 1)
        );
        let first = ports.take_allowed(Duration::ZERO).unwrap();
        let denied = ports.take_denied().unwrap();
        assert!(list[0].contains(first.number()) && !list[0].contains(denied.number()));
    }

    #[test]
    fn two_runs_get_two_blocks() {
        let (one, two) = (
            Ports::reserve_among(LOCALHOST, AllowList::Ours, &Stop::default()).unwrap(),
            Ports::reserve_among(LOCALHOST, AllowList::Ours, &Stop::default()).unwrap(),
        );
        let (one, two) = (one.allowed_ranges()[0], two.allowed_ranges()[0]);
        assert!(one.last < two.first || two.last < one.first);
    }
}
