//! One certificate authority a run, made at its start: nothing that expires is ever stored.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// A certificate authority and what it has signed.
#[derive(Debug)]
pub struct Pki {
    issuer: Issuer<'static, KeyPair>,
    authority: CertificateDer<'static>,
    authority_pem: String,
    servers: Mutex<HashMap<String, Arc<Identity>>>,
}

/// A server's certificate and configuration.
#[derive(Debug)]
pub struct Identity {
    /// The certificate, in DER.
    pub certificate: Vec<u8>,
    /// Certificate and key in PEM, for programs that read files.
    pub pem: (String, String),
    /// A configuration that shows the certificate.
    pub config: Arc<ServerConfig>,
}

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// Making or signing failed.
    #[error("could not make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("could not configure TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Pki {
    /// A new authority.
    ///
    /// # Errors
    /// Where keys or certificates cannot be made.
    pub fn new() -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "connectspec, one run only");
        let authority = params.self_signed(&key)?;
        let (authority, authority_pem) = (authority.der().clone(), authority.pem());
        let issuer = Issuer::new(params, key);
        Ok(Self {
            issuer,
            authority,
            authority_pem,
            servers: Mutex::default(),
        })
    }

    /// The authority's certificate, in DER.
    #[must_use]
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// The authority's certificate, in PEM, for programs that read files.
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The identity of a server that is known by `names` (host names or addresses); made once for each set of names.
    ///
    /// # Errors
    /// Where its key or certificate cannot be made.
    pub fn identity(&self, names: &[&str]) -> Result<Arc<Identity>, PkiError> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = names.join(" ");
        if let Some(identity) = servers.get(&wanted) {
            return Ok(Arc::clone(identity));
        }
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone()];
        let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, secret)?;
        let identity = Arc::new(Identity {
            certificate: certificate.der().to_vec(),
            pem: (certificate.pem(), key.serialize_pem()),
            config: Arc::new(config),
        });
        servers.insert(wanted, Arc::clone(&identity));
        Ok(identity)
    }

    /// A client that trusts this authority alone.
    ///
    /// # Errors
    /// Where the authority's own certificate is not taken.
    pub fn client(&self) -> Result<Arc<ClientConfig>, PkiError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone())?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
