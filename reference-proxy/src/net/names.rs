//! Names and their addresses: the hosts file first, then the name servers of resolv.conf.
//!
//! Not by getaddrinfo, which holds a thread for as long as a name server is silent and which nobody can take back: a client
//! that asks for names of a silent zone and goes would keep everybody else's names waiting. Here a look-up that is dropped is
//! over, its sockets are closed and its turn goes to the next one; what the hosts file knows needs no turn at all, and
//! costs a fraction. The price: what nsswitch.conf may name besides `files` and `dns`, as mdns or LDAP, is not asked.
//!
//! Nothing is remembered, as in httpd: a cache is the name server's business. Both files are read anew when they change.

mod hosts;
mod together;

pub use together::all;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::system_conf::read_system_conf;
use hosts::Hosts;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

const HOSTS: &str = "/etc/hosts";
const SERVERS: &str = "/etc/resolv.conf";

/// How long a question keeps its turn while others wait for one: a name server that answers has done so by then.
const FAIR: Duration = Duration::from_secs(1);

/// Why nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// There is no such name, or it has no address.
    Unknown,
    /// No name server has answered, or not before others wanted to be asked, too.
    Silent,
    /// The time was over before.
    Late,
}

/// Whom this process asks for names.
#[derive(Debug)]
pub struct Names {
    /// Questions to name servers at once.
    turns: Semaphore,
    /// Who waits for a turn.
    waiting: AtomicUsize,
    /// One for each of them, until a question has given its own turn up for it.
    wanted: Semaphore,
    sources: Mutex<Option<Arc<Sources>>>,
}

/// The two files, as they were when they were read.
#[derive(Debug)]
struct Sources {
    stamps: [Stamp; 2],
    hosts: Hosts,
    servers: Option<TokioResolver>,
}

/// What changes when a file does; `None`: there is none.
type Stamp = Option<(u64, i64, i64, u64)>;

impl Names {
    /// So many questions at once.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self {
            turns: Semaphore::new(at_once.max(1)),
            waiting: AtomicUsize::new(0),
            wanted: Semaphore::new(0),
            sources: Mutex::default(),
        }
    }

    /// The addresses of `name`, before `deadline`. Whoever drops this gives its turn back.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub async fn addresses(
        &self,
        name: &str,
        deadline: Instant,
    ) -> Result<Vec<IpAddr>, Unresolved> {
        let sources = self.sources();
        if let Some(known) = sources.hosts.addresses(name) {
            return Ok(known);
        }
        self.ask(deadline, async {
            let servers = sources.servers.as_ref().ok_or(Unresolved::Unknown)?;
            let found = servers.lookup_ip(name).await.map_err(reason)?;
            Ok(found.iter().collect())
        })
        .await
    }

    /// The name of `address`, if that name has this address: anybody can claim any name for an address of his.
    ///
    /// # Errors
    ///
    /// The time was over; where nobody knows a name there is none.
    pub async fn name_of(
        &self,
        address: IpAddr,
        deadline: Instant,
    ) -> Result<Option<String>, Unresolved> {
        let sources = self.sources();
        let claimed = match sources.hosts.name(address) {
            Some(name) => Ok(name.to_owned()),
            None => {
                self.ask(deadline, async {
                    let servers = sources.servers.as_ref().ok_or(Unresolved::Unknown)?;
                    let found = servers.reverse_lookup(address).await.map_err(reason)?;
                    let named = |data: &RData| match data {
                        RData::PTR(name) => Some(name.to_string()),
                        _ => None,
                    };
                    let mut names = found.answers().iter().map(|record| &record.data);
                    names.find_map(named).ok_or(Unresolved::Unknown)
                })
                .await
            }
        };
        let confirmed = match claimed {
            Ok(name) => {
                let addresses = self.addresses(&name, deadline).await;
                addresses.map(|addresses| (name, addresses))
            }
            Err(unresolved) => Err(unresolved),
        };
        match confirmed {
            Ok((name, addresses)) => {
                let mut addresses = addresses.iter().map(IpAddr::to_canonical);
                let name = name.trim_end_matches('.').to_owned();
                Ok(addresses.any(|found| found == address).then_some(name))
            }
            Err(Unresolved::Late) => Err(Unresolved::Late),
            Err(Unresolved::Unknown | Unresolved::Silent) => Ok(None),
        }
    }

    /// Waits for a turn and for the answer. Names that nobody answers for must not keep the others waiting: where turns run
    /// out, whoever has had one the longest gives it up.
    async fn ask<T>(
        &self,
        deadline: Instant,
        question: impl Future<Output = Result<T, Unresolved>>,
    ) -> Result<T, Unresolved> {
        let answered = timeout_at(deadline, async {
            let _turn = self.turn().await;
            tokio::select! {
                answer = question => answer,
                () = self.is_wanted() => Err(Unresolved::Silent),
            }
        });
        answered.await.unwrap_or(Err(Unresolved::Late))
    }

    /// A turn, when there is one.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        if let Ok(turn) = self.turns.try_acquire() {
            return Some(turn);
        }
        let _waiting = Waiting::for_a_turn(self);
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// When it has had its turn for long enough, and somebody waits for one.
    async fn is_wanted(&self) {
        sleep_until(Instant::now() + FAIR).await;
        if let Ok(wish) = self.wanted.acquire().await {
            wish.forget();
        }
    }

    /// What the files say now.
    fn sources(&self) -> Arc<Sources> {
        let stamps = [HOSTS, SERVERS].map(stamp);
        let mut known = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sources) = known.as_ref().filter(|sources| sources.stamps == stamps) {
            return Arc::clone(sources);
        }
        let sources = Arc::new(Sources {
            stamps,
            hosts: Hosts::read(HOSTS.as_ref()),
            servers: servers(),
        });
        *known = Some(Arc::clone(&sources));
        sources
    }
}

/// Somebody waits for a turn, until this is dropped.
struct Waiting<'a>(&'a Names);

impl<'a> Waiting<'a> {
    fn for_a_turn(names: &'a Names) -> Self {
        names.waiting.fetch_add(1, Ordering::SeqCst);
        names.wanted.add_permits(1);
        Self(names)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let others = self.0.waiting.fetch_sub(1, Ordering::SeqCst) - 1;
        // A turn that nobody has given up for it, or no turn at all: then one is wanted less.
        if self.0.wanted.available_permits() > others
            && let Ok(wish) = self.0.wanted.try_acquire()
        {
            wish.forget();
        }
    }
}

fn stamp(path: &str) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    let (seconds, fraction) = (metadata.mtime(), metadata.mtime_nsec());
    Some((metadata.ino(), seconds, fraction, metadata.len()))
}

/// Those of resolv.conf; where it names none, one on this machine, as everywhere else.
fn servers() -> Option<TokioResolver> {
    let (config, mut options) = read_system_conf().unwrap_or_else(|_| {
        let own = NameServerConfig::udp_and_tcp(IpAddr::from(Ipv4Addr::LOCALHOST));
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![own]);
        (config, ResolverOpts::default())
    });
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    // Both questions at once, to one server after the other.
    options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    options.num_concurrent_reqs = 1;
    // How many there may be is counted here.
    options.max_active_requests = usize::from(u16::MAX);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
        .ok()
}

fn reason(error: NetError) -> Unresolved {
    match error {
        NetError::Timeout | NetError::NoConnections | NetError::Busy | NetError::Io(_) => {
            Unresolved::Silent
        }
        _ => Unresolved::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_known_however_many_names_are_asked_for() {
        let names = Names::new(1);
        let _taken = names.turns.acquire().await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let found = names.addresses("LocalHost.", deadline).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
    }

    #[tokio::test]
    async fn a_question_without_an_answer_gives_its_turn_up_for_each_that_waits() {
        let names = Names::new(2);
        let deadline = Instant::now() + Duration::from_secs(60);
        let silent = || names.ask(deadline, std::future::pending::<Result<(), _>>());
        let answered = || names.ask(deadline, async { Ok(()) });
        let unanswered = async { tokio::join!(silent(), silent(), silent()) };
        let others = async { tokio::join!(answered(), answered(), answered()) };
        tokio::select! {
            biased;
            _ = unanswered => panic!("nobody wants the turn of the last one"),
            served = others => assert_eq!(served, (Ok(()), Ok(()), Ok(()))),
        }
        assert_eq!(names.wanted.available_permits(), 0);
    }

    #[tokio::test]
    async fn who_waits_for_a_turn_waits_no_longer_than_it_may() {
        let names = Names::new(1);
        let _taken = names.turns.acquire().await.unwrap();
        let deadline = Instant::now() + Duration::from_millis(10);
        let found = names.addresses("somebody.test", deadline).await;
        assert_eq!(found, Err(Unresolved::Late));
    }
}
