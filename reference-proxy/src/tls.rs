//! CONNECT over TLS to the proxy, `SSLEngine`; and from it to an upstream proxy, `h2://`.

use crate::config::Protocols;
use crate::config::protocols::H2;
use crate::refusal::Refusal;
use crate::regular;
use crate::request::Host;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::Acceptor;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, TlsConnector, client};

/// The largest file of certificates or keys; a long chain has twenty kilobytes.
const FILE_LONGEST: u64 = 1 << 20;

/// Which files a handshake needs.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The server's certificate, perhaps with those that lead to it behind.
    pub certificate: &'a Path,
    /// Its key. One that has no file of its own is looked for beside the certificate, as in httpd.
    pub key: Option<&'a Path>,
    /// More certificates that lead to it.
    pub chain: Option<&'a Path>,
}

/// Which versions of TLS are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    tls12: bool,
    tls13: bool,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            tls12: true,
            tls13: true,
        }
    }
}

impl Versions {
    /// Reads the words of `SSLProtocol`: `all -TLSv1.2`, `+TLSv1.3`, `TLSv1.2`. Versions before 1.2 are never spoken.
    ///
    /// # Errors
    ///
    /// What is no version, and when none is left.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let none = Self {
            tls12: false,
            tls13: false,
        };
        let mut versions = none;
        for word in words {
            let (sign, name) = match word.strip_prefix(['+', '-']) {
                Some(name) => (word.chars().next(), name),
                None => (None, &**word),
            };
            let (tls12, tls13) = match name.to_ascii_lowercase().as_str() {
                "all" => (true, true),
                "tlsv1.2" => (true, false),
                "tlsv1.3" => (false, true),
                "sslv2" | "sslv3" | "tlsv1" | "tlsv1.1" => (false, false),
                _ => return Err(format!("SSLProtocol: Illegal protocol '{name}'")),
            };
            let taken_away = sign == Some('-');
            if sign.is_none() {
                versions = none;
            }
            versions.tls12 = if tls12 { !taken_away } else { versions.tls12 };
            versions.tls13 = if tls13 { !taken_away } else { versions.tls13 };
        }
        if versions == none {
            return Err(
                "SSLProtocol leaves no version that is spoken here: allow TLSv1.2 or TLSv1.3"
                    .into(),
            );
        }
        Ok(versions)
    }

    fn spoken(self) -> Vec<&'static SupportedProtocolVersion> {
        let mut spoken = Vec::new();
        if self.tls13 {
            spoken.push(&version::TLS13);
        }
        if self.tls12 {
            spoken.push(&version::TLS12);
        }
        spoken
    }
}

/// Shakes hands with a client, and lets `protocols` choose one of those that it offers.
///
/// # Errors
///
/// The client breaks the handshake, or wants nothing that is spoken here.
pub async fn accept(
    client: TcpStream,
    config: &Arc<ServerConfig>,
    protocols: &Protocols,
) -> io::Result<TlsStream<TcpStream>> {
    if protocols.honors_its_order() {
        return TlsAcceptor::from(Arc::clone(config)).accept(client).await;
    }
    let asked = LazyConfigAcceptor::new(Acceptor::default(), client).await?;
    let hello = asked.client_hello();
    let offered: Vec<&[u8]> = hello.alpn().into_iter().flatten().collect();
    let mut config = (**config).clone();
    if let Some(chosen) = protocols.choose(&offered) {
        config.alpn_protocols = vec![chosen.as_bytes().to_vec()];
    }
    asked.into_stream(Arc::new(config)).await
}

/// Reads certificate chain and key into what a handshake needs.
///
/// # Errors
///
/// The file that cannot be used, and why.
pub fn server(
    files: Files<'_>,
    versions: Versions,
    protocols: &Protocols,
) -> Result<Arc<ServerConfig>, String> {
    let Files {
        certificate, chain, ..
    } = files;
    let key = files.key.unwrap_or(certificate);
    let mut certificates = certificates("SSLCertificateFile", certificate)?;
    if let Some(chain) = chain {
        certificates.extend(self::certificates("SSLCertificateChainFile", chain)?);
    }
    let secret = PrivateKeyDer::from_pem_slice(&octets("SSLCertificateKeyFile", key)?)
        .map_err(|error| format!("SSLCertificateKeyFile {}: {error}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions.spoken())
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, secret)
        })
        .map_err(|error| format!("SSLCertificateFile {}: {error}", certificate.display()))?;
    // Early data (0-RTT) stays off: a CONNECT must not be replayed.
    config.alpn_protocols = protocols.within_tls();
    Ok(Arc::new(config))
}

/// Reads who vouches for an upstream proxy into what a handshake with it needs.
///
/// # Errors
///
/// The file that cannot be used, and why.
pub fn client(authorities: &Path) -> Result<Arc<ClientConfig>, String> {
    const DIRECTIVE: &str = "SSLProxyCACertificateFile";
    let wrong = |error| format!("{DIRECTIVE} {}: {error}", authorities.display());
    let mut roots = RootCertStore::empty();
    for certificate in certificates(DIRECTIVE, authorities)? {
        roots.add(certificate).map_err(wrong)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&Versions::default().spoken())
        .map_err(wrong)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![H2.as_bytes().to_vec()];
    Ok(Arc::new(config))
}

/// Shakes hands with an upstream proxy of that name or address, which has to prove it and to speak HTTP/2.
///
/// # Errors
///
/// What the client is told instead.
pub async fn connect(
    upstream: TcpStream,
    config: &Arc<ClientConfig>,
    host: &Host,
) -> Result<client::TlsStream<TcpStream>, Refusal> {
    let failed = |error: &'static str| {
        Refusal::bad_gateway(error, "the TLS handshake with the upstream proxy failed")
    };
    let name = match host {
        Host::Address(address) => Ok((*address).into()),
        Host::Name(name) => ServerName::try_from(name.to_string()),
    };
    let name = name.map_err(|_| failed("tls_certificate_error"))?;
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connector.connect(name, upstream).await.map_err(|error| {
        let cause = error.get_ref().and_then(|error| error.downcast_ref());
        failed(match cause {
            Some(rustls::Error::InvalidCertificate(_)) => "tls_certificate_error",
            Some(rustls::Error::AlertReceived(_)) => "tls_alert_received",
            Some(_) => "tls_protocol_error",
            None => "connection_terminated",
        })
    })?;
    match stream.get_ref().1.alpn_protocol() {
        Some(chosen) if chosen == H2.as_bytes() => Ok(stream),
        _ => Err(Refusal::bad_gateway(
            "tls_protocol_error",
            "the upstream proxy does not speak HTTP/2",
        )),
    }
}

fn certificates(directive: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(&octets(directive, file)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{directive} {}: {error}", file.display()))?;
    if certificates.is_empty() {
        return Err(format!(
            "{directive} {}: no certificate in it",
            file.display()
        ));
    }
    Ok(certificates)
}

fn octets(directive: &str, file: &Path) -> Result<Vec<u8>, String> {
    regular::read(file, FILE_LONGEST)
        .map_err(|error| format!("{directive} {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_added_up_as_in_httpd() {
        for (text, tls12, tls13) in [
            ("all", true, true),
            ("all -SSLv3", true, true),
            ("ALL -tlsv1.2", false, true),
            ("-all +TLSv1.2", true, false),
            ("TLSv1.3", false, true),
            ("TLSv1.2 +TLSv1.3", true, true),
            ("TLSv1.2 TLSv1.3", false, true),
            ("+TLSv1 +TLSv1.1 +TLSv1.2", true, false),
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(
                Versions::parse(&words),
                Ok(Versions { tls12, tls13 }),
                "{text}"
            );
        }
        for bad in ["TLSv1", "all -TLSv1.2 -TLSv1.3", "TLSv1.4", "-all", ""] {
            assert!(Versions::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(Versions::parse(&["TLSv1.3".into(), "SSLv3".into()]).is_err());
    }
}
