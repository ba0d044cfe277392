//! How tunnels end when the process does: with a line each, and with a reset where octets were on their way.

use crate::crowd::{Crowd, lines};
use crate::support::{Proxy, end, octets, server};
use rustix::process::Signal;
use std::io::{ErrorKind, Write};

/// As many as a busy proxy has.
const MANY: usize = 4000;

#[test]
fn every_tunnel_has_its_line_after_a_signal() {
    for (signal, drain) in [
        (Signal::TERM, "GracefulShutdownTimeout 1\n"),
        (Signal::INT, ""),
    ] {
        let (server, allow) = server();
        let mut proxy = Proxy::with(&format!("{allow}{drain}"));
        let crowd = Crowd::new(&proxy, &server, MANY);
        proxy.signal(signal);
        assert!(proxy.ended());
        let written = lines(&proxy.file("access.log"));
        assert_eq!(written, crowd.tunnels.len(), "behind {signal:?}");
    }
}

#[test]
fn every_tunnel_has_its_line_when_a_reload_closes_its_listener() {
    let (server, allow) = server();
    let mut proxy = Proxy::with(&allow);
    let crowd = Crowd::new(&proxy, &server, 500);
    let count = crowd.tunnels.len();
    std::fs::rename(proxy.file("access.log"), proxy.file("access.log.1")).unwrap();
    proxy.reload(|config| config.replace("Listen 127.0.0.1:0", "Listen 127.0.0.2:0"));
    proxy.says("reloaded; now on 127.0.0.2:");
    drop(crowd);
    // Their lines may be in either file: what counts is that they are there.
    let written =
        |proxy: &Proxy| lines(&proxy.file("access.log")) + lines(&proxy.file("access.log.1"));
    proxy.wait_until("every tunnel has its line", |proxy| written(proxy) == count);
    proxy.signal(Signal::TERM);
    assert!(proxy.ended());
    assert_eq!(written(&proxy), count);
}

#[test]
fn what_is_cut_off_looks_cut_off() {
    // Told to end, ended at once, killed, crashed.
    for signal in [Signal::TERM, Signal::INT, Signal::KILL, Signal::ABORT] {
        let (server, allow) = server();
        let mut proxy = Proxy::with(&format!("{allow}GracefulShutdownTimeout 1\n"));
        let (mut client, mut far) = proxy.tunnel(&server);
        // The first half of something; the second has not been sent yet, so that nothing is on its way.
        far.write_all(&[7; 4096]).unwrap();
        assert_eq!(octets::<4096>(&mut client), [7; 4096]);
        proxy.signal(signal);
        proxy.ended();
        for side in [&mut client, &mut far] {
            let ended = end(side).expect_err("it looks whole");
            assert_eq!(ended.kind(), ErrorKind::ConnectionReset, "{signal:?}");
        }
    }
}
