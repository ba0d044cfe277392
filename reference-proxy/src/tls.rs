//! CONNECT over TLS to the proxy: `SSLEngine`.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;

/// Reads certificate chain and key into what a handshake needs. A key that has no file of its own is looked
/// for beside the certificate, as in httpd.
///
/// # Errors
///
/// The file that cannot be used, and why.
pub fn server(certificate: &Path, key: Option<&Path>) -> Result<Arc<ServerConfig>, String> {
    let key = key.unwrap_or(certificate);
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("SSLCertificateFile {}: {error}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!(
            "SSLCertificateFile {}: no certificate in it",
            certificate.display()
        ));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("SSLCertificateKeyFile {}: {error}", key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        })
        .map_err(|error| format!("SSLCertificateFile {}: {error}", certificate.display()))?;
    // Only this is spoken behind the handshake. Early data (0-RTT) stays off: a CONNECT must not be replayed.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
