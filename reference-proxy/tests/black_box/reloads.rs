//! SIGHUP: the new configuration for new tunnels, the old tunnels as they were.

use crate::support::{Proxy, connect, octets, server};
use std::io::Write;

#[test]
fn a_reload_changes_the_policy_and_keeps_the_tunnels() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    let (mut client, mut far) = proxy.tunnel(&server);
    proxy.reload(|config| config.replace(&allow, "AllowCONNECT 1\n"));
    proxy.says("reloaded");
    assert_eq!(proxy.status(&connect(&server, "")), 403);
    client.write_all(b"still").unwrap();
    assert_eq!(&octets(&mut far), b"still");
}

#[test]
fn a_wrong_config_changes_nothing() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    proxy.reload(|config| config + "AllowConect 1\n");
    proxy.says("not reloaded: AH00526");
    drop(proxy.tunnel(&server));
}

#[test]
fn logs_are_opened_anew() {
    let (server, allow) = server();
    let proxy = Proxy::with(&allow);
    drop(proxy.tunnel(&server));
    proxy.access_lines(1);
    std::fs::rename(proxy.file("access.log"), proxy.file("access.log.1")).unwrap();
    proxy.reload(|config| config);
    proxy.says("reloaded");
    drop(proxy.tunnel(&server));
    assert_eq!(proxy.access_lines(1).len(), 1);
}
