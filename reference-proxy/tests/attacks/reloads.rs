//! Reloads while tunnels stand, and while no name server answers.

use crate::apart::apart;
use crate::crowd::turn;
use crate::identity::is_root;
use crate::support::{Proxy, configured, octets, server};
use rustix::process::Signal;
use std::io::Write;
use std::net::UdpSocket;

/// A name server that never answers.
const SILENT: &str = "127.53.53.54";
/// Sections that make a configuration some megabytes large.
const SECTIONS: usize = 3000;
/// Reloads, each with a tunnel that outlasts it.
const RELOADS: usize = 16;
/// What memory may grow by: half of what these configurations would take, each of which is kept when it should not be.
const GROWTH_MOST_KIB: u64 = 8 << 10;

#[test]
fn a_tunnel_keeps_neither_the_configuration_nor_the_files_that_it_began_with() {
    let _turn = turn();
    let (server, allow) = server();
    let sections: String = (0..SECTIONS)
        .map(|index| format!("<Proxy \"h{index}.test:443\">\nRequire all denied\n</Proxy>\n"))
        .collect();
    let proxy = Proxy::with(&format!("{allow}{sections}"));
    let mut tunnels = Vec::new();
    let mut settled = None;
    for round in 0..RELOADS {
        tunnels.push(proxy.tunnel(&server));
        std::fs::rename(proxy.file("access.log"), proxy.file("access.log.old")).unwrap();
        proxy.reload(|config| config);
        proxy.says("reloaded; now on");
        if round == 2 {
            settled = Some((proxy.cost().1, proxy.files() - 2 * tunnels.len()));
        }
    }
    let (memory, files) = settled.unwrap();
    let grown = proxy.cost().1.saturating_sub(memory);
    assert!(grown <= GROWTH_MOST_KIB, "{grown} KiB");
    proxy.wait_until("its old files are closed", |proxy| {
        proxy.files() - 2 * tunnels.len() <= files
    });
    for (client, far) in &mut tunnels {
        client.write_all(b"still").unwrap();
        assert_eq!(&octets(far), b"still");
    }
}

#[test]
fn names_that_nobody_knows_hold_up_neither_a_reload_for_long_nor_the_end() {
    if !is_root() {
        return;
    }
    let _silent = UdpSocket::bind((SILENT, 53)).unwrap();
    let scratch = configured("");
    let file = scratch.path().join("resolv.conf");
    std::fs::write(&file, format!("nameserver {SILENT}\n")).unwrap();
    let mount = format!("mount --bind {} /etc/resolv.conf", file.display());
    let Some(command) = apart(&mount, &scratch) else {
        return;
    };
    let mut proxy = Proxy::launch(scratch, command);
    let names: String = (0..40).map(|index| format!(" n{index}.test")).collect();
    proxy.reload(|config| format!("{config}ProxyBlock{names}\n"));
    // Within the patience of a test, however many names there are.
    proxy.says("reloaded; now on");
    proxy.signal(Signal::HUP);
    proxy.signal(Signal::TERM);
    assert!(proxy.ended());
}
