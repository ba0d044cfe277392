//! Through an upstream proxy of HTTP/2 within TLS: who it has to be, and that it has to speak it.

use crate::client::run;
use crate::next::{Far, TARGET, asked_over};
use crate::support::{Proxy, check, everything, head};
use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::io::Write;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

type Made = CertifiedKey<rcgen::KeyPair>;

fn made(name: &str) -> Made {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap()
}

/// What an upstream proxy with that certificate needs, which offers these protocols.
fn acceptor(made: &Made, protocols: &[&[u8]]) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let mut config = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A proxy that trusts this certificate, and where it expects its upstream proxy.
async fn trusting(made: &Made, host: &str, more: &str) -> (Proxy, TcpListener, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let lines = format!(
        "ProxyRemote * h2://{host}:{port}\nSSLProxyCACertificateFile {}\nAllowCONNECT 443\n{more}",
        file.display()
    );
    (Proxy::with(&lines), upstream, folder)
}

fn asking(proxy: &Proxy) -> std::net::TcpStream {
    let mut near = proxy.dial();
    let request = format!("CONNECT {TARGET} HTTP/1.1\r\nHost: {TARGET}\r\n\r\n");
    near.write_all(request.as_bytes()).unwrap();
    near
}

async fn shaken(
    upstream: &TcpListener,
    acceptor: &TlsAcceptor,
) -> std::io::Result<TlsStream<TcpStream>> {
    let (stream, _) = upstream.accept().await.unwrap();
    acceptor.accept(stream).await
}

#[test]
fn a_tunnel_goes_through_tls() {
    run(async {
        for host in ["127.0.0.1", "localhost"] {
            let made = made(host);
            let (proxy, upstream, _folder) = trusting(&made, host, "").await;
            let mut near = asking(&proxy);
            let stream = shaken(&upstream, &acceptor(&made, &[b"h2", b"http/1.1"]))
                .await
                .unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let source = stream.get_ref().0.peer_addr().unwrap();
            let mut far: Far = asked_over(stream, source).await.grants();
            assert!(head(&mut near).starts_with("HTTP/1.1 200 "));
            near.write_all(b"to the server").unwrap();
            assert_eq!(far.reads(13).await, "to the server");
            far.says("to the client");
            far.finishes();
            assert_eq!(everything(&mut near), "to the client");
            near.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(far.end().await, Ok(()));
            drop(far);
            assert_eq!(proxy.access_lines(1)[0][1], source.port().to_string());
        }
    });
}

#[test]
fn whoever_proves_nothing_is_told_nothing() {
    run(async {
        let trusted = made("127.0.0.1");
        let (proxy, upstream, _folder) = trusting(&trusted, "127.0.0.1", "ProxyTimeout 5\n").await;
        let (stranger, elsewhere) = (made("127.0.0.1"), made("elsewhere.test"));
        for (acceptor, error) in [
            (acceptor(&stranger, &[b"h2"]), "tls_certificate_error"),
            (acceptor(&elsewhere, &[b"h2"]), "tls_certificate_error"),
            (acceptor(&trusted, &[]), "tls_protocol_error"),
            (acceptor(&trusted, &[b"http/1.1"]), "tls_alert_received"),
        ] {
            let mut near = asking(&proxy);
            if let Ok(mut stream) = shaken(&upstream, &acceptor).await {
                let mut said = Vec::new();
                let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said).await;
                assert!(said.is_empty(), "{said:?}");
            }
            let told = everything(&mut near);
            assert!(told.starts_with("HTTP/1.1 502 "), "{error}: {told}");
            assert!(
                told.contains(&format!("; error={error}\r\n")),
                "{error}: {told}"
            );
        }
        // A name that another one has.
        let made = made("localhost");
        let (proxy, upstream, _folder) = trusting(&made, "127.0.0.1", "").await;
        let mut near = asking(&proxy);
        let _ = shaken(&upstream, &acceptor(&made, &[b"h2"])).await;
        assert!(everything(&mut near).contains("; error=tls_certificate_error\r\n"));
    });
}

#[test]
fn what_is_no_tls_is_a_bad_gateway_and_silence_a_timeout() {
    run(async {
        let made = made("127.0.0.1");
        let (proxy, upstream, _folder) = trusting(&made, "127.0.0.1", "ProxyTimeout 1\n").await;
        let mut near = asking(&proxy);
        let (mut far, _) = upstream.accept().await.unwrap();
        far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let told = everything(&mut near);
        assert!(told.starts_with("HTTP/1.1 502 "), "{told}");
        assert!(told.contains("; error=tls_protocol_error\r\n"), "{told}");
        let mut near = asking(&proxy);
        let (_far, _) = upstream.accept().await.unwrap();
        let told = everything(&mut near);
        assert!(told.starts_with("HTTP/1.1 504 "), "{told}");
    });
}

#[test]
fn who_vouches_for_it_has_to_be_said() {
    let (good, said) = check("ProxyRemote * h2://127.0.0.1:1\n");
    assert!(
        !good && said.contains("say in SSLProxyCACertificateFile"),
        "{said}"
    );
    let (good, said) =
        check("ProxyRemote * h2://127.0.0.1:1\nSSLProxyCACertificateFile /nowhere\n");
    assert!(
        !good && said.contains("SSLProxyCACertificateFile /nowhere"),
        "{said}"
    );
    let inside = "<Proxy *>\nSSLProxyCACertificateFile /nowhere\nRequire local\n</Proxy>\n";
    let (good, said) = check(&format!("{inside}ProxyRemote * h2c://127.0.0.1:1\n"));
    assert!(good && said.contains("does nothing here"), "{said}");
    let (good, said) = check(&format!("{inside}ProxyRemote * h2://127.0.0.1:1\n"));
    assert!(
        !good && said.contains("say in SSLProxyCACertificateFile"),
        "{said}"
    );
    // It is read where it is needed.
    let (good, said) = check("SSLProxyCACertificateFile /nowhere\n");
    assert!(good, "{said}");
}
