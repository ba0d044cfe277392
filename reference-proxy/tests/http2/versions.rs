//! Which version of HTTP a connection speaks: `Protocols` and its kin.

use crate::client::{Client, H2C, run, server};
use crate::support::{Proxy, head};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io::{Read, Write};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const MODULE: &str = "LoadModule http2_module modules/mod_http2.so\n";

/// What the first answer to a preface begins with.
fn answer_to_the_preface(config: &str) -> [u8; 9] {
    let proxy = Proxy::with(config);
    let mut stream = proxy.dial();
    stream.write_all(PREFACE).unwrap();
    let mut octets = [0; 9];
    stream.read_exact(&mut octets).unwrap();
    octets
}

#[test]
fn in_the_clear_the_preface_says_it() {
    let speaks = |config: &str| match answer_to_the_preface(config) {
        // Four bits of type SETTINGS on stream 0.
        [_, _, _, 4, 0, 0, 0, 0, 0] => true,
        other => {
            assert_eq!(&other, b"HTTP/1.1 ", "{config}");
            false
        }
    };
    for (config, http2) in [
        ("", false),
        (MODULE, false),
        ("Protocols h2c http/1.1\n", false),
        (&*format!("{MODULE}Protocols h2c\n"), true),
        (&*format!("{MODULE}Protocols http/1.1 h2c\n"), true),
        (&*format!("{MODULE}Protocols h2 http/1.1\n"), false),
        (&*format!("{MODULE}Protocols h2c\nH2Direct Off\n"), false),
        (
            &*format!(
                "{MODULE}Protocols h2c\n<VirtualHost *>\nProtocols http/1.1\n</VirtualHost>\n"
            ),
            false,
        ),
        (
            &*format!("{MODULE}<VirtualHost *>\nProtocols h2c\n</VirtualHost>\n"),
            true,
        ),
    ] {
        assert_eq!(speaks(config), http2, "{config}");
    }
}

#[test]
fn a_port_speaks_both_however_the_first_octets_arrive() {
    run(async {
        let (server, allow) = server().await;
        let proxy = Proxy::with(&format!("{H2C}{allow}"));
        let target = server.local_addr().unwrap();
        for method in ["CONNECT", "PUT", "P"] {
            let mut stream = proxy.dial();
            for octet in format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n").bytes() {
                stream.write_all(&[octet]).unwrap();
            }
            let status = head(&mut stream)[9..12].to_owned();
            let expected = match method {
                "CONNECT" => "200",
                "PUT" => "405",
                _ => "501",
            };
            assert_eq!(status, expected, "{method}");
        }
        server.accept().await.unwrap();
        let mut stream = proxy.dial();
        for octet in PREFACE {
            stream.write_all(&[*octet]).unwrap();
        }
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
        let mut octets = [0; 9];
        stream.read_exact(&mut octets).unwrap();
        assert_eq!(octets[3..], [4, 0, 0, 0, 0, 0]);
        // What begins like a preface and is none is a request that is none.
        let answer = proxy.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX");
        assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    });
}

/// A proxy within TLS, and what a client needs to trust it.
struct Secured {
    proxy: Proxy,
    roots: RootCertStore,
    _folder: tempfile::TempDir,
}

impl Secured {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let proxy = Proxy::with(&format!(
            "{MODULE}{config}SSLEngine On\nSSLCertificateFile {}\nSSLCertificateKeyFile {}\n",
            certificate.display(),
            key.display()
        ));
        let mut roots = RootCertStore::empty();
        let der = CertificateDer::from(made.cert.der().to_vec());
        roots.add(der).unwrap();
        Self {
            proxy,
            roots,
            _folder: folder,
        }
    }

    async fn dial(&self, offered: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut config = builder
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let stream = TcpStream::connect(self.proxy.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    async fn chooses(&self, offered: &[&str]) -> Option<String> {
        let stream = self.dial(offered).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol()?;
        Some(String::from_utf8(chosen.to_vec()).unwrap())
    }
}

#[test]
fn within_tls_the_handshake_says_it() {
    run(async {
        let both = &["http/1.1", "h2"][..];
        for (config, offered, chosen) in [
            ("", both, Some("http/1.1")),
            ("Protocols h2 http/1.1\n", both, Some("h2")),
            ("Protocols http/1.1 h2\n", both, Some("http/1.1")),
            (
                "Protocols h2 http/1.1\nProtocolsHonorOrder Off\n",
                both,
                Some("http/1.1"),
            ),
            (
                "Protocols http/1.1 h2\nProtocolsHonorOrder Off\n",
                &["h2", "http/1.1"],
                Some("h2"),
            ),
            ("Protocols h2c http/1.1\n", both, Some("http/1.1")),
            ("Protocols h2 http/1.1\n", &["http/1.1"], Some("http/1.1")),
            ("Protocols h2 http/1.1\n", &[], None),
            (
                "Protocols h2 http/1.1\nProtocolsHonorOrder Off\n",
                &[],
                None,
            ),
        ] {
            let secured = Secured::with(config);
            let found = secured.chooses(offered).await;
            assert_eq!(found.as_deref(), chosen, "{config} {offered:?}");
        }
    });
}

#[test]
fn a_stream_within_tls_is_a_tunnel() {
    run(async {
        let (server, allow) = server().await;
        let secured = Secured::with(&format!("Protocols h2 http/1.1\n{allow}"));
        let stream = secured.dial(&["h2"]).await.unwrap();
        let client = Client::over(stream, h2::client::Builder::new()).await;
        let mut tunnel = client.tunnel(&server).await;
        tunnel.works().await;
        let mut other = client.tunnel(&server).await;
        other.finishes();
        other.server_ends().await.unwrap();
        tunnel.works().await;
        client.breaks_off().await;
        assert!(tunnel.server_ends().await.is_err());
    });
}

/// Without a handshake that has chosen it, the preface is nothing within TLS, unless the configuration says so.
#[test]
fn within_tls_the_preface_alone_is_not_enough() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    run(async {
        for (config, begins) in [
            ("Protocols h2 http/1.1\n", &b"HTTP/1.1"[..]),
            ("Protocols h2 http/1.1\nH2Direct On\n", &[0, 0]),
        ] {
            let secured = Secured::with(config);
            let mut stream = secured.dial(&[]).await.unwrap();
            stream.write_all(PREFACE).await.unwrap();
            let mut octets = [0; 8];
            stream.read_exact(&mut octets).await.unwrap();
            assert!(octets.starts_with(begins), "{config}: {octets:?}");
        }
    });
}
