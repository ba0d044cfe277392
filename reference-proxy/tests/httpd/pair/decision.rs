//! What a proxy decides about a request, and nothing else.

use super::exchange::head;
use super::{PATIENCE, Running};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// A request, and from where and to which port of the proxy it goes.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) from: Ipv4Addr,
    /// The port of the proxy; `None`: the first one.
    pub(crate) port: Option<u16>,
    pub(crate) target: String,
    /// The value of `Host`; `None`: the target.
    pub(crate) host: Option<String>,
    /// Further field lines, each with its line end.
    pub(crate) fields: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Decision {
    /// A tunnel that carries octets.
    Tunnel,
    /// It would have been one, but the target has no address, or nobody listens there.
    Unreached,
    /// 403.
    Denied,
    /// 407.
    UserWanted,
    /// Another status; 0: none.
    Other(u16),
}

impl Decision {
    /// Whether the client was let in.
    pub(crate) fn lets_in(self) -> bool {
        matches!(self, Self::Tunnel | Self::Unreached)
    }
}

impl Ask {
    /// For `target`, from this machine's usual address.
    pub(crate) fn new(target: &str) -> Self {
        Self {
            from: Ipv4Addr::LOCALHOST,
            port: None,
            target: target.to_owned(),
            host: None,
            fields: String::new(),
        }
    }

    pub(crate) fn octets(&self) -> Vec<u8> {
        let Self { target, fields, .. } = self;
        let host = self.host.as_ref().unwrap_or(target);
        format!("CONNECT {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n").into_bytes()
    }

    /// Connects; of a program that has just begun to listen, further ports may follow.
    pub(super) fn connect(&self, to: SocketAddr) -> TcpStream {
        let to = SocketAddr::new(to.ip(), self.port.unwrap_or_else(|| to.port()));
        let end = Instant::now() + PATIENCE;
        let socket = loop {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let from = SocketAddr::new(IpAddr::V4(self.from), 0);
            socket.bind(&from.into()).unwrap();
            match socket.connect(&to.into()) {
                Ok(()) => break socket,
                Err(error) => assert!(Instant::now() < end, "{to}: {error}"),
            }
            std::thread::yield_now();
        };
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Running {
    /// Sends a CONNECT, and tries the tunnel if there is one.
    pub(crate) fn decides(&self, ask: &Ask) -> Decision {
        let mut stream = ask.connect(self.address());
        let decision = decided(&mut stream, &ask.octets());
        // httpd takes ten seconds to end when it is told to amid the end of a tunnel.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        decision
    }

    /// The same in a TLS connection with the proxy, by the certificate in its folder.
    pub(crate) fn decides_over_tls(&self, ask: &Ask) -> Decision {
        let own = CertificateDer::from_pem_slice(self.file("certificate.pem").as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("proxy.example.test").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, ask.connect(self.address()));
        let decision = decided(&mut stream, &ask.octets());
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = stream.sock.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        decision
    }
}

/// Sends `request` on a connection to a proxy, and sees what becomes of it.
pub(crate) fn decided(stream: &mut (impl Read + Write), request: &[u8]) -> Decision {
    // A refusal may come, and the connection go, before all is sent.
    let _ = stream.write_all(request);
    let answer = head(stream);
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    match status.unwrap_or(0) {
        200 => {
            let mut echoed = [0; 5];
            let passed = stream
                .write_all(b"nonce")
                .and_then(|()| stream.read_exact(&mut echoed));
            match passed.is_ok() && echoed == *b"nonce" {
                true => Decision::Tunnel,
                false => Decision::Other(200),
            }
        }
        403 => Decision::Denied,
        407 => Decision::UserWanted,
        // Here httpd and the reference have statuses of their own: `connect-failure`.
        502..=504 => Decision::Unreached,
        other => Decision::Other(other),
    }
}
