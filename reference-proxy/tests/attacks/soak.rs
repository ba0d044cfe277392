//! Mixed tunnels at random for as long as one likes, with everything counted: no octet is lost that was promised, and
//! nothing grows.
//!
//! `ci/soak MINUTES` lasts for so long and prints what it has seen; in `cargo test` it is over in seconds.

mod client;
mod octets;
mod stream;

use crate::crowd::{lines, turn};
use crate::support::{PATIENCE, accept, closed_port, finish, reset};
use client::{Client, Door, Front, WAYS};
use octets::{Octets, Pace, receive, send};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long it lasts where nobody says how many minutes.
const SHORT: Duration = Duration::from_secs(6);
/// Tunnels at once.
const WORKERS: usize = 12;
/// The timers: one that slow tunnels outlast, and one that nobody ever meets.
const TIMEOUTS: [u32; 2] = [3, 60];
/// The most that is sent one way.
const BULK_MOST: u64 = 4 << 20;
/// What a slow reader gets: at its pace more than the short timeout.
const SLOW: u64 = 700 << 10;
/// How often the figures are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Resident memory may grow by so much after a quarter of the time: allocators keep some of what a busy moment needed.
const GROWTH_MOST_KIB: u64 = 12 << 10;
/// Descriptors that may be left when no tunnel stands: the pool of pipes.
const POOL_MOST: usize = 2 * 64 + 8;

/// What a tunnel does.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bulk,
    HalfClosed,
    SlowClient,
    SlowServer,
    ResetByClient,
    ResetByServer,
    Refused,
}

const KINDS: [Kind; 7] = [
    Kind::Bulk,
    Kind::HalfClosed,
    Kind::SlowClient,
    Kind::SlowServer,
    Kind::ResetByClient,
    Kind::ResetByServer,
    Kind::Refused,
];

/// What was done so far.
#[derive(Default)]
struct Tally {
    kinds: [AtomicU64; KINDS.len()],
    octets: AtomicU64,
}

#[test]
fn nothing_is_lost_and_nothing_grows() {
    let _turn = turn();
    let minutes = std::env::var("SOAK_MINUTES").ok();
    let lasts = minutes.map_or(SHORT, |minutes| {
        Duration::from_secs_f64(60.0 * minutes.parse::<f64>().expect("SOAK_MINUTES is a number"))
    });
    let servers: Vec<TcpListener> = (0..WORKERS)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let (_nobody, refused) = closed_port();
    let ports = servers.iter().map(|server| server.local_addr().unwrap());
    let ports: String = ports
        .chain([refused])
        .map(|address| format!(" {}", address.port()))
        .collect();
    let fronts: Vec<Front> = TIMEOUTS
        .iter()
        .flat_map(|timeout| {
            let config = format!("AllowCONNECT{ports}\nTimeout {timeout}\n");
            WAYS.map(|way| Front::new(way, &config))
        })
        .collect();
    let quiet: Vec<usize> = fronts.iter().map(|front| front.proxy.files()).collect();
    let (tally, over) = (Tally::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let doors: Vec<&Door> = fronts.iter().map(|front| &front.door).collect();
        let (tally, over) = (&tally, &over);
        // Dropped when the last worker ends, also when it has failed.
        let (working, ended) = channel::<()>();
        for (server, seed) in servers.iter().zip(1..) {
            let (working, doors) = (working.clone(), doors.clone());
            scope.spawn(move || {
                let _working = working;
                work(&doors, server, refused, Octets::new(seed), tally, over);
            });
        }
        drop(working);
        watch(&fronts, tally, lasts, over, &ended);
    });
    for (front, quiet) in fronts.iter().zip(quiet) {
        let proxy = &front.proxy;
        let done = front.door.tunnels.load(Ordering::Relaxed);
        proxy.wait_until("every tunnel has its line", |proxy| {
            lines(&proxy.file("access.log")) as u64 == done
        });
        proxy.wait_until("its sockets are closed", |proxy| {
            proxy.files() <= quiet + POOL_MOST
        });
    }
}

/// Looks at the figures until the time is over, and says what they were.
fn watch(
    fronts: &[Front],
    tally: &Tally,
    lasts: Duration,
    over: &AtomicBool,
    ended: &Receiver<()>,
) {
    let (start, mut warm, mut next_word) = (Instant::now(), None, Duration::from_secs(30));
    let memory = || {
        fronts
            .iter()
            .map(|front| front.proxy.cost().1)
            .collect::<Vec<_>>()
    };
    // Every wait ends early when all workers have failed.
    while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let gone = start.elapsed();
        if warm.is_none() && gone >= lasts / 4 {
            warm = Some(memory());
        }
        if gone >= next_word {
            say(tally, fronts, gone);
            next_word += Duration::from_secs(30);
            fronts
                .iter()
                .for_each(|front| front.proxy.signal(rustix::process::Signal::HUP));
        }
        if gone >= lasts {
            break;
        }
    }
    over.store(true, Ordering::Relaxed);
    say(tally, fronts, start.elapsed());
    for (before, after) in warm.into_iter().flatten().zip(memory()) {
        assert!(
            after <= before + GROWTH_MOST_KIB,
            "{before} KiB, then {after} KiB"
        );
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the figures are what a long run is for"
)]
fn say(tally: &Tally, fronts: &[Front], gone: Duration) {
    let kinds: String = KINDS
        .iter()
        .zip(&tally.kinds)
        .map(|(kind, count)| format!(" {kind:?} {}", count.load(Ordering::Relaxed)))
        .collect();
    let mib = tally.octets.load(Ordering::Relaxed) >> 20;
    eprintln!("{:5.0} s:{kinds}; {mib} MiB, none lost", gone.as_secs_f64());
    for front in fronts {
        let (resident, files) = (front.proxy.cost().1, front.proxy.files());
        eprintln!(
            "         {}: {resident} KiB resident, {files} files",
            front.door.name
        );
    }
}

/// One tunnel after the other.
fn work(
    doors: &[&Door],
    server: &TcpListener,
    refused: SocketAddr,
    mut random: Octets,
    tally: &Tally,
    over: &AtomicBool,
) {
    while !over.load(Ordering::Relaxed) {
        let kind = random.below(KINDS.len() as u64) as usize;
        let door = doors[random.below(doors.len() as u64) as usize];
        let octets = match KINDS[kind] {
            Kind::Refused => {
                let mut client = door.dial();
                assert_eq!(client.ask(refused), 502);
                client.wait_for_the_end();
                0
            }
            asked => tunnel(door, server, asked, &mut random),
        };
        door.tunnels.fetch_add(1, Ordering::Relaxed);
        tally.kinds[kind].fetch_add(1, Ordering::Relaxed);
        tally.octets.fetch_add(octets, Ordering::Relaxed);
    }
}

/// One tunnel from its beginning to its end; returns how much it carried.
fn tunnel(door: &Door, server: &TcpListener, kind: Kind, random: &mut Octets) -> u64 {
    let mut client = door.dial();
    assert_eq!(client.ask(server.local_addr().unwrap()), 200, "{kind:?}");
    let far = accept(server);
    let most = if matches!(kind, Kind::SlowClient | Kind::SlowServer) {
        SLOW
    } else {
        BULK_MOST
    };
    let (up, down) = (random.below(most), random.below(most));
    let seeds = (random.next(), random.next());
    match (kind, client) {
        (Kind::Bulk, Client::Plain(client)) => both_at_once(client, far, (seeds, up, down)),
        (Kind::SlowServer, client) => {
            to_a_slow_server(client, far, (seeds.0, up));
            return up;
        }
        (Kind::ResetByClient | Kind::ResetByServer, client) => {
            cut_off(client, far, kind, (seeds.1, down));
            return down;
        }
        (_, client) => {
            let pace = match kind {
                Kind::SlowClient => Pace::Slow,
                _ => Pace::Full,
            };
            in_turns(client, far, pace, (seeds, up, down));
        }
    }
    up + down
}

type Load = ((u64, u64), u64, u64);

/// Up and down at the same time, each with an end.
fn both_at_once(client: TcpStream, far: TcpStream, (seeds, up, down): Load) {
    std::thread::scope(|scope| {
        for (stream, sent, got) in [
            (&client, (seeds.0, up), (seeds.1, down)),
            (&far, (seeds.1, down), (seeds.0, up)),
        ] {
            scope.spawn(move || {
                send(&mut &*stream, sent.0, sent.1);
                finish(stream);
            });
            scope.spawn(move || receive(&mut &*stream, got.0, got.1, Pace::Full));
        }
    });
}

/// Up and its end, and only then down, to a client that may be slow: half of the tunnel is closed meanwhile.
fn in_turns(mut client: Client, mut far: TcpStream, pace: Pace, (seeds, up, down): Load) {
    let server = std::thread::spawn(move || {
        receive(&mut far, seeds.0, up, Pace::Full);
        send(&mut far, seeds.1, down);
        finish(&far);
        far
    });
    send(&mut client, seeds.0, up);
    client.finish();
    receive(&mut client, seeds.1, down, pace);
    drop(server.join().unwrap());
}

/// Up to somebody who reads slowly. He has said all that he had to say before: who reads what his own kernel keeps for him is
/// silent to everybody else, and must not be waited for.
fn to_a_slow_server(mut client: Client, mut far: TcpStream, (seed, up): (u64, u64)) {
    finish(&far);
    let server = std::thread::spawn(move || receive(&mut far, seed, up, Pace::Slow));
    send(&mut client, seed, up);
    client.finish();
    receive(&mut client, 0, 0, Pace::Full);
    server.join().unwrap();
}

/// Something whole, then a reset: the other side must not take it for an end.
fn cut_off(mut client: Client, mut far: TcpStream, kind: Kind, (seed, down): (u64, u64)) {
    let server = std::thread::spawn(move || {
        send(&mut far, seed, down);
        far
    });
    octets::receive_exactly(&mut client, seed, down);
    let mut far = server.join().unwrap();
    if matches!(kind, Kind::ResetByClient) {
        client.reset();
        far.set_read_timeout(Some(PATIENCE)).unwrap();
        crate::support::end(&mut far).expect_err("a reset looks like an end");
    } else {
        reset(far);
        client.ends().expect_err("a reset looks like an end");
    }
}
