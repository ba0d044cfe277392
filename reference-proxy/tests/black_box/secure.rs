//! TLS between the client and the proxy.

use crate::support::{Proxy, accept, connect, end, octets, server};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// A proxy with a certificate for `localhost`, and what a client needs to trust it.
fn secured(allow: &str) -> (Proxy, Arc<ClientConfig>, tempfile::TempDir) {
    let (proxy, roots, folder) = secured_with(allow);
    (proxy, client(roots, rustls::DEFAULT_VERSIONS), folder)
}

fn client(
    roots: RootCertStore,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

fn secured_with(more: &str) -> (Proxy, RootCertStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let proxy = Proxy::with(&format!(
        "{more}SSLEngine On\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n",
        certificate.display(),
        key.display()
    ));
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(made.cert.der().to_vec()))
        .unwrap();
    (proxy, roots, folder)
}

fn dial(proxy: &Proxy, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(
        ClientConnection::new(Arc::clone(config), name).unwrap(),
        proxy.dial(),
    )
}

#[test]
fn a_tunnel_stands_behind_the_handshake() {
    let (server, allow) = server();
    let (proxy, config, _folder) = secured(&allow);
    let mut client = dial(&proxy, &config);
    client
        .write_all((connect(&server, "") + "early").as_bytes())
        .unwrap();
    let mut far = accept(&server);
    let mut established = [0; 39];
    client.read_exact(&mut established).unwrap();
    assert_eq!(client.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(&octets(&mut far), b"early");
    // More than any buffer on the way, both ways.
    let payload = vec![3; 3 << 20];
    let (mut reader, expected) = (far.try_clone().unwrap(), payload.len());
    let reading = std::thread::spawn(move || {
        let mut received = vec![0; expected];
        reader.read_exact(&mut received).unwrap();
        received
    });
    client.write_all(&payload).unwrap();
    assert!(reading.join().unwrap() == payload);
    far.write_all(b"last words").unwrap();
    crate::support::finish(&far);
    // An orderly end says so in TLS, too: without it this would be an error.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"last words");
    client.conn.send_close_notify();
    client.flush().unwrap();
    end(&mut far).unwrap();
}

#[test]
fn a_client_that_speaks_no_tls_is_not_answered_in_clear() {
    let (server, allow) = server();
    let (proxy, config, _folder) = secured(&allow);
    let answer = proxy.exchange(&connect(&server, ""));
    assert!(!answer.starts_with("HTTP"), "{answer}");
    let mut client = dial(&proxy, &config);
    client
        .write_all(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn only_the_versions_that_are_allowed_are_spoken() {
    use rustls::version::{TLS12, TLS13};
    let speaks = |protocols: &str, version| {
        let (proxy, roots, _folder) = secured_with(protocols);
        let mut stream = dial(&proxy, &client(roots, &[version]));
        let spoken = stream.write_all(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut answer = String::new();
        spoken.is_ok() && stream.read_to_string(&mut answer).is_ok()
    };
    for (protocols, tls12, tls13) in [
        ("", true, true),
        ("SSLProtocol all -SSLv3\n", true, true),
        ("SSLProtocol TLSv1.3\n", false, true),
        ("SSLProtocol -all +TLSv1.2\n", true, false),
    ] {
        assert_eq!(speaks(protocols, &TLS12), tls12, "1.2 with {protocols}");
        assert_eq!(speaks(protocols, &TLS13), tls13, "1.3 with {protocols}");
    }
}

#[test]
fn the_chain_is_sent_behind_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let more = rcgen::generate_simple_self_signed(["above.test".to_owned()]).unwrap();
    let file = folder.path().join("chain.pem");
    std::fs::write(&file, more.cert.pem()).unwrap();
    let (proxy, roots, _folder) =
        secured_with(&format!("SSLCertificateChainFile {}\n", file.display()));
    let mut stream = dial(&proxy, &client(roots, rustls::DEFAULT_VERSIONS));
    stream
        .write_all(b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    stream.read_exact(&mut [0; 12]).unwrap();
    let sent = stream.conn.peer_certificates().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[1].as_ref(), more.cert.der().as_ref());
}

#[test]
fn a_slow_reader_gets_everything() {
    let (server, allow) = server();
    let (proxy, config, _folder) = secured(&allow);
    let mut client = dial(&proxy, &config);
    client.write_all(connect(&server, "").as_bytes()).unwrap();
    let mut far = accept(&server);
    let mut established = [0; 39];
    client.read_exact(&mut established).unwrap();
    // More than the sockets take; the server then stays silent and open.
    let payload = vec![5; 12 << 20];
    let (mut writer, expected) = (far.try_clone().unwrap(), payload.clone());
    let writing = std::thread::spawn(move || writer.write_all(&payload).unwrap());
    // The proxy is stuck before the client reads its first octet.
    proxy.wait_until("the sockets are full", |proxy| {
        let (before, _) = proxy.cost();
        client
            .sock
            .set_read_timeout(Some(std::time::Duration::from_millis(100)))
            .unwrap();
        let _ = client.sock.peek(&mut [0]);
        before == proxy.cost().0
    });
    client
        .sock
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    let mut received = vec![0; expected.len()];
    client.read_exact(&mut received).unwrap();
    assert!(received == expected);
    writing.join().unwrap();
    client.write_all(b"done").unwrap();
    assert_eq!(&octets(&mut far), b"done");
}
