//! How connections of HTTP/2 begin and end: with streams, without them, and with the process.

use crate::client::{Client, H2C, run, serving};
use crate::raw::*;
use crate::support::Proxy;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The GOAWAY that says that no stream is lost.
fn announced(raw: &mut Raw) {
    loop {
        let frame = raw.next().expect("the connection ends");
        if frame.kind == GOAWAY {
            assert_eq!(&frame.payload[..8], &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
            return;
        }
    }
}

#[test]
fn the_end_of_the_process_is_announced_and_cuts_what_stands() {
    run(async {
        let (mut proxy, server) = serving("GracefulShutdownTimeout 1\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let mut idle = Raw::of(&proxy);
        idle.fence();
        proxy.signal(Signal::TERM);
        announced(&mut raw);
        announced(&mut idle);
        // The tunnel goes on until the time is over.
        raw.sends(DATA, 0, 1, b"still");
        let mut octets = [0; 5];
        far.read_exact(&mut octets).await.unwrap();
        assert_eq!(&octets, b"still");
        assert!(far.read(&mut [0]).await.is_err());
        assert!(proxy.ended());
        assert_eq!(proxy.access_lines(1)[0][0], "200");
    });
}

/// Frames are gathered before they leave; the last of them leave before the connection does.
#[test]
fn all_that_servers_said_arrives_before_the_connection_ends() {
    const MUCH: usize = 256 << 10;
    run(async {
        let (mut proxy, server) = serving("GracefulShutdownTimeout 300\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        // Room for all of it: INITIAL_WINDOW_SIZE, and the window of the connection.
        raw.sends(SETTINGS, 0, 0, &[0, 4, 0, 0x10, 0, 0]);
        raw.sends(WINDOW_UPDATE, 0, 0, &[0, 0x10, 0, 0]);
        let mut servers = Vec::new();
        for stream in [1, 3, 5] {
            raw.tunnel(stream, target);
            servers.push(server.accept().await.unwrap().0);
        }
        proxy.signal(Signal::TERM);
        announced(&mut raw);
        for stream in [1, 3, 5] {
            raw.sends(DATA, END_STREAM, stream, b"");
        }
        let heard = tokio::task::spawn_blocking(move || {
            let (mut octets, mut ends) = ([0; 3], 0);
            while let Some(frame) = raw.next() {
                if frame.kind == DATA {
                    octets[frame.stream as usize / 2] += frame.payload.len();
                    ends += usize::from(frame.flags & END_STREAM);
                }
            }
            (octets, ends)
        });
        for far in &mut servers {
            far.write_all(&[7; MUCH]).await.unwrap();
            far.shutdown().await.unwrap();
        }
        assert_eq!(heard.await.unwrap(), ([MUCH; 3], 3));
        assert!(proxy.ended());
    });
}

/// Clients that keep the rules are gone before the time is over.
#[test]
fn idle_connections_do_not_hold_up_the_end_of_the_process() {
    run(async {
        let (mut proxy, server) = serving("GracefulShutdownTimeout 300\n").await;
        let client = Client::of(&proxy).await;
        let mut tunnel = client.tunnel(&server).await;
        tunnel.works().await;
        drop(tunnel);
        let _silent = Client::of(&proxy).await;
        proxy.signal(Signal::TERM);
        let ended = tokio::task::spawn_blocking(move || proxy.ended());
        assert!(ended.await.unwrap());
    });
}

#[test]
fn a_reload_is_announced_and_decides_about_what_begins_then() {
    run(async {
        let (proxy, server) = serving("").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        proxy.reload(|config| config.replace("AllowCONNECT ", "AllowCONNECT 1\n#"));
        proxy.says("reloaded; now on");
        announced(&mut raw);
        raw.asks(3, &connect(target));
        let answer = raw.of_stream(3);
        assert_eq!(answer.kind, HEADERS);
        assert_ne!(answer.payload[0], STATUS_200);
        raw.sends(DATA, 0, 1, b"still");
        let mut octets = [0; 5];
        far.read_exact(&mut octets).await.unwrap();
        far.write_all(b"there").await.unwrap();
        let frame = raw.of_stream(1);
        assert_eq!((frame.kind, &*frame.payload), (DATA, &b"there"[..]));
        let lines = proxy.access_lines(1);
        assert_eq!(lines[0][0], "403");
        // Nobody tells a new connection of what was before it.
        let mut new = Raw::of(&proxy);
        new.asks(1, &connect(target));
        assert_ne!(new.of_stream(1).payload[0], STATUS_200);
        new.fence();
    });
}

#[test]
fn a_connection_without_streams_ends_and_one_with_a_tunnel_stays() {
    run(async {
        let (proxy, server) = serving("KeepAliveTimeout 1\nTimeout 60\n").await;
        let target = server.local_addr().unwrap();
        let mut standing = Raw::of(&proxy);
        standing.tunnel(1, target);
        let (mut far, _) = server.accept().await.unwrap();
        let began = Instant::now();
        let mut raw = Raw::of(&proxy);
        raw.asks(
            1,
            &block(&[(":method", "CONNECT"), (":authority", "127.0.0.1:1")]),
        );
        announced(&mut raw);
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(900), "{took:?}");
        while raw.next().is_some() {}
        standing.sends(DATA, 0, 1, b"still");
        let mut octets = [0; 5];
        far.read_exact(&mut octets).await.unwrap();
        // One that never had a stream has as long as a client of HTTP/1.1 has to say something.
        let proxy = Proxy::with(&format!("{H2C}Timeout 1\nKeepAliveTimeout 60\n"));
        announced(&mut Raw::of(&proxy));
    });
}

/// What has begun and does not end is given up, whatever else the connection carries.
#[test]
fn a_field_block_has_its_time() {
    run(async {
        let (proxy, server) = serving("RequestReadTimeout header=1\nKeepAliveTimeout 1\n").await;
        let target = server.local_addr().unwrap();
        let mut raw = Raw::of(&proxy);
        raw.tunnel(1, target);
        raw.sends(HEADERS, 0, 3, b"");
        assert_eq!(raw.goes_away(), 11);
        let (mut far, _) = server.accept().await.unwrap();
        assert!(far.read(&mut [0]).await.is_err());
        // And so is a preface.
        let mut silent = proxy.dial();
        std::io::Write::write_all(&mut silent, b"PRI * HTTP/2.0\r\n\r\nSM").unwrap();
        let answer = crate::support::everything(&mut silent);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    });
}

/// However the process is told to end, and however many streams a connection has.
#[test]
fn every_stream_has_its_line_after_a_signal() {
    run(async {
        for signal in [Signal::TERM, Signal::INT] {
            let (mut proxy, server) = serving("GracefulShutdownTimeout 1\n").await;
            let target = server.local_addr().unwrap();
            let accepting = tokio::spawn(async move {
                let mut standing = Vec::new();
                while let Ok(one) = server.accept().await {
                    standing.push(one);
                }
            });
            let mut connections = Vec::new();
            for _ in 0..5 {
                let mut raw = Raw::of(&proxy);
                for stream in (1..200).step_by(2) {
                    raw.tunnel(stream, target);
                }
                connections.push(raw);
            }
            proxy.signal(signal);
            assert!(proxy.ended());
            let lines = proxy.access_lines(500);
            assert_eq!(lines.len(), 500, "{signal:?}");
            assert!(lines.iter().all(|line| line[0] == "200"));
            accepting.abort();
        }
    });
}
