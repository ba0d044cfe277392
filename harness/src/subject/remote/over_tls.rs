//! TLS to a proxy that is already running: by which name it is known, and who is trusted to say that it is the one.
//!
//! A proxy on somebody's desk shows a certificate that it has signed itself. It is trusted where it was given as a file,
//! whatever it says of itself, as other programs do that take such a file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How a proxy is reached over TLS.
#[derive(Clone, Debug)]
pub struct OverTls {
    /// The name or address that its certificate is for.
    pub name: String,
    /// Who is trusted.
    pub config: Arc<ClientConfig>,
}

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file holds no certificates.
    #[error(
        "could not read certificates from {}: {reason}; give a PEM file with the certificate of the proxy's authority, or with its own",
        path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS does not take it.
    #[error(
        "could not trust {whom}: {reason}; give with --ca a file with the certificate of the proxy's authority, or with its own"
    )]
    Unusable {
        /// Whose word was to be taken.
        whom: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl OverTls {
    /// The proxy called `name`, on the word of the certificates in a PEM file, or of those whom this machine trusts.
    ///
    /// # Errors
    /// Where there are none.
    pub fn trusting(name: &str, authorities: Option<&Path>) -> Result<Self, TrustError> {
        let config = match authorities {
            Some(path) => trusting_file(path)?,
            None => trusting_machine()?,
        };
        Ok(Self {
            name: name.to_owned(),
            config: Arc::new(config),
        })
    }
}

fn trusting_machine() -> Result<ClientConfig, TrustError> {
    let unusable = |error: rustls::Error| TrustError::Unusable {
        whom: "the authorities of this machine".to_owned(),
        reason: error.to_string(),
    };
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(unusable)?;
    Ok(config.with_no_client_auth())
}

fn trusting_file(path: &Path) -> Result<ClientConfig, TrustError> {
    let unreadable = |reason: String| TrustError::File {
        path: path.to_owned(),
        reason,
    };
    let unusable = |reason: String| TrustError::Unusable {
        whom: path.display().to_string(),
        reason,
    };
    let known: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(error.to_string()));
    let known = known?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(known.iter().cloned());
    if added == 0 {
        return Err(unreadable("there is none in it".to_owned()));
    }
    let provider = Arc::new(ring::default_provider());
    let authorities =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    let trust = Arc::new(Trust { authorities, known });
    let config = config
        .dangerous()
        .with_custom_certificate_verifier(trust)
        .with_no_client_auth();
    Ok(config)
}

/// What the file signs, and what it holds.
#[derive(Debug)]
struct Trust {
    authorities: Arc<WebPkiServerVerifier>,
    known: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict =
            self.authorities
                .verify_server_cert(end_entity, intermediates, name, ocsp, now);
        match verdict {
            // It is the one that was given, though it calls itself an authority, or has no names.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::Other(_)
                | CertificateError::UnknownIssuer
                | CertificateError::InvalidPurpose
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. },
            )) if self.known.contains(end_entity) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
