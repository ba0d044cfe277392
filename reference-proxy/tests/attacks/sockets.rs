//! Clients that make the program open more sockets than its share, and what it says when something runs short.

use crate::apart::apart;
use crate::crowd::turn;
use crate::support::{Proxy, configured, connect, head, server};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Addresses of one name, at none of which anybody answers.
const ADDRESSES: usize = 64;
/// Clients that ask for it.
const CLIENTS: usize = 200;
/// How long they try: in a second of it each of them would have opened four sockets.
const TRY: Duration = Duration::from_secs(4);
/// What they may use altogether: two sockets each, and a share that all of them have in common.
const FILES_MOST: usize = 2 * CLIENTS + 200;

/// A port at which nobody answers, at any address of this machine: its queue is full.
fn silent_port() -> (socket2::Socket, Vec<TcpStream>, u16) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    socket.bind(&any.into()).unwrap();
    socket.listen(0).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let own = SocketAddr::from(([127, 0, 0, 1], port));
    let patience = Duration::from_millis(500);
    let connected = std::iter::from_fn(|| TcpStream::connect_timeout(&own, patience).ok());
    let waiting = connected.collect();
    (socket, waiting, port)
}

#[test]
fn a_name_with_many_silent_addresses_uses_up_nothing_that_others_need() {
    let _turn = turn();
    let (server, _) = server();
    let (_silent, _waiting, port) = silent_port();
    let open = server.local_addr().unwrap().port();
    let scratch = configured(&format!(
        "AllowCONNECT {open} {port}\nProxyTimeout {}\n<Proxy \"*\">\nRequire all granted\n</Proxy>\n",
        TRY.as_secs()
    ));
    let hosts: String = (1..=ADDRESSES)
        .map(|host| format!("127.66.0.{host} many.test\n"))
        .collect();
    let file = scratch.path().join("hosts");
    std::fs::write(&file, hosts).unwrap();
    let setup = format!(
        "mount --bind {} /etc/hosts && ulimit -n 1024",
        file.display()
    );
    let Some(command) = apart(&setup, &scratch) else {
        return;
    };
    let proxy = Proxy::launch(scratch, command);
    let mut clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut client = proxy.dial();
            let target = format!("many.test:{port}");
            let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
            client.write_all(request.as_bytes()).unwrap();
            client
        })
        .collect();
    let (end, mut most) = (Instant::now() + TRY / 2, 0);
    while Instant::now() < end {
        drop(proxy.tunnel(&server));
        most = most.max(proxy.files());
    }
    assert!(most <= FILES_MOST, "{most} open files");
    let statuses: Vec<String> = clients
        .iter_mut()
        .map(|client| head(client).split(' ').nth(1).unwrap().to_owned())
        .collect();
    let fits = |status: &String| status == "503" || status == "504";
    assert!(statuses.iter().all(fits), "{statuses:?}");
    assert!(statuses.iter().any(|status| status == "503"));
    proxy.says("descriptors run short");
    // Once a minute is enough.
    assert_eq!(proxy.has_said("descriptors run short"), None);
}

#[test]
fn a_full_table_is_told() {
    let (server, allow) = server();
    let proxy = Proxy::with(&format!("{allow}MaxRequestWorkers 2\n"));
    let tunnels = [proxy.tunnel(&server), proxy.tunnel(&server)];
    let mut third = proxy.dial();
    third.write_all(connect(&server, "").as_bytes()).unwrap();
    proxy.says("server reached MaxRequestWorkers setting");
    drop(tunnels);
    assert!(head(&mut third).starts_with("HTTP/1.1 200 "));
}

#[test]
fn running_out_of_descriptors_is_told_and_passes() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let pid = Pid::from_raw(proxy.id().try_into().unwrap());
    let files = u64::try_from(proxy.files()).unwrap();
    let limit = |current| Rlimit {
        current: Some(current),
        maximum: Some(20_000),
    };
    let before = prlimit(pid, Resource::Nofile, limit(files)).unwrap();
    // The first of them may fill gaps between the numbers of its files.
    let mut clients: Vec<TcpStream> = (0..8).map(|_| proxy.dial()).collect();
    proxy.says("nobody can be let in for now");
    prlimit(pid, Resource::Nofile, before).unwrap();
    let mut client = clients.pop().unwrap();
    client.write_all(connect(&server, "").as_bytes()).unwrap();
    assert!(head(&mut client).starts_with("HTTP/1.1 200 "));
}
