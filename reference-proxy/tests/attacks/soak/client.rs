//! A proxy by one of the ways that lead to it, and a client on that way.

use super::stream::{Shared, Stream};
use crate::support::{PATIENCE, Proxy, everything, finish, head, reset};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A proxy and how it is spoken to.
pub(super) struct Front {
    pub(super) proxy: Proxy,
    pub(super) door: Door,
    _folder: Option<tempfile::TempDir>,
}

/// What clients need of it.
pub(super) struct Door {
    pub(super) name: String,
    /// How many requests it has had.
    pub(super) tunnels: AtomicU64,
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    /// The connection that carries all tunnels, where they are streams.
    streams: Option<Shared>,
}

/// How clients speak to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) is_secure: bool,
    pub(super) is_http2: bool,
}

/// Every way that it serves.
pub(super) const WAYS: [Way; 4] = [
    Way::of(false, false),
    Way::of(true, false),
    Way::of(false, true),
    Way::of(true, true),
];

/// A client's connection.
pub(super) enum Client {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
    Stream(Box<Stream>),
}

impl Way {
    const fn of(is_secure: bool, is_http2: bool) -> Self {
        Self {
            is_secure,
            is_http2,
        }
    }

    const fn name(self) -> &'static str {
        match (self.is_secure, self.is_http2) {
            (false, false) => "plain",
            (true, false) => "TLS",
            (false, true) => "h2c",
            (true, true) => "h2",
        }
    }
}

impl Front {
    pub(super) fn new(way: Way, config: &str) -> Self {
        let name = format!("{}, {}", way.name(), timeout(config));
        let mut config = config.to_owned();
        if way.is_http2 {
            config.push_str(
                "LoadModule http2_module modules/mod_http2.so\nProtocols h2 h2c http/1.1\n",
            );
        }
        let secure = way.is_secure.then(|| secure(&mut config, way.is_http2));
        let (folder, tls) = secure.unzip();
        let proxy = Proxy::with(&config);
        let address = proxy.address;
        let streams = way.is_http2.then(|| Shared::new(address, tls.clone()));
        Self {
            door: Door {
                name,
                tunnels: AtomicU64::default(),
                address,
                tls,
                streams,
            },
            proxy,
            _folder: folder,
        }
    }
}

/// A certificate for the proxy, and what its clients are told of it.
fn secure(config: &mut String, is_http2: bool) -> (tempfile::TempDir, Arc<ClientConfig>) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (file("cert.pem"), file("key.pem"));
    for (directive, file) in [
        ("CertificateFile", certificate),
        ("CertificateKeyFile", key),
    ] {
        config.extend(["SSL", directive, " ", &file.display().to_string(), "\n"]);
    }
    config.push_str("SSLEngine On\n");
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    if is_http2 {
        tls.alpn_protocols = vec![b"h2".to_vec()];
    }
    (folder, Arc::new(tls))
}

impl Door {
    pub(super) fn dial(&self) -> Client {
        if let Some(streams) = &self.streams {
            return Client::Stream(Box::new(streams.stream()));
        }
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let Some(tls) = &self.tls else {
            return Client::Plain(stream);
        };
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(tls), name).unwrap();
        Client::Secure(Box::new(StreamOwned::new(connection, stream)))
    }
}

fn timeout(config: &str) -> &str {
    config.lines().last().unwrap_or_default()
}

impl Client {
    /// Asks for a tunnel; returns the status of the answer.
    pub(super) fn ask(&mut self, target: SocketAddr) -> u16 {
        if let Self::Stream(stream) = self {
            return stream.ask(target);
        }
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        self.write_all(request.as_bytes()).unwrap();
        let answer = match self {
            Self::Plain(stream) => head(stream),
            Self::Secure(_) | Self::Stream(_) => {
                let (mut answer, mut octet) = (Vec::new(), [0]);
                while !answer.ends_with(b"\r\n\r\n") {
                    self.read_exact(&mut octet).unwrap();
                    answer.push(octet[0]);
                }
                String::from_utf8(answer).unwrap()
            }
        };
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Sends the end, in TLS as its own, too.
    pub(super) fn finish(&mut self) {
        match self {
            Self::Plain(stream) => finish(stream),
            Self::Secure(stream) => {
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
            Self::Stream(stream) => stream.finish(),
        }
    }

    pub(super) fn reset(self) {
        match self {
            Self::Plain(stream) => reset(stream),
            Self::Secure(stream) => reset(stream.into_parts().1),
            Self::Stream(stream) => stream.reset(),
        }
    }

    /// How it ends: an error, unless that was an orderly end.
    pub(super) fn ends(&mut self) -> io::Result<()> {
        let mut octet = [0];
        let read = self.read(&mut octet)?;
        assert_eq!(read, 0, "an octet instead of the end");
        Ok(())
    }

    /// Reads what is left of an answer.
    pub(super) fn wait_for_the_end(mut self) {
        match &mut self {
            Self::Plain(stream) => drop(everything(stream)),
            Self::Secure(stream) => drop(stream.read_to_end(&mut Vec::new())),
            Self::Stream(stream) => drop(stream.read_to_end(&mut Vec::new())),
        }
    }
}

impl Read for Client {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(octets),
            Self::Secure(stream) => stream.read(octets),
            Self::Stream(stream) => stream.read(octets),
        }
    }
}

impl Write for Client {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(octets),
            Self::Secure(stream) => stream.write(octets),
            Self::Stream(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Secure(stream) => stream.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}
