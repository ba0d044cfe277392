//! Tunnels, from the first octet to the end of both sides.

use crate::support::{
    PATIENCE, Proxy, accept, connect, end, everything, finish, head, octets, reset, server,
};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

#[test]
fn octets_pass_both_ways_early_ones_first() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let early: String = "0123456789abcdef".repeat(4096);
    let mut client = proxy.dial();
    let mut sender = client.try_clone().unwrap();
    let request = connect(&server, "") + &early;
    let sending = std::thread::spawn(move || sender.write_all(request.as_bytes()).unwrap());
    let mut far = accept(&server);
    far.write_all(b"banner").unwrap();
    assert_eq!(
        head(&mut client),
        "HTTP/1.1 200 Connection Established\r\n\r\n"
    );
    assert_eq!(&octets(&mut client), b"banner");
    let mut received = vec![0; early.len()];
    far.read_exact(&mut received).unwrap();
    assert!(received == early.as_bytes());
    sending.join().unwrap();
}

#[test]
fn a_half_is_closed_on_its_own() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (mut client, mut far) = proxy.tunnel(&server);
    client.write_all(b"last words").unwrap();
    finish(&client);
    assert_eq!(&octets(&mut far), b"last words");
    end(&mut far).unwrap();
    far.write_all(b"answer").unwrap();
    finish(&far);
    assert_eq!(&octets(&mut client), b"answer");
    end(&mut client).unwrap();
    assert_eq!(proxy.access_lines(1)[0][0], "200");
}

#[test]
fn a_reset_is_passed_on_as_a_reset() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (client, mut far) = proxy.tunnel(&server);
    reset(client);
    assert_eq!(
        end(&mut far).unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
    let (mut client, far) = proxy.tunnel(&server);
    reset(far);
    assert_eq!(
        end(&mut client).unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[test]
fn a_reset_behind_a_fin_is_noticed() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    for client_goes in [true, false] {
        let (client, far) = proxy.tunnel(&server);
        let before = proxy.files();
        let (goes, mut stays) = if client_goes {
            (client, far)
        } else {
            (far, client)
        };
        finish(&goes);
        end(&mut stays).unwrap();
        reset(goes);
        proxy.wait_until("both sockets closed", |proxy| proxy.files() == before - 2);
    }
}

/// A socket at which nobody arrives keeps no place: with one place, each of three addresses is served in turn.
#[test]
fn more_addresses_than_places_are_served() {
    let free = ["127.0.0.2:0", "127.0.0.3:0"].map(|any| TcpListener::bind(any).unwrap());
    let addresses = free.map(|free| free.local_addr().unwrap());
    let listens = addresses.map(|address| format!("Listen {address}\n"));
    let proxy = Proxy::with(&format!("{}MaxRequestWorkers 1\n", listens.concat()));
    for address in [addresses, addresses].concat() {
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client
            .write_all(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n")
            .unwrap();
        let answer = everything(&mut client);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{address}: {answer}");
    }
    drop(proxy);
}

#[test]
fn a_silent_tunnel_ends_and_says_so() {
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}Timeout 1\n"));
    let (mut client, mut far) = proxy.tunnel(&server);
    let started = Instant::now();
    end(&mut client).unwrap();
    end(&mut far).unwrap();
    assert!((Duration::from_millis(800)..Duration::from_secs(5)).contains(&started.elapsed()));
    proxy.says("tunnel timed out");
}

#[test]
fn one_direction_keeps_a_tunnel_alive() {
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}Timeout 1\n"));
    let (mut client, mut far) = proxy.tunnel(&server);
    client
        .set_read_timeout(Some(Duration::from_millis(400)))
        .unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2500) {
        far.write_all(b".").unwrap();
        assert_eq!(&octets(&mut client), b".");
        // Nothing comes: this is the pause.
        client.read(&mut [0]).unwrap_err();
    }
}

/// Sends and receives on both ends at once, then compares.
fn exchange_in_bulk(client: &TcpStream, far: &TcpStream, size: usize) {
    let payload: Vec<u8> = (0..size)
        .map(|index| (index / 7 + index / 4096) as u8)
        .collect();
    std::thread::scope(|scope| {
        for end in [client, far] {
            let payload = &payload;
            scope.spawn(move || {
                (&*end).write_all(payload).unwrap();
                finish(end);
            });
            scope.spawn(move || {
                let mut received = Vec::new();
                (&*end).read_to_end(&mut received).unwrap();
                assert!(
                    received == *payload,
                    "{} octets of {}",
                    received.len(),
                    payload.len()
                );
            });
        }
    });
}

#[test]
fn bulk_arrives_whole_in_both_directions_at_once() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    for _ in 0..3 {
        let (client, far) = proxy.tunnel(&server);
        exchange_in_bulk(&client, &far, 24 << 20);
    }
    let lines = proxy.access_lines(3);
    assert!(
        lines
            .iter()
            .all(|line| line[5].parse::<usize>().unwrap() == (24 << 20) + 39),
        "{lines:?}"
    );
}

#[test]
fn a_slow_reader_bounds_what_is_taken_and_loses_nothing() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (mut client, far) = proxy.tunnel(&server);
    let (_, before) = proxy.cost();
    far.set_nonblocking(true).unwrap();
    // Write until nothing is taken for a while: every buffer on the way is full.
    let (chunk, mut taken, mut blocked) = (vec![7; 1 << 16], 0, None::<Instant>);
    while blocked.is_none_or(|since| since.elapsed() < Duration::from_millis(500)) {
        match (&far).write(&chunk) {
            Ok(written) => {
                taken += written;
                blocked = None;
                assert!(taken < 128 << 20, "there is no back-pressure");
            }
            Err(_) => {
                blocked.get_or_insert_with(Instant::now);
                std::thread::yield_now();
            }
        }
    }
    let (_, after) = proxy.cost();
    assert!(
        after < before + (8 << 10),
        "{before} KiB became {after} KiB"
    );
    finish(&far);
    let mut received = Vec::new();
    client.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), taken);
}

#[test]
fn every_end_gives_the_descriptors_back() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (client, far) = proxy.tunnel(&server);
    exchange_in_bulk(&client, &far, 1 << 20);
    drop((client, far));
    proxy.wait_until("the first tunnel is gone", |proxy| {
        proxy.access_lines(1).len() == 1
    });
    let idle = proxy.files();
    for round in 0..40 {
        let (client, far) = proxy.tunnel(&server);
        match round % 4 {
            0 => drop((client, far)),
            1 => drop((far, client)),
            2 => {
                reset(client);
                drop(far);
            }
            _ => {
                reset(far);
                drop(client);
            }
        }
    }
    // The pipes of the bulk transfer stay in their pool.
    proxy.wait_until("all descriptors are back", |proxy| proxy.files() <= idle);
}

#[test]
fn a_half_closed_tunnel_costs_nothing() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let tunnels: Vec<_> = (0..2).map(|_| proxy.tunnel(&server)).collect();
    let (mut ends_first, mut stays) = (
        tunnels[0].0.try_clone().unwrap(),
        tunnels[0].1.try_clone().unwrap(),
    );
    finish(&ends_first);
    end(&mut stays).unwrap();
    finish(&tunnels[1].1);
    end(&mut tunnels[1].0.try_clone().unwrap()).unwrap();
    let (before, _) = proxy.cost();
    ends_first
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    // A second in which nothing comes.
    ends_first.read(&mut [0]).unwrap_err();
    let (after, _) = proxy.cost();
    assert!(after - before <= 2, "{} ticks", after - before);
}

#[test]
fn a_terminated_proxy_drains_and_writes_every_line() {
    let (server, allow) = server();
    let mut proxy = Proxy::with(&format!("{allow}GracefulShutdownTimeout 1\n"));
    let tunnels: Vec<_> = (0..5).map(|_| proxy.tunnel(&server)).collect();
    proxy.signal(rustix::process::Signal::TERM);
    // It still serves what stands.
    let (mut client, mut far) = (&tunnels[0].0, &tunnels[0].1);
    client.write_all(b"more").unwrap();
    let mut received = [0; 4];
    far.read_exact(&mut received).unwrap();
    assert!(proxy.ended());
    assert_eq!(proxy.access_lines(5).len(), 5);
}

#[test]
fn a_stalled_tunnel_does_not_end_as_if_it_were_whole() {
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}Timeout 1\n"));
    // More than the buffers on the way hold. It is there before the tunnel, which would time out meanwhile on a busy machine.
    let much = vec![1; 64 << 20];
    let (mut client, mut far) = proxy.tunnel(&server);
    // The client reads nothing until the tunnel has timed out.
    far.write_all(&much).unwrap_err();
    proxy.says("tunnel timed out");
    let mut received = Vec::new();
    let end = client.read_to_end(&mut received);
    assert_eq!(
        end.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset,
        "{}",
        received.len()
    );
}
